internal import MetricModel

extension Database {
    /// What the head holds.
    package var headStatus: HeadStatus {
        var status = HeadStatus()
        status.seriesCount = head.series.count
        status.minimumTime = head.minimumTime.load(ordering: .relaxed)
        status.maximumTime = head.maximumTime.load(ordering: .relaxed)
        if status.minimumTime == .max, status.maximumTime == .min, let last = openBlocks.map(\.meta.maximumTime).max() {
            // As upstream, an empty head begins and ends where the blocks end.
            (status.minimumTime, status.maximumTime) = (last, last)
        }
        status.labelPairCount = head.postings.pairCount
        status.chunkCount = head.chunkCount
        status.staleSeriesCount = head.staleSeriesCount.load(ordering: .relaxed)
        return status
    }

    /// The names, values and pairs with most series, `limit` of each.
    package func cardinality(limit: Int) -> CardinalityStatus {
        var metrics: [CardinalityStatus.Entry] = []
        var values: [ByteString: UInt64] = [:]
        var bytes: [ByteString: UInt64] = [:]
        var pairs: [CardinalityStatus.Entry] = []
        head.postings.forEachPair { name, value, series in
            let count = UInt64(series)
            if name == Labels.metricName { metrics.append(.init(name: value, count: count)) }
            values[name, default: 0] += 1
            // Upstream counts the bytes of a value once for each of its series.
            bytes[name, default: 0] += UInt64(value.count) * count
            pairs.append(.init(name: ByteString(name.bytes + [UInt8(ascii: "=")] + value.bytes), count: count))
        }
        var status = CardinalityStatus()
        status.seriesByMetricName = Database.top(metrics, limit)
        status.valuesByLabelName = Database.top(values.map { .init(name: $0.key, count: $0.value) }, limit)
        status.bytesByLabelName = Database.top(bytes.map { .init(name: $0.key, count: $0.value) }, limit)
        status.seriesByLabelPair = Database.top(pairs, limit)
        return status
    }

    private static func top(_ entries: [CardinalityStatus.Entry], _ limit: Int) -> [CardinalityStatus.Entry] {
        let sorted = entries.sorted { $0.count != $1.count ? $0.count > $1.count : $0.name < $1.name }
        return Array(sorted.prefix(max(0, limit)))
    }

    /// The blocks that are served, by time.
    package var blocks: [BlockStatus] { openBlocks.map(\.status) }

    /// Counters since the start.
    package var metrics: StoreMetrics {
        var metrics = StoreMetrics()
        let counters = head.counters
        metrics.floatsAppended = counters.floats.load(ordering: .relaxed)
        metrics.histogramsAppended = counters.histograms.load(ordering: .relaxed)
        metrics.exemplarsAppended = counters.exemplars.load(ordering: .relaxed)
        metrics.outOfOrderAppended = counters.late.load(ordering: .relaxed)
        metrics.outOfOrderRejected = counters.outOfOrder.load(ordering: .relaxed)
        metrics.outOfBoundsRejected = counters.outOfBounds.load(ordering: .relaxed)
        metrics.tooOldRejected = counters.tooOld.load(ordering: .relaxed)
        metrics.seriesCreated = counters.seriesCreated.load(ordering: .relaxed)
        metrics.seriesRemoved = counters.seriesRemoved.load(ordering: .relaxed)
        metrics.chunksCreated = counters.chunksCreated.load(ordering: .relaxed)
        metrics.chunksRemoved = counters.chunksRemoved.load(ordering: .relaxed)
        let wal = head.wal.metrics
        metrics.walSyncs = wal.syncs
        metrics.walBytesWritten = wal.bytes
        metrics.walWritesFailed = wal.failedWrites
        metrics.walSyncLengths = head.wal.syncLengths
        metrics.compactionLengths = self.counters.compactionLengths.current
        metrics.headLengths = self.counters.headLengths.current
        metrics.logLengths = self.counters.logLengths.current
        metrics.walSegment = head.wal.currentSegment
        metrics.replayMilliseconds = replayMilliseconds
        metrics.walCorruptions = self.counters.corruptions.load(ordering: .relaxed)
        metrics.compactions = self.counters.compactions.load(ordering: .relaxed)
        metrics.compactionsFailed = self.counters.compactionsFailed.load(ordering: .relaxed)
        metrics.headTruncations = self.counters.truncations.load(ordering: .relaxed)
        metrics.headTruncationsFailed = self.counters.truncationsFailed.load(ordering: .relaxed)
        metrics.blockReloads = self.counters.reloads.load(ordering: .relaxed)
        metrics.blockReloadsFailed = self.counters.reloadsFailed.load(ordering: .relaxed)
        metrics.staleCompactions = self.counters.staleCompactions.load(ordering: .relaxed)
        metrics.staleCompactionsFailed = self.counters.staleCompactionsFailed.load(ordering: .relaxed)
        metrics.checkpoints = self.counters.checkpoints.load(ordering: .relaxed)
        metrics.checkpointsFailed = self.counters.checkpointsFailed.load(ordering: .relaxed)
        metrics.blocksByTimeRetention = self.counters.blocksByTime.load(ordering: .relaxed)
        metrics.blocksBySizeRetention = self.counters.blocksBySize.load(ordering: .relaxed)
        metrics.storageBytes = openBlocks.reduce(0) { $0 + $1.byteCount }
        metrics.walBytes = logSize
        addMore(to: &metrics)
        return metrics
    }

    private func addMore(to metrics: inout StoreMetrics) {
        let counters = self.counters
        metrics.compactionsTriggered = counters.compactionsTriggered.load(ordering: .relaxed)
        metrics.compactionsSkipped = counters.compactionsSkipped.load(ordering: .relaxed)
        metrics.overlappingCompactions = counters.overlappingCompactions.load(ordering: .relaxed)
        metrics.isWritingBlock = counters.writing.load(ordering: .relaxed) > 0
        metrics.staleCompactionLengths = counters.staleCompactionLengths.current
        metrics.tombstoneLengths = counters.tombstoneLengths.current
        metrics.chunkSizes = counters.chunkSizes.current
        metrics.chunkSamples = counters.chunkSamples.current
        metrics.chunkRanges = counters.chunkRanges.current
        metrics.headChunkBytes = size(of: [StoreLayout.headChunks])
        metrics.symbolBytes = openBlocks.reduce(0) { $0 + $1.index.symbolBytes }
        metrics.chunksMapped = head.counters.chunksMapped.load(ordering: .relaxed)
        metrics.lateness = head.counters.lateness.current
        let isolation = head.isolation.status
        metrics.appendersOpen = isolation.appenders
        metrics.appendersOpened = isolation.appendersOpened
        metrics.oldestCommitRead = isolation.oldest
        metrics.lastCommit = isolation.newest
        let exemplars = head.exemplars.status
        metrics.exemplarCount = exemplars.exemplars
        metrics.exemplarSeriesCount = exemplars.series
        metrics.oldestExemplarTime = exemplars.oldest
        metrics.exemplarsOutOfOrder = head.counters.outOfOrderExemplars.load(ordering: .relaxed)
        let histograms = head.histogramCount.current
        metrics.histogramSeriesCount = histograms.series
        metrics.histogramBucketCount = histograms.buckets
        let pages = head.wal.pages
        metrics.walPagesCompleted = pages.completed
        metrics.walPageFlushes = pages.flushes
    }
}
