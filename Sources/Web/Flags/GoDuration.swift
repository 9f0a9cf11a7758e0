/// A span of time as Go programs read and write it: `1h30m`, `200ms`, `5m0s`.
package struct GoDuration: Sendable, Hashable {
    /// The span; Go holds the same range.
    package let nanoseconds: Int64

    /// The span `nanoseconds`.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The same span for Swift.
    package var duration: Duration { .nanoseconds(nanoseconds) }

    /// Reads a span; nil where Go's `time.ParseDuration` gives an error.
    ///
    /// Source: Go time/format.go. A sign, then numbers with a unit each; a bare `0` needs none.
    package init?(_ text: String) {
        do throws(Fault) { try self.init(text, allowsDays: false) } catch { return nil }
    }

    /// Why a text is no span.
    enum Fault: Error, Equatable {
        case invalid
        case missingUnit
        case unknownUnit(String)

        /// In Go's words.
        func text(_ input: String) -> String {
            let quoted = CommandLineError.quote(input)
            return switch self {
            case .invalid: "time: invalid duration \(quoted)"
            case .missingUnit: "time: missing unit in duration \(quoted)"
            case .unknownUnit(let unit): "time: unknown unit \(CommandLineError.quote(unit)) in duration \(quoted)"
            }
        }
    }

    /// Reads a span.
    ///
    /// Source: Go time/format.go; with days and weeks github.com/xhit/go-str2duration, which kingpin's flags use.
    /// - Throws: ``Fault`` where those give an error.
    init(_ text: String, allowsDays: Bool) throws(Fault) {
        var bytes = Array(text.utf8)[...]
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        if bytes.elementsEqual("0".utf8) {
            self.init(nanoseconds: 0)
            return
        }
        guard !bytes.isEmpty else { throw .invalid }
        var total: UInt64 = 0
        while !bytes.isEmpty {
            let (sum, overflow) = total.addingReportingOverflow(try Self.takePart(&bytes, allowsDays))
            guard !overflow, sum <= 1 << 63 else { throw .invalid }
            total = sum
        }
        if isNegative {
            self.init(nanoseconds: total == 1 << 63 ? .min : -Int64(total))
        } else {
            guard let whole = Int64(exactly: total) else { throw .invalid }
            self.init(nanoseconds: whole)
        }
    }

    private static func takePart(_ bytes: inout ArraySlice<UInt8>, _ allowsDays: Bool) throws(Fault) -> UInt64 {
        var whole: UInt64 = 0
        var digits = 0
        while let digit = bytes.first.map({ $0 &- 0x30 }), digit < 10 {
            let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry, sum <= 1 << 63 else { throw .invalid }
            whole = sum
            digits += 1
            bytes.removeFirst()
        }
        var fraction: Double = 0
        if bytes.first == UInt8(ascii: ".") {
            bytes.removeFirst()
            var scale = 0.1
            while let digit = bytes.first.map({ $0 &- 0x30 }), digit < 10 {
                fraction += Double(digit) * scale
                scale /= 10
                digits += 1
                bytes.removeFirst()
            }
        }
        guard digits > 0 else { throw .invalid }
        let unitBytes = bytes.prefix { $0 != UInt8(ascii: ".") && $0 &- 0x30 >= 10 }
        bytes = bytes.dropFirst(unitBytes.count)
        guard !unitBytes.isEmpty else { throw .missingUnit }
        let name = String(decoding: unitBytes, as: UTF8.self)
        guard let unit = unit(name, allowsDays) else { throw .unknownUnit(name) }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw .invalid }
        let (sum, carry) = product.addingReportingOverflow(UInt64((fraction * Double(unit)).rounded()))
        guard !carry else { throw .invalid }
        return sum
    }

    private static func unit(_ name: String, _ allowsDays: Bool) -> UInt64? {
        switch name {
        case "ns": 1
        case "us", "µs", "μs": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        case "d" where allowsDays: 86_400_000_000_000
        case "w" where allowsDays: 604_800_000_000_000
        default: nil
        }
    }
}

extension GoDuration: CustomStringConvertible {
    /// As Go's `time.Duration.String`.
    package var description: String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let magnitude = nanoseconds.magnitude
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + Self.decimal(magnitude, 1000) + "µs" }
        if magnitude < 1_000_000_000 { return sign + Self.decimal(magnitude, 1_000_000) + "ms" }
        let minutes = magnitude / 60_000_000_000
        let seconds = Self.decimal(magnitude % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func decimal(_ value: UInt64, _ unit: UInt64) -> String {
        let whole = value / unit
        var rest = value % unit
        if rest == 0 { return String(whole) }
        var digits = ""
        var scale = unit / 10
        while rest > 0, scale > 0 {
            digits += String(rest / scale)
            rest %= scale
            scale /= 10
        }
        return "\(whole).\(digits)"
    }
}
