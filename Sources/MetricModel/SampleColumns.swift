/// One series' samples in time order, decoded into columns.
///
/// A sample is a number unless ``histograms`` has an entry for its index; then ``values`` holds 0 there (or the
/// staleness marker, if the histogram is one).
public struct SampleColumns: Sendable {
    /// A histogram sample and where it stands among the timestamps.
    public struct HistogramSample: Sendable {
        /// Index into ``SampleColumns/timestamps``.
        public var index: Int
        /// The sample.
        public var histogram: FloatHistogram
        /// Whether it was stored with whole numbers as counts.
        public var hasIntegerCounts: Bool

        /// The histogram at `index`.
        public init(index: Int, histogram: FloatHistogram, hasIntegerCounts: Bool = false) {
            self.index = index
            self.histogram = histogram
            self.hasIntegerCounts = hasIntegerCounts
        }
    }

    /// Milliseconds, strictly ascending.
    public var timestamps: [Timestamp] = []
    /// One value for each timestamp.
    public var values: [Double] = []
    /// One start ("created") timestamp for each sample, 0 where unknown; empty if none is known.
    public var startTimestamps: [Timestamp] = []
    /// The histogram samples, by ascending index; empty for series of numbers.
    public var histograms: [HistogramSample] = []

    /// No samples.
    public init() {}

    /// Number of samples.
    @inlinable
    public var count: Int { timestamps.count }

    /// Appends a number.
    @inlinable
    public mutating func append(_ timestamp: Timestamp, _ value: Double) {
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Appends a histogram.
    public mutating func append(
        _ timestamp: Timestamp, _ histogram: FloatHistogram, hasIntegerCounts: Bool = false
    ) {
        histograms.append(
            HistogramSample(index: timestamps.count, histogram: histogram, hasIntegerCounts: hasIntegerCounts))
        timestamps.append(timestamp)
        values.append(histogram.isStale ? SampleValue.stale : 0)
    }

    /// Removes all samples and keeps the memory for the next series.
    public mutating func removeAll() {
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        startTimestamps.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
    }
}
