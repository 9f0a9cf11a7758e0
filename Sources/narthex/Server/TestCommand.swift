import DurableFiles
import Matching
import MetricModel
import PromQL
import PromQLScripts
import TSDB
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex test promql FILE…`: runs scripts in upstream's test language, on the real store and engine.
enum TestCommand {
    static let command = Command(
        "test", "Run tests.",
        subcommands: [
            Command(
                "promql", "Run PromQL test scripts on the real store and engine.",
                arguments: [.init("script", "Files with scripts.", isRepeatable: true)],
                examples: ["narthex test promql aggregators.test functions.test"], action: run),
            .absent("rules", because: "this version does not evaluate rules: test them with promtool"),
        ])

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        var failures = 0
        var passed = 0
        for path in flags.argument("script") {
            guard let text = TextFile.read(path) else {
                Command.print("\(path): cannot be read\n", to: 2)
                failures += 1
                continue
            }
            do {
                var runner = ScriptRunner(try DatabaseSubject())
                let report = runner.run(ByteString(text))
                for failure in report.failures { Command.print("\(path):\(failure.line): \(failure.message)\n", to: 1) }
                let verdict = report.failures.isEmpty ? "ok" : "FAILED"
                Command.print(
                    "\(verdict) \(path): \(report.passed) passed, \(report.failures.count) failed\n", to: 1)
                passed += report.passed
                failures += report.failures.count
            } catch {
                Command.print("\(path): \(error)\n", to: 2)
                failures += 1
            }
        }
        Command.print("\(passed) passed, \(failures) failed\n", to: 1)
        return failures == 0 ? 0 : 1
    }
}

/// The engine over a store in a temporary directory, which goes when this does.
private final class DatabaseSubject: ScriptSubject {
    private var directory: TemporaryStore
    private let engine = Engine(options: .scripts())

    init() throws { directory = try TemporaryStore() }

    func clear() throws { directory = try TemporaryStore() }

    func load(_ series: [LoadCommand.Series]) throws {
        let appender = directory.database.appender()
        for one in series {
            var reference = SeriesReference.none
            for sample in one.samples {
                switch sample.value {
                case .float(let value):
                    reference = try appender.append(
                        reference, labels: one.labels, timestamp: sample.timestamp, value: value,
                        start: sample.startTimestamp)
                case .histogram(let histogram):
                    reference = try appender.append(
                        reference, labels: one.labels, timestamp: sample.timestamp, floatHistogram: histogram,
                        start: sample.startTimestamp)
                }
            }
        }
        _ = try appender.commit(.relaxed)
    }

    func answer(_ query: ByteString, at time: EvaluateCommand.Time) throws -> ScriptAnswer {
        try ScriptAnswer(engine, query, over: StoreSource(directory.database.moment()), at: time)
    }
}

/// A store in a directory of its own.
private final class TemporaryStore {
    let database: Database
    private let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array(PathName.join(parent, "narthex-test-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else {
            throw CommandLineError(
                "no temporary directory can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(cString: made)
        var options = Database.Options()
        // As upstream's scripts have it: one block of a day, nothing out of order.
        options.minimumBlockDuration = 24 * 3_600_000
        options.maximumBlockDuration = 24 * 3_600_000
        options.storesStartTimestamps = true
        options.floatEncoding = .xor2
        options.encodesHistogramStarts = true
        database = try Database.open(path, options: options)
    }

    deinit {
        try? database.close()
        try? POSIXFileSystem().removeTree(path)
    }
}
