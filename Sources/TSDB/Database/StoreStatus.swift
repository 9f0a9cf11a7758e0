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
        package var name: ByteString
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
package struct BlockStatus: Sendable, Hashable {
    package var ulid: String
    package var minimumTime: Timestamp
    package var maximumTime: Timestamp
    package var samples: UInt64
    package var floatSamples: UInt64
    package var histogramSamples: UInt64
    package var tombstones: UInt64
    package var series: UInt64
    package var chunks: UInt64
    package var bytes: Int64
    package var level: Int
    /// ULIDs of the blocks that it was made from.
    package var sources: [String]
}

/// Counters since the start, and gauges.
package struct StoreMetrics: Sendable, Hashable {
    package var floatsAppended: UInt64 = 0
    package var histogramsAppended: UInt64 = 0
    package var exemplarsAppended: UInt64 = 0
    package var outOfOrderAppended: UInt64 = 0
    package var outOfOrderRejected: UInt64 = 0
    package var outOfBoundsRejected: UInt64 = 0
    package var tooOldRejected: UInt64 = 0
    package var seriesCreated: UInt64 = 0
    package var seriesRemoved: UInt64 = 0
    package var chunksCreated: UInt64 = 0
    package var chunksRemoved: UInt64 = 0
    package var walSyncs: UInt64 = 0
    package var walBytesWritten: UInt64 = 0
    package var walWritesFailed: UInt64 = 0
    package var walCorruptions: UInt64 = 0
    package var walSegment = 0
    package var checkpoints: UInt64 = 0
    package var checkpointsFailed: UInt64 = 0
    package var headTruncations: UInt64 = 0
    package var headTruncationsFailed: UInt64 = 0
    package var compactions: UInt64 = 0
    package var compactionsFailed: UInt64 = 0
    package var blockReloads: UInt64 = 0
    package var blockReloadsFailed: UInt64 = 0
    package var staleCompactions: UInt64 = 0
    package var staleCompactionsFailed: UInt64 = 0
    package var blocksByTimeRetention: UInt64 = 0
    package var blocksBySizeRetention: UInt64 = 0
    package var storageBytes: Int64 = 0
    package var walBytes: Int64 = 0
    package var replayMilliseconds: Int64 = 0
    /// Of waiting for the disk.
    package var walSyncLengths = LengthRecord()
    package var compactionLengths = LengthRecord()
    /// Of dropping from the head what is in blocks.
    package var headLengths = LengthRecord()
    /// Of dropping from the log what is in blocks.
    package var logLengths = LengthRecord()

    package var compactionsTriggered: UInt64 = 0
    /// Since compacting is switched off.
    package var compactionsSkipped: UInt64 = 0
    /// Of blocks that overlapped.
    package var overlappingCompactions: UInt64 = 0
    package var isWritingBlock = false
    package var staleCompactionLengths = LengthRecord()
    /// Of rewriting blocks without what was deleted.
    package var tombstoneLengths = LengthRecord()
    /// Bytes, samples and seconds of chunks as they left the head for a block.
    package var chunkSizes = LengthRecord()
    package var chunkSamples = LengthRecord()
    package var chunkRanges = LengthRecord()
    package var chunksMapped: UInt64 = 0
    package var headChunkBytes: Int64 = 0
    /// By how many seconds late samples were older than the newest of all, whether taken or not.
    package var lateness = LengthRecord()
    package var appendersOpen = 0
    package var appendersOpened: UInt64 = 0
    /// The last commit that the oldest reader sees, and the last of all.
    package var oldestCommitRead: UInt64 = 0
    package var lastCommit: UInt64 = 0
    package var exemplarCount = 0
    package var exemplarSeriesCount = 0
    /// Milliseconds; 0 while there is none.
    package var oldestExemplarTime: Timestamp = 0
    package var exemplarsOutOfOrder: UInt64 = 0
    /// Series whose newest sample was a native histogram at the last maintenance, and the buckets of those samples.
    package var histogramSeriesCount = 0
    package var histogramBucketCount = 0
    /// Bytes of what is kept in memory of the symbols of blocks.
    package var symbolBytes = 0
    package var walPagesCompleted: UInt64 = 0
    package var walPageFlushes: UInt64 = 0

    /// Zeros.
    package init() {}
}
