/// Names in a data directory.
///
/// Source: prometheus/prometheus tsdb/db.go and docs/storage.md.
enum StoreLayout {
    static let wal = "wal"
    /// The log of out-of-order samples.
    static let lateLog = "wbl"
    static let headChunks = "chunks_head"
    static let lock = "lock"
    static let snapshotPrefix = "chunk_snapshot."
    static let creationSuffix = ".tmp-for-creation"
    static let deletionSuffix = ".tmp-for-deletion"
}
