/// A moment in the proleptic Gregorian calendar, UTC; leap seconds do not count.
package struct CivilTime: Sendable {
    /// Negative before the year 1, which follows the year 0.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int
    /// 0 to 23.
    package let hour: Int
    /// 0 to 59.
    package let minute: Int
    /// 0 to 59.
    package let second: Int
    /// Sunday is 0.
    package let weekday: Int
    /// 1 to 366.
    package let dayOfYear: Int

    /// The moment `second` seconds after 1970 began. Where that lies before the year -292277022399, or beyond what
    /// 64 bits count from there, it is the date that Go's `time` comes to.
    package init(second: Int64) {
        // Days are counted from that year, without a sign, so that the division rounds down.
        let fromEpoch = UInt64(bitPattern: second &+ 9_223_371_966_579_724_800)
        let days = Int(fromEpoch / 86_400) - 9_223_371_966_579_724_800 / 86_400
        let rest = Int(fromEpoch % 86_400)
        hour = rest / 3600
        minute = rest / 60 % 60
        self.second = rest % 60
        weekday = ((days % 7) + 11) % 7
        // Years are counted from March, so that the leap day is the last; 400 years have 146,097 days.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let isLeap = Self.isLeap(year)
        dayOfYear = dayFromMarch >= 306 ? dayFromMarch - 305 : dayFromMarch + 60 + (isLeap ? 1 : 0)
    }

    /// Days in this month.
    package var daysInMonth: Int { Self.days(inMonth: month, of: year) }

    /// Days in a month, which counts from 1.
    package static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date, whose year has at most ten digits.
    package static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        // Years begin in March, so that the leap day is the last.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}

// MARK: Text

extension CivilTime {
    /// `2006-01-02`.
    package var dateText: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    /// `15:04:05`.
    package var timeText: String { "\(Self.padded(hour, 2)):\(Self.padded(minute, 2)):\(Self.padded(second, 2))" }

    /// `2006-01-02T15:04:05Z`: RFC 3339.
    package var rfc3339: String { "\(dateText)T\(timeText)Z" }

    /// RFC 3339 with as many digits of the second as are needed, as Go marshals times to JSON.
    /// - Parameters:
    ///   - second: Since 1970.
    ///   - nanosecond: Of that second, 0 to 999,999,999.
    package static func rfc3339(second: Int64, nanosecond: Int) -> String {
        let time = CivilTime(second: second)
        guard nanosecond > 0 else { return time.rfc3339 }
        var fraction = padded(nanosecond, 9)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(time.dateText)T\(time.timeText).\(fraction)Z"
    }

    /// RFC 3339 with three digits of the second, as logs have it: `2006-01-02T15:04:05.000Z`.
    package static func rfc3339(milliseconds: Timestamp) -> String {
        let (second, millisecond) = seconds(milliseconds)
        let time = CivilTime(second: second)
        return "\(time.dateText)T\(time.timeText).\(padded(millisecond, 3))Z"
    }

    /// The second of a timestamp, rounded down, and the milliseconds within it.
    package static func seconds(_ milliseconds: Timestamp) -> (second: Int64, millisecond: Int) {
        let (second, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return rest < 0 ? (second - 1, Int(rest) + 1000) : (second, Int(rest))
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
