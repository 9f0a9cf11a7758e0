internal import MetricModel

extension Database {
    /// Merges blocks into larger ones, and rewrites those with many deletions.
    func compactBlocks(_ now: Timestamp) throws(StoreError) {}

    /// Rewrites the blocks that have deletions.
    package func cleanTombstones() throws(StoreError) { try checkOpen() }
}
