extension FloatHistogram {
    /// Cuts off observations above `limit` (`keepingBelow`) or below it. The bucket that `limit` lies in is divided by
    /// interpolation; count and sum are estimated anew if anything was cut.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`TrimBuckets`).
    /// - Complexity: O(buckets).
    public mutating func trim(at limit: Double, keepingBelow: Bool) {
        let trim = HistogramTrim(limit: limit, keepsBelow: keepingBelow, isLinear: usesCustomBuckets)
        var total = HistogramTrim.Total()
        let hasPositive = trim.cut(&positiveBuckets, buckets(positive: true), isPositive: true, &total)
        let hasNegative = trim.cut(&negativeBuckets, buckets(positive: false), isPositive: false, &total)
        if zeroCount > 0 {
            let (kept, middle) = trim.zero(zeroBucket, hasNegative: hasNegative, hasPositive: hasPositive)
            if kept != zeroCount {
                zeroCount = kept
                total.isCut = true
            }
            total.sum += middle * kept
            total.count += kept
        }
        if total.isCut {
            count = total.count
            sum = total.sum
            compact()
        }
    }

    private func buckets(positive: Bool) -> [HistogramBucket] {
        var result: [HistogramBucket] = []
        if positive {
            forEachPositiveBucket {
                result.append($0)
                return true
            }
        } else {
            forEachNegativeBucket {
                result.append($0)
                return true
            }
        }
        return result
    }
}

/// Where and how a histogram is cut.
private struct HistogramTrim {
    let limit: Double
    let keepsBelow: Bool
    let isLinear: Bool

    /// What is left, summed up.
    struct Total {
        var count = 0.0
        var sum = 0.0
        var isCut = false
    }

    /// Cuts one side; whether it had any observation.
    func cut(
        _ counts: inout [Double], _ buckets: [HistogramBucket], isPositive: Bool, _ total: inout Total
    ) -> Bool {
        var hasAny = false
        for (place, bucket) in buckets.enumerated() where bucket.count != 0 && place < counts.count {
            hasAny = true
            let isWhole = keepsBelow ? bucket.upper <= limit : bucket.lower >= limit
            let isDivided = keepsBelow ? bucket.lower < limit : bucket.upper > limit
            if isWhole {
                total.count += bucket.count
                total.sum += middle(bucket.lower, bucket.upper, isPositive) * bucket.count
            } else if isDivided {
                let (kept, middle) = divide(bucket, isPositive)
                total.count += kept
                total.sum += middle * kept
                if counts[place] != kept {
                    counts[place] = kept
                    total.isCut = true
                }
            } else {
                counts[place] = 0
                total.isCut = true
            }
        }
        return hasAny
    }

    /// What is kept of the zero bucket, which ends at zero where observations have one sign only.
    func zero(_ bucket: HistogramBucket, hasNegative: Bool, hasPositive: Bool) -> (count: Double, middle: Double) {
        let upper = hasNegative && !hasPositive ? 0 : bucket.upper
        let lower = hasPositive && !hasNegative ? 0 : bucket.lower
        let whole = (bucket.count, (lower + upper) / 2)
        if limit <= lower { return keepsBelow ? (0, 0) : whole }
        if limit >= upper { return keepsBelow ? whole : (0, 0) }
        return keepsBelow
            ? (bucket.count * ((limit - lower) / (upper - lower)), (lower + limit) / 2)
            : (bucket.count * ((upper - limit) / (upper - lower)), (limit + upper) / 2)
    }

    /// What is kept of the bucket that the limit lies in, and the middle of that part.
    private func divide(_ bucket: HistogramBucket, _ isPositive: Bool) -> (count: Double, middle: Double) {
        if bucket.lower == -.infinity { return divideLowest(bucket) }
        if bucket.upper == .infinity {
            if keepsBelow { return (0, Self.finite(bucket.lower)) }
            return limit >= bucket.lower ? (bucket.count, limit) : (0, Self.finite(bucket.lower))
        }
        let below =
            limit <= bucket.lower
            ? 0 : limit >= bucket.upper ? bucket.count : bucket.count * bucket.fractionBelow(limit, linear: isLinear)
        return keepsBelow
            ? (below, middle(bucket.lower, limit, isPositive))
            : (bucket.count - below, middle(limit, bucket.upper, isPositive))
    }

    /// A bucket without a lower end: below a positive upper end it counts as beginning at zero.
    private func divideLowest(_ bucket: HistogramBucket) -> (count: Double, middle: Double) {
        let upper = bucket.upper
        if keepsBelow {
            if limit >= upper { return (bucket.count, 0) }
            if limit > 0 && upper > 0 && upper != .infinity { return (bucket.count * limit / upper, limit / 2) }
            if upper <= 0 { return (bucket.count, limit) }
            return (0, Self.finite(upper))
        }
        if limit <= bucket.lower { return (bucket.count, 0) }
        if limit >= 0 && upper > limit && upper != .infinity {
            return (bucket.count * (1 - limit / upper), (limit + upper) / 2)
        }
        return (0, Self.finite(upper))
    }

    private static func finite(_ value: Double) -> Double { value.isInfinite ? 0 : value }

    /// Where the observations between two bounds are taken to lie.
    private func middle(_ lower: Double, _ upper: Double, _ isPositive: Bool) -> Double {
        if lower.isInfinite {
            if upper.isInfinite { return 0 }
            return upper > 0 ? upper / 2 : upper
        }
        if upper.isInfinite { return lower }
        if isLinear { return (lower + upper) / 2 }
        let mean = (lower * upper).magnitude.squareRoot()
        return isPositive ? mean : -mean
    }
}
