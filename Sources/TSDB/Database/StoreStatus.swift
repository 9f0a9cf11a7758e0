package import MetricModel

/// Something that an operator should know.
package enum StoreEvent: Sendable {
    /// Records were damaged; what could be read was kept.
    case repaired(path: String, offset: Int64, reason: String)
    /// A block cannot be read: it is left where it is, not served, and not deleted.
    case blockSetAside(path: String, reason: String)
    /// A block was written.
    case blockWritten(ulid: String, minimumTime: Timestamp, maximumTime: Timestamp)
    /// A block was deleted by retention or because a larger one holds its samples.
    case blockDeleted(ulid: String, reason: String)
    /// A background task failed and will be tried again.
    case maintenanceFailed(String)
    /// Appends are refused from now on, for the reason given.
    case writesStopped(String)
    /// Appends are taken again.
    case writesResumed
    /// A segment of the log is being replayed; the first and the last one of the replay.
    case replaying(segment: Int, first: Int, last: Int)
    /// The log was replayed.
    case replayed(segments: Int, samples: Int, milliseconds: Int64)
}

/// What the head holds.
package struct HeadStatus: Sendable, Hashable {
    /// Series in memory.
    package var seriesCount = 0
    /// Chunks in memory and mapped.
    package var chunkCount = 0
    /// Oldest sample, milliseconds; `Int64.max` while there is none.
    package var minimumTime: Timestamp = .max
    /// Newest sample, milliseconds; `Int64.min` while there is none.
    package var maximumTime: Timestamp = .min
    /// Different label pairs.
    package var labelPairCount = 0
    /// Series that have ended, as of the last maintenance.
    package var staleSeriesCount = 0

    /// An empty head.
    package init() {}
}

/// The names, values and pairs with most series in the head.
package struct CardinalityStatus: Sendable, Hashable {
    /// A text and how many series or values (or bytes) it stands for.
    package struct Entry: Sendable, Hashable {
        /// The text.
        package var name: ByteString
        /// How many.
        package var count: UInt64
    }
    /// Metric names by series.
    package var seriesByMetricName: [Entry] = []
    /// Label names by different values.
    package var valuesByLabelName: [Entry] = []
    /// Label names by bytes of their values.
    package var bytesByLabelName: [Entry] = []
    /// `name=value` by series.
    package var seriesByLabelPair: [Entry] = []

    /// None.
    package init() {}
}

/// A block that is served.
package struct BlockStatus: Sendable {
    /// What `meta.json` says.
    package var meta: BlockMeta
    /// All its files, on disk.
    package var bytes: Int64
}

