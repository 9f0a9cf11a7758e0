package import MetricModel

/// A batch of samples that become visible to queries, and durable, as one.
///
/// Not thread-safe: one thread at a time. An appender that is released without ``commit(_:)`` is rolled back; series
/// that it created stay, without samples.
package final class Appender {
    init() {}

    /// The number of samples in the batch.
    package var count: Int { 0 }

    /// The reference of the series with `labels`, which is created if it is new.
    /// - Throws: ``AppendError/invalidLabels(_:)``, ``AppendError/seriesLimit(_:)``.
    package func reference(of labels: Labels) throws(AppendError) -> SeriesReference { throw .seriesLimit(0) }

    /// Adds a number.
    /// - Parameters:
    ///   - reference: Of the series, or ``SeriesReference/none``.
    ///   - labels: Used where the reference is unknown.
    ///   - timestamp: Milliseconds since 1970.
    ///   - value: Any bits. The staleness marker takes the kind of the series' last sample.
    /// - Returns: the reference of the series, for the next time.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp, value: Double
    ) throws(AppendError) -> SeriesReference { throw .outOfOrder }

    /// Adds a histogram with integer counts.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp,
        histogram: NativeHistogram
    ) throws(AppendError) -> SeriesReference { throw .outOfOrder }

    /// Adds a histogram with floating-point counts.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp,
        floatHistogram: FloatHistogram
    ) throws(AppendError) -> SeriesReference { throw .outOfOrder }

    /// Adds many numbers in one call: the way of scrapes and remote writes.
    /// - Parameters:
    ///   - samples: With references that are known.
    ///   - rejected: Called for each sample that is not taken, with its index and the reason.
    /// - Returns: how many were taken.
    /// - Complexity: O(samples); no allocation a sample.
    package func append(
        _ samples: UnsafeBufferPointer<ReferencedSample>, rejected: (Int, AppendError) -> Void
    ) -> Int { 0 }

    /// Adds many numbers in one call.
    package func append(_ samples: [ReferencedSample], rejected: (Int, AppendError) -> Void) -> Int { 0 }

    /// Adds a zero where a counter started, if the series holds nothing at or after that time.
    /// - Parameters:
    ///   - start: Milliseconds since 1970, before `timestamp`.
    ///   - timestamp: Of the sample that follows.
    package func appendStartZero(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, start: Timestamp, before timestamp: Timestamp
    ) throws(AppendError) -> SeriesReference { throw .startTimestampOutOfOrder }

    /// Adds a histogram without observations where a histogram started.
    package func appendStartZero(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, start: Timestamp, before timestamp: Timestamp,
        like histogram: HistogramValue.NativePart
    ) throws(AppendError) -> SeriesReference { throw .startTimestampOutOfOrder }

    /// Adds an exemplar to a series that exists; duplicates are left out silently, as upstream does.
    package func append(_ reference: SeriesReference, exemplar: Exemplar) throws(AppendError) {}

    /// Notes the metadata of a series that exists.
    package func update(_ reference: SeriesReference, metadata: SeriesMetadata) throws(AppendError) {}

    /// Writes the batch to the log and makes it visible. Afterwards the appender is empty and may be used again.
    /// - Parameter durability: What to wait for.
    /// - Returns: what was taken.
    /// - Throws: ``StoreError/diskFull(path:)`` or ``StoreError/readOnly(reason:)``; the batch is then rolled back,
    ///   except where only the sync failed: then it is visible, but may not survive a loss of power.
    package func commit(_ durability: Durability) throws(StoreError) -> CommitResult { CommitResult() }

    /// Forgets the batch.
    package func rollback() {}
}

/// What a commit took.
package struct CommitResult: Sendable, Hashable {
    /// Samples that are now stored.
    package var appended = 0
    /// Samples, among those appended, that are out of order.
    package var outOfOrder = 0
    /// Samples that another appender overtook between append and commit.
    package var rejected = 0

    /// Nothing.
    package init() {}
}

/// What an exposition says about a metric.
package struct SeriesMetadata: Sendable, Hashable {
    /// Counter, gauge, …
    package var type: MetricType
    /// Empty if unknown.
    package var unit: ByteString
    /// Empty if unknown.
    package var help: ByteString

    /// Metadata.
    package init(type: MetricType, unit: ByteString = "", help: ByteString = "") {
        self.type = type
        self.unit = unit
        self.help = help
    }
}
