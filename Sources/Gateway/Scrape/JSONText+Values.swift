internal import ByteCoding
internal import MetricModel

/// What the JSON of the API quotes beside plain text.
extension JSONText {
    /// A number as text, as Go prints it by default.
    static func append(number: Double, to bytes: inout [UInt8]) {
        bytes.append(quote)
        FloatText.append(number, .general, to: &bytes)
        bytes.append(quote)
    }

    /// A count as text: whole numbers without exponent.
    static func append(count: Double, to bytes: inout [UInt8]) {
        guard let whole = UInt64(exactly: count) else { return append(number: count, to: &bytes) }
        bytes.append(quote)
        IntegerText.append(whole, to: &bytes)
        bytes.append(quote)
    }

    /// A time in UTC as Go writes it, with as many digits of the second as needed.
    /// - Parameter time: Nanoseconds since 1970.
    static func append(time: Int64, to bytes: inout [UInt8]) {
        var (second, nanosecond) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if nanosecond < 0 { (second, nanosecond) = (second - 1, nanosecond + 1_000_000_000) }
        bytes.append(quote)
        bytes += CivilTime.rfc3339(second: second, nanosecond: Int(nanosecond)).utf8
        bytes.append(quote)
    }

    private static let quote = UInt8(ascii: "\"")
}
