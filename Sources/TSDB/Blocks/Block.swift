package import DurableFiles
package import Matching
package import MetricModel
internal import Synchronization

/// A block on disk: immutable but for its deletions. Its files stay readable as long as the object lives, also after
/// their removal.
package final class Block: Sendable {
    /// The directory.
    package let path: String
    /// Its labels and where its chunks lie.
    package let index: IndexReader
    let chunks: ChunkSegmentReader
    private let selections: BlockSelections
    private let fileSystem: any FileSystem

    private struct State {
        var meta: BlockMeta
        var tombstones: Tombstones
    }

    private let state: Mutex<State>
    /// Bytes of all files.
    package let byteCount: Int64

    static let metaFileName = "meta.json"

    /// Opens the block in directory `path`, which remembers selections on its own.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` with the file that is damaged, ``StoreError/file(_:)``.
    package convenience init(_ path: String, on fileSystem: any FileSystem) throws(StoreError) {
        try self.init(path, on: fileSystem, BlockSelections())
    }

    /// Opens the block in directory `path`.
    /// - Parameter selections: Where it and other blocks remember what was selected.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` with the file that is damaged, ``StoreError/file(_:)``.
    /// - Complexity: O(symbols + label pairs + deletions).
    init(
        _ path: String, on fileSystem: any FileSystem, _ selections: BlockSelections
    ) throws(StoreError) {
        self.path = path
        self.selections = selections
        self.fileSystem = fileSystem
        let meta = try Block.readMeta(path, on: fileSystem)
        index = try IndexReader(PathName.join(path, IndexFormat.fileName), on: fileSystem)
        chunks = try ChunkSegmentReader(PathName.join(path, ChunkSegmentFormat.directory), on: fileSystem)
        let tombstones = try Tombstones.read(path, on: fileSystem)
        byteCount = chunks.byteCount + Int64(index.file.count + meta.json.count + tombstones.encoded.count)
        state = Mutex(State(meta: meta, tombstones: tombstones))
    }

    deinit { selections.remove(ObjectIdentifier(self)) }

    /// What `meta.json` in directory `path` says.
    package static func readMeta(
        _ path: String, on fileSystem: any FileSystem
    ) throws(StoreError) -> BlockMeta {
        let metaPath = PathName.join(path, metaFileName)
        let bytes: [UInt8]
        do { bytes = try fileSystem.contents(metaPath) } catch { throw .file(error) }
        return try BlockMeta(json: bytes, path: metaPath)
    }

    /// What `meta.json` says.
    package var meta: BlockMeta { state.withLock { $0.meta } }

    var tombstones: Tombstones { state.withLock { $0.tombstones } }

    /// Numbers for the status page.
    package var status: BlockStatus {
        BlockStatus(meta: meta, bytes: byteCount)
    }

    /// The series that fulfil `matchers` and have chunks from `start` to `end`, both included, by labels.
    package func select(
        _ matchers: [Matcher], from start: Timestamp, to end: Timestamp
    ) throws(StoreError) -> [BlockSeriesView] {
        var views: [BlockSeriesView] = []
        try forEachSeries(matchers, from: start, to: end) { views.append($0) }
        return views
    }

    /// Calls `body` with each series that ``select(_:from:to:)`` gives, by labels.
    func forEachSeries(
        _ matchers: [Matcher], from start: Timestamp, to end: Timestamp, _ body: (BlockSeriesView) -> Void
    ) throws(StoreError) {
        let tombstones = tombstones
        for series in try entries(matchers) {
            var chunks = series.chunks
            let deleted = tombstones.isEmpty ? [] : tombstones[UInt64(series.number)]
            if !deleted.isEmpty {
                chunks.removeAll { chunk in
                    deleted.contains { $0.minimumTime <= chunk.minimumTime && $0.maximumTime >= chunk.maximumTime }
                }
            }
            // By time, so that those outside stand at the ends.
            while let last = chunks.last, last.minimumTime > end { chunks.removeLast() }
            if chunks.contains(where: { !$0.overlaps(start, end) }) { chunks.removeAll { !$0.overlaps(start, end) } }
            if chunks.isEmpty { continue }
            body(
                BlockSeriesView(
                    labels: series.labels, block: self, chunks: chunks, deleted: deleted, start: start, end: end))
        }
    }

    /// The series that fulfil `matchers`, by labels.
    private func entries(_ matchers: [Matcher]) throws(StoreError) -> [BlockSeriesEntry] {
        let key = BlockSelections.Key(ObjectIdentifier(self), matchers)
        if let known = selections.known(key) { return known }
        let numbers = try index.select(matchers)
        var entries: [BlockSeriesEntry] = []
        entries.reserveCapacity(numbers.count)
        for number in numbers {
            let (labels, chunks) = try index.series(number)
            entries.append(BlockSeriesEntry(number: number, labels: labels, chunks: chunks))
        }
        selections.keep(entries, key)
        return entries
    }

    /// Deletes the samples from `start` to `end`, both included, of all series that fulfil `matchers`; durable on
    /// return. The samples stay on disk until the block is rewritten.
    /// - Returns: How many series are touched.
    package func delete(
        _ matchers: [Matcher], from start: Timestamp, to end: Timestamp
    ) throws(StoreError) -> Int {
        guard start <= end else { return 0 }
        var changed = tombstones
        var touched = 0
        for number in try index.select(matchers) {
            let metas = try index.series(number).chunks
            guard metas.contains(where: { $0.overlaps(start, end) }), let first = metas.first, let last = metas.last
            else { continue }
            let interval = TimeInterval(
                minimumTime: max(start, first.minimumTime), maximumTime: min(end, last.maximumTime))
            changed.add(UInt64(number), interval)
            touched += 1
        }
        guard touched > 0 else { return 0 }
        var newMeta = meta
        newMeta.stats.tombstones = UInt64(changed.count)
        let replace = AtomicReplace(on: fileSystem)
        do throws(FileError) {
            try replace.replace(PathName.join(path, Tombstones.fileName), with: changed.encoded)
            try replace.replace(PathName.join(path, Block.metaFileName), with: newMeta.json)
        } catch { throw .file(error) }
        state.withLock { $0 = State(meta: newMeta, tombstones: changed) }
        return touched
    }

    /// Notes in `meta.json` that a compaction failed, so that it is not tried again and again.
    package func noteFailedCompaction() throws(StoreError) {
        var newMeta = meta
        newMeta.compactionFailed = true
        do {
            try AtomicReplace(on: fileSystem).replace(PathName.join(path, Block.metaFileName), with: newMeta.json)
        } catch { throw .file(error) }
        state.withLock { $0.meta = newMeta }
    }

    /// Makes hard links to the files under `directory`, in a directory of the block's name.
    package func snapshot(into directory: String) throws(StoreError) {
        let target = PathName.join(directory, meta.ulid.description)
        let chunkSource = PathName.join(path, ChunkSegmentFormat.directory)
        let chunkTarget = PathName.join(target, ChunkSegmentFormat.directory)
        do throws(FileError) {
            try fileSystem.makeDirectory(chunkTarget)
            for name in [Block.metaFileName, IndexFormat.fileName, Tombstones.fileName] {
                guard try fileSystem.exists(PathName.join(path, name)) else { continue }
                try fileSystem.link(PathName.join(path, name), to: PathName.join(target, name))
            }
            for name in try fileSystem.list(chunkSource) {
                try fileSystem.link(PathName.join(chunkSource, name), to: PathName.join(chunkTarget, name))
            }
            try fileSystem.syncDirectory(chunkTarget)
            try fileSystem.syncDirectory(target)
            try fileSystem.syncDirectory(directory)
        } catch { throw .file(error) }
    }

    /// Reads everything: each series, list and chunk.
    /// - Throws: The first damage found.
    package func verify() throws(StoreError) {
        var lastLabels: Labels?
        for number in try index.allPostings().numbers {
            let (labels, metas) = try index.series(number)
            if let lastLabels, !(lastLabels < labels) {
                throw .corrupt(
                    path: index.file.path, offset: Int64(number) * 16, reason: "series \(labels) is out of order")
            }
            lastLabels = labels
            for meta in metas {
                try chunks.withChunk(meta.reference) { (encoding, bytes) throws(ChunkError) in
                    var columns = SampleColumns()
                    try ChunkDecoder.decode(encoding, bytes, into: &columns)
                }
            }
        }
        for name in try index.labelNames() { _ = try index.postings(name, prefix: "") { _ in true } }
    }
}

