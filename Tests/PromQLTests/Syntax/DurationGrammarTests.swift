import MetricModel
import PromQL
import Testing

@Suite struct DurationGrammarTests {
    @Test(arguments: [
        ("0", "0s"), ("0s", "0s"), ("324ms", "324ms"), ("3s", "3s"), ("5m", "5m"), ("1h", "1h"), ("4d", "4d"),
        ("4d1h", "4d1h"), ("14d", "2w"), ("3w", "3w"), ("3w2d1h", "23d1h"), ("10y", "10y"), ("90s", "1m30s"),
    ])
    func `texts are read and written`(text: String, canonical: String) throws {
        #expect(DurationGrammar.text(try DurationGrammar.parse(ByteString(text))) == canonical)
    }

    @Test(arguments: [
        ("", "empty duration string"), ("1", #"not a valid duration string: "1""#),
        ("1y1m1d", #"not a valid duration string: "1y1m1d""#), ("-1w", #"not a valid duration string: "-1w""#),
        ("1.5d", #"unknown unit "." in duration "1.5d""#), ("d", #"not a valid duration string: "d""#),
        ("294y", "duration out of range"), ("200y10400w", "duration out of range"),
        ("107675d", "duration out of range"), ("2584200h", "duration out of range"),
    ])
    func `what is no duration is refused with upstream's words`(text: String, message: String) {
        #expect(throws: DurationGrammar.Refusal.self) { try DurationGrammar.parse(ByteString(text)) }
        do {
            _ = try DurationGrammar.parse(ByteString(text))
        } catch {
            #expect(error.description == message)
        }
    }
}

@Suite struct DecimalTextTests {
    @Test(arguments: [
        (0.0, 3, "0.000"), (-1.5, 3, "-1.500"), (0.0005, 3, "0.001"), (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"),
        (1e21, 1, "1000000000000000000000.0"), (0x1p63, 6, "9223372036854775808.000000"),
        (Double.leastNonzeroMagnitude, 2, "0.00"),
        (123.4565, 3, "123.457"), (0.999_999, 3, "1.000"), (-0.0001, 3, "-0.000"),
    ])
    func `digits behind the point are exact`(value: Double, digits: Int, text: String) {
        #expect(DecimalText.fixed(value, digits: digits) == text)
    }
}
