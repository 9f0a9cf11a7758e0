internal import MetricModel

/// A series of a block with all its chunks, as the index has it.
struct BlockSeriesEntry: Sendable {
    /// Its number in the index.
    let number: UInt32
    let labels: Labels
    /// By time.
    let chunks: [ChunkMeta]
}

/// The series of blocks that were selected lately: a block's index never changes, and to read a series from it takes
/// several times as long as to use what was read.
typealias BlockSelections = RecentSelections<BlockSeriesEntry>

extension BlockSelections {
    /// For all blocks of a database: at most 20 MiB or so.
    convenience init() { self.init(Limits(entries: 256, series: 1 << 16)) }
}
