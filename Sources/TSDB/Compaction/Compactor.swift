package import DurableFiles
internal import MetricModel

/// Merges blocks and rewrites them.
///
/// Source: prometheus/prometheus tsdb/compact.go (`Compact`, `Write`).
package struct Compactor: Sendable {
    private let directory: String
    private let fileSystem: any FileSystem
    private let options: SampleEncoder.Options
    private let isCancelled: @Sendable () -> Bool

    /// Writes blocks in `directory`; samples that are coded anew are coded as `options` say. Once `isCancelled` holds,
    /// work stops with ``StoreError/closed`` and leaves nothing behind.
    package init(
        _ directory: String, on fileSystem: any FileSystem, options: SampleEncoder.Options = SampleEncoder.Options(),
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.isCancelled = isCancelled
    }

    /// Merges `blocks` into one named `ulid`, without deleted samples. The caller removes `blocks` afterwards: the new
    /// block names them as parents, so that a crash in between leaves no doubt about which hold.
    /// - Returns: What was written, or nil if no sample is left, and nothing was written.
    package func compact(_ blocks: [Block], into ulid: ULID) throws(StoreError) -> BlockMeta? {
        let metas = blocks.map(\.meta)
        let sorted = zip(blocks, metas).sorted { left, right in
            left.1.minimumTime != right.1.minimumTime
                ? left.1.minimumTime < right.1.minimumTime : left.1.ulid < right.1.ulid
        }.map(\.0)
        return try BlockWriter(directory: directory, fileSystem: fileSystem).write(
            BlockMerge(sorted, options, isCancelled: isCancelled),
            as: BlockMeta(compacting: sorted.map(\.meta), ulid: ulid))
    }

    /// Writes `block` again as one named `ulid`, without deleted samples; its level stays.
    /// - Returns: What was written, or nil if no sample is left, and nothing was written.
    package func rewrite(_ block: Block, as ulid: ULID) throws(StoreError) -> BlockMeta? {
        let old = block.meta
        var meta = BlockMeta(compacting: [old], ulid: ulid)
        meta.level = old.level
        return try BlockWriter(directory: directory, fileSystem: fileSystem).write(
            BlockMerge([block], options, isCancelled: isCancelled), as: meta)
    }
}
