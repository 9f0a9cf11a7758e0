internal import MetricModel

/// A duration as Prometheus' files write it: `1h30m`, to the millisecond.
///
/// Source: prometheus/common model/time.go.
package struct PrometheusDuration: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How long.
    package var milliseconds: Int64

    /// None: in files, "not set".
    package static let zero = PrometheusDuration(milliseconds: 0)

    /// A duration of `milliseconds`.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// A duration of `seconds`.
    package static func seconds(_ seconds: Int64) -> PrometheusDuration {
        PrometheusDuration(milliseconds: seconds &* 1000)
    }

    /// The duration in seconds.
    package var seconds: Double { Double(milliseconds) / 1000 }

    /// The duration for clocks.
    package var duration: Duration { .milliseconds(milliseconds) }

    package static func < (left: PrometheusDuration, right: PrometheusDuration) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// What is wrong with a duration's text, in Prometheus' words.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]
    /// Go's durations count nanoseconds in 63 bits.
    private static let maximumMilliseconds: UInt64 = 9_223_372_036_854

    /// Reads `1h30m`: digits and units from the largest to the smallest, each once; or `0`.
    package init(_ text: String) throws(Malformed) {
        if text == "0" {
            milliseconds = 0
            return
        }
        guard !text.isEmpty else { throw Malformed(description: "empty duration string") }
        let quoted = Quoting.quote(ByteString(text))
        let malformed = Malformed(description: "not a valid duration string: \(quoted)")
        var rest = Array(text.utf8)[...]
        var total: UInt64 = 0
        var lastUnit = -1
        func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { throw malformed }
            let unit = rest.prefix { !isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard !unit.isEmpty else { throw malformed }
            let name = String(decoding: unit, as: UTF8.self)
            guard let position = Self.units.firstIndex(where: { $0.name == name }) else {
                throw Malformed(
                    description: "unknown unit \(Quoting.quote(ByteString(name))) in duration \(quoted)")
            }
            guard position > lastUnit else { throw malformed }
            lastUnit = position
            let (product, overflow) = number.multipliedReportingOverflow(by: Self.units[position].milliseconds)
            guard !overflow, product <= Self.maximumMilliseconds, total + product <= Self.maximumMilliseconds else {
                throw Malformed(description: "duration out of range")
            }
            total += product
        }
        milliseconds = Int64(clamping: total)
    }

    /// `1h30m`; years and weeks only where nothing remains.
    package var description: String {
        guard milliseconds != 0 else { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for (index, unit) in Self.units.enumerated() {
            if index < 2, rest % unit.milliseconds != 0 { continue }
            let count = rest / unit.milliseconds
            if count > 0 {
                text += "\(count)\(unit.name)"
                rest -= count * unit.milliseconds
            }
        }
        return text
    }
}
