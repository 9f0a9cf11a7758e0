/// How records of the write-ahead log are compressed.
package enum WALCompression: String, Sendable, Hashable, CaseIterable {
    case none, snappy, zstd
}

/// How new chunks of numbers are coded.
///
/// Source: prometheus/prometheus config/config.go (`ChunkEncodingConfig`).
package enum FloatEncoding: String, Sendable, Hashable, CaseIterable {
    /// What every Prometheus reads.
    case xor
    /// Smaller, and with start timestamps; Prometheus reads it from 3.11 on.
    case xor2
}

/// What an append waits for.
package enum Durability: Sendable, Hashable {
    /// Until the log is synced: survives a loss of power. Appenders that wait at the same time share one sync.
    case synced
    /// Until the log is written to the operating system: survives the end of the process.
    case relaxed
}

extension Database {
    /// How a data directory is kept. The defaults are Prometheus'.
    package struct Options: Sendable {
        /// How long blocks are kept, in milliseconds; 0 for ever.
        package var retention: Int64 = 15 * 24 * 3_600_000
        /// Most bytes that blocks, log and head chunks may take; 0 for no limit.
        package var maximumBytes: Int64 = 0
        /// Most percent of the disk that they may take; 0 for no limit. Goes before ``maximumBytes``.
        package var maximumDiskPercentage: Double = 0
        /// Milliseconds of the smallest block, and of the head's chunks.
        package var minimumBlockDuration: Int64 = 2 * 3_600_000
        /// Milliseconds of the largest block that compaction makes.
        package var maximumBlockDuration: Int64 = 36 * 3_600_000
        /// How far behind the newest sample of the head samples are still taken, in milliseconds; 0 for none.
        package var outOfOrderWindow: Int64 = 0
        /// Samples of an out-of-order chunk.
        package var outOfOrderChunkCapacity = 32
        /// Samples that a chunk aims at.
        package var samplesPerChunk = 120
        /// Bytes of a segment of the write-ahead log: a multiple of 32 KiB.
        package var walSegmentSize = 128 << 20
        /// How the log is compressed.
        package var walCompression: WALCompression = .snappy
        /// Exemplars kept in memory; 0 for none.
        package var maximumExemplars = 0
        /// Most series in the head; 0 for no limit.
        package var maximumSeries = 0
        /// The share of series that have ended, from 0 to 1, from which on they are written to blocks and forgotten
        /// before their time; 0 for never.
        package var staleSeriesThreshold = 0.0
        /// Whether the head is written to a snapshot at a graceful stop, so that the next start need not replay.
        package var memorySnapshotOnShutdown = false
        /// Whether start timestamps are written to the log, in records that Prometheus reads from 3.11 on. They are
        /// kept beyond it by chunks of ``FloatEncoding/xor2``, which this demands, and by ``encodesHistogramStarts``.
        package var storesStartTimestamps = false
        /// How new chunks of numbers are coded; chunks that are not full go on as they are.
        package var floatEncoding = FloatEncoding.xor
        /// Whether new chunks of histograms keep start timestamps; Prometheus reads those from 3.14 on.
        package var encodesHistogramStarts = false
        /// Whether metadata is kept in the log.
        package var metadataRecords = false
        /// Whether overlapping blocks are merged by compaction.
        package var mergesOverlappingBlocks = true
        /// Whether ``Database/maintain(now:)`` compacts.
        package var compacts = true
        /// Leave at least this many bytes free on the disk: appends pause below it.
        package var minimumFreeBytes: Int64 = 32 << 20
        /// Whether the directory is opened without a lock file.
        package var noLockFile = false

        /// The defaults.
        package init() {}
    }
}
