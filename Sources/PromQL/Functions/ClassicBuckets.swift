/// A classic histogram at one step: cumulative counts by upper bound, ascending.
struct ClassicBuckets {
    private(set) var bounds: [Double] = []
    private(set) var counts: [Double] = []

    /// What had to be changed so that counts ascend.
    struct Correction {
        var lowest = Double.infinity
        var highest = -Double.infinity
        var difference = 0.0
    }

    /// Forgets all buckets.
    mutating func removeAll() {
        bounds.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
    }

    /// Adds a bucket, whose bound is not below the last one; the same bound adds up.
    mutating func append(_ bound: Double, _ count: Double) {
        if let last = bounds.indices.last, bounds[last] == bound {
            counts[last] += count
        } else {
            bounds.append(bound)
            counts.append(count)
        }
    }

    /// The quantile `q`, and what had to be corrected for it; the counts are changed.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`BucketQuantile`).
    mutating func quantile(_ q: Double) -> (value: Double, correction: Correction?) {
        if q.isNaN { return (.nan, nil) }
        if q < 0 { return (-.infinity, nil) }
        if q > 1 { return (.infinity, nil) }
        guard bounds.last == .infinity else { return (.nan, nil) }
        let correction = makeMonotonic()
        guard bounds.count >= 2, let observations = counts.last, observations != 0 else { return (.nan, correction) }
        var rank = q * observations
        let last = bounds.count - 1
        var low = 0
        var high = last
        while low < high {
            let middle = (low + high) / 2
            if counts[middle] >= rank { high = middle } else { low = middle + 1 }
        }
        if low == last { return (bounds[last - 1], correction) }
        if low == 0 && bounds[0] <= 0 { return (bounds[0], correction) }
        var start = 0.0
        var count = counts[low]
        if low > 0 {
            start = bounds[low - 1]
            count -= counts[low - 1]
            rank -= counts[low - 1]
        }
        return (start + (bounds[low] - start) * (rank / count), correction)
    }

    /// Evens out differences that come of rounding, then lets no count be below the one before.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`ensureMonotonicAndIgnoreSmallDeltas`).
    private mutating func makeMonotonic() -> Correction? {
        guard var previous = counts.first else { return nil }
        var correction: Correction?
        for index in counts.indices.dropFirst() {
            let current = counts[index]
            if current == previous { continue }
            if Self.almostEqual(previous, current) {
                counts[index] = previous
            } else if current < previous {
                counts[index] = previous
                var so = correction ?? Correction()
                so.lowest = min(so.lowest, bounds[index])
                so.highest = max(so.highest, bounds[index])
                so.difference = max(so.difference, previous - current)
                correction = so
            } else {
                previous = current
            }
        }
        return correction
    }

    /// Whether two counts differ by rounding only.
    ///
    /// Source: prometheus/prometheus util/almost.
    private static func almostEqual(_ a: Double, _ b: Double) -> Bool {
        if a == b || (a.isNaN && b.isNaN) { return true }
        let sum = a.magnitude + b.magnitude
        let difference = (a - b).magnitude
        if a == 0 || b == 0 || sum < .leastNormalMagnitude { return difference < 1e-12 * .leastNormalMagnitude }
        return difference / min(sum, .greatestFiniteMagnitude) < 1e-12
    }

    /// The part of the observations between two values.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`BucketFraction`).
    func fraction(_ lower: Double, _ upper: Double) -> Double {
        guard bounds.last == .infinity, let count = counts.last, count != 0, !lower.isNaN, !upper.isNaN else {
            return .nan
        }
        if lower >= upper { return 0 }
        var ranks = FractionRanks(lower: lower, upper: upper)
        var start = bounds[0] <= 0 ? -Double.infinity : 0
        for index in bounds.indices {
            if index > 0 { start = bounds[index - 1] }
            let (end, cumulative, rank) = (bounds[index], counts[index], ranks.rank)
            let isDone = ranks.visit(start, end) { value in
                if start == -.infinity { return cumulative }
                return rank + (cumulative - rank) * (value - start) / (end - start)
            }
            if isDone { break }
            ranks.rank = cumulative
        }
        return ranks.difference(of: count) / count
    }
}
