internal import MetricModel
internal import Synchronization

extension Head {
    /// What applying a commit found out.
    struct Applied {
        var result = CommitResult()
        var minimumTime: Timestamp = .max
        var maximumTime: Timestamp = .min
        /// For the log of late samples.
        var late: LateRows
        var lateMinimumTime: Timestamp = .max
        var lateMaximumTime: Timestamp = .min
        /// Why the log of late samples could not be written.
        var lateFailure: StoreError?
    }

    /// Late samples that were taken, and chunks that were made of them, as their log is to have them.
    struct LateRows {
        var floats: [ReferencedSample] = []
        /// One start timestamp for each of them.
        var starts: [Timestamp] = []
        var histograms: [WALRow.Histogram] = []
        var markers: [WALRow.ChunkMarker] = []

        var isEmpty: Bool { floats.isEmpty && histograms.isEmpty && markers.isEmpty }
    }

    /// Writes a batch to the log and applies it.
    /// - Returns: what was taken, and the positions of both logs that make it durable; 0 if nothing came late.
    func commit(
        _ buffer: AppendBuffer, _ limits: AppendLimits
    ) throws(StoreError) -> (result: CommitResult, position: Int64, latePosition: Int64) {
        try buffer.encode(setup.walCompression, sampleForm)
        return try withCommitState { (state) throws(StoreError) in
            try logNewSeries(&state)
            let position = try wal.write(buffer.records)
            let ticket = isolation.beginCommit()
            // A range may have been closed since the batch was begun: what is being written to a block must not change.
            var limits = limits
            limits.minimumValidTime = max(limits.minimumValidTime, minimumValidTime.load(ordering: .relaxed))
            var applied = Applied(late: LateRows())
            swap(&applied.late, &state.unloggedLate)
            for section in buffer.earlier { apply(section, limits, ticket, &state, &applied) }
            apply(buffer.section, limits, ticket, &state, &applied)
            apply(exemplars: buffer.exemplars)
            for (series, metadata) in buffer.metadata {
                series.lock.withLock { _ in series.extraMade.metadata = metadata }
            }
            if applied.minimumTime <= applied.maximumTime {
                note(minimum: applied.minimumTime, maximum: applied.maximumTime)
            }
            let latePosition = finishLate(&state, &applied)
            isolation.endCommit(ticket)
            counters.late.add(UInt64(applied.result.outOfOrder), ordering: .relaxed)
            if let failure = applied.lateFailure { throw failure }
            return (applied.result, position, latePosition)
        }
    }

    /// Writes records of all series that the log does not know, so that no sample ever precedes its series.
    func logNewSeries(_ state: inout CommitState) throws(StoreError) {
        let unlogged = series.takeUnlogged()
        guard !unlogged.isEmpty else { return }
        do throws(StoreError) {
            state.seriesBatch.removeAll()
            var isBegun = false
            for one in unlogged {
                if !isBegun { WALRecordEncoder.begin(.series, in: &state.seriesBatch.record) }
                isBegun = true
                WALRecordEncoder.appendSeries(one.reference, one.labels, to: &state.seriesBatch.record)
                // Records of moderate size, so that a replay of many series needs no large buffer.
                if state.seriesBatch.record.count > 1 << 20 {
                    try state.seriesBatch.finishRecord(setup.walCompression)
                    isBegun = false
                }
            }
            try state.seriesBatch.finishRecord(setup.walCompression)
            _ = try wal.write(state.seriesBatch)
            state.seriesBatch.removeAll()
        } catch {
            state.seriesBatch.removeAll()
            series.returnUnlogged(unlogged)
            throw error
        }
    }

    private func apply(
        _ section: AppendBuffer.Section, _ limits: AppendLimits, _ ticket: CommitTicket, _ state: inout CommitState,
        _ applied: inout Applied
    ) {
        applyFloats(section, limits, ticket, &state, &applied)
        for (index, row) in section.histograms.enumerated() {
            let series = section.histogramSeries[index]
            series.lock.withLock { _ in
                apply(row, to: series, limits, ticket, &state, &applied)
            }
        }
    }

