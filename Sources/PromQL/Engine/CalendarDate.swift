internal import MetricModel

/// A moment in the proleptic Gregorian calendar, UTC.
struct CalendarDate {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// Sunday is 0.
    let weekday: Int
    /// 1 to 366.
    let dayOfYear: Int

    /// The moment `seconds` after 1970-01-01. Where that lies before the year -292277022399, or beyond what 64 bits
    /// count from there, it is the date that Go's `time` comes to.
    init(seconds: Int64) {
        // Days are counted from that year, without a sign, so that the division rounds down.
        let fromEpoch = UInt64(bitPattern: seconds &+ 9_223_371_966_579_724_800)
        let days = Int(fromEpoch / 86_400) - 9_223_371_966_579_724_800 / 86_400
        let rest = Int(fromEpoch % 86_400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
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

    /// The moment of a timestamp, its fraction of a second cut off.
    init(milliseconds: Timestamp) { self.init(seconds: milliseconds / 1000) }

    /// Days in this month.
    var daysInMonth: Int {
        switch month {
        case 2: Self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// `2006-01-02T15:04:05Z`.
    var rfc3339: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let digits = "\(year)"
        let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return "\(padded)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))Z"
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}
