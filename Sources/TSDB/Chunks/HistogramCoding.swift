package import MetricModel

/// A native histogram as chunks store it: with integer or with floating-point counts.
package protocol ChunkHistogram: Sendable {
    /// Absolute count of a bucket.
    associatedtype Bucket: Comparable & Sendable
    /// State that codes the counts of successive samples.
    associatedtype Coder: HistogramCoder where Coder.Histogram == Self

    /// What is known about a reset before this histogram.
    var counterResetHint: CounterResetHint { get set }
    /// Resolution, or -53 for custom buckets.
    var schema: Int32 { get set }
    /// Width of the zero bucket.
    var zeroThreshold: Double { get }
    /// Sum of observations; the staleness marker for stale samples.
    var sum: Double { get }
    /// Populated positive buckets.
    var positiveSpans: [BucketSpan] { get set }
    /// Populated negative buckets.
    var negativeSpans: [BucketSpan] { get set }
    /// Bounds of custom buckets.
    var customValues: [Double] { get }
    /// Absolute counts.
    var positiveCounts: [Bucket] { get set }
    /// Absolute counts.
    var negativeCounts: [Bucket] { get set }
    /// Number of positive bucket values.
    var positiveCount: Int { get }
    /// Number of negative bucket values.
    var negativeCount: Int { get }
    /// Nothing observed.
    static var noObservations: Bucket { get }
    /// The encoding without and with start timestamps.
    static func encoding(startTimestamps: Bool) -> ChunkEncoding
    /// The staleness marker.
    static var stale: Self { get }
    /// Lowers the resolution.
    mutating func reduceResolution(to target: Int32) throws(HistogramError)
    /// Whether a schema change leaves it open whether there was a reset: upstream says so for integers only.
    static var reportsUnknownResets: Bool { get }
}

/// Codes the fields of successive histograms of one layout.
package protocol HistogramCoder: Sendable {
    /// What is coded.
    associatedtype Histogram

    /// The state before the first sample.
    init()
    /// Whether the last sample's count or zero count is above those of `histogram`.
    func shrinks(to histogram: Histogram) -> (count: Bool, zeroCount: Bool)
    /// Whether a bucket of the last sample is above the one of `histogram`, which has the same buckets.
    func bucketsShrink(to histogram: Histogram) -> Bool
    /// Sum of the last sample.
    var sum: Double { get }
    /// Time of the last sample.
    var timestamp: Timestamp { get }
    /// Writes the first sample after the layout.
    mutating func writeFirst(_ time: Timestamp, _ histogram: Histogram, to writer: inout BitWriter)
    /// Writes a later sample.
    mutating func writeNext(_ time: Timestamp, _ histogram: Histogram, to writer: inout BitWriter)
    /// Reads the first sample after the layout.
    mutating func readFirst(_ layout: HistogramLayout, from reader: inout BitReader) throws(ChunkError)
    /// Reads a later sample.
    mutating func readNext(from reader: inout BitReader) throws(ChunkError)
    /// The sample read last.
    func histogram(_ layout: HistogramLayout, hint: CounterResetHint) -> Histogram
    /// Turns a reader's state into a writer's.
    mutating func becomeAppender()
}

extension NativeHistogram: ChunkHistogram {
    package typealias Coder = IntegerHistogramCoder
    package static var noObservations: Int64 { 0 }
    package static var reportsUnknownResets: Bool { true }

    package static var stale: NativeHistogram { NativeHistogram(sum: SampleValue.stale) }

    package static func encoding(startTimestamps: Bool) -> ChunkEncoding {
        startTimestamps ? .histogramST : .histogram
    }

    package var positiveCount: Int { positiveDeltas.count }
    package var negativeCount: Int { negativeDeltas.count }

    package var positiveCounts: [Int64] {
        get { Self.summed(positiveDeltas) }
        set { positiveDeltas = Self.differences(newValue) }
    }

    package var negativeCounts: [Int64] {
        get { Self.summed(negativeDeltas) }
        set { negativeDeltas = Self.differences(newValue) }
    }

    private static func summed(_ deltas: [Int64]) -> [Int64] {
        var total: Int64 = 0
        return deltas.map { delta in
            total = total &+ delta
            return total
        }
    }

    private static func differences(_ counts: [Int64]) -> [Int64] {
        var previous: Int64 = 0
        return counts.map { count in
            defer { previous = count }
            return count &- previous
        }
    }
}

extension FloatHistogram: ChunkHistogram {
    package typealias Coder = FloatHistogramCoder
    package static var noObservations: Double { 0 }
    package static var reportsUnknownResets: Bool { false }

    package static var stale: FloatHistogram { FloatHistogram(sum: SampleValue.stale) }

    package static func encoding(startTimestamps: Bool) -> ChunkEncoding {
        startTimestamps ? .floatHistogramST : .floatHistogram
    }

    package var positiveCount: Int { positiveBuckets.count }
    package var negativeCount: Int { negativeBuckets.count }

    package var positiveCounts: [Double] {
        get { positiveBuckets }
        set { positiveBuckets = newValue }
    }

    package var negativeCounts: [Double] {
        get { negativeBuckets }
        set { negativeBuckets = newValue }
    }
}
