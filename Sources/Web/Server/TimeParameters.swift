package import MetricModel
internal import PromQL

/// Times and durations as parameters of the API.
///
/// Source: prometheus/prometheus web/api/v1/api.go (`parseTime`, `parseDuration`).
enum TimeParameters {
    /// The start of time, for ranges that say nothing; upstream's, to the millisecond.
    static let minimum: Timestamp = -9_223_309_901_257_974_000
    /// The end of time.
    static let maximum: Timestamp = 9_223_309_901_257_974_999

    /// A moment: seconds as a number, or RFC 3339.
    /// - Returns: Milliseconds, or nil.
    static func time(_ text: ByteString) -> Timestamp? {
        if let seconds = GoFloat.parse(text) { return milliseconds(seconds) }
        if let time = RFC3339.milliseconds(text) { return time }
        switch text {
        case "-292273086-05-16T16:47:06Z": return minimum
        case "292277025-08-18T07:12:54.999999999Z": return maximum
        default: return nil
        }
    }

    private static func milliseconds(_ seconds: Double) -> Timestamp {
        // As Go's `math.Modf`, the fraction rounded to milliseconds.
        // What is no time at all becomes the one that upstream's arithmetic, which wraps, makes of it on amd64.
        let whole = seconds.rounded(.towardZero)
        guard whole.isFinite else { return notATime }
        guard let integer = Int64(exactly: whole) else { return 0 }
        let fraction = ((seconds - whole) * 1000).rounded(.toNearestOrAwayFromZero)
        return integer &* 1000 &+ Int64(fraction)
    }

    /// What NaN and infinities stand for: 292 years before 1970.
    private static let notATime: Timestamp = -9_223_372_036_855

    /// A time parameter, or `fallback` where it is not given.
    static func time(_ form: FormValues, _ name: String, or fallback: Timestamp) throws(APIError) -> Timestamp {
        let text = form.first(ByteString(name))
        if text.isEmpty { return fallback }
        guard let time = time(text) else {
            throw .parameter(name, "invalid time value for '\(name)': \(timeFault(text))")
        }
        return time
    }

    /// A time parameter that must be given.
    static func requiredTime(_ form: FormValues, _ name: String) throws(APIError) -> Timestamp {
        let text = form.first(ByteString(name))
        guard let time = time(text) else { throw .parameter(name, timeFault(text)) }
        return time
    }

    private static func timeFault(_ text: ByteString) -> String {
        "cannot parse \(Quoting.quote(text)) to a valid timestamp"
    }

    /// A duration: seconds as a number, or with units.
    /// - Throws: What is wrong, without the parameter's name.
    static func duration(_ text: ByteString) throws(APIError) -> QueryDuration {
        if let seconds = GoFloat.parse(text) {
            let nanoseconds = seconds * 1e9
            if nanoseconds > 0x1p63 || nanoseconds < -0x1p63 {
                throw APIError(
                    .badData, "cannot parse \(Quoting.quote(text)) to a valid duration. It overflows int64")
            }
            return QueryDuration(nanoseconds: Int64(exactly: nanoseconds.rounded(.towardZero)) ?? .min)
        }
        do throws(DurationGrammar.Refusal) {
            return try DurationGrammar.parse(text)
        } catch {
            throw APIError(.badData, "cannot parse \(Quoting.quote(text)) to a valid duration")
        }
    }

    /// A limit: 0 for none.
    static func limit(_ form: FormValues) throws(APIError) -> Int {
        let text = form.first("limit")
        if text.isEmpty { return 0 }
        let limit = try integer(text, "limit")
        if limit < 0 { throw .parameter("limit", "limit must be non-negative") }
        return limit
    }

    private static func integer(_ text: ByteString, _ name: String) throws(APIError) -> Int {
        var digits = text.bytes[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .parameter(name, "strconv.Atoi: parsing \(Quoting.quote(text)): invalid syntax")
        }
        guard let value = Int((isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)) else {
            throw .parameter(name, "strconv.Atoi: parsing \(Quoting.quote(text)): value out of range")
        }
        return value
    }

    /// An integer as Go's `strconv.Atoi` reads it, or nil.
    static func integer(_ text: ByteString) -> Int? { try? integer(text, "") }
}

