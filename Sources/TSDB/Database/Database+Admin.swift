internal import DurableFiles
package import Matching
package import MetricModel

extension Database {
    /// Deletes the samples from `start` to `end` of all series that fulfil `matchers`; the disk space returns when
    /// compaction or ``cleanTombstones()`` rewrites the blocks.
    package func delete(_ matchers: [Matcher], from start: Timestamp, to end: Timestamp) throws(StoreError) {
        try checkOpen()
        try checkWritable()
        // No block may come or go meanwhile, or it would keep what is deleted.
        try maintenance.withLock { (_) throws(StoreError) in
            for block in openBlocks where block.meta.overlaps(start, end) {
                _ = try block.delete(matchers, from: start, to: end)
            }
            try head.delete(matchers, from: start, to: end)
        }
    }

    /// Writes a copy of the database under `directory`: hard links to the blocks, and a block of the head unless
    /// `skippingHead`.
    package func snapshot(into directory: String, skippingHead: Bool) throws(StoreError) {
        try checkOpen()
        guard directory != path else { throw .refused("cannot snapshot into base directory") }
        let name = PathName.last(of: directory)
        guard ULID(name) == nil else { throw .refused("dir must not be a valid ULID") }
        try maintenance.withLock { (_) throws(StoreError) in
            do throws(FileError) { try fileSystem.makeDirectory(directory) } catch { throw .file(error) }
            for block in openBlocks { try block.snapshot(into: directory) }
            if skippingHead { return }
            try snapshotHead(into: directory)
        }
    }

    private func snapshotHead(into directory: String) throws(StoreError) {
        let oldest = head.minimumTime.load(ordering: .relaxed)
        let newest = head.maximumTime.load(ordering: .relaxed)
        guard oldest <= newest else { return }
        var generator = SystemRandomNumberGenerator()
        let range = TimeInterval(minimumTime: max(oldest, inOrderEnd), maximumTime: newest)
        guard range.minimumTime <= range.maximumTime else { return }
        var meta = BlockMeta(
            ulid: ULID(time: newest, using: &generator), minimumTime: range.minimumTime,
            maximumTime: newest == .max ? newest : newest + 1)
        meta.sources = [meta.ulid]
        let writer = BlockWriter(directory: directory, fileSystem: fileSystem)
        _ = try writer.write(HeadBlockSource(head, range: range), as: meta)
        let late = TimeInterval(
            minimumTime: head.lateMinimumTime.load(ordering: .relaxed),
            maximumTime: head.lateMaximumTime.load(ordering: .relaxed))
        guard late.minimumTime <= late.maximumTime else { return }
        var lateMeta = BlockMeta(
            ulid: ULID(time: newest, using: &generator), minimumTime: late.minimumTime,
            maximumTime: late.maximumTime == .max ? late.maximumTime : late.maximumTime + 1)
        lateMeta.sources = [lateMeta.ulid]
        lateMeta.hints = [BlockMeta.outOfOrderHint]
        _ = try writer.write(HeadBlockSource(lateSamplesOf: head, range: late), as: lateMeta)
    }
}
