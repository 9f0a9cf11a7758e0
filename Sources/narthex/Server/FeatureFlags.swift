import Logging
import PromQL
import Scrape

/// The names given to `--enable-feature`, and what becomes of them.
///
/// All of Prometheus' names are taken, so that a command line goes on working; those that mean nothing here are logged,
/// like unknown ones, and change nothing.
///
/// Source: prometheus/prometheus cmd/prometheus/main.go (`setFeatureListOptions`).
struct FeatureFlags {
    /// A line for the log about one name.
    struct Note: Equatable {
        var level: Logger.Level
        var message: String
        var option: String?
    }

    private let names: [String]

    /// The names in `lists`, each of which holds several between commas.
    init(_ lists: [String]) {
        names = lists.flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// Whether the feature called `name` is on.
    func contains(_ name: String) -> Bool { names.contains(name) }

    /// The language that queries are written in.
    var parser: Parser.Options {
        var options = Parser.Options()
        options.experimentalFunctions = contains("promql-experimental-functions")
        // On in 3.14 without being asked for.
        options.durationExpressions = true
        options.extendedRangeSelectors = contains("promql-extended-range-selectors")
        options.binaryFillModifiers = contains("promql-binop-fill-modifiers")
        return options
    }

    /// Sets what features change of evaluation.
    func adjust(_ options: inout EngineOptions) {
        options.parser = parser
        options.delayedNameRemoval = contains("promql-delayed-name-removal")
        options.reportsStepStatistics = contains("promql-per-step-stats")
        options.usesStartTimestamps = contains("use-start-timestamps")
        options.usesTypeAndUnitLabels = contains("type-and-unit-labels")
    }

    /// What features change of the configuration's defaults.
    var defaults: GlobalConfiguration.Defaults {
        var defaults = GlobalConfiguration.Defaults()
        defaults.reportsExtraMetrics = contains("extra-scrape-metrics")
        if contains("created-timestamp-zero-ingestion") || contains("st-storage") {
            defaults.scrapeProtocols = ScrapeProtocol.protobufFirst
        }
        return defaults
    }

    /// What is to be logged at the start, in the order of the command line.
    var notes: [Note] {
        names.map { name in
            if let text = Self.phasedOut[name] { return Note(level: .warning, message: text, option: name) }
            if let text = Self.effective[name] { return Note(level: .info, message: text) }
            if Self.alwaysOn.contains(name) {
                return Note(
                    level: .warning,
                    message: "This option for --enable-feature is now permanently enabled and therefore a no-op.",
                    option: name)
            }
            if name == "xor2-encoding" {
                return Note(
                    level: .warning,
                    message: "This option for --enable-feature is being phased out. It currently changes the default "
                        + "for the storage.tsdb.chunk_encoding.floats config setting to xor2, but will become a no-op "
                        + "in a future major version. Stop using this option and set "
                        + "storage.tsdb.chunk_encoding.floats in the config instead.", option: name)
            }
            if name == "native-histograms" {
                return Note(
                    level: .warning,
                    message: "This option for --enable-feature is a no-op. To scrape native histograms, set the "
                        + "scrape_native_histograms scrape config setting to true.", option: name)
            }
            if Self.absent.contains(name) {
                return Note(
                    level: .warning, message: "This option for --enable-feature has no effect in Narthex.", option: name
                )
            }
            return Note(level: .warning, message: "Unknown option for --enable-feature", option: name)
        }
    }

    /// The features that are there, with what Prometheus logs of them.
    static let effective: [String: String] = [
        "promql-experimental-functions": "Experimental PromQL functions enabled.",
        "promql-extended-range-selectors": "Experimental PromQL extended range selectors enabled.",
        "promql-binop-fill-modifiers": "Experimental PromQL binary operator fill modifiers enabled.",
        "promql-per-step-stats": "Experimental per-step statistics reporting",
        "promql-delayed-name-removal": "Experimental PromQL delayed name removal enabled.",
        "use-start-timestamps": "Experimental usage of start timestamps in PromQL engine is enabled.",
        "type-and-unit-labels": "Experimental type and unit labels enabled",
        "exemplar-storage": "Experimental in-memory exemplar storage enabled",
        "memory-snapshot-on-shutdown": "Experimental memory snapshot on shutdown enabled",
        "metadata-wal-records": "Experimental metadata records in WAL enabled",
        "created-timestamp-zero-ingestion":
            "Experimental start timestamp zero ingestion enabled. OpenMetrics 1.0 parsing will parse <metric>_created "
            + "metrics as ST instead of normal sample. Changed default scrape_protocols to prefer PrometheusProto "
            + "format.",
        "st-storage":
            "Experimental start timestamp storage enabled. OpenMetrics 1.0 parsing will parse <metric>_created metrics as "
            + "ST instead of normal sample. Changed default scrape_protocols to prefer PrometheusProto format.",
        "histograms-st-encoding": "Experimental ST-capable histogram chunk encoding enabled.",
        "otlp-native-delta-ingestion":
            "Enabling native ingestion of delta OTLP metrics, storing the raw sample values without conversion. "
            + "WARNING: Delta support is in an early stage of development. The ingestion and querying process is "
            + "likely to change over time.",
        "otlp-deltatocumulative": "Converting delta OTLP metrics to cumulative",
        "search-api": "Experimental search API enabled.",
    ]

    /// Those that are there as well, and have a setting or flag in their place.
    private static let phasedOut: [String: String] = [
        "extra-scrape-metrics":
            "This option for --enable-feature is being phased out. It currently changes the default for the "
            + "extra_scrape_metrics config setting to true, but will become a no-op in a future version. Stop using "
            + "this option and set extra_scrape_metrics in the config instead.",
        "auto-reload-config":
            "This option for --enable-feature is deprecated. Use --config.auto-reload instead.",
    ]

    private static let alwaysOn: Set<String> = ["promql-duration-expr", "ooo-native-histograms"]

    /// What Prometheus has and Narthex has not.
    private static let absent: Set<String> = [
        "concurrent-rule-eval", "st-synthesis", "delayed-compaction", "old-ui", "use-uncached-io", "fast-startup",
    ]
}
