/// Quantiles of what was observed in the last ten minutes, as a summary of client_golang with its default age has them.
///
/// Observations are counted in buckets a 64th of a doubling wide, in five windows of two minutes of which the oldest is
/// forgotten in turn: a constant cost an observation, no sorting, an error below 1.6 % of the value. A bucket keeps the
/// sum of its observations, so that equal ones are shown exactly.
struct SlidingQuantiles: Sendable {
    private struct Bucket: Sendable {
        var count: UInt64 = 0
        var sum: Double = 0

        mutating func add(_ value: Double) {
            count &+= 1
            sum += value
        }
    }

    private static let windows = 5
    /// Nanoseconds.
    private static let windowLength: Int64 = 120_000_000_000
    private var buckets: [[UInt32: Bucket]] = Array(repeating: [:], count: windows)
    private var epoch: Int64 = 0
    /// All observations ever.
    private(set) var count: UInt64 = 0
    private(set) var sum: Double = 0

    /// Takes in `value`.
    /// - Parameter now: Nanoseconds of a clock that does not go back.
    mutating func observe(_ value: Double, now: Int64) {
        advance(now)
        count &+= 1
        sum += value
        let window = Int(epoch % Int64(Self.windows))
        // The exponent and the six highest bits of the fraction.
        let key = UInt32(truncatingIfNeeded: max(value, 0).bitPattern >> 46)
        buckets[window][key, default: Bucket()].add(value)
    }

    /// The values below which the shares `quantiles` of the observations lie; NaN without observations.
    mutating func values(_ quantiles: [Double], now: Int64) -> [Double] {
        advance(now)
        var merged: [UInt32: Bucket] = [:]
        for window in buckets {
            for (key, bucket) in window {
                merged[key, default: Bucket()].count &+= bucket.count
                merged[key, default: Bucket()].sum += bucket.sum
            }
        }
        let sorted = merged.sorted { $0.key < $1.key }.map(\.value)
        let total = sorted.reduce(0) { $0 + Double($1.count) }
        return quantiles.map { quantile in
            var seen: Double = 0
            for bucket in sorted {
                seen += Double(bucket.count)
                if seen >= quantile * total { return bucket.sum / Double(bucket.count) }
            }
            return .nan
        }
    }

    private mutating func advance(_ now: Int64) {
        let current = now / Self.windowLength
        guard current > epoch else { return }
        let steps = min(current - epoch, Int64(Self.windows))
        for step in 0..<steps { buckets[Int((current - step) % Int64(Self.windows))] = [:] }
        epoch = current
    }
}