    private func applyFloats(
        _ section: AppendBuffer.Section, _ limits: AppendLimits, _ ticket: CommitTicket, _ state: inout CommitState,
        _ applied: inout Applied
    ) {
        let rules = rules
        let starts = section.floatStarts
        var minimum = Timestamp.max
        var maximum = Timestamp.min
        var appended = 0
        section.floats.withUnsafeBufferPointer { samples in
            section.floatSeries.withUnsafeBufferPointer { owners in
                for index in samples.indices {
                    let sample = samples[index]
                    let later = index &+ Prefetching.seriesDistance
                    if later < owners.count { Prefetching.series(owners[later]) }
                    // SAFETY: the batch's number keeps its series in the head, which holds them.
                    owners[index]._withUnsafeGuaranteedRef { series in
                        series.lock.withLock { _ in
                            if case .inOrder = series.verdict(sample.timestamp, sample.value, limits),
                                !SampleValue.isStale(sample.value) || series.kind == .float || series.kind == .none
                            {
                                series.mark(ticket)
                                let start = index < starts.count ? starts[index] : 0
                                if series.append(sample.timestamp, sample.value, start: start, rules) {
                                    noteFull(series, &state)
                                }
                                minimum = min(minimum, sample.timestamp)
                                maximum = max(maximum, sample.timestamp)
                                appended &+= 1
                            } else {
                                let start = index < starts.count ? starts[index] : 0
                                applyOdd(sample, start, to: series, limits, ticket, &state, &applied)
                            }
                        }
                    }
                }
            }
        }
        applied.minimumTime = min(applied.minimumTime, minimum)
        applied.maximumTime = max(applied.maximumTime, maximum)
        applied.result.appended += appended
        counters.floats.add(UInt64(appended), ordering: .relaxed)
    }

    /// A number that is late, refused, repeated, or a staleness marker behind a histogram.
    private func applyOdd(
        _ sample: ReferencedSample, _ start: Timestamp, to series: MemorySeries, _ limits: AppendLimits,
        _ ticket: CommitTicket, _ state: inout CommitState, _ applied: inout Applied
    ) {
        if SampleValue.isStale(sample.value), let stale = HistogramSample.stale(series.kind) {
            let row = WALRow.Histogram(
                reference: series.reference, timestamp: sample.timestamp, histogram: stale, start: start)
            return apply(row, to: series, limits, ticket, &state, &applied)
        }
        switch series.verdict(sample.timestamp, sample.value, limits) {
        case .inOrder, .repeated: break
        case .outOfOrder:
            let late = LateSample(timestamp: sample.timestamp, value: .float(sample.value), start: start)
            guard insertLate(late, into: series, &applied) else { break }
            applied.late.floats.append(sample)
            applied.late.starts.append(start)
        case .refused(let error):
            counters.count(error)
            applied.result.rejected += 1
        }
    }

    private func apply(
        _ row: WALRow.Histogram, to series: MemorySeries, _ limits: AppendLimits, _ ticket: CommitTicket,
        _ state: inout CommitState, _ applied: inout Applied
    ) {
        switch series.verdict(row.timestamp, row.histogram, limits) {
        case .inOrder:
            series.mark(ticket)
            if series.append(row.timestamp, row.histogram, start: row.start, rules) { noteFull(series, &state) }
            applied.minimumTime = min(applied.minimumTime, row.timestamp)
            applied.maximumTime = max(applied.maximumTime, row.timestamp)
            applied.result.appended += 1
            counters.histograms.add(1, ordering: .relaxed)
        case .repeated: break
        case .outOfOrder:
            let late = LateSample(timestamp: row.timestamp, value: .histogram(row.histogram), start: row.start)
            if insertLate(late, into: series, &applied) { applied.late.histograms.append(row) }
        case .refused(let error):
            counters.count(error)
            applied.result.rejected += 1
        }
    }

    /// Puts a series on the list of those whose full chunks wait for being mapped. Its lock must be held.
    func noteFull(_ series: MemorySeries, _ state: inout CommitState) {
        counters.chunksCreated.add(1, ordering: .relaxed)
        let extra = series.extraMade
        if extra.isListedAsFull { return }
        extra.isListedAsFull = true
        state.fullSeries.append(series)
    }

