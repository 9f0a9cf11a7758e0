import MetricModel
import PromQL
import TestSupport
import Testing

@Suite struct ParserTests {
    private static let parser = Parser(options: .everything)

    /// Recorded answers of Prometheus 3.14: input, options, and the error or the canonical and the pretty text.
    @Test func `errors and canonical texts are upstream's`() throws {
        for line in try Fixture.lines("parse.tsv") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(Fixture.unescaped)
            let kind = try #require(columns.first)
            var options = Parser.Options()
            options.experimentalFunctions = columns[1].contains("e")
            options.durationExpressions = columns[1].contains("d")
            options.extendedRangeSelectors = columns[1].contains("x")
            options.binaryFillModifiers = columns[1].contains("f")
            let answer = Self.answer(Parser(options: options), kind, ByteString(columns[2]))
            // Canonical texts of what is not an expression are not compared.
            let compared = kind == "expr" || columns[3] == "!" ? columns[3...].joined(separator: "\t") : "="
            #expect(answer == compared, "\(columns[2])")
        }
    }

    private static func answer(_ parser: Parser, _ kind: String, _ input: ByteString) -> String {
        do throws(ParseError) {
            switch kind {
            case "expr":
                let expression = try parser.parseExpression(input)
                return "=\t\(expression.description)\t\(expression.prettyText)"
            case "series": _ = try parser.parseSeriesDescription(input)
            default: _ = try parser.parseMetricSelector(input)
            }
            return "="
        } catch {
            return "!\t\(error)"
        }
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `printing and parsing again gives the same tree`(seed: UInt64) throws {
        var vocabulary = QueryGenerator.Vocabulary()
        vocabulary.hasExperimentalSyntax = seed % 2 == 0
        vocabulary.hasUTF8Names = true
        var generator = QueryGenerator(seed: seed, vocabulary: vocabulary)
        for _ in 0..<20 {
            let text = generator.expression(depth: 5)
            let first = try #require(try? Self.parser.parseExpression(ByteString(text)), "\(text)")
            // Printing puts conditions of selectors in order; from then on, trees are the same.
            let canonical = try Self.parser.parseExpression(ByteString(first.description))
            let again = try Self.parser.parseExpression(ByteString(canonical.description))
            let isSame = canonical.json == again.json
            #expect(isSame, "\(text)")
            #expect(canonical.description == first.description)
            #expect(first.json.count == canonical.json.count)
            #expect(try Self.parser.parseExpression(ByteString(first.prettyText)).description == first.description)
        }
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `mutated text gives errors, never traps`(seed: UInt64) {
        var generator = QueryGenerator(seed: seed)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            var bytes = Array(generator.expression(depth: 4).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                let byte = UInt8.random(in: 0...255, using: &random)
                if Bool.random(using: &random) || place == bytes.count {
                    bytes.insert(byte, at: place)
                } else {
                    bytes[place] = byte
                }
            }
            _ = try? Self.parser.parseExpression(ByteString(bytes))
            _ = try? Self.parser.parseSeriesDescription(ByteString(bytes))
            _ = try? Self.parser.parseMetricSelector(ByteString(bytes))
        }
    }

    @Test(arguments: ["(", "-", "sum(", "abs(", "1 + (", "2 ^ ", "x[5m:][", "x offset (", "x offset -", "x[(", "x[-"])
    func `nesting beyond the limit is an error`(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(throws: ParseError.self) { try Self.parser.parseExpression(ByteString(text)) }
    }

    @Test func `a chain as long as the limit is parsed and released`() throws {
        let limit = Self.parser.options.maximumDepth
        let chain = Array(repeating: "x", count: limit).joined(separator: " + ")
        #expect(try Self.parser.parseExpression(ByteString(chain)).description == chain)
        #expect(throws: ParseError.self) { try Self.parser.parseExpression(ByteString(chain + " + x")) }
        let open = Self.parser.options.maximumNesting
        let nested = String(repeating: "(", count: open) + "x" + String(repeating: ")", count: open)
        #expect(try Self.parser.parseExpression(ByteString(nested)).description == nested)
    }

    @Test func `the tree as JSON`() throws {
        let expression = try Self.parser.parseExpression("sum by (a) (rate(x{b=~\"<.*\"}[5m] offset 1m)) > bool 2")
        #expect(
            String(decoding: expression.json, as: UTF8.self) == """
                {"bool":true,"lhs":{"expr":{"args":[{"anchored":false,"matchers":[{"name":"b","type":"=~","value":\
                "\\u003c.*"},{"name":"__name__","type":"=","value":"x"}],"name":"x","offset":60000,"offsetExpr":null,\
                "range":300000,"rangeExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null,\
                "type":"matrixSelector"}],"func":{"argTypes":["matrix"],"name":"rate","returnType":"vector",\
                "variadic":0},"type":"call"},"grouping":["a"],"op":"sum","param":null,"type":"aggregation",\
                "without":false},"matching":null,"op":"\\u003e","rhs":{"type":"numberLiteral","val":"2"},\
                "type":"binaryExpr"}
                """)
    }

    @Test func `a series description gives its values`() throws {
        let series = try Self.parser.parseSeriesDescription(
            #"x{a="b"} 1+2x2 _ stale {{schema:1 sum:2 count:3 buckets:[1 2] counter_reset_hint:gauge}}"#)
        #expect(series.labels == Labels(["__name__": "x", "a": "b"]))
        #expect(series.values.count == 6)
        guard case .float(let third) = series.values[2].sample, case .float(let stale) = series.values[4].sample,
            case .histogram(let histogram) = series.values[5].sample
        else {
            Issue.record("unexpected kinds of samples")
            return
        }
        #expect(third == 5)
        #expect(series.values[3].sample == nil)
        #expect(SampleValue.isStale(stale))
        #expect(histogram.positiveSpans == [BucketSpan(offset: 0, length: 2)])
        #expect(series.values[5].isHintGiven)
    }
}
