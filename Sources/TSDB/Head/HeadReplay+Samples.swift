internal import Dispatch
internal import MetricModel

/// Putting what the log holds into the series.
extension HeadReplay {
    /// Below it one core does.
    private static let parallelThreshold = 1 << 13

    /// Applies the numbers that were read so far: each half of the series on a core of its own.
    func applySamples() {
        guard !samples.isEmpty else { return }
        if !aliases.isEmpty {
            for index in samples.indices {
                if let other = aliases[samples[index].reference.rawValue] {
                    samples[index].reference = SeriesReference(rawValue: other)
                }
            }
        }
        sampleCount += samples.count
        owners.removeAll(keepingCapacity: true)
        samples.withUnsafeBufferPointer { samples in
            head.series.forEach(of: samples) { _, found in owners.append(found) }
        }
        let valid = head.minimumValidTime.load(ordering: .relaxed)
        let rules = head.rules
        let starts = starts
        let shards = samples.count >= Self.parallelThreshold ? 2 : 1
        var results = [ShardResult](repeating: ShardResult(), count: shards)
        samples.withUnsafeBufferPointer { samples in
            owners.withUnsafeBufferPointer { owners in
                results.withUnsafeMutableBufferPointer { results in
                    // SAFETY: the buffers outlive the call, which returns when all shards are done; each shard writes
                    // its own result and its own series, and nobody else has the head yet.
                    nonisolated(unsafe) let samples = samples
                    nonisolated(unsafe) let owners = owners
                    nonisolated(unsafe) let results = results
                    DispatchQueue.concurrentPerform(iterations: shards) { shard in
                        results[shard] = Self.apply(samples, starts, owners, shard, of: shards, valid, rules)
                    }
                }
            }
        }
        for result in results {
            orphanCount += result.orphans
            minimumTime = min(minimumTime, result.minimumTime)
            maximumTime = max(maximumTime, result.maximumTime)
            for series in result.full { noteFull(series) }
        }
        samples.removeAll(keepingCapacity: true)
        self.starts.removeAll(keepingCapacity: true)
    }

    /// What one core found out.
    private struct ShardResult {
        var minimumTime = Timestamp.max
        var maximumTime = Timestamp.min
        var orphans = 0
        var full: [MemorySeries] = []
    }

    private static func apply(
        _ samples: UnsafeBufferPointer<ReferencedSample>, _ starts: [Timestamp],
        _ owners: UnsafeBufferPointer<Unmanaged<MemorySeries>?>, _ shard: Int, of shards: Int, _ valid: Timestamp,
        _ rules: ChunkRules
    ) -> ShardResult {
        var result = ShardResult()
        let count = samples.count
        func isOwn(_ index: Int) -> Bool { shards == 1 || Int(samples[index].reference.rawValue & 1) == shard }
        for index in samples.indices {
            let sample = samples[index]
            let later = index &+ Prefetching.seriesDistance &* shards
            if later < count, isOwn(later), let owner = owners[later] { Prefetching.series(owner) }
            guard isOwn(index) else { continue }
            let soon = index &+ Prefetching.chunkDistance &* shards
            if soon < count, isOwn(soon), let owner = owners[soon] { Prefetching.openChunk(owner) }
            guard let owner = owners[index] else {
                result.orphans += 1
                continue
            }
            guard sample.timestamp >= valid else { continue }
            owner._withUnsafeGuaranteedRef { series in
                guard sample.timestamp > series.lastTimestamp else { return }
                let becameFull: Bool
                let start = index < starts.count ? starts[index] : 0
                if SampleValue.isStale(sample.value), let stale = HistogramSample.stale(series.kind) {
                    becameFull = series.append(sample.timestamp, stale, start: start, rules)
                } else {
                    becameFull = series.append(sample.timestamp, sample.value, start: start, rules)
                }
                if becameFull { result.full.append(series) }
                if sample.timestamp < result.minimumTime { result.minimumTime = sample.timestamp }
                if sample.timestamp > result.maximumTime { result.maximumTime = sample.timestamp }
            }
        }
        return result
    }

    func apply(_ row: WALRow.Histogram) {
        sampleCount += 1
        guard row.timestamp >= head.minimumValidTime.load(ordering: .relaxed), let series = series(row.reference),
            row.timestamp > series.lastTimestamp
        else { return }
        if series.append(row.timestamp, row.histogram, start: row.start, head.rules) { noteFull(series) }
        minimumTime = min(minimumTime, row.timestamp)
        maximumTime = max(maximumTime, row.timestamp)
    }
}
