internal import DurableFiles
internal import MetricModel

/// Condenses the older segments of a log into one directory: records of series that still matter, samples that are
/// not in blocks yet, the newest metadata.
///
/// Written aside, synced, renamed; damaged records are left out and told, so that one bad sector cannot keep the log
/// from ever being truncated.
/// Source of the rules: prometheus/prometheus tsdb/wlog/checkpoint.go.
final class Checkpoint {
    private let wal: String
    private let fileSystem: any FileSystem
    private let compression: WALCompression
    private let form: WALSampleForm
    private let segmentSize: Int
    private let minimumTime: Timestamp
    private let tombstoneMinimumTime: Timestamp
    private let keeps: (UInt64) -> Bool
    private let events: @Sendable (StoreEvent) -> Void
    private var metadata: [UInt64: MetricMetadata] = [:]
    private var batch = WALRecordBatch()
    private var samples: [ReferencedSample] = []
    private var starts: [Timestamp] = []
    private var failure: StoreError?
    private var writer: WALWriter?

    /// - Parameters:
    ///   - wal: The log's directory.
    ///   - form: Of records of samples; the plain one drops start timestamps.
    ///   - minimumTime: Older samples are in blocks.
    ///   - tombstoneMinimumTime: Older deletions concern nothing that is not in blocks.
    ///   - keeps: Whether records of a series are needed.
    init(
        _ wal: String, on fileSystem: any FileSystem, compression: WALCompression, form: WALSampleForm,
        segmentSize: Int, minimumTime: Timestamp, tombstoneMinimumTime: Timestamp, keeps: @escaping (UInt64) -> Bool,
        events: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.wal = wal
        self.fileSystem = fileSystem
        self.compression = compression
        self.form = form
        self.segmentSize = segmentSize
        self.minimumTime = minimumTime
        self.tombstoneMinimumTime = tombstoneMinimumTime
        self.keeps = keeps
        self.events = events
    }

    /// Writes the checkpoint of all segments up to `last`, then removes them and the checkpoints before it.
    func run(upTo last: Int) throws(StoreError) {
        let listing = try WALListing(wal, on: fileSystem)
        let name = WALFormat.checkpointName(last)
        let final = PathName.join(wal, name)
        let unfinished = final + WALFormat.unfinishedSuffix
        var sources: [String] = []
        var first = Int.min
        if let previous = listing.checkpoints.last {
            let directory = PathName.join(wal, WALFormat.checkpointName(previous))
            for segment in try WALListing(directory, on: fileSystem).segments {
                sources.append(PathName.join(directory, WALFormat.segmentName(segment)))
            }
            first = previous + 1
        }
        for segment in listing.segments where segment >= first && segment <= last {
            sources.append(PathName.join(wal, WALFormat.segmentName(segment)))
        }
        do throws(FileError) {
            for name in listing.unfinished { try fileSystem.removeTree(PathName.join(wal, name)) }
        } catch {
            throw .file(error)
        }
        do throws(StoreError) {
            let writer = try WALWriter(unfinished, segmentSize: segmentSize, on: fileSystem)
            self.writer = writer
            for source in sources { try copy(source) }
            try writeMetadata()
            try flush()
            try writer.close()
        } catch {
            try? fileSystem.removeTree(unfinished)
            throw error
        }
        do throws(FileError) {
            try fileSystem.removeTree(final)
            try fileSystem.rename(unfinished, to: final)
            try fileSystem.syncDirectory(final)
            try fileSystem.syncDirectory(wal)
            for segment in listing.segments where segment <= last {
                try removeSegment(segment)
            }
            for old in listing.checkpoints where old < last {
                try fileSystem.removeTree(PathName.join(wal, WALFormat.checkpointName(old)))
            }
        } catch {
            throw .file(error)
        }
    }

    private func removeSegment(_ number: Int) throws(FileError) {
        let path = PathName.join(wal, WALFormat.segmentName(number))
        try fileSystem.remove(path)
        let damaged = path + WALFormat.damagedSuffix
        if try fileSystem.exists(damaged) { try fileSystem.remove(damaged) }
    }