/// Floating-point numbers as Go's `strconv.ParseFloat` reads them.
enum GoFloat {
    /// The number, or nil for what is none or too large.
    static func parse(_ text: ByteString) -> Double? {
        var body = text.bytes[...]
        let isNegative = body.first == UInt8(ascii: "-")
        if isNegative || body.first == UInt8(ascii: "+") { body = body.dropFirst() }
        let lower = String(decoding: body.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
        switch lower {
        case "inf", "infinity": return isNegative ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        let isHexadecimal = lower.hasPrefix("0x") && lower.contains("p")
        let allowed: StaticString = isHexadecimal ? "0123456789abcdefxp.+-" : "0123456789e.+-"
        guard let digits = withoutUnderscores(lower) else { return nil }
        let isAllowed = digits.utf8.allSatisfy { byte in allowed.withUTF8Buffer { $0.contains(byte) } }
        guard isAllowed, let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-"),
            let value = Double(digits), value.isFinite
        else { return nil }
        return isNegative ? -value : value
    }

    /// `text` without the underscores between its digits; nil where one stands elsewhere.
    private static func withoutUnderscores(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
        let bytes = Array(text.utf8)
        let isHexadecimal = text.hasPrefix("0x")
        func isDigit(_ index: Int) -> Bool {
            guard bytes.indices.contains(index) else { return false }
            if isHexadecimal, index == 1 { return true }
            return (0x30...0x39).contains(bytes[index]) || isHexadecimal && (0x61...0x66).contains(bytes[index])
        }
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard isDigit(index - 1), isDigit(index + 1) else { return nil }
        }
        return text.filter { $0 != "_" }
    }
}

/// Times of the form `2006-01-02T15:04:05.999Z`.
enum RFC3339 {
    /// Milliseconds since 1970, fractions of them cut off; nil for anything else.
    static func milliseconds(_ text: ByteString) -> Timestamp? {
        var bytes = text.bytes
        // As Go's parser, the hour may do without its zero.
        if bytes.count > 12, bytes[12] == 0x3A { bytes.insert(0x30, at: 11) }
        guard bytes.count >= 20, let year = number(bytes, 0, 4), bytes[4] == 0x2D, let month = number(bytes, 5, 2),
            bytes[7] == 0x2D, let day = number(bytes, 8, 2), bytes[10] == 0x54, let hour = number(bytes, 11, 2),
            bytes[13] == 0x3A, let minute = number(bytes, 14, 2), bytes[16] == 0x3A,
            let second = number(bytes, 17, 2), (1...12).contains(month),
            (1...CivilTime.days(inMonth: month, of: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == 0x2E || bytes[index] == 0x2C {
            let digits = bytes[(index + 1)...].prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            for place in 0..<3 {
                let digit = place < digits.count ? Int64(digits[digits.startIndex + place]) - 0x30 : 0
                fraction = fraction * 10 + digit
            }
            index += 1 + digits.count
        }
        guard let offset = offset(bytes[index...]) else { return nil }
        let days = CivilTime.daysSince1970(year: year, month: month, day: day)
        return Timestamp(days * 86_400 + (hour * 60 + minute) * 60 + second - offset) * 1000 + fraction
    }

    /// Seconds east of UTC.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        if text.elementsEqual([UInt8(ascii: "Z")]) { return 0 }
        let bytes = Array(text)
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, let hour = number(bytes, 1, 2),
            bytes[3] == 0x3A, let minute = number(bytes, 4, 2), hour <= 24, minute <= 60
        else { return nil }
        let seconds = (hour * 60 + minute) * 60
        return bytes[0] == 0x2D ? -seconds : seconds
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for byte in bytes[start..<(start + count)] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte) - 0x30
        }
        return value
    }

    /// A moment as Go marshals it to JSON, with milliseconds: `2006-01-02T15:04:05.999Z`.
    static func text(milliseconds: Timestamp) -> String {
        let (second, millisecond) = CivilTime.seconds(milliseconds)
        return CivilTime.rfc3339(second: second, nanosecond: millisecond * 1_000_000)
    }
}

/// Moments as the API shows them.
package enum ServerTime {
    /// `2006-01-02T15:04:05.999Z`.
    package static func text(_ time: Timestamp) -> String { RFC3339.text(milliseconds: time) }

    /// A moment as the API takes it, seconds or RFC 3339; nil if it is none.
    package static func milliseconds(_ text: ByteString) -> Timestamp? { TimeParameters.time(text) }
}
