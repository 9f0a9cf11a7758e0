package import MetricModel

/// Durations as text: `1h30m`, `15s`, `500ms`; a day has 24 hours, a week 7 days, a year 365 days.
///
/// Source: prometheus/common model/time.go.
package enum DurationGrammar {
    /// Why a text is no duration, in upstream's words.
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The units, longest first, with their nanoseconds.
    private static let units: [(name: String, nanoseconds: UInt64)] = [
        ("y", 365 * 24 * 3600 * 1_000_000_000), ("w", 7 * 24 * 3600 * 1_000_000_000), ("d", 24 * 3600 * 1_000_000_000),
        ("h", 3600 * 1_000_000_000), ("m", 60 * 1_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
    ]

    /// The duration that `text` says: numbers with units, each unit smaller than the one before; or `0`.
    /// - Throws: ``Refusal``, also where it is longer than about 292 years.
    package static func parse(_ text: ByteString) throws(Refusal) -> QueryDuration {
        if text == "0" { return .zero }
        if text.isEmpty { throw Refusal(description: "empty duration string") }
        let invalid = Refusal(description: "not a valid duration string: \(Quoting.quote(text))")
        let isDigit = { (byte: UInt8) in Lexer.isDigit(UInt32(byte)) }
        var rest = text.bytes[...]
        var total: UInt64 = 0
        var nextUnit = 0
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty, let number = UInt64(String(decoding: digits, as: UTF8.self)) else { throw invalid }
            guard let index = units.firstIndex(where: { $0.name.utf8.elementsEqual(unit) }) else {
                throw Refusal(
                    description: "unknown unit \(Quoting.quote(ByteString(unit))) in duration \(Quoting.quote(text))")
            }
            guard index >= nextUnit else { throw invalid }
            nextUnit = index + 1
            guard number <= (1 << 63) / units[index].nanoseconds else { throw outOfRange }
            total = total &+ number &* units[index].nanoseconds
            if total > UInt64(Int64.max) { throw outOfRange }
        }
        return QueryDuration(nanoseconds: Int64(total))
    }

    private static let outOfRange = Refusal(description: "duration out of range")

    /// `duration` as text, in whole milliseconds; years and weeks only where nothing remains.
    package static func text(_ duration: QueryDuration) -> String {
        var rest = duration.milliseconds.magnitude
        if rest == 0 { return "0s" }
        var result = duration.nanoseconds < 0 ? "-" : ""
        for unit in units {
            let length = unit.nanoseconds / 1_000_000
            if unit.name == "y" || unit.name == "w", rest % length != 0 { continue }
            if rest >= length { result += "\(rest / length)\(unit.name)" }
            rest %= length
        }
        return result
    }
}
