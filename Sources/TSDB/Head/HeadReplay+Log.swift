internal import DurableFiles
internal import MetricModel

/// The log: the last checkpoint, and the segments after it.
extension HeadReplay {
    /// Numbers that are applied in one go.
    private static let batchSize = 1 << 16

    /// Reads the checkpoint and the segments after it, from `start` on.
    func replayLog(from start: (segment: Int, offset: Int)) throws(StoreError) {
        let wal = PathName.join(directory, StoreLayout.wal)
        let listing = try WALListing(wal, on: fileSystem)
        var first = 0
        if let checkpoint = listing.checkpoints.last, checkpoint >= start.segment {
            let path = PathName.join(wal, WALFormat.checkpointName(checkpoint))
            let segments = try WALListing(path, on: fileSystem).segments
            if segments.isEmpty { throw .corrupt(path: path, offset: 0, reason: "checkpoint without segments") }
            for segment in segments {
                try replay(PathName.join(path, WALFormat.segmentName(segment)), isLast: segment == segments.last) {
                    self.apply($0, $1, $2)
                }
            }
            first = checkpoint + 1
        }
        first = max(first, start.segment)
        let current = head.wal.currentSegment
        let segments = listing.segments.filter { $0 >= first && $0 < current }
        for segment in segments {
            events(.replaying(segment: segment, first: first, last: segments.last ?? first))
            let offset = segment == start.segment ? start.offset : 0
            let path = PathName.join(wal, WALFormat.segmentName(segment))
            try replay(path, from: offset, isLast: segment == segments.last) {
                self.apply($0, $1, $2)
            }
            try mapFullChunks()
        }
    }

    /// Reads one segment, and rewrites it without what is damaged.
    func replay(
        _ path: String, from start: Int = 0, isLast: Bool, _ body: (UnsafeRawBufferPointer, String, Int) -> Void
    ) throws(StoreError) {
        let file: MappedFile
        do throws(FileError) { file = try fileSystem.map(path) } catch { throw .file(error) }
        var badRecords: [WALScanner.Damage] = []
        let outcome = file.withUnsafeBytes { bytes in
            scanner.scan(bytes, from: min(start, bytes.count)) { record, offset in body(record, path, offset) }
        }
        applySamples()
        segmentCount += 1
        badRecords += outcome.damages
        if let unknownRecord {
            throw .corrupt(path: unknownRecord.path, offset: Int64(unknownRecord.offset), reason: unknownRecord.kind)
        }
        guard !badRecords.isEmpty else { return }
        damageCount += badRecords.count
        for damage in badRecords {
            events(.repaired(path: path, offset: Int64(damage.offset), reason: damage.reason))
        }
        try WALRepair.rewrite(path, file, outcome, isLast: isLast, on: fileSystem)
    }

    private func apply(_ record: UnsafeRawBufferPointer, _ path: String, _ offset: Int) {
        do throws(WALRecordError) {
            try apply(record)
        } catch {
            if record.first.flatMap({ WALRecordKind(rawValue: $0) }) == nil {
                // A newer program wrote it: going on could lose what it means.
                if unknownRecord == nil { unknownRecord = (error.reason, path, offset) }
                return
            }
            damageCount += 1
            events(.repaired(path: path, offset: Int64(offset), reason: error.reason))
        }
    }

    private func apply(_ record: UnsafeRawBufferPointer) throws(WALRecordError) {
        let kind = try WALRecordDecoder.kind(record)
        switch kind {
        case .series: try WALRecordDecoder.series(record) { self.addSeries($0, $1) }
        case .samples, .samplesV2:
            try WALRecordDecoder.samples(record) { row in
                self.samples.append(
                    ReferencedSample(SeriesReference(rawValue: row.reference), row.timestamp, row.value))
                if row.start != 0 { self.addStart(row.start) }
            }
            if samples.count >= Self.batchSize { applySamples() }
        case .histograms, .floatHistograms, .customBucketHistograms, .customBucketFloatHistograms, .histogramsV2,
            .floatHistogramsV2:
            // A series may have both kinds of samples.
            applySamples()
            _ = try WALRecordDecoder.histograms(record, kind) { self.apply($0) }
        case .tombstones:
            // Late samples may be older than all that is in order, so that no deletion is too old here.
            for row in try WALRecordDecoder.tombstones(record) {
                let reference = aliases[row.reference] ?? row.reference
                guard head.series.series(reference) != nil else {
                    orphanCount += 1
                    continue
                }
                head.deletions.add(
                    reference, TimeInterval(minimumTime: row.minimumTime, maximumTime: row.maximumTime))
            }
        case .exemplars:
            for row in try WALRecordDecoder.exemplars(record) {
                guard let series = series(row.reference) else { continue }
                head.exemplars.add(
                    Exemplar(labels: row.labels, value: row.value, timestamp: row.timestamp), of: series.labels)
            }
        case .metadata:
            for row in try WALRecordDecoder.metadata(record) {
                guard let series = series(row.reference) else { continue }
                series.lock.withLock { _ in series.extraMade.metadata = row.metadata }
            }
        case .chunkMarkers: break
        }
    }

    /// Notes the start timestamp of the number that was added last.
    private func addStart(_ start: Timestamp) {
        starts.append(contentsOf: repeatElement(0, count: max(0, samples.count - 1 - starts.count)))
        starts.append(start)
    }
}
