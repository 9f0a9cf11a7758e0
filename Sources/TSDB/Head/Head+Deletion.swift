internal import Matching
internal import MetricModel

extension Head {
    /// Deletes the samples from `start` to `end` of the series that fulfil `matchers`: logs it, then hides them.
    func delete(_ matchers: [Matcher], from start: Timestamp, to end: Timestamp) throws(StoreError) {
        let numbers = try HeadIndex(head: self).select(matchers)
        let found = series.series(numbers: numbers)
        var rows: [WALRow.Tombstone] = []
        for one in found {
            let range = one.lock.withLock { _ in one.timeRange }
            guard let range, range.minimumTime <= end, range.maximumTime >= start else { continue }
            // Only what is there: samples that come later are not deleted.
            rows.append(
                WALRow.Tombstone(
                    reference: one.reference, minimumTime: max(start, range.minimumTime),
                    maximumTime: min(end, range.maximumTime)))
        }
        guard !rows.isEmpty else { return }
        let position = try withCommitState { (state) throws(StoreError) -> Int64 in
            try logNewSeries(&state)
            state.seriesBatch.removeAll()
            WALRecordEncoder.tombstones(rows, in: &state.seriesBatch.record)
            try state.seriesBatch.finishRecord(setup.walCompression)
            let position = try wal.write(state.seriesBatch)
            state.seriesBatch.removeAll()
            return position
        }
        for row in rows {
            deletions.add(
                row.reference, TimeInterval(minimumTime: row.minimumTime, maximumTime: row.maximumTime))
        }
        try wal.sync(upTo: position)
    }

    /// Number of chunks, in memory and mapped.
    var chunkCount: Int {
        var count = 0
        for one in series.all {
            one.lock.withLock { _ in
                count += one.mapped.count + (one.extra?.full.count ?? 0) + (one.isOpen ? 1 : 0)
            }
        }
        return count
    }
}

extension MemorySeries {
    /// The times of all samples, late ones included; nil without samples. The lock must be held.
    var timeRange: TimeInterval? {
        guard !isEmpty else { return nil }
        var range = TimeInterval(minimumTime: .max, maximumTime: .min)
        func add(_ minimum: Timestamp, _ maximum: Timestamp) {
            range.minimumTime = min(range.minimumTime, minimum)
            range.maximumTime = max(range.maximumTime, maximum)
        }
        if isOpen { add(openMinimumTime, lastTimestamp) }
        if let first = mapped.first, let last = mapped.last { add(first.minimumTime, last.maximumTime) }
        for chunk in extra?.full ?? [] { add(chunk.minimumTime, chunk.maximumTime) }
        for chunk in extra?.outOfOrder?.mapped ?? [] { add(chunk.minimumTime, chunk.maximumTime) }
        for sample in extra?.outOfOrder?.buffer ?? [] { add(sample.timestamp, sample.timestamp) }
        return range
    }
}
