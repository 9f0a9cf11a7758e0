package import MetricModel

/// Where scraped samples go: the store, seen from here.
package protocol SampleSink: Sendable {
    /// Starts a batch. It is used by one task at a time and ends with a commit or a rollback.
    func begin() -> any SampleBatch
}

/// Samples that become visible as one.
package protocol SampleBatch: AnyObject {
    /// Adds numbers to series whose references are known: the way of every unchanged scrape.
    /// - Parameters:
    ///   - samples: valid within the call.
    ///   - rejected: called with the index of each sample that is not taken, and why.
    func append(_ samples: UnsafeBufferPointer<BatchSample>, rejected: (Int, SampleRejection) -> Void)

    /// Adds a number to the series with `labels`, which is created if it is new.
    /// - Parameter start: when it began to be counted; 0 if not known.
    /// - Returns: the reference of the series, never 0.
    func append(
        _ labels: Labels, timestamp: Timestamp, value: Double, start: Timestamp
    ) throws(SampleRejection) -> UInt64

    /// Adds a histogram to the series `reference`, or, where that is 0 or unknown, to the one with `labels`.
    /// - Returns: the reference of the series, never 0.
    func append(
        _ reference: UInt64, _ labels: () -> Labels, timestamp: Timestamp, histogram: HistogramValue.NativePart,
        start: Timestamp
    ) throws(SampleRejection) -> UInt64

    /// Adds a zero, or an empty histogram like `histogram`, where a counter started.
    func appendStartZero(
        _ reference: UInt64, _ labels: () -> Labels, start: Timestamp, before timestamp: Timestamp,
        histogram: HistogramValue.NativePart?
    ) throws(SampleRejection)

    /// Adds an exemplar, its time given, to the series `reference`.
    func append(_ reference: UInt64, exemplar: Exemplar) throws(SampleRejection)

    /// Notes what is known of the metric of the series `reference`.
    func update(_ reference: UInt64, metadata: MetricMetadata)

    /// Makes the batch visible and durable as far as the store promises.
    func commit() throws

    /// Forgets the batch.
    func rollback()
}

/// A number for a series known by its reference.
@frozen
package struct BatchSample: Sendable, Hashable {
    /// As the store gave it.
    package var reference: UInt64
    /// Milliseconds since 1970.
    package var timestamp: Int64
    /// Any bits, the staleness marker included.
    package var value: Double
    /// When the series began to be counted, in milliseconds since 1970; 0 if not known.
    package var start: Int64

    /// `value` of series `reference` at `timestamp`.
    @inlinable
    package init(reference: UInt64, timestamp: Int64, value: Double, start: Int64 = 0) {
        self.reference = reference
        self.timestamp = timestamp
        self.value = value
        self.start = start
    }
}

/// Why a sample is not taken.
package enum SampleRejection: Error, Sendable, Hashable {
    /// Older than the newest of its series.
    case outOfOrder
    /// Another value for the same time.
    case duplicate
    /// Older or newer than what the store takes.
    case outOfBounds
    /// The reference belongs to no series any more.
    case unknownSeries
    /// Anything else; it fails the scrape.
    case other(String)
}

/// What makes a scrape fail.
package struct ScrapeFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// Whether it is a line of a body that could not be read.
    let isSyntax: Bool

    /// A failure, in words for the operator.
    package init(_ description: String) { self.init(description, isSyntax: false) }

    init(_ description: String, isSyntax: Bool) {
        self.description = description
        self.isSyntax = isSyntax
    }
}
