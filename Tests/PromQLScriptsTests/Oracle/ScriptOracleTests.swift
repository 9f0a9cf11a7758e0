import Foundation
import MetricModel
import PromQL
import PromQLScripts
import TestSupport
import Testing

/// Scripts with a few lines changed: upstream's own runner must find the same evaluations wrong, and refuse the same
/// scripts.
///
/// Runs if `NARTHEX_PROMQL_ORACLE` names one; seeds as for ``OracleTests``, 20 scripts each, made of ours. The scripts
/// of the folder that `NARTHEX_QUESTIONS` names are asked as they are.
@Suite(.serialized) struct ScriptOracleTests {
    @Test(.enabled(if: Oracle.configured != nil, "NARTHEX_PROMQL_ORACLE is not set"), arguments: OracleTests.seeds)
    func `changed scripts are judged as the oracle does`(seed: UInt64) throws {
        var mutator = try ScriptMutator(seed: seed)
        for _ in 0..<20 { try Self.compare(mutator.script()) }
    }

    @Test(
        .enabled(if: Oracle.configured != nil && !QuestionFolder.names("test").isEmpty, "no NARTHEX_QUESTIONS"),
        arguments: QuestionFolder.names("test"))
    func `scripts in files are judged as the oracle does`(name: String) throws {
        try Self.compare(QuestionFolder.text(name, "test"))
    }

    private static func compare(_ script: String) throws {
        let oracle = try #require(Oracle.configured)
        var runner = ScriptRunner(try StoreSubject())
        let ours = Verdict(runner.run(ByteString(script)))
        let theirs = Verdict(answer: try oracle.post("script", script))
        // What comes behind data that are refused is asked by the one and not by the other.
        if ours.isRefused && theirs.isRefused { return }
        if ours != theirs { Issue.record("ours \(ours)\ntheirs \(theirs)\n\(script)") }
    }

    /// What came of a script.
    private struct Verdict: Equatable {
        /// Whether it cannot be parsed, or its data not be loaded.
        var isRefused = false
        var passed = 0
        /// Lines of evaluations that are not as expected.
        var failures: [Int] = []

        init(_ report: ScriptRunner<StoreSubject>.Report) {
            passed = report.passed
            isRefused = report.failures.contains { $0.message.hasPrefix("behind this line") }
            failures = isRefused ? [] : report.failures.map(\.line)
            if passed == 0 && failures.count == 1 { isRefused = true }
        }

        init(answer: String) {
            for line in answer.split(separator: "\n") {
                if line.hasPrefix("passed ") { passed = Int(line.dropFirst(7)) ?? 0 }
                guard line.hasPrefix("\"") else { continue }
                let place = line.range(of: "(line ", options: .backwards)
                let number = place.flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
                if let number, !line.hasPrefix("\"parse: ") { failures.append(number) } else { isRefused = true }
            }
            if passed == 0 && failures.count == 1 { isRefused = true }
        }
    }
}

/// The real store, on a simulated disk.
private struct StoreSubject: ScriptSubject {
    private var store: RealStore
    private let engine = Engine(options: .scripts(workers: 1))

    init() throws { store = try RealStore() }

    mutating func clear() throws { store = try RealStore() }

    mutating func load(_ series: [LoadCommand.Series]) throws { try store.load(series) }

    func answer(_ query: ByteString, at time: EvaluateCommand.Time) throws -> ScriptAnswer {
        try ScriptAnswer(engine, query, over: store.source, at: time)
    }
}

/// Changes a few lines of our scripts.
private struct ScriptMutator {
    private var random: SeededGenerator
    private let scripts: [[String]]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed &+ 1234)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        scripts = try names.filter { $0.hasSuffix(".test") }.map { name in
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
                .components(separatedBy: "\n")
        }
    }

    mutating func script() -> String {
        var lines = scripts.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...3, using: &random) where !lines.isEmpty { mutate(&lines) }
        return lines.joined(separator: "\n")
    }

    private mutating func mutate(_ lines: inout [String]) {
        let place = Int.random(in: 0..<lines.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: lines.remove(at: place)
        case 1: lines.insert(lines[place], at: place)
        case 2: lines.swapAt(place, Int.random(in: 0..<lines.count, using: &random))
        case 3: lines.insert(Self.directives.randomElement(using: &random) ?? "", at: place)
        default: replaceWord(&lines[place])
        }
    }

    private mutating func replaceWord(_ line: inout String) {
        var words = line.components(separatedBy: " ")
        let place = Int.random(in: 0..<words.count, using: &random)
        words[place] = Self.words.randomElement(using: &random) ?? ""
        line = words.joined(separator: " ")
    }

    private static let words = [
        "0", "1", "-1", "5", "1.0000005", "NaN", "Inf", "-0", "_", "_x2", "1x2", "1+1x3", "stale", "1m", "0s", "expect",
        "instant", "range", "at", "from", "to", "step", "eval", "eval_fail", "eval_warn", "eval_info", "eval_ordered",
        "load", "load_with_nhcb", "clear", "{}", "{x=\"y\"}", "msg:", "regex:", "fail", "warn", "no_warn", "info",
        "no_info",
        "ordered", "{{}}", "{{count:1 sum:1 buckets:[1]}}", "{{schema:1}}x2", "sum(up)", "vector(1)", "time()", "",
    ]

    private static let directives = [
        "  expect fail", "  expect warn", "  expect info", "  expect no_warn", "  expect no_info", "  expect ordered",
        "  expect string \"x\"", "  expect range vector from 0s to 1m step 1m", "  expected_fail_message x",
        "  expected_fail_regexp .*", "  expect fail regex: .", "  expect warn msg: x", "  5", "  -0x1", "  extra 1", "",
        "clear", "# note", "load 1m", "  x 1 2 3", "  x@st 0s", "eval instant at 0s vector(1)", "expect", "  {} 1",
    ]
}