/// Counters since the start, and gauges.
package struct StoreMetrics: Sendable, Hashable {
    /// Numbers that were taken.
    package var floatsAppended: UInt64 = 0
    /// Native histograms that were taken.
    package var histogramsAppended: UInt64 = 0
    /// Exemplars that were taken.
    package var exemplarsAppended: UInt64 = 0
    /// Samples, among those taken, that came late.
    package var outOfOrderAppended: UInt64 = 0
    /// Samples that came late where none may.
    package var outOfOrderRejected: UInt64 = 0
    /// Samples older than all that the head may hold.
    package var outOfBoundsRejected: UInt64 = 0
    /// Samples that came later than the window allows.
    package var tooOldRejected: UInt64 = 0
    /// Series that were made.
    package var seriesCreated: UInt64 = 0
    /// Series that left the head.
    package var seriesRemoved: UInt64 = 0
    /// Chunks that were begun.
    package var chunksCreated: UInt64 = 0
    /// Chunks that left the head.
    package var chunksRemoved: UInt64 = 0
    /// Waits for the disk.
    package var walSyncs: UInt64 = 0
    /// Compressed records and their headers.
    package var walBytesWritten: UInt64 = 0
    /// Writes that the disk refused.
    package var walWritesFailed: UInt64 = 0
    /// Damaged records that were found.
    package var walCorruptions: UInt64 = 0
    /// The segment that is written.
    package var walSegment = 0
    /// Checkpoints that were written.
    package var checkpoints: UInt64 = 0
    /// Checkpoints that could not be.
    package var checkpointsFailed: UInt64 = 0
    /// How often samples in blocks were dropped from the head.
    package var headTruncations: UInt64 = 0
    /// How often that failed.
    package var headTruncationsFailed: UInt64 = 0
    /// Blocks that were made of others.
    package var compactions: UInt64 = 0
    /// Blocks that could not be.
    package var compactionsFailed: UInt64 = 0
    /// Looks at which blocks there are.
    package var blockReloads: UInt64 = 0
    /// Looks that failed.
    package var blockReloadsFailed: UInt64 = 0
    /// How often ended series were moved to blocks early.
    package var staleCompactions: UInt64 = 0
    /// How often that failed.
    package var staleCompactionsFailed: UInt64 = 0
    /// Blocks deleted for their age.
    package var blocksByTimeRetention: UInt64 = 0
    /// Blocks deleted for lack of room.
    package var blocksBySizeRetention: UInt64 = 0
    /// Of all blocks, on disk.
    package var storageBytes: Int64 = 0
    /// Of the logs, on disk.
    package var walBytes: Int64 = 0
    /// How long the last start took over the log.
    package var replayMilliseconds: Int64 = 0
    /// Of waiting for the disk.
    package var walSyncLengths = LengthRecord()
    /// Of making blocks of others.
    package var compactionLengths = LengthRecord()
    /// Of dropping from the head what is in blocks.
    package var headLengths = LengthRecord()
    /// Of dropping from the log what is in blocks.
    package var logLengths = LengthRecord()

    /// Looks at what is to be compacted.
    package var compactionsTriggered: UInt64 = 0
    /// Since compacting is switched off.
    package var compactionsSkipped: UInt64 = 0
    /// Of blocks that overlapped.
    package var overlappingCompactions: UInt64 = 0
    /// Whether a block is being written.
    package var isWritingBlock = false
    /// Of moving ended series to blocks.
    package var staleCompactionLengths = LengthRecord()
    /// Of rewriting blocks without what was deleted.
    package var tombstoneLengths = LengthRecord()
    /// Bytes of chunks as they left the head for a block.
    package var chunkSizes = LengthRecord()
    /// Samples of the same chunks.
    package var chunkSamples = LengthRecord()
    /// Seconds of the same chunks.
    package var chunkRanges = LengthRecord()
    /// Full chunks that were written to files.
    package var chunksMapped: UInt64 = 0
    /// Of these files, on disk.
    package var headChunkBytes: Int64 = 0
    /// By how many seconds late samples were older than the newest of all, whether taken or not.
    package var lateness = LengthRecord()
    /// Batches being filled.
    package var appendersOpen = 0
    /// Batches that were begun.
    package var appendersOpened: UInt64 = 0
    /// The last commit that the oldest reader sees.
    package var oldestCommitRead: UInt64 = 0
    /// The last commit of all.
    package var lastCommit: UInt64 = 0
    /// Exemplars that are kept.
    package var exemplarCount = 0
    /// Series that have some.
    package var exemplarSeriesCount = 0
    /// Milliseconds; 0 while there is none.
    package var oldestExemplarTime: Timestamp = 0
    /// Exemplars refused since newer ones are there.
    package var exemplarsOutOfOrder: UInt64 = 0
    /// Series whose newest sample was a native histogram at the last maintenance.
    package var histogramSeriesCount = 0
    /// The buckets of these series' newest samples.
    package var histogramBucketCount = 0
    /// Bytes of what is kept in memory of the symbols of blocks.
    package var symbolBytes = 0
    /// Pages of the log that were filled.
    package var walPagesCompleted: UInt64 = 0
    /// Pages written, filled or not.
    package var walPageFlushes: UInt64 = 0

    /// Zeros.
    package init() {}
}
