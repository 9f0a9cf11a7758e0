/// A bucket of a native histogram with its bounds and its own count.
///
/// Source: prometheus/prometheus model/histogram/generic.go (`Bucket`).
public struct HistogramBucket: Sendable, Equatable {
    /// The lower bound.
    public var lower: Double
    /// The upper bound.
    public var upper: Double
    /// Whether an observation equal to ``lower`` is in the bucket.
    public var lowerInclusive: Bool
    /// Whether an observation equal to ``upper`` is in the bucket.
    public var upperInclusive: Bool
    /// Observations in this bucket alone.
    public var count: Double
    /// Index within the schema and sign; means nothing for the zero bucket.
    public var index: Int32

    /// A bucket.
    public init(
        lower: Double, upper: Double, lowerInclusive: Bool, upperInclusive: Bool, count: Double, index: Int32
    ) {
        self.lower = lower
        self.upper = upper
        self.lowerInclusive = lowerInclusive
        self.upperInclusive = upperInclusive
        self.count = count
        self.index = index
    }

    /// The part of the bucket's width at or below `value`, which lies strictly between finite bounds: on a linear
    /// scale, or on a logarithmic one.
    public func fractionBelow(_ value: Double, linear: Bool) -> Double {
        if linear { return (value - lower) / (upper - lower) }
        let logLower = FloatMath.log2(lower.magnitude)
        let logUpper = FloatMath.log2(upper.magnitude)
        let logValue = FloatMath.log2(value.magnitude)
        if value > 0 { return (logValue - logLower) / (logUpper - logLower) }
        return 1 - ((logValue - logUpper) / (logLower - logUpper))
    }
}

/// Walks over the populated buckets that spans describe, as index and position, in either direction; spans that
/// promise more buckets than there are end early.
struct BucketPositions: Sequence, IteratorProtocol {
    private let spans: [BucketSpan]
    private let count: Int
    private var span = 0
    private var within: UInt32 = 0
    private var index: Int32 = 0
    private var position = 0

    init(_ spans: [BucketSpan], count: Int) {
        self.spans = spans
        self.count = count
        index = spans.first?.offset ?? 0
    }

    /// The next bucket's index within the schema and its position among the counts.
    @inline(__always)
    mutating func next() -> (index: Int32, position: Int)? {
        guard position < count else { return nil }
        while span < spans.count && within >= spans[span].length {
            within = 0
            span += 1
            if span < spans.count { index = index &+ spans[span].offset }
        }
        guard span < spans.count else { return nil }
        defer {
            within += 1
            index = index &+ 1
            position += 1
        }
        return (index, position)
    }
}

extension FloatHistogram {
    /// The zero bucket.
    public var zeroBucket: HistogramBucket {
        HistogramBucket(
            lower: -zeroThreshold, upper: zeroThreshold, lowerInclusive: true, upperInclusive: true,
            count: zeroCount, index: 0)
    }

    /// A bucket of either sign with its bounds.
    func bucket(index: Int32, count: Double, positive: Bool) -> HistogramBucket {
        let end = Self.bound(index, schema: schema, customValues: customValues)
        let start = Self.bound(index &- 1, schema: schema, customValues: customValues)
        let lower = positive ? start : -end
        let upper = positive ? end : -start
        let custom = usesCustomBuckets
        return HistogramBucket(
            lower: lower, upper: upper, lowerInclusive: custom ? index == 0 : lower < 0,
            upperInclusive: custom ? true : upper > 0, count: count, index: index)
    }

    /// Calls `body` with the positive buckets, from the zero bucket upwards, until it returns false.
    public func forEachPositiveBucket(_ body: (HistogramBucket) throws -> Bool) rethrows {
        for (index, position) in BucketPositions(positiveSpans, count: positiveBuckets.count)
        where try !body(bucket(index: index, count: positiveBuckets[position], positive: true)) { return }
    }

    /// Calls `body` with the negative buckets, from the zero bucket downwards, until it returns false.
    public func forEachNegativeBucket(_ body: (HistogramBucket) throws -> Bool) rethrows {
        for (index, position) in BucketPositions(negativeSpans, count: negativeBuckets.count)
        where try !body(bucket(index: index, count: negativeBuckets[position], positive: false)) { return }
    }

    /// All buckets from the lowest to the highest: negative, zero (if populated), positive. Where the outermost
    /// bucket next to the zero bucket overlaps it, its bound is the zero threshold.
    /// - Complexity: O(buckets), bounds included.
    public var allBuckets: [HistogramBucket] {
        var result: [HistogramBucket] = []
        result.reserveCapacity(positiveBuckets.count + negativeBuckets.count + 1)
        forEachNegativeBucket {
            result.append(clipped($0))
            return true
        }
        result.reverse()
        if zeroCount > 0 { result.append(zeroBucket) }
        forEachPositiveBucket {
            result.append(clipped($0))
            return true
        }
        return result
    }

    private func clipped(_ bucket: HistogramBucket) -> HistogramBucket {
        var bucket = bucket
        if bucket.upper < 0 && bucket.upper > -zeroThreshold {
            bucket.upper = -zeroThreshold
        } else if bucket.lower > 0 && bucket.lower < zeroThreshold {
            bucket.lower = zeroThreshold
        }
        return bucket
    }

    /// Whether any number in the histogram is infinite, as after adding up beyond the range of a double.
    public var hasOverflow: Bool {
        zeroCount.isInfinite || count.isInfinite || sum.isInfinite || positiveBuckets.contains { $0.isInfinite }
            || negativeBuckets.contains { $0.isInfinite } || customValues.contains { $0.isInfinite }
    }
}
