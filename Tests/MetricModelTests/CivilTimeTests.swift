import MetricModel
import Testing

@Suite struct CivilTimeTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
    ])
    func `moments are written as RFC 3339 has them`(second: Int64, text: String) {
        #expect(CivilTime(second: second).rfc3339 == text)
    }

    @Test func `every day of eight hundred years is found again, and follows the one before`() {
        var before = CivilTime(second: -86_400 * 146_097)
        for day in (-146_096)...146_097 {
            let time = CivilTime(second: Int64(day) * 86_400)
            let isSound =
                time.day == (before.day == before.daysInMonth ? 1 : before.day + 1)
                && time.weekday == (before.weekday + 1) % 7
                && time.dayOfYear == (time.month == 1 && time.day == 1 ? 1 : before.dayOfYear + 1)
                && CivilTime.daysSince1970(year: time.year, month: time.month, day: time.day) == day
            if !isSound { Issue.record("day \(day): \(time)") }
            before = time
        }
    }

    @Test(arguments: [Int64.min, .min + 1, -9_223_371_966_579_724_801, .max - 1, .max])
    func `no moment is out of bounds`(second: Int64) {
        let time = CivilTime(second: second)
        #expect((1...12).contains(time.month))
        #expect((1...31).contains(time.day))
        #expect((0...6).contains(time.weekday))
    }

    @Test func `fractions have the digits that are needed, or three`() {
        #expect(CivilTime.rfc3339(second: 1, nanosecond: 0) == "1970-01-01T00:00:01Z")
        #expect(CivilTime.rfc3339(second: 1, nanosecond: 20_000_000) == "1970-01-01T00:00:01.02Z")
        #expect(CivilTime.rfc3339(milliseconds: 1020) == "1970-01-01T00:00:01.020Z")
        #expect(CivilTime.rfc3339(milliseconds: -1) == "1969-12-31T23:59:59.999Z")
    }
}
