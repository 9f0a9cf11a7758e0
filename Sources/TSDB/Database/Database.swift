package import DurableFiles
package import Matching
package import MetricModel

/// A time series database in a data directory of Prometheus' own format.
///
/// All calls are synchronous, block, and may come from any thread but those of Swift's cooperative pool. Background
/// work (persisting the head, compaction, retention) is done by ``maintain(now:)``, which the owner calls about once
/// a minute from a thread of its own.
package final class Database: Sendable {
    /// Opens or creates the data directory at `path`: takes the lock, opens the blocks, replays the log.
    /// - Parameters:
    ///   - path: The data directory.
    ///   - options: How it is kept.
    ///   - fileSystem: The disk.
    ///   - events: Told what happens that an operator should know: repairs, blocks set aside, failed syncs.
    /// - Throws: ``StoreError/locked(path:)`` if another process has it; ``StoreError/corrupt(path:offset:reason:)``
    ///   for what cannot be repaired; ``StoreError/file(_:)``.
    package static func open(
        _ path: String, options: Options = Options(), fileSystem: any FileSystem = POSIXFileSystem(),
        events: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(StoreError) -> Database {
        throw StoreError.refused("being built")
    }

    private init() {}

    /// A new batch of samples: applied as one by ``Appender/commit(_:)``, or not at all.
    /// Use each appender from one thread at a time.
    package func appender() -> Appender { Appender() }

    /// The reference of a series that the head knows, for appends without labels.
    /// - Parameters:
    ///   - packedLabels: Bytes in the form of ``MetricModel/Labels/packedBytes``.
    ///   - hash: Their XXHash64.
    /// - Complexity: O(bytes); no allocation.
    package func reference(packedLabels: UnsafeRawBufferPointer, hash: UInt64) -> SeriesReference? { nil }

    /// The reference of a series that the head knows.
    package func reference(of labels: Labels) -> SeriesReference? { nil }

    /// A view of all samples from `start` to `end`, both included, as they are now: later appends, compactions and
    /// deletions do not change it. Blocks that it reads stay on disk until it is released.
    package func querier(from start: Timestamp, to end: Timestamp) throws(StoreError) -> Querier {
        throw StoreError.closed
    }

    /// The exemplars of series that fulfil all matchers of at least one of the lists, by series, each by time.
    package func exemplars(
        matching selectors: [[Matcher]], from start: Timestamp, to end: Timestamp
    ) throws(StoreError) -> [SeriesExemplars] {
        throw StoreError.closed
    }

    /// Deletes the samples from `start` to `end` of all series that fulfil `matchers`; the disk space returns when
    /// compaction or ``cleanTombstones()`` rewrites the blocks.
    package func delete(_ matchers: [Matcher], from start: Timestamp, to end: Timestamp) throws(StoreError) {}

    /// Rewrites the blocks that have deletions.
    package func cleanTombstones() throws(StoreError) {}

    /// Writes a copy of the database under `directory`: hard links to the blocks, and a block of the head unless
    /// `skippingHead`.
    package func snapshot(into directory: String, skippingHead: Bool) throws(StoreError) {}

    /// Persists what the head holds beyond its range, compacts blocks, applies retention, writes full chunks to disk.
    /// - Parameter now: Milliseconds since 1970.
    package func maintain(now: Timestamp) throws(StoreError) {}

    /// Changes what may change while the database is open: retention, out-of-order window, exemplars.
    package func update(_ change: @Sendable (inout Options) -> Void) throws(StoreError) {}

    /// What the head holds.
    package var headStatus: HeadStatus { HeadStatus() }

    /// The names, values and pairs with most series, `limit` of each.
    package func cardinality(limit: Int) -> CardinalityStatus { CardinalityStatus() }

    /// The blocks that are served, by time.
    package var blocks: [BlockStatus] { [] }

    /// Counters since the start.
    package var metrics: StoreMetrics { StoreMetrics() }

    /// Why appends are refused, or nil while they are taken.
    package var writeFailure: StoreError? { nil }

    /// Stops: waits for running appends, syncs the log, writes a memory snapshot if asked for, gives up the lock.
    /// Later calls throw ``StoreError/closed``.
    package func close() throws(StoreError) {}
}
