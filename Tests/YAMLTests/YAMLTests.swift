import MetricModel
import Testing
import YAML

@Suite struct YAMLTests {
    @Test func `lines and columns are known`() throws {
        let node = try #require(try YAMLDocument.parse(Array("a: 1\nb:\n  - x\n  - \"y\"\n".utf8)))
        guard case .mapping(let pairs) = node.content, case .sequence(let items) = pairs[1].value.content else {
            Issue.record("not a mapping")
            return
        }
        #expect(pairs[1].key.line == 2)
        #expect(items[1].line == 4)
        #expect(items[1].column == 5)
    }

    @Test(
        arguments: [
            ("0x1F", YAMLScalar.integer(31)), ("010", .integer(8)), ("1_000", .integer(1000)), ("-7", .integer(-7)),
            ("18446744073709551615", .unsigned(.max)), ("1e3", .float(1000)), (".5", .float(0.5)),
            ("yes", .boolean(true)),
            ("Off", .boolean(false)), ("~", .null), ("2020-01-02", .timestamp), ("1.2.3", .string), ("-", .string),
            ("+", .string), ("1h", .string), ("--1", .string), ("0x", .string),
            ("9223372036854775808", .unsigned(1 << 63)),
        ])
    func `plain scalars mean what YAML 1.1 says`(_ text: String, _ meaning: YAMLScalar) {
        #expect(YAMLScalar(text) == meaning)
    }

    @Test func `what does not fit is collected with its line`() throws {
        let text = "a: x\nb: [1]\nc: 1\nc: 2\nd: 3\n"
        #expect(
            throws: YAMLError.type([
                "line 1: cannot unmarshal !!str `x` into uint", "line 2: cannot unmarshal !!seq into bool",
                "line 4: field c already set in type config.plain", "line 5: field d not found in type config.plain",
            ])
        ) {
            try YAMLDecoder.decode(Array(text.utf8), empty: 0) { node, decoder throws(YAMLError) in
                try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
                    switch key {
                    case "a": _ = decoder.unsigned(value)
                    case "b": _ = decoder.boolean(value)
                    case "c": _ = decoder.integer(value)
                    default: return false
                    }
                    return true
                }
                return 1
            }
        }
    }

    @Test func `a syntax error names the line that go-yaml names`() {
        #expect(throws: YAMLError.syntax("line 2: did not find expected key")) {
            try YAMLDocument.parse(Array("a:\n  b: 1\n c: 2\n  - d\n".utf8))
        }
    }

    @Test func `deep nesting and exploding aliases are refused`() {
        #expect(throws: YAMLError.self) { try YAMLDocument.parse(Array(repeating: UInt8(ascii: "["), count: 100_000)) }
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<12 {
            let alias = "*a\(level - 1)"
            bomb += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ","))]\n"
        }
        #expect(throws: YAMLError.syntax("document contains excessive aliasing")) {
            try YAMLDocument.parse(Array(bomb.utf8))
        }
    }

    @Test func `merged mappings fill in what is not set`() throws {
        let text = "base: &b\n  x: 1\n  y: 2\nuse:\n  <<: *b\n  y: 3\n"
        var seen: [String: Int64] = [:]
        try YAMLDecoder.decode(Array(text.utf8), empty: ()) { node, decoder throws(YAMLError) in
            for entry in try decoder.entries(node, type: "map") where entry.key == "use" {
                for field in try decoder.entries(entry.value, type: "map") {
                    seen[field.key.string] = decoder.integer(field.value)
                }
            }
        }
        #expect(seen == ["x": 1, "y": 3])
    }

    @Test func `text is quoted where it would mean something else`() {
        let value = YAMLValue.mapping([
            ("plain", .text("a b")), ("number", .text("12")), ("flag", .text("yes")), ("empty", .text("")),
            ("colon", .text("a: b")), ("list", .sequence([.text("x"), .mapping([("k", .literal("1"))])])),
            ("flow", .flow([.text("a"), .text("b")])), ("lines", .text("a\nb")), ("dollar", .text("$1")),
        ])
        #expect(
            value.yaml == """
                plain: a b
                number: "12"
                flag: "yes"
                empty: ""
                colon: 'a: b'
                list:
                - x
                - k: 1
                flow: [a, b]
                lines: |-
                  a
                  b
                dollar: $1

                """)
    }
}
