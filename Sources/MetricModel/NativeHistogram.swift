/// A run of consecutive buckets of a native histogram.
public struct BucketSpan: Sendable, Hashable {
    /// Gap to the end of the previous span, or the index of the first bucket for the first span.
    public var offset: Int32
    /// Number of consecutive buckets.
    public var length: UInt32

    /// A span of `length` buckets after a gap of `offset`.
    public init(offset: Int32, length: UInt32) {
        self.offset = offset
        self.length = length
    }
}

/// What is known about a counter reset between a histogram and the one before it.
///
/// Source: prometheus/prometheus model/histogram/histogram.go.
public enum CounterResetHint: UInt8, Sendable, Hashable {
    /// Nothing is known: compare to find out.
    case unknown = 0
    /// This histogram is the first after a reset.
    case reset = 1
    /// There was no reset before this one.
    case notReset = 2
    /// A gauge histogram: resets mean nothing.
    case gauge = 3
}

/// A native histogram with bucket counts as floating-point numbers: what queries work with.
///
/// Source: prometheus/prometheus model/histogram/float_histogram.go.
public struct FloatHistogram: Sendable, Hashable {
    /// What is known about a reset before this histogram.
    public var counterResetHint: CounterResetHint
    /// -4 to 8 for exponential buckets, -53 for custom bucket bounds.
    public var schema: Int32
    /// Observations at most this far from zero fall into the zero bucket.
    public var zeroThreshold: Double
    /// Observations in the zero bucket.
    public var zeroCount: Double
    /// All observations, NaN included.
    public var count: Double
    /// Sum of all observations.
    public var sum: Double
    /// Where the populated positive buckets lie.
    public var positiveSpans: [BucketSpan]
    /// Where the populated negative buckets lie.
    public var negativeSpans: [BucketSpan]
    /// Absolute counts of the positive buckets, in the order of the spans.
    public var positiveBuckets: [Double]
    /// Absolute counts of the negative buckets.
    public var negativeBuckets: [Double]
    /// Upper bounds for ``customBucketsSchema``, ascending, without +Inf; empty otherwise.
    public var customValues: [Double]

    /// The schema of histograms with custom bucket bounds.
    public static let customBucketsSchema: Int32 = -53

    /// A histogram; what is left out is zero or empty.
    public init(
        counterResetHint: CounterResetHint = .unknown, schema: Int32 = 0, zeroThreshold: Double = 0,
        zeroCount: Double = 0, count: Double = 0, sum: Double = 0, positiveSpans: [BucketSpan] = [],
        positiveBuckets: [Double] = [], negativeSpans: [BucketSpan] = [], negativeBuckets: [Double] = [],
        customValues: [Double] = []
    ) {
        self.counterResetHint = counterResetHint
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveSpans = positiveSpans
        self.positiveBuckets = positiveBuckets
        self.negativeSpans = negativeSpans
        self.negativeBuckets = negativeBuckets
        self.customValues = customValues
    }

    /// Whether bucket bounds are given one by one.
    public var usesCustomBuckets: Bool { schema == Self.customBucketsSchema }

    /// Whether this is a staleness marker.
    public var isStale: Bool { SampleValue.isStale(sum) }
}

/// A native histogram with integer bucket counts, as instrumented programs expose and stores keep it.
///
/// Source: prometheus/prometheus model/histogram/histogram.go.
public struct NativeHistogram: Sendable, Hashable {
    /// What is known about a reset before this histogram.
    public var counterResetHint: CounterResetHint
    /// -4 to 8 for exponential buckets, -53 for custom bucket bounds.
    public var schema: Int32
    /// Observations at most this far from zero fall into the zero bucket.
    public var zeroThreshold: Double
    /// Observations in the zero bucket.
    public var zeroCount: UInt64
    /// All observations, NaN included.
    public var count: UInt64
    /// Sum of all observations.
    public var sum: Double
    /// Where the populated positive buckets lie.
    public var positiveSpans: [BucketSpan]
    /// Where the populated negative buckets lie.
    public var negativeSpans: [BucketSpan]
    /// Count of the first positive bucket, then differences from bucket to bucket.
    public var positiveDeltas: [Int64]
    /// Count of the first negative bucket, then differences.
    public var negativeDeltas: [Int64]
    /// Upper bounds for custom buckets, ascending, without +Inf; empty otherwise.
    public var customValues: [Double]

    /// A histogram; what is left out is zero or empty.
    public init(
        counterResetHint: CounterResetHint = .unknown, schema: Int32 = 0, zeroThreshold: Double = 0,
        zeroCount: UInt64 = 0, count: UInt64 = 0, sum: Double = 0, positiveSpans: [BucketSpan] = [],
        positiveDeltas: [Int64] = [], negativeSpans: [BucketSpan] = [], negativeDeltas: [Int64] = [],
        customValues: [Double] = []
    ) {
        self.counterResetHint = counterResetHint
        self.schema = schema
        self.zeroThreshold = zeroThreshold
        self.zeroCount = zeroCount
        self.count = count
        self.sum = sum
        self.positiveSpans = positiveSpans
        self.positiveDeltas = positiveDeltas
        self.negativeSpans = negativeSpans
        self.negativeDeltas = negativeDeltas
        self.customValues = customValues
    }

    /// Whether bucket bounds are given one by one.
    public var usesCustomBuckets: Bool { schema == FloatHistogram.customBucketsSchema }

    /// Whether this is a staleness marker.
    public var isStale: Bool { SampleValue.isStale(sum) }

    /// The same histogram with absolute floating-point counts.
    /// - Complexity: O(buckets).
    public var float: FloatHistogram {
        FloatHistogram(
            counterResetHint: counterResetHint, schema: schema, zeroThreshold: zeroThreshold,
            zeroCount: Double(zeroCount), count: Double(count), sum: sum, positiveSpans: positiveSpans,
            positiveBuckets: Self.absolute(positiveDeltas), negativeSpans: negativeSpans,
            negativeBuckets: Self.absolute(negativeDeltas), customValues: customValues)
    }

    private static func absolute(_ deltas: [Int64]) -> [Double] {
        var current: Int64 = 0
        return deltas.map {
            current = current &+ $0
            return Double(current)
        }
    }
}