    private func copy(_ path: String) throws(StoreError) {
        let file: MappedFile
        do throws(FileError) { file = try fileSystem.map(path) } catch { throw .file(error) }
        let outcome = file.withUnsafeBytes { bytes in
            WALScanner().scan(bytes) { record, offset in
                guard failure == nil else { return }
                do throws(WALRecordError) {
                    try filter(record)
                } catch {
                    events(.repaired(path: path, offset: Int64(offset), reason: error.reason))
                }
                guard batch.byteCount > 1 << 20 else { return }
                do throws(StoreError) { try flush() } catch { failure = error }
            }
        }
        if let failure { throw failure }
        for damage in outcome.damages {
            events(.repaired(path: path, offset: Int64(damage.offset), reason: damage.reason))
        }
    }

    private func flush() throws(StoreError) {
        if let failure { throw failure }
        guard !batch.isEmpty else { return }
        _ = try writer?.write(batch)
        batch.removeAll()
    }

    private func finishRecord() {
        do throws(StoreError) { try batch.finishRecord(compression) } catch { failure = error }
    }

    /// Puts what is still needed of a record into the batch.
    private func filter(_ record: UnsafeRawBufferPointer) throws(WALRecordError) {
        let kind = try WALRecordDecoder.kind(record)
        switch kind {
        case .series:
            WALRecordEncoder.begin(.series, in: &batch.record)
            try WALRecordDecoder.series(record) { reference, labels in
                if self.keeps(reference) { WALRecordEncoder.appendSeries(reference, labels, to: &self.batch.record) }
            }
            finishRecord()
        case .samples, .samplesV2:
            samples.removeAll(keepingCapacity: true)
            starts.removeAll(keepingCapacity: true)
            try WALRecordDecoder.samples(record) { row in
                guard row.timestamp >= self.minimumTime else { return }
                self.samples.append(
                    ReferencedSample(SeriesReference(rawValue: row.reference), row.timestamp, row.value))
                if self.form == .started { self.starts.append(row.start) }
            }
            guard !samples.isEmpty else { return }
            WALRecordEncoder.samples(samples, starts: starts, form, in: &batch.record)
            finishRecord()
        case .histograms, .floatHistograms, .customBucketHistograms, .customBucketFloatHistograms, .histogramsV2,
            .floatHistogramsV2:
            var rows: [WALRow.Histogram] = []
            _ = try WALRecordDecoder.histograms(record, kind) { row in
                if row.timestamp >= self.minimumTime { rows.append(row) }
            }
            for kind in WALRecordKind.histogramKinds {
                let some = rows.filter { WALRecordEncoder.kind(of: $0.histogram) == kind }
                guard !some.isEmpty else { continue }
                WALRecordEncoder.histograms(some, kind, form, in: &batch.record)
                finishRecord()
            }
        case .tombstones:
            let rows = try WALRecordDecoder.tombstones(record)
                .filter { keeps($0.reference) && $0.maximumTime >= tombstoneMinimumTime }
            WALRecordEncoder.tombstones(rows, in: &batch.record)
            finishRecord()
        case .exemplars:
            let rows = try WALRecordDecoder.exemplars(record).filter { $0.timestamp >= minimumTime }
            WALRecordEncoder.exemplars(rows, in: &batch.record)
            finishRecord()
        case .metadata:
            for row in try WALRecordDecoder.metadata(record) where keeps(row.reference) {
                metadata[row.reference] = row.metadata
            }
        case .chunkMarkers: break
        }
    }

    private func writeMetadata() throws(StoreError) {
        guard !metadata.isEmpty else { return }
        let rows = metadata.sorted { $0.key < $1.key }
            .map { WALRow.Metadata(reference: $0.key, metadata: $0.value) }
        WALRecordEncoder.metadata(rows, in: &batch.record)
        try batch.finishRecord(compression)
    }
}
