import Foundation
import MetricModel
import PromQL
import TestSupport
import Testing

/// Random, mutated and truncated queries, parsed here and by another engine: errors with their positions, canonical
/// and pretty text and the syntax tree as JSON must be the same.
///
/// Runs if `NARTHEX_PROMQL_ORACLE` names one; seeds as for ``OracleTests``, 1000 texts each.
@Suite(.serialized) struct ParserOracleTests {
    @Test(.enabled(if: Oracle.configured != nil, "NARTHEX_PROMQL_ORACLE is not set"), arguments: OracleTests.seeds)
    func `texts are parsed as the oracle does`(seed: UInt64) throws {
        var mutator = QueryMutator(seed: seed)
        try Self.compare((0..<1000).map { _ in (flags: mutator.flags(), query: mutator.query()) })
    }

    @Test(
        .enabled(if: Oracle.configured != nil && !QuestionFolder.names("texts").isEmpty, "no NARTHEX_QUESTIONS"),
        arguments: QuestionFolder.names("texts"))
    func `texts in files are parsed as the oracle does`(name: String) throws {
        let questions = try QuestionFolder.lines(name, "texts").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return (flags: parts[0], query: try #require(QuestionFolder.unquoted(parts[1])).bytes)
        }
        try Self.compare(questions)
    }

    private static func compare(_ questions: [(flags: String, query: [UInt8])]) throws {
        let oracle = try #require(Oracle.configured)
        let body = questions.map { "\($0.flags)\t\(Quoting.quote(ByteString($0.query)))\n" }.joined()
        let answers = try oracle.post("parse", body).split(separator: "\n")
        #expect(answers.count == questions.count)
        for (question, answer) in zip(questions, answers) {
            let ours = Self.answer(question.flags, question.query)
            // Upstream cannot write a fill of NaN or infinity into the tree.
            if ours != answer, !answer.contains("unsupported value") {
                Issue.record(
                    "\(question.flags) \(Quoting.quote(ByteString(question.query)))\n  - \(ours)\n  + \(answer)")
            }
        }
    }

    private static func answer(_ flags: String, _ query: [UInt8]) -> String {
        var options = Parser.Options()
        options.experimentalFunctions = flags.contains("e")
        options.durationExpressions = flags.contains("d")
        options.extendedRangeSelectors = flags.contains("x")
        options.binaryFillModifiers = flags.contains("f")
        do throws(ParseError) {
            let expression = try Parser(options: options).parseExpression(ByteString(query))
            let texts = [
                ByteString(expression.description), ByteString(expression.prettyText), ByteString(expression.json),
            ]
            return "=\t" + texts.map { Quoting.quote($0) }.joined(separator: "\t")
        } catch {
            return "!\t\(Quoting.quote(ByteString("\(error)")))"
        }
    }
}

/// Makes texts that are nearly queries: valid ones with a few bytes, words or pieces changed.
struct QueryMutator {
    private var random: SeededGenerator
    private var generator: QueryGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed &+ 99)
        var vocabulary = SeriesGenerator.vocabulary
        vocabulary.typeErrorChance = 0.05
        generator = QueryGenerator(seed: seed, vocabulary: vocabulary)
    }

    mutating func flags() -> String {
        String("edxf".filter { _ in Int.random(in: 0..<5, using: &random) > 0 }) + "-"
    }

    mutating func query() -> [UInt8] {
        var text = Array(generator.expression(depth: Int.random(in: 0...3, using: &random)).utf8)
        for _ in 0..<Int.random(in: 0...3, using: &random) { mutate(&text) }
        return text.filter { $0 != 0 }
    }

    private mutating func mutate(_ text: inout [UInt8]) {
        let place = Int.random(in: 0...text.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: text.removeSubrange(place...)
        case 1 where place < text.count: text.remove(at: place)
        case 2 where place < text.count: text[place] = UInt8.random(in: 1...255, using: &random)
        case 3: text.insert(contentsOf: " \u{e9}\u{1F600}".utf8, at: min(place, 0))
        case 4:
            let end = min(text.count, place + Int.random(in: 0...12, using: &random))
            text.removeSubrange(place..<end)
        default:
            text.insert(contentsOf: (Self.words.randomElement(using: &random) ?? "").utf8, at: place)
        }
    }

    private static let words = [
        "(", ")", "{", "}", "[", "]", ",", ":", "@", "+", "-", "*", "/", "%", "^", "==", "!=", "<=", ">=", "=~", "!~",
        "=", "<", ">", "</", ">/", "\"", "'", "`", "\\", "#", " # note\n", "\n", "\t", ";", "!", "$", "_", "0x", "1e",
        ".5", "5m", "1h30m", "5d3", "1w2y", "NaN", "Inf", "inf", "by", "without", "on", "ignoring", "group_left",
        "group_right", "bool", "offset", "anchored", "smoothed", "fill", "fill_left", "start", "end", "step()",
        "range()", "min_of(1m,2m)", "sum", "topk", "count_values", "rate", "foo", "a:b", "le", "and", "or", "unless",
        "atan2", "\"a\\u00e9\"", "\"\\xff\"", "'\\''", "\"\\n", "{\"x\"}", "1_000", "0b1", "0o7", "08", "1e400",
        "[5m:1m]", "[5m:]", "offset -5m", "@ start()", "@ 1e30", "@ -1", "__name__", "=\"x\"", "{a=\"b\"}",
        "fill (1)", "group_left (a)", "bool on (a)", "info", "time()", "pi()", "vector(1)", "scalar(x)", "limitk",
        "5m5m", "1ms", "1s1ms", "0", "007", "1.2.3", "+Inf", "-Inf", "keep_common", "desc", "map", "histogram",
    ]
}
