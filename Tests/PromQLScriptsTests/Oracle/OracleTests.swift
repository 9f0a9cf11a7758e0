import Foundation
import MetricModel
import PromQL
import PromQLScripts
import TestSupport
import Testing

/// Random queries over random data, compared with another engine to the last bit, annotations, error texts and
/// statistics included.
///
/// Runs if `NARTHEX_PROMQL_ORACLE` names one. `NARTHEX_SEED` is the first seed, `NARTHEX_SEEDS` how many (10), each
/// 300 queries, and 1500 of the ``SystematicQueries``, over data of its own.
@Suite(.serialized) struct OracleTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seeds: Range<UInt64> = {
        let first = environment["NARTHEX_SEED"].flatMap { UInt64($0) } ?? 1
        return first..<first + (environment["NARTHEX_SEEDS"].flatMap { UInt64($0) } ?? 10)
    }()

    /// Questions from outside: `NARTHEX_QUESTIONS` names a folder with `NAME.load`, a script of `load` commands, and
    /// `NAME.queries`, a query a line as the oracle reads it; `NAME.texts` has texts to parse.
    @Test(
        .enabled(if: Oracle.configured != nil && !QuestionFolder.names("load").isEmpty, "no NARTHEX_QUESTIONS"),
        arguments: QuestionFolder.names("load"))
    func `answers to questions in files are the oracle's`(name: String) throws {
        let questions = try QuestionFolder.lines(name, "queries").map { try #require(Question(line: $0), "\($0)") }
        try Self.compare(questions, over: QuestionFolder.text(name, "load"), seed: 0)
    }

    /// A query and how it is asked.
    private struct Question {
        var query: String
        var flags: String
        var time: Engine.Time
        var lookback: Int64

        init(query: String, flags: String, time: Engine.Time, lookback: Int64) {
            self.query = query
            self.flags = flags
            self.time = time
            self.lookback = lookback
        }

        /// Reads a ``line``.
        init?(line: Substring) {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 7, let start = Int64(parts[2]), let end = Int64(parts[3]),
                let lookback = Int64(parts[5]), let query = QuestionFolder.unquoted(parts[6])
            else { return nil }
            let time = Int64(parts[4]).map { Engine.Time.range(start: start, end: end, step: $0) } ?? .instant(start)
            self.init(query: query.string, flags: parts[1], time: time, lookback: lookback)
        }

        /// As the oracle reads it.
        var line: String {
            let times =
                switch time {
                case .instant(let time): "\(time)\t\(time)\t-"
                case .range(let start, let end, let step): "\(start)\t\(end)\t\(step)"
                }
            return "Q\t\(flags)\t\(times)\t\(lookback)\t\(Quoting.quote(ByteString(query)))\n"
        }
    }

    @Test(.enabled(if: Oracle.configured != nil, "NARTHEX_PROMQL_ORACLE is not set"), arguments: seeds)
    func `answers are the oracle's`(seed: UInt64) throws {
        try Self.compare(Self.questions(seed: seed, count: 300), seed: seed)
    }

    @Test(.enabled(if: Oracle.configured != nil, "NARTHEX_PROMQL_ORACLE is not set"), arguments: seeds)
    func `each function and operator over each kind of series is the oracle's`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var questions: [Question] = []
        for query in SystematicQueries.all.shuffled(using: &random).prefix(1500) {
            var flags = "edxf"
            if Bool.random(using: &random) { flags += "N" }
            if Int.random(in: 0..<3, using: &random) == 0 { flags += "S" }
            if Int.random(in: 0..<6, using: &random) == 0 { flags += "U" }
            let time: Engine.Time =
                Int.random(in: 0..<3, using: &random) == 0
                ? .instant(600_000) : .range(start: 299_000, end: 959_000, step: 60_000)
            questions.append(Question(query: query, flags: flags, time: time, lookback: 0))
        }
        try Self.compare(questions, seed: seed)
    }

    private static func compare(_ questions: [Question], seed: UInt64) throws {
        var data = SeriesGenerator(seed: seed)
        try compare(questions, over: data.script(), seed: seed)
    }

    private static func compare(_ questions: [Question], over script: String, seed: UInt64) throws {
        let oracle = try #require(Oracle.configured)
        _ = try oracle.post("load", script)
        let store = try RealStore(script)
        for start in stride(from: 0, to: questions.count, by: 500) {
            try compare(Array(questions[start..<min(questions.count, start + 500)]), store, oracle, seed: seed)
        }
    }

    private static func compare(
        _ questions: [Question], _ store: RealStore, _ oracle: Oracle, seed: UInt64
    ) throws {
        let answers = try oracle.post("batch", questions.map(\.line).joined()).split(separator: "\n")
            .split(separator: ".", omittingEmptySubsequences: false)
        for (question, answer) in zip(questions, answers) {
            let ours = Self.answer(question, store)
            // Upstream's own faults.
            if answer.contains(where: { $0.contains("runtime error") }) { continue }
            guard var difference = Difference(ours: ours, theirs: answer.map(String.init)) else { continue }
            // Where the order of a hash table decides, upstream's answer changes from time to time.
            var isSettled = false
            for _ in 0..<8 where !isSettled {
                let again = try oracle.post("batch", question.line).split(separator: "\n").dropLast().map(String.init)
                if let other = Difference(ours: ours, theirs: again) { difference = other } else { isSettled = true }
            }
            // Over several steps, what a function gives comes in the order of a hash table, which a sort does not
            // change; so do series that are alike once their names are removed at the end.
            let sortsInSubquery = question.query.contains("sort") && question.query.contains(":")
            let usesHashOrder =
                sortsInSubquery
                || ["info(", "count_values", #""sizes|temperature""#].contains { question.query.contains($0) }
            if difference.kind == "order" && usesHashOrder { isSettled = true }
            if !isSettled {
                Issue.record("\(difference.kind): seed \(seed) \(question.line.dropLast())\n\(difference.text)")
            }
        }
    }

    private static func questions(seed: UInt64, count: Int) -> [Question] {
        var random = SeededGenerator(seed: seed &+ 77)
        var vocabulary = SeriesGenerator.vocabulary
        vocabulary.excluded = Set(
            environment["NARTHEX_EXCLUDED"].map { $0.split(separator: ",").map(String.init) } ?? [])
        if seed % 4 == 0 { vocabulary.typeErrorChance = 0.05 }
        var generator = QueryGenerator(seed: seed, vocabulary: vocabulary)
        return (0..<count).map { _ in
            let depth = Int.random(in: 0...4, using: &random)
            var flags = "edxf"
            if Bool.random(using: &random) { flags += "N" }
            if Int.random(in: 0..<3, using: &random) == 0 { flags += "S" }
            if Int.random(in: 0..<6, using: &random) == 0 { flags += "U" }
            let start = [600_000, 300_000, 0, 607_001, 899_999, 1_200_000].randomElement(using: &random) ?? 0
            let lookback = [0, 0, 0, 60_000, 600_000, 1].randomElement(using: &random) ?? 0
            guard Int.random(in: 0..<3, using: &random) > 0 else {
                return Question(
                    query: generator.expression(depth: depth), flags: flags, time: .instant(Timestamp(start)),
                    lookback: Int64(lookback))
            }
            let step = [15_000, 60_000, 7_001, 300_000, 1_000].randomElement(using: &random) ?? 1
            let end =
                start + step * Int.random(in: 0...([12, 12, 60].randomElement(using: &random) ?? 12), using: &random)
            return Question(
                query: generator.query(depth: depth), flags: flags,
                time: .range(start: Timestamp(start), end: Timestamp(end), step: Int64(step)), lookback: Int64(lookback)
            )
        }
    }

    private static func answer(_ question: Question, _ store: RealStore) -> [String] {
        var options = EngineOptions()
        options.parser = .everything
        options.reportsStepStatistics = true
        options.delayedNameRemoval = question.flags.contains("N")
        options.usesStartTimestamps = question.flags.contains("S")
        options.usesTypeAndUnitLabels = question.flags.contains("U")
        var settings = Engine.Settings()
        settings.lookbackDelta = question.lookback
        settings.countsSteps = true
        let query = ByteString(question.query)
        do throws(QueryError) {
            let result = try Engine(options: options).evaluate(
                query, over: store.source, at: question.time, settings: settings)
            return AnswerText.lines(result, query: query)
        } catch {
            return ["E \(Quoting.quote(ByteString("\(error)")))"]
        }
    }
}