/// A series of a block, as one reader sees it. Keeps the block's files open.
package struct BlockSeriesView: Sendable {
    /// Its labels.
    package let labels: Labels
    let block: Block
    /// By time.
    let chunks: [ChunkMeta]
    let deleted: [TimeInterval]
    let start: Timestamp
    let end: Timestamp

    /// Appends the samples of the range to `columns`, without deleted ones.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` with file and offset; never a short answer.
    /// - Parameter goesOn: Asked after some chunks each; when it gives false, nothing more is read.
    /// - Complexity: O(samples of the chunks that overlap the range).
    package func read(
        into columns: inout SampleColumns, while goesOn: () -> Bool = { true }
    ) throws(StoreError) {
        let base = columns.count
        for (index, chunk) in chunks.enumerated() {
            if (index + 1) % SelectedSeries.chunksInTurn == 0, !goesOn() { break }
            let before = columns.count
            try block.chunks.withChunk(chunk.reference) { (encoding, bytes) throws(ChunkError) in
                try ChunkDecoder.decode(encoding, bytes, into: &columns)
            }
            // Chunks of a series do not overlap in sound blocks; some upstream versions wrote such all the same.
            if before > base, before < columns.count, columns.timestamps[before] <= columns.timestamps[before - 1] {
                let later = columns.split(from: before)
                let earlier = columns.split(from: base)
                columns.append(SampleColumns.merging(earlier, later))
            }
        }
        columns.clip(from: base, to: start...max(start, end))
        if !deleted.isEmpty { columns.remove(deleted, from: base) }
    }
}
