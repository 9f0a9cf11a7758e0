#if canImport(Glibc)
internal import Glibc
#endif
internal import MetricModel

/// Where the lines of an axis go, and how numbers are written there.
package enum PlotScale {
    /// Values at steps of 1, 2 or 5 times a power of ten that cover `low` to `high`.
    ///
    /// - Returns: At least two values, ascending; 0 and 1 where the limits are not finite.
    package static func ticks(low: Double, high: Double, wanted: Int = 5) -> [Double] {
        guard low.isFinite, high.isFinite, (high - low).isFinite else { return [0, 1] }
        var (low, high) = (low, high)
        if low == high {
            let pad = low == 0 ? 1 : abs(low) * 0.1
            (low, high) = (finite(low - pad), finite(high + pad))
        }
        let raw = (high - low) / Double(max(wanted, 1))
        let power = pow(10, floor(log10(raw)))
        guard raw > 0, power > 0, power.isFinite else { return [low, high] }
        let step = ([1, 2, 5, 10].map { $0 * power }).first { $0 >= raw * 0.999 } ?? raw
        let first = floor(low / step)
        let last = ceil(high / step)
        // Huge values with a tiny spread: steps below the precision of a double are no use.
        guard last - first >= 1, last - first < 100 else { return [low, high] }
        return (0...Int(last - first)).map { finite((first + Double($0)) * step) }
    }

    /// The number nearest to `value` that is finite.
    private static func finite(_ value: Double) -> Double {
        min(max(value, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }

    /// Seconds between the lines of a time axis of `span` seconds.
    package static func timeStep(span: Double, wanted: Int = 7) -> Double {
        let steps: [Double] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172_800,
            604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
        ]
        let least = span / Double(max(wanted, 1))
        return steps.first { $0 >= least } ?? (least / 31_536_000).rounded(.up) * 31_536_000
    }

    /// A time of an axis whose lines stand `step` seconds apart: "14:05", "14:05:30" or "11-22", UTC.
    package static func timeText(_ seconds: Double, step: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e13 else { return "?" }
        let time = CivilTime(second: Int64(seconds.rounded(.down)))
        if step >= 86400 { return time.dateText }
        if (time.hour, time.minute, time.second) == (0, 0, 0) { return "\(two(time.month))-\(two(time.day))" }
        return step < 60 ? time.timeText : "\(two(time.hour)):\(two(time.minute))"
    }

    /// A number in at most five digits (or `significant`), with an SI letter where it is large or small.
    package static func short(_ value: Double, significant: Int = 5) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        let size = abs(value)
        let scales: [(String, Double)] = [("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)]
        if size >= 1e15 || (size > 0 && size < 1e-9) { return "\(value)" }
        if size >= 1e4, let (letter, scale) = scales.first(where: { size >= $0.1 }) {
            return digits(value / scale, significant) + letter
        }
        if size >= 0.01 || size == 0 { return digits(value, significant) }
        let small: [(String, Double)] = [("m", 1e-3), ("µ", 1e-6), ("n", 1e-9)]
        guard let (letter, scale) = small.first(where: { size >= $0.1 }) else { return "\(value)" }
        return digits(value / scale, significant) + letter
    }

    /// At most so many significant digits, without trailing zeros.
    private static func digits(_ value: Double, _ significant: Int) -> String {
        guard value != 0 else { return "0" }
        let places = max(0, significant - 1 - Int(floor(log10(abs(value)))))
        let factor = pow(10, Double(places))
        var text = "\((value * factor).rounded() / factor)"
        if text.hasSuffix(".0") { text.removeLast(2) }
        return text
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
