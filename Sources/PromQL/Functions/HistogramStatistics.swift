internal import MetricModel

/// Numbers about one native histogram.
enum HistogramStatistics {
    /// The value of `histogram_count`, `histogram_sum`, `histogram_avg`, `histogram_stddev` or `histogram_stdvar`.
    static func value(_ function: Function, _ histogram: FloatHistogram) -> Double {
        switch function {
        case .histogramCount: histogram.count
        case .histogramSum: histogram.sum
        case .histogramAvg: histogram.sum / histogram.count
        case .histogramStddev: variance(histogram).squareRoot()
        default: variance(histogram)
        }
    }

    /// The variance, each bucket's observations taken at its middle: the geometric one of exponential buckets.
    ///
    /// Source: prometheus/prometheus promql/functions.go (`histogramVariance`).
    static func variance(_ histogram: FloatHistogram) -> Double {
        let mean = histogram.sum / histogram.count
        var variance = KahanSum()
        for bucket in histogram.allBuckets where bucket.count != 0 {
            var value: Double
            if histogram.usesCustomBuckets {
                value = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0 && bucket.upper >= 0 {
                value = 0
            } else {
                value = (bucket.upper * bucket.lower).squareRoot()
                if bucket.upper < 0 { value = -value }
            }
            let delta = value - mean
            variance.add(bucket.count * delta * delta)
        }
        return (variance.sum + variance.compensation) / histogram.count
    }

    /// The quantile `q`.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`HistogramQuantile`).
    static func quantile(
        _ q: Double, _ histogram: FloatHistogram, _ notes: inout RangeNotes
    ) -> Double {
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        if histogram.count == 0 || q.isNaN { return .nan }
        let mayHoldNaN = histogram.sum.isNaN
        let isForward = mayHoldNaN || q < 0.5
        let all = histogram.allBuckets
        let buckets = isForward ? all : all.reversed()
        var rank = isForward ? q * histogram.count : (1 - q) * histogram.count
        var count = 0.0
        var bucket = HistogramBucket.none
        var seen = 0
        for next in buckets {
            seen += 1
            bucket = next
            if next.count == 0 { continue }
            count += next.count
            if count >= rank { break }
        }
        let custom = histogram.usesCustomBuckets
        if custom {
            if bucket.lower == -.infinity {
                if bucket.upper <= 0 { return bucket.upper }
                bucket.lower = 0
            } else if bucket.upper == .infinity {
                return bucket.lower
            }
        } else if bucket.lower < 0 && bucket.upper > 0 {
            bucket = zeroBucket(bucket, of: histogram)
        }
        count = min(count, histogram.count)
        if count < rank {
            guard mayHoldNaN else { return bucket.upper }
            notes.add(.quantileNaNResult(metric: notes.metric))
            return .nan
        }
        if isForward { rank -= count - bucket.count } else { rank = count - rank }
        if mayHoldNaN {
            // All buckets together hold fewer observations than there are if some are NaN. The last of them is then
            // the one to interpolate in, as upstream has it.
            for next in buckets[seen...] {
                bucket = next
                count += next.count
            }
            if count < histogram.count { notes.add(.quantileNaNSkew(metric: notes.metric)) }
        }
        let fraction = rank / bucket.count
        if custom || (bucket.lower <= 0 && bucket.upper >= 0) {
            return bucket.lower + (bucket.upper - bucket.lower) * fraction
        }
        let logLower = FloatMath.log2(bucket.lower.magnitude)
        let logUpper = FloatMath.log2(bucket.upper.magnitude)
        if bucket.lower > 0 { return FloatMath.exp2(logLower + (logUpper - logLower) * fraction) }
        return -FloatMath.exp2(logUpper + (logLower - logUpper) * (1 - fraction))
    }

    /// The zero bucket, which ends at zero where there are observations of one sign only.
    private static func zeroBucket(_ bucket: HistogramBucket, of histogram: FloatHistogram) -> HistogramBucket {
        var bucket = bucket
        if histogram.negativeBuckets.isEmpty && !histogram.positiveBuckets.isEmpty {
            bucket.lower = 0
        } else if histogram.positiveBuckets.isEmpty && !histogram.negativeBuckets.isEmpty {
            bucket.upper = 0
        }
        return bucket
    }

    /// The part of the observations between two values.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`HistogramFraction`).
    static func fraction(
        _ lower: Double, _ upper: Double, _ histogram: FloatHistogram, _ notes: inout RangeNotes
    ) -> Double {
        if histogram.count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var ranks = FractionRanks(lower: lower, upper: upper)
        var count = 0.0
        var seen = 0
        let buckets = histogram.allBuckets
        for next in buckets {
            seen += 1
            count += next.count
            var bucket = next
            let isZero = bucket.lower <= 0 && bucket.upper >= 0
            if isZero { bucket = zeroBucket(bucket, of: histogram) }
            let linear = histogram.usesCustomBuckets || isZero
            let rank = ranks.rank
            let isDone = ranks.visit(bucket.lower, bucket.upper) { value in
                if linear && bucket.lower == -.infinity { return bucket.count }
                return rank + bucket.count * bucket.fractionBelow(value, linear: linear)
            }
            if isDone { break }
            ranks.rank += bucket.count
        }
        if histogram.sum.isNaN {
            for next in buckets[seen...] { count += next.count }
            if count < histogram.count { notes.add(.fractionNaNs(metric: notes.metric)) }
        } else {
            count = histogram.count
        }
        return ranks.difference(of: count) / histogram.count
    }
}

/// How many observations lie below each of two values, found while going up the buckets.
struct FractionRanks {
    let lower: Double
    let upper: Double
    /// The observations in the buckets so far.
    var rank = 0.0
    private var lowerRank: Double?
    private var upperRank: Double?

    init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// Looks at the next bucket; `interpolate` gives the rank of a value within it. True if both ranks are known.
    mutating func visit(_ start: Double, _ end: Double, _ interpolate: (Double) -> Double) -> Bool {
        if lowerRank == nil && start >= lower { lowerRank = rank }
        if upperRank == nil && start >= upper { upperRank = rank }
        if lowerRank != nil && upperRank != nil { return true }
        if lowerRank == nil && start < lower && end > lower { lowerRank = interpolate(lower) }
        if upperRank == nil && start < upper && end > upper { upperRank = interpolate(upper) }
        return lowerRank != nil && upperRank != nil
    }

    /// The observations between both values, of `count` in all.
    func difference(of count: Double) -> Double {
        let low = lowerRank.map { $0 > count ? count : $0 } ?? count
        let high = upperRank.map { $0 > count ? count : $0 } ?? count
        return high - low
    }
}

extension HistogramBucket {
    /// What a histogram without buckets is asked for.
    static let none = HistogramBucket(
        lower: 0, upper: 0, lowerInclusive: false, upperInclusive: false, count: 0, index: 0)
}
