import MetricModel
import Scrape
import TSDB

/// Lets scrapes write into the store.
struct DatabaseSink: SampleSink {
    let database: Database

    func begin() -> any SampleBatch { DatabaseBatch(database) }
}

/// One scrape's samples on their way into the store.
private final class DatabaseBatch: SampleBatch {
    private let appender: Appender
    private var samples: [ReferencedSample] = []

    init(_ database: Database) { appender = database.appender() }

    func append(_ batch: UnsafeBufferPointer<BatchSample>, rejected: (Int, SampleRejection) -> Void) {
        samples.removeAll(keepingCapacity: true)
        samples.reserveCapacity(batch.count)
        for sample in batch {
            samples.append(
                ReferencedSample(SeriesReference(rawValue: sample.reference), sample.timestamp, sample.value))
        }
        _ = appender.append(samples) { rejected($0, SampleRejection($1)) }
    }

    func append(_ labels: Labels, timestamp: Timestamp, value: Double) throws(SampleRejection) -> UInt64 {
        do throws(AppendError) {
            return try appender.append(.none, labels: labels, timestamp: timestamp, value: value).rawValue
        } catch {
            throw SampleRejection(error)
        }
    }

    func append(
        _ reference: UInt64, _ labels: () -> Labels, timestamp: Timestamp, histogram: HistogramValue.NativePart
    ) throws(SampleRejection) -> UInt64 {
        let known = SeriesReference(rawValue: reference)
        do throws(AppendError) {
            switch histogram {
            case .integer(let histogram):
                return try appender.append(known, labels: labels(), timestamp: timestamp, histogram: histogram).rawValue
            case .float(let histogram):
                return try appender.append(
                    known, labels: labels(), timestamp: timestamp, floatHistogram: histogram
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
        try? appender.update(
            SeriesReference(rawValue: reference),
            metadata: SeriesMetadata(type: metadata.type, unit: metadata.unit, help: metadata.help))
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