    private func apply(exemplars: [(series: MemorySeries, exemplar: Exemplar)]) {
        var added: UInt64 = 0
        for (series, exemplar) in exemplars where self.exemplars.add(exemplar, of: series.labels) { added += 1 }
        if added > 0 { counters.exemplars.add(added, ordering: .relaxed) }
    }

    // MARK: Late samples

    /// Adds a late sample. The lock of the series must be held.
    /// - Returns: whether it was new.
    private func insertLate(_ sample: LateSample, into series: MemorySeries, _ applied: inout Applied) -> Bool {
        let extra = series.extraMade
        var chunks = extra.outOfOrder ?? OutOfOrderChunks()
        extra.outOfOrder = nil
        defer { extra.outOfOrder = chunks }
        if chunks.buffer.count >= setup.outOfOrderChunkCapacity {
            mapLate(&chunks, series, &applied)
        }
        guard chunks.insert(sample) else { return false }
        applied.result.appended += 1
        applied.result.outOfOrder += 1
        applied.lateMinimumTime = min(applied.lateMinimumTime, sample.timestamp)
        applied.lateMaximumTime = max(applied.lateMaximumTime, sample.timestamp)
        return true
    }

    /// Writes the buffer of late samples as chunks. On failure they stay in the buffer, which then grows.
    private func mapLate(_ chunks: inout OutOfOrderChunks, _ series: MemorySeries, _ applied: inout Applied) {
        var mapped: [MappedChunk] = []
        do throws(StoreError) {
            for full in chunks.encoded(rules) {
                mapped.append(try chunkFiles.append(series.reference, full, isOutOfOrder: true))
            }
            try chunkFiles.flush()
        } catch { return }
        chunks.buffer = []
        chunks.mapped += mapped
        counters.chunksMapped.add(UInt64(mapped.count), ordering: .relaxed)
        if let last = mapped.last {
            // A reader of the log must know which samples the chunk holds: those of this series before the marker.
            let kept = applied.late.floats.indices.filter {
                applied.late.floats[$0].reference.rawValue != series.reference
            }
            if kept.count < applied.late.floats.count {
                applied.late.floats = kept.map { applied.late.floats[$0] }
                applied.late.starts = kept.map { applied.late.starts[$0] }
            }
            applied.late.histograms.removeAll { $0.reference == series.reference }
            applied.late.markers.append(WALRow.ChunkMarker(reference: series.reference, chunk: last.reference))
        }
    }

    /// Writes the log of late samples. They are visible already: if that fails, the commit fails, and the next one
    /// writes them too, though whoever sends them again finds them there.
    /// - Returns: the position to sync up to; 0 if nothing was written.
    private func finishLate(_ state: inout CommitState, _ applied: inout Applied) -> Int64 {
        guard !applied.late.isEmpty else { return 0 }
        if applied.lateMinimumTime <= applied.lateMaximumTime {
            noteLate(minimum: applied.lateMinimumTime, maximum: applied.lateMaximumTime)
        }
        guard let log = lateLog.withLock({ $0 }) else { return 0 }
        defer { state.lateBatch.removeAll() }
        state.lateBatch.removeAll()
        do throws(StoreError) {
            if !applied.late.markers.isEmpty {
                WALRecordEncoder.chunkMarkers(applied.late.markers, in: &state.lateBatch.record)
                try state.lateBatch.finishRecord(setup.walCompression)
            }
            if !applied.late.floats.isEmpty {
                WALRecordEncoder.samples(
                    applied.late.floats, starts: applied.late.starts, sampleForm, in: &state.lateBatch.record)
                try state.lateBatch.finishRecord(setup.walCompression)
            }
            for kind in WALRecordKind.histogramKinds {
                let rows = applied.late.histograms.filter { WALRecordEncoder.kind(of: $0.histogram) == kind }
                guard !rows.isEmpty else { continue }
                WALRecordEncoder.histograms(rows, kind, sampleForm, in: &state.lateBatch.record)
                try state.lateBatch.finishRecord(setup.walCompression)
            }
            return try log.write(state.lateBatch)
        } catch {
            counters.lateLogFailures.add(1, ordering: .relaxed)
            swap(&applied.late, &state.unloggedLate)
            applied.lateFailure = error
            return 0
        }
    }
}
