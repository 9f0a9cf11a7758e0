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
        var seconds = time / 1_000_000_000
        var nanoseconds = time % 1_000_000_000
        if nanoseconds < 0 {
            nanoseconds += 1_000_000_000
            seconds -= 1
        }
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = seconds - days * 86_400
        let (year, month, day) = civilDate(daysSince1970: days)
        bytes.append(quote)
        append(digits: year, count: 4, to: &bytes)
        for (mark, number) in [
            ("-", month), ("-", day), ("T", second / 3600), (":", second / 60 % 60), (":", second % 60),
        ] as [(StaticString, Int64)] {
            mark.withUTF8Buffer { bytes.append(contentsOf: $0) }
            append(digits: number, count: 2, to: &bytes)
        }
        if nanoseconds > 0 {
            bytes.append(UInt8(ascii: "."))
            append(digits: nanoseconds, count: 9, to: &bytes)
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
        }
        bytes += [UInt8(ascii: "Z"), quote]
    }

    /// The Gregorian date of a day, by eras of 400 years.
    private static func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func append(digits number: Int64, count: Int, to bytes: inout [UInt8]) {
        let text = Array(String(number).utf8)
        bytes += [UInt8](repeating: UInt8(ascii: "0"), count: max(0, count - text.count)) + text
    }

    private static let quote = UInt8(ascii: "\"")
}
