internal import MetricModel
internal import Synchronization

extension Database {
    /// Counts the series that have ended and, where they are too large a share of all, writes them to blocks and
    /// forgets them.
    ///
    /// Source: prometheus/prometheus tsdb/db.go (`CompactStaleHead`), config key `stale_series_compaction_threshold`.
    func persistStale(_ pending: inout PendingTruncation, _ now: Timestamp) throws(StoreError) {
        let (stale, histograms) = head.census
        head.staleSeriesCount.store(stale.count, ordering: .relaxed)
        head.histogramCount.store(histograms)
        let threshold = options.staleSeriesThreshold
        guard threshold > 0, !stale.isEmpty, pending.stale.isEmpty,
            Double(stale.count) / Double(max(1, head.series.count)) >= threshold, !isPersistingSoon
        else { return }
        counters.staleCompactions.add(1, ordering: .relaxed)
        let start = ContinuousClock.now
        do throws(StoreError) {
            try persist(stale, &pending, now)
        } catch {
            counters.staleCompactionsFailed.add(1, ordering: .relaxed)
            throw error
        }
        counters.staleCompactionLengths.note(since: start)
        try forget(&pending)
    }

    /// Whether the head is about to be written to a block anyway: at most ten minutes of samples are missing.
    private var isPersistingSoon: Bool {
        let newest = head.maximumTime.load(ordering: .relaxed)
        let soon = newest.addingReportingOverflow(600_000)
        return head.persistableRange(after: inOrderEnd, newest: soon.overflow ? .max : soon.partialValue) != nil
    }

    private func persist(
        _ stale: [StaleSeries], _ pending: inout PendingTruncation, _ now: Timestamp
    ) throws(StoreError) {
        let oldest = max(head.minimumTime.load(ordering: .relaxed), inOrderEnd)
        guard let newest = stale.map(\.end).max(), oldest <= newest else { return }
        let references = Set(stale.map { $0.series.reference })
        var written: [BlockMeta] = []
        var start = oldest
        while true {
            let end = head.setup.rules.end(of: start)
            let range = TimeInterval(minimumTime: start, maximumTime: min(max(start, end &- 1), newest))
            let source = try HeadBlockSource(head, range: range, of: references)
            if !source.isEmpty {
                var meta = blockMeta(range, now)
                meta.hints = [BlockMeta.staleSeriesHint]
                let one = try counting { () throws(StoreError) in
                    try headWriter.write(source, as: meta)
                }
                if let one { written.append(one) }
            }
            if range.maximumTime >= newest || end <= start { break }
            start = end
        }
        pending.commit = try publish(adding: written, removing: [], headStart: nil)
        pending.stale = stale
    }
}
