/// Numbers and sizes of the index file.
///
/// Source: prometheus/prometheus tsdb/docs/format/index.md.
enum IndexFormat {
    static let magic: UInt32 = 0xBAAA_D700
    static let headerSize = 5
    /// Written; version 1 is read too by upstream but was given up before Prometheus 2.2.
    static let version: UInt8 = 2
    /// Series entries begin at multiples of this, and are numbered by offset / alignment.
    static let seriesAlignment = 16
    static let tableOfContentsSize = 6 * 8 + 4
    static let fileName = "index"

    /// Where the sections are.
    struct TableOfContents: Sendable, Equatable {
        var symbols = 0
        var series = 0
        var labelIndices = 0
        var labelIndicesTable = 0
        var postings = 0
        var postingsTable = 0
    }
}
