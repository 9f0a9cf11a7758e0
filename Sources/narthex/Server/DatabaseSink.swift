import Bridge
import MetricModel
import Scrape
import TSDB

/// Lets scrapes write into the store, once it is open.
///
/// In a process with a gateway, series that pushes write are left to them: what a scrape of that gateway has of them is
/// passed over.
struct DatabaseSink: SampleSink {
    let database = OpenedDatabase()
    var bridge: PushBridge?

    func begin() -> any SampleBatch {
        guard let database = database.current else { return NoBatch() }
        // What the scrape can have seen of pushes is then known to be theirs.
        bridge?.flush()
        return DatabaseBatch(database, bridge?.owned)
    }
}

/// The batch of a store that is not open. Scrapes begin only when it is.
private final class NoBatch: SampleBatch {
    private static let refusal = SampleRejection.other("TSDB not ready")

    func append(_ samples: UnsafeBufferPointer<BatchSample>, rejected: (Int, SampleRejection) -> Void) {
        for index in samples.indices { rejected(index, Self.refusal) }
    }

    func append(
        _ labels: Labels, timestamp: Timestamp, value: Double, start: Timestamp
    ) throws(SampleRejection) -> UInt64 {
        throw Self.refusal
    }

    func append(
        _ reference: UInt64, _ labels: () -> Labels, timestamp: Timestamp, histogram: HistogramValue.NativePart,
        start: Timestamp
    ) throws(SampleRejection) -> UInt64 { throw Self.refusal }

    func appendStartZero(
        _ reference: UInt64, _ labels: () -> Labels, start: Timestamp, before timestamp: Timestamp,
        histogram: HistogramValue.NativePart?
    ) throws(SampleRejection) { throw Self.refusal }

    func append(_ reference: UInt64, exemplar: Exemplar) throws(SampleRejection) { throw Self.refusal }
    func update(_ reference: UInt64, metadata: MetricMetadata) {}
    func commit() throws {}
    func rollback() {}
}

/// One scrape's samples on their way into the store.
private final class DatabaseBatch: SampleBatch {
    private let database: Database
    private let appender: Appender
    private let owned: OwnedSeries?
    private var samples: [ReferencedSample] = []
    private var others: [ReferencedSample] = []
    private var places: [Int] = []
    /// One start for each sample handed over; empty where none is known.
    private var starts: [Timestamp] = []

    init(_ database: Database, _ owned: OwnedSeries?) {
        self.database = database
        self.owned = owned
        appender = database.appender()
    }

    func append(_ batch: UnsafeBufferPointer<BatchSample>, rejected: (Int, SampleRejection) -> Void) {
        samples.removeAll(keepingCapacity: true)
        samples.reserveCapacity(batch.count)
        for sample in batch {
            samples.append(
                ReferencedSample(SeriesReference(rawValue: sample.reference), sample.timestamp, sample.value))
        }
        starts.removeAll(keepingCapacity: true)
        let hasStarts = batch.contains { $0.start != 0 }
        guard let owned else {
            if hasStarts { starts.append(contentsOf: batch.lazy.map(\.start)) }
            _ = appender.append(samples, starts: starts) { rejected($0, SampleRejection($1)) }
            return
        }
        others.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        owned.filter(samples, others: &others, places: &places)
        if hasStarts { starts.append(contentsOf: places.lazy.map { batch[$0].start }) }
        _ = appender.append(others, starts: starts) { rejected(places[$0], SampleRejection($1)) }
    }

    /// The reference of a series that pushes write.
    private func owned(_ labels: Labels) -> UInt64? {
        guard let owned, let reference = database.reference(of: labels), owned.contains(reference) else { return nil }
        return reference.rawValue
    }

    func append(
        _ labels: Labels, timestamp: Timestamp, value: Double, start: Timestamp
    ) throws(SampleRejection) -> UInt64 {
        if let known = owned(labels) { return known }
        do throws(AppendError) {
            return try appender.append(
                .none, labels: labels, timestamp: timestamp, value: value, start: start
            ).rawValue
        } catch {
            throw SampleRejection(error)
        }
    }

    func append(
        _ reference: UInt64, _ labels: () -> Labels, timestamp: Timestamp, histogram: HistogramValue.NativePart,
        start: Timestamp
    ) throws(SampleRejection) -> UInt64 {
        let known = SeriesReference(rawValue: reference)
        if let owned, owned.contains(known) { return reference }
        if reference == 0, let theirs = self.owned(labels()) { return theirs }
        do throws(AppendError) {
            switch histogram {
            case .integer(let histogram):
                return try appender.append(
                    known, labels: labels(), timestamp: timestamp, histogram: histogram, start: start
                ).rawValue
            case .float(let histogram):
                return try appender.append(
                    known, labels: labels(), timestamp: timestamp, floatHistogram: histogram, start: start
                ).rawValue
            }
        } catch {
            throw SampleRejection(error)
        }
    }

    func appendStartZero(
        _ reference: UInt64, _ labels: () -> Labels, start: Timestamp, before timestamp: Timestamp,
        histogram: HistogramValue.NativePart?
    ) throws(SampleRejection) {
        let known = SeriesReference(rawValue: reference)
        if let owned, owned.contains(known) { return }
        if owned != nil, reference == 0, self.owned(labels()) != nil { return }
        do throws(AppendError) {
            if let histogram {
                _ = try appender.appendStartZero(
                    known, labels: labels(), start: start, before: timestamp, like: histogram)
            } else {
                _ = try appender.appendStartZero(known, labels: labels(), start: start, before: timestamp)
            }
        } catch {
            throw SampleRejection(error)
        }
    }

    func append(_ reference: UInt64, exemplar: Exemplar) throws(SampleRejection) {
        do throws(AppendError) {
            try appender.append(SeriesReference(rawValue: reference), exemplar: exemplar)
        } catch {
            throw SampleRejection(error)
        }
    }

    func update(_ reference: UInt64, metadata: MetricMetadata) {
        // A series that left the head between append and update has nothing to note.
        try? appender.update(SeriesReference(rawValue: reference), metadata: metadata)
    }

    /// A scrape comes again: it need not wait for the disk, only for the system.
    func commit() throws { _ = try appender.commit(.relaxed) }

    func rollback() { appender.rollback() }
}

extension SampleRejection {
    /// What the store said, as scraping understands it.
    init(_ error: AppendError) {
        self =
            switch error {
            case .outOfOrder, .outOfOrderExemplar, .startTimestampOutOfOrder: .outOfOrder
            case .duplicateFloat, .duplicateFloatOverHistogram, .duplicateHistogram: .duplicate
            case .outOfBounds, .tooOld: .outOfBounds
            case .unknownSeries: .unknownSeries
            case .invalidLabels, .invalidHistogram, .seriesLimit, .startTimestampNotBeforeSample,
                .exemplarLabelsTooLong:
                .other(error.description)
            }
    }
}
