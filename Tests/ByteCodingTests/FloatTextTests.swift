import ByteCoding
import TestSupport
import Testing

@Suite struct FloatTextTests {
    private func words(_ line: Substring) -> [String] { line.split(separator: " ").map(String.init) }

    @Test func `numbers print as Go prints them`() throws {
        for line in GoFloatFixtures.prints.split(separator: "\n") {
            let parts = words(line)
            try #require(parts.count == 5)
            let value = Double(bitPattern: try #require(UInt64(parts[0], radix: 16)))
            #expect(FloatText.string(value, .general) == parts[1])
            if parts[2] != "*" { #expect(FloatText.string(value, .fixed) == parts[2]) }
            #expect(FloatText.string(value, .exponent) == parts[3])
            #expect(FloatText.string(value, .json) == parts[4])
        }
    }

    @Test func `numbers parse as Go parses them`() throws {
        for line in GoFloatFixtures.parses.split(separator: "\n") {
            let end = try #require(line.lastIndex(of: "\""))
            let text = String(line[line.index(after: line.startIndex)..<end])
            let outcome = String(line[end...].dropFirst(2))
            let expected = outcome == "error" ? nil : UInt64(outcome, radix: 16)
            #expect(FloatText.parse(text, .go)?.bitPattern == expected, "\(text)")
            let isPlain = !text.contains { "pPxX_".contains($0) }
            #expect(FloatText.parse(text)?.bitPattern == (isPlain ? expected : nil), "\(text)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `any number reads back as itself, in the fewest digits`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            let text = FloatText.string(value, .exponent)
            #expect(FloatText.parse(text)?.bitPattern == value.bitPattern)
            // Swift's own description has the same digits.
            let digits = text.prefix { $0 != "e" }.filter { $0.isNumber }
            let own = value.description.prefix { $0 != "e" }.filter { $0.isNumber }
            let trimmed = String(own.drop { $0 == "0" }.reversed().drop { $0 == "0" }.reversed())
            #expect(digits == trimmed)
        }
    }

    @Test(arguments: [11, 12] as [UInt64])
    func `texts of many digits parse as the standard library parses them`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...30, using: &generator)
            var text = (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
            text.insert(".", at: text.index(text.startIndex, offsetBy: Int.random(in: 0...count, using: &generator)))
            text += "e\(Int.random(in: -345...310, using: &generator))"
            let expected = Double(text).flatMap { $0.isFinite ? $0 : nil }
            #expect(FloatText.parse(text)?.bitPattern == expected?.bitPattern, "\(text)")
        }
    }

    @Test(arguments: [21] as [UInt64])
    func `random bytes never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789.eE+-xXpP_aAfFiInNtTyY ".utf8)
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...24, using: &generator)
            let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            _ = FloatText.parse(bytes, .exposition)
            _ = FloatText.parse(bytes, .go)
        }
    }

    @Test func `forms of special numbers`() {
        #expect(FloatText.string(.nan, .general) == "NaN")
        #expect(FloatText.string(.infinity, .exposition) == "+Inf")
        #expect(FloatText.string(-.infinity, .fixed) == "-Inf")
        #expect(FloatText.string(-0.0, .general) == "-0")
        #expect(FloatText.string(-0.0, .exposition) == "0")
        #expect(FloatText.string(-0.0, .openMetrics) == "0.0")
        #expect(FloatText.string(17, .openMetrics) == "17.0")
        #expect(FloatText.string(1e6, .openMetrics) == "1e+06")
        #expect(FloatText.string(0.5, .openMetrics) == "0.5")
        #expect(FloatText.string(123456.5, .openMetrics) == "123456.5")
        #expect(FloatText.string(1e-7, .api) == "1e-07")
        #expect(FloatText.string(1e21, .api) == "1e+21")
    }
}

@Suite struct IntegerTextTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, 12345, -1, -10, .max, .min, 999_999_999_999] as [Int64])
    func `whole numbers print and read back`(value: Int64) {
        var output: [UInt8] = []
        IntegerText.append(value, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == String(value))
        #expect(IntegerText.parseInt64(output) == value)
    }

    @Test func `the largest unsigned number prints`() {
        var output: [UInt8] = []
        IntegerText.append(UInt64.max, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == String(UInt64.max))
    }

    @Test(arguments: ["", "-", "+", "1.", "9223372036854775808", "-9223372036854775809", "1 ", "0x1", "1_0"])
    func `what is no whole number is refused`(text: String) {
        #expect(IntegerText.parseInt64(Array(text.utf8)) == nil)
    }
}

@Suite struct VarintTests {
    @Test(arguments: [0, 1, 127, 128, 300, 1 << 35, .max - 1, .max] as [UInt64])
    func `numbers read back`(value: UInt64) {
        var bytes: [UInt8] = []
        Varint.append(value, to: &bytes)
        #expect(bytes.count == Varint.length(value))
        var index = 0
        #expect(Varint.read(bytes, at: &index) == value)
        #expect(index == bytes.count)
        #expect(Varint.unzigzag(Varint.zigzag(Int64(bitPattern: value))) == Int64(bitPattern: value))
    }

    @Test func `cut off and overlong numbers are refused`() {
        var index = 0
        #expect(Varint.read([0x80], at: &index) == nil)
        #expect(Varint.read([], at: &index) == nil)
        #expect(Varint.read([UInt8](repeating: 0x80, count: 10) + [1], at: &index) == nil)
        #expect(Varint.read([UInt8](repeating: 0xFF, count: 9) + [2], at: &index) == nil)
        #expect(index == 0)
    }
}
