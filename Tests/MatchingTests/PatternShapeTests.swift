import Matching
import MetricModel
import TestSupport
import Testing

@Suite struct PatternShapeTests {
    @Test(arguments: [
        ("foo", ["foo"]), ("foo|bar", ["bar", "foo"]), ("(foo|bar)", ["bar", "foo"]), ("", [""]), ("^foo$", ["foo"]),
        ("fo(o|p)x?", ["foo", "foox", "fop", "fopx"]), ("a[bc-e]", ["ab", "ac", "ad", "ae"]), ("a\\.b", ["a.b"]),
        ("a|", ["", "a"]), ("(?:é|ü)", ["é", "ü"]), ("api-v[12]|web", ["api-v1", "api-v2", "web"]),
    ])
    func `patterns that are lists of texts are seen as such`(pattern: String, texts: [String]) throws {
        let expression = try RegularExpression(ByteString(pattern))
        #expect(expression.shape == .texts(texts.map { ByteString($0) }))
    }

    @Test(arguments: [("foo.*", "foo"), ("foo.+bar", "foo"), ("foo[0-9]+", "foo"), ("foo\\d*", "foo"), (".*x", "")])
    func `the prefix is the literal before anything else`(pattern: String, prefix: String) throws {
        #expect(try RegularExpression(ByteString(pattern)).shape.prefix == ByteString(prefix))
    }

    static let pieces = [
        "a", "b", "ab", ".*", ".+", ".", "(a|b)", "(?:ab|a)", "[ab]", "[^a]", "[a-b]", "a?", "(b)?", "a*", "b+?", ".*?",
        "\\.", "\\-", "|", "^", "$", "é", "(é|a)?", "{", "a{2}", "b{1,2}", "\\d", "(?i)a", "(?i:b)", "\\Qa\\E", "()",
        "(|a)", "[[:alpha:]]", "\\x61", ".?", "(.*)", "(a.*|b)", "]", "\\n", "(?s).", "[a\\]]", "(?P<n>a)", ".{0,2}",
    ]
    static let textPieces = ["a", "b", "ab", ".", "-", "é", "\n", "A", "]", "1", "{", "ba", "x"]

    @Test(arguments: 0..<4000 as Range<UInt64>) func `fast paths agree with RE2`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...6, using: &generator)
        let pattern = (0..<count).map { _ in Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &generator)] }
            .joined()
        guard let expression = try? RegularExpression(ByteString(pattern)) else { return }
        for _ in 0..<60 {
            let length = Int.random(in: 0...5, using: &generator)
            let text = ByteString(
                (0..<length).map { _ in
                    Self.textPieces[Int.random(in: 0..<Self.textPieces.count, using: &generator)]
                }.joined())
            let fast = expression.matches(text)
            let slow = text.bytes.withUnsafeBytes { expression.matchesByAutomaton($0) }
            #expect(fast == slow, "\(pattern) on \(text)")
        }
    }

    @Test func `deep groups and long patterns are left to the automaton`() throws {
        let deep = String(repeating: "(", count: 200) + "a" + String(repeating: ")", count: 200)
        #expect(try RegularExpression(ByteString(deep)).matches("a"))
        let many = (0..<3000).map { "value\($0)" }.joined(separator: "|")
        let expression = try RegularExpression(ByteString(many))
        #expect(expression.matches("value2999") && !expression.matches("value3000"))
    }

    @Test func `matchers look at labels without their name as at empty values`() throws {
        let labels: Labels = Labels(["job": "api", "instance": "host-1:80"])
        #expect(try Matcher("job", .matches, "a.i|b").matches(labels))
        #expect(try Matcher("instance", .matches, "host-.+:80").matches(labels))
        #expect(try Matcher("zone", .matches, ".*").matches(labels))
        #expect(try !Matcher("zone", .matches, ".+").matches(labels))
        #expect(try Matcher("zone", .notEqual, "x").matches(labels))
    }
}
