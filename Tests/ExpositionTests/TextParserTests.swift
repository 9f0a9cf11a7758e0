import Exposition
import MetricModel
import TestSupport
import Testing

@Suite struct TextParserTests {
    private func outcome(_ body: [UInt8], _ names: NameValidation = .legacy, _ limits: ParseLimits = .none) -> String {
        do throws(ParseError) {
            return FamilyDump.text(try TextParser.parse(body, names: names, limits: limits))
        } catch {
            return "E \(error)"
        }
    }

    @Test func `bodies are read, and refused, as upstream does`() throws {
        for line in UpstreamTextFixtures.cases.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(parts.count == 3)
            let body = Hexadecimal.bytes(parts[1])
            let expected = String(decoding: Hexadecimal.bytes(parts[2]), as: UTF8.self)
            let actual = outcome(body, parts[0] == "0" ? .legacy : .utf8)
            #expect(actual == expected, "\(String(decoding: body, as: UTF8.self))")
        }
    }

    @Test(arguments: [
        ("x 1", 1, "unexpected end of input stream"),
        ("a 1\nx \n", 2, "expected float as value, got \"\""),
        ("# TYPE h histogram\nh_count -1\n", 2, "negative count for histogram \"h\""),
        ("{} 1\n", 1, "invalid metric name"),
        ("y 1\n{a=\"b\"} 1\n", 2, "invalid metric name"),
    ])
    func `an error names its line`(body: String, line: Int, message: String) {
        #expect(outcome(Array(body.utf8)) == "E text format parsing error in line \(line): \(message)")
    }

    @Test func `limits hold`() {
        let body = Array("a{b=\"cc\",d=\"e\"} 1\nlonger 2\n".utf8)
        #expect(outcome(body, .legacy, ParseLimits(maximumSamples: 2, maximumFamilies: 2)).hasPrefix("F"))
        #expect(outcome(body, .legacy, ParseLimits(maximumSamples: 1)).contains("more than 1 samples"))
        #expect(outcome(body, .legacy, ParseLimits(maximumFamilies: 1)).contains("more than 1 metric names"))
        #expect(outcome(body, .legacy, ParseLimits(maximumLabels: 1)).contains("more than 1 labels"))
        #expect(outcome(body, .legacy, ParseLimits(maximumNameLength: 5)).contains("a name of 6 bytes"))
        #expect(outcome(body, .legacy, ParseLimits(maximumLabelValueLength: 1)).contains("a label value of 2 bytes"))
    }

    @Test func `many labels and families are kept apart`() {
        let labels = (0..<500).map { "l\($0)=\"v\"" }.joined(separator: ",")
        #expect(outcome(Array("x{\(labels)} 1\n".utf8)).hasPrefix("F \"x\""))
        #expect(outcome(Array("x{\(labels),l77=\"w\"} 1\n".utf8)).contains("duplicate label names for metric \"x\""))
        let body = (0..<2000).map { "m\($0 % 1000){a=\"\($0)\"} \($0)\n" }.joined()
        #expect((try? TextParser.parse(Array(body.utf8)))?.count == 1000)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `mutilated bodies never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bodies = UpstreamTextFixtures.cases.split(separator: "\n").prefix(68).map { line in
            Hexadecimal.bytes(line.split(separator: " ", omittingEmptySubsequences: false)[1])
        }
        for _ in 0..<2000 {
            guard var body = bodies.randomElement(using: &generator), !body.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let at = Int.random(in: 0..<body.count, using: &generator)
                body[at] = UInt8.random(in: .min ... .max, using: &generator)
            }
            _ = outcome(Array(body.prefix(Int.random(in: 0...body.count, using: &generator))), .utf8)
            _ = outcome(body)
        }
    }
}
