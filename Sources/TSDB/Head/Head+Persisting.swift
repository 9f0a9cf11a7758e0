internal import DurableFiles
internal import MetricModel

extension Head {
    /// The next range that is to become a block: the oldest chunk range, once the head holds one and a half of them.
    /// Source: prometheus/prometheus tsdb/head.go (`compactable`).
    /// - Parameters:
    ///   - end: Where the blocks end.
    ///   - newest: The newest sample, if not the one that there is.
    func persistableRange(after end: Timestamp, newest: Timestamp? = nil) -> TimeInterval? {
        let newest = newest ?? maximumTime.load(ordering: .relaxed)
        var oldest = minimumTime.load(ordering: .relaxed)
        guard oldest <= newest else { return nil }
        oldest = max(oldest, end)
        let span = newest.subtractingReportingOverflow(oldest)
        guard span.overflow || span.partialValue > setup.rules.range / 2 * 3 else { return nil }
        let last = setup.rules.end(of: oldest)
        // Times before 1970 round towards it.
        return TimeInterval(minimumTime: oldest, maximumTime: max(oldest, last &- 1))
    }

    /// Takes no more samples in order up to `time`, and waits for the commit that is being applied.
    func closeRange(upTo time: Timestamp) throws(StoreError) {
        try withCommitState { (_) throws(StoreError) in
            let end = time == .max ? time : time + 1
            if end > minimumValidTime.load(ordering: .relaxed) { minimumValidTime.store(end, ordering: .relaxed) }
        }
    }

    /// Whether the late samples are so old that they need not wait for the next block.
    var lateSamplesAreOld: Bool {
        let oldest = lateMinimumTime.load(ordering: .relaxed)
        let newest = maximumTime.load(ordering: .relaxed)
        guard oldest != .max, newest != .min else { return false }
        let span = newest.subtractingReportingOverflow(oldest)
        return span.overflow
            || span.partialValue > setup.rules.range * 3 / 2 + outOfOrderWindow.load(ordering: .relaxed)
    }

    /// Writes all late samples that are in memory to chunk files.
    /// - Parameter beginsSegment: Whether later ones go into a new segment of their log.
    /// - Returns: their times, the last chunk, and the segment of their log that later ones go into; nil if there are
    ///   none.
    func cutLateSamples(
        beginsSegment: Bool = true
    ) throws(StoreError) -> (range: TimeInterval, lastReference: UInt64, segment: Int)? {
        try withCommitState { (_) throws(StoreError) in
            var range = TimeInterval(minimumTime: .max, maximumTime: .min)
            var last: UInt64 = 0
            for one in series.all {
                let failure: StoreError? = one.lock.withLock { _ in
                    guard let extra = one.extra, var late = extra.outOfOrder else { return nil }
                    do throws(StoreError) {
                        try map(&late, one.reference)
                    } catch { return error }
                    extra.outOfOrder = late
                    for chunk in late.mapped {
                        range.minimumTime = min(range.minimumTime, chunk.minimumTime)
                        range.maximumTime = max(range.maximumTime, chunk.maximumTime)
                        last = max(last, chunk.reference)
                    }
                    return nil
                }
                if let failure { throw failure }
            }
            guard last > 0 else { return nil }
            try chunkFiles.sync()
            let log = lateLog.withLock { $0 }
            return (range, last, beginsSegment ? try log?.nextSegment() ?? 0 : 0)
        }
    }

    /// Writes the late samples in memory to chunk files and notes that in their log.
    ///
    /// After a crash the log may name chunks that never reached the disk. Prometheus takes a chunk for one that is there
    /// as soon as any later one is, and forgets the samples that it stands for: they are put into chunks before others.
    func restoreLateChunks() throws(StoreError) {
        try withCommitState { (state) throws(StoreError) in
            var markers: [WALRow.ChunkMarker] = []
            for one in series.all {
                let failure: StoreError? = one.lock.withLock { _ in
                    guard let extra = one.extra, var late = extra.outOfOrder, !late.buffer.isEmpty else { return nil }
                    do throws(StoreError) { try map(&late, one.reference) } catch { return error }
                    extra.outOfOrder = late
                    if let last = late.mapped.last {
                        markers.append(WALRow.ChunkMarker(reference: one.reference, chunk: last.reference))
                    }
                    return nil
                }
                if let failure { throw failure }
            }
            guard !markers.isEmpty, let log = lateLog.withLock({ $0 }) else { return }
            try chunkFiles.sync()
            defer { state.lateBatch.removeAll() }
            state.lateBatch.removeAll()
            WALRecordEncoder.chunkMarkers(markers, in: &state.lateBatch.record)
            try state.lateBatch.finishRecord(setup.walCompression)
            try log.sync(upTo: try log.write(state.lateBatch))
        }
    }

    private func map(_ late: inout OutOfOrderChunks, _ reference: UInt64) throws(StoreError) {
        guard !late.buffer.isEmpty else { return }
        var mapped: [MappedChunk] = []
        for full in late.encoded(rules) {
            mapped.append(try chunkFiles.append(reference, full, isOutOfOrder: true))
        }
        try chunkFiles.flush()
        late.buffer = []
        late.mapped += mapped
    }

    /// Forgets late chunks up to `reference`, which are in blocks now, and the segments of their log before `segment`.
    func forgetLate(upTo reference: UInt64, segment: Int, on fileSystem: any FileSystem) throws(StoreError) {
        var retired: [MappedChunk] = []
        for one in series.all {
            one.lock.withLock { _ in
                retired += (one.extra?.outOfOrder?.mapped ?? []).filter { $0.reference <= reference }
            }
        }
        try chunkFiles.retire(retired)
        try collectGarbage(before: minimumValidTime.load(ordering: .relaxed), lateUpTo: reference)
        var minimum = Timestamp.max
        var maximum = Timestamp.min
        for one in series.all {
            one.lock.withLock { _ in
                guard let late = one.extra?.outOfOrder else { return }
                for chunk in late.mapped {
                    minimum = min(minimum, chunk.minimumTime)
                    maximum = max(maximum, chunk.maximumTime)
                }
                for sample in late.buffer {
                    minimum = min(minimum, sample.timestamp)
                    maximum = max(maximum, sample.timestamp)
                }
            }
        }
        lateMinimumTime.store(minimum, ordering: .relaxed)
        lateMaximumTime.store(maximum, ordering: .relaxed)
        guard let log = lateLog.withLock({ $0 }) else { return }
        for old in try WALListing(log.directory, on: fileSystem).segments where old < segment {
            do throws(FileError) {
                try fileSystem.remove(PathName.join(log.directory, WALFormat.segmentName(old)))
            } catch { throw .file(error) }
        }
    }
}
