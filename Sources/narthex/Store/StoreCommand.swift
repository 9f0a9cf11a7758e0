import DurableFiles
import Matching
import MetricModel
import PromQL
import TSDB
import Web

/// `narthex tsdb`: looks into data directories, and imports into them, as promtool does.
///
/// Source: prometheus/prometheus cmd/promtool/tsdb.go and backfill.go, whose output this is. Nothing but an import
/// writes: a directory may be looked at while a server uses it.
enum StoreCommand {
    private static let path = FlagTable.Argument("db path", "Database path (default is data/).", isRequired: false)
    private static let humanReadable = FlagTable.Flag.toggle(
        "human-readable", short: "r", "Print human readable values.")
    private static let limits: [FlagTable.Flag] = [
        .init(
            "min-time", "Minimum timestamp to dump, in milliseconds since the Unix epoch.", kind: .integer,
            default: "\(Int64.min)"),
        .init(
            "max-time", "Maximum timestamp to dump, in milliseconds since the Unix epoch.", kind: .integer,
            default: "\(Int64.max)"),
        .init(
            "match", "Series selector. Can be specified multiple times.", default: "{__name__=~'(?s:.*)'}",
            isRepeatable: true),
        .init("sandbox-dir-root", "Not needed: what a log says is replayed into memory.", isHidden: true),
    ]

    static let command = Command(
        "tsdb", "Look into a data directory, or import into it, as promtool tsdb does.",
        subcommands: [
            Command(
                "list", "List tsdb blocks.", flags: [humanReadable], arguments: [path],
                examples: ["narthex tsdb list --human-readable narthex-data/tsdb"],
                action: { flags in
                    reporting {
                        Command.print(BlockListing.table(try Database.viewBlocks(directory(flags)), flags), to: 1)
                    }
                }),
            Command(
                "analyze", "Analyze churn, label pair cardinality and compaction efficiency.",
                flags: [
                    .init("limit", "How many items to show in each list.", kind: .integer, default: "20"),
                    .toggle("extended", "Run extended analysis."),
                    .init("match", "Series selector to analyze. Only 1 set of matchers is supported now."),
                ],
                arguments: [
                    path, .init("block id", "Block to analyze (default is the last block).", isRequired: false),
                ], examples: ["narthex tsdb analyze --limit=10 narthex-data/tsdb"],
                action: { flags in reporting { try BlockReport.print(flags, directory: directory(flags)) } }),
            Command(
                "dump", "Dump data (series+samples or optionally just series) from a TSDB.",
                flags: limits + [
                    .init(
                        "format", "Output format of the dump (prom (default) or seriesjson).",
                        kind: .choice(["prom", "seriesjson"], named: "format"), default: "prom")
                ], arguments: [path],
                examples: ["narthex tsdb dump --match='test_metric_1{job=\"demo\"}' narthex-data/tsdb"],
                action: { flags in
                    reporting {
                        let format: SampleDump.Format = flags["format"] == "seriesjson" ? .labels : .plain
                        try SampleDump.print(flags, directory: directory(flags), as: format)
                    }
                }),
            Command(
                "dump-openmetrics",
                "Dump samples as OpenMetrics text, without native histograms, which it cannot represent.",
                flags: limits, arguments: [path],
                examples: ["narthex tsdb dump-openmetrics --min-time=1795392000000 narthex-data/tsdb > samples.om"],
                action: { flags in
                    reporting { try SampleDump.print(flags, directory: directory(flags), as: .openMetrics) }
                }),
            Command(
                "create-blocks-from", "Import samples from input and produce TSDB blocks.",
                subcommands: [
                    Command(
                        "openmetrics", "Import samples from OpenMetrics input and produce TSDB blocks.",
                        flags: [
                            humanReadable, .toggle("quiet", short: "q", "Do not print created blocks."),
                            .init(
                                "max-block-duration",
                                "Maximum duration created blocks may span. Anything less than 2h is ignored.",
                                kind: .duration, default: "2h", isHidden: true),
                            .init(
                                "label",
                                "Label to attach to metrics. Can be specified multiple times. "
                                    + "Example --label=label_name=label_value",
                                isRepeatable: true),
                        ],
                        arguments: [
                            .init("input file", "OpenMetrics file to read samples from."),
                            .init("output directory", "Output directory for generated blocks.", isRequired: false),
                        ],
                        examples: ["narthex tsdb create-blocks-from openmetrics --label=shop=berlin samples.om data"],
                        action: { flags in reporting { try OpenMetricsImport(flags).run() } }),
                    .absent(
                        "rules",
                        because: "this version does not evaluate rules: use promtool's, on the blocks of this directory"
                    ),
                ]),
            .absent("bench", because: "there is no write benchmark here: use promtool's, or `make bench`"),
        ])

    private static func directory(_ flags: ParsedFlags) -> String { flags.argument("db path").first ?? "data/" }

    private static func reporting(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            Command.print("\(error)\n", to: 2)
            return 1
        }
    }

    /// The matchers of a selector.
    static func matchers(_ selector: String) throws -> [Matcher] {
        try Parser().parseMetricSelector(ByteString(selector))
    }
}

/// Collects lines and writes them in large pieces.
struct LineOutput: ~Copyable {
    private var pending: [UInt8] = []

    /// Adds a line; `body` appends it, without its end.
    mutating func line(_ body: (inout [UInt8]) -> Void) {
        body(&pending)
        pending.append(UInt8(ascii: "\n"))
        if pending.count > 1 << 16 { flush() }
    }

    private mutating func flush() {
        Command.print(String(decoding: pending, as: UTF8.self), to: 1)
        pending.removeAll(keepingCapacity: true)
    }

    deinit { Command.print(String(decoding: pending, as: UTF8.self), to: 1) }
}
