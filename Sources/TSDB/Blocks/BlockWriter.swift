internal import DurableFiles
internal import MetricModel

/// Series on their way into a block: the head, a merge of blocks, imported samples.
protocol BlockSource {
    /// All label names and values, sorted, each once.
    func symbols() throws(StoreError) -> [ByteString]
    /// Calls `body` with each series, by labels; chunks by time, without overlaps.
    func forEach(_ body: (BlockSeries) throws(StoreError) -> Void) throws(StoreError)
}

extension HeadBlockSource: BlockSource {}

/// Writes blocks: aside first, then renamed, so that a block is there whole or not at all.
struct BlockWriter {
    /// Where blocks are.
    let directory: String
    let fileSystem: any FileSystem
    /// Told of each chunk.
    var noteChunk: (FullChunk) -> Void = { _ in }

    /// Writes the series of `source` as the block that `meta` describes; its numbers are filled in here.
    /// - Returns: What was written, or nil if `source` has no samples, and nothing was written.
    /// - Complexity: Memory O(symbols + label pairs), not samples.
    func write(_ source: some BlockSource, as meta: BlockMeta) throws(StoreError) -> BlockMeta? {
        let final = PathName.join(directory, meta.ulid.description)
        let temporary = final + StoreLayout.creationSuffix
        do throws(StoreError) {
            try cleared(temporary)
            guard let written = try writeFiles(source, meta, temporary) else {
                try cleared(temporary)
                return nil
            }
            do throws(FileError) {
                try fileSystem.syncDirectory(temporary)
                try fileSystem.rename(temporary, to: final)
                try fileSystem.syncDirectory(PathName.join(final, ChunkSegmentFormat.directory))
                try fileSystem.syncDirectory(final)
                try fileSystem.syncDirectory(directory)
            } catch { throw .file(error) }
            return written
        } catch {
            try? fileSystem.removeTree(temporary)
            throw error
        }
    }

    private func cleared(_ path: String) throws(StoreError) {
        do { try fileSystem.removeTree(path) } catch { throw .file(error) }
    }

    private func writeFiles(
        _ source: some BlockSource, _ meta: BlockMeta, _ path: String
    ) throws(StoreError) -> BlockMeta? {
        do throws(FileError) { try fileSystem.makeDirectory(path) } catch { throw .file(error) }
        let segments = try ChunkSegmentWriter(
            PathName.join(path, ChunkSegmentFormat.directory), on: fileSystem)
        let index = try IndexWriter(
            PathName.join(path, IndexFormat.fileName), symbols: source.symbols(), on: fileSystem)
        var meta = meta
        meta.stats = BlockMeta.Stats()
        do throws(StoreError) {
            try source.forEach { (series) throws(StoreError) in
                var metas: [ChunkMeta] = []
                metas.reserveCapacity(series.chunks.count)
                for full in series.chunks {
                    let count = UInt64(full.chunk.sampleCount)
                    if count == 0 { continue }
                    noteChunk(full)
                    let reference = try segments.write(full.chunk)
                    metas.append(
                        ChunkMeta(
                            reference: reference, minimumTime: full.minimumTime, maximumTime: full.maximumTime))
                    meta.stats.samples += count
                    if full.chunk.encoding.holdsFloats {
                        meta.stats.floatSamples += count
                    } else {
                        meta.stats.histogramSamples += count
                    }
                }
                if metas.isEmpty { return }
                meta.stats.chunks += UInt64(metas.count)
                meta.stats.series += 1
                try index.addSeries(series.labels, chunks: metas)
            }
            guard meta.stats.samples > 0 else {
                segments.abandon()
                index.abandon()
                return nil
            }
            try segments.finish()
            try index.finish()
        } catch {
            segments.abandon()
            index.abandon()
            throw error
        }
        try put(Tombstones().encoded, PathName.join(path, Tombstones.fileName))
        try put(meta.json, PathName.join(path, Block.metaFileName))
        return meta
    }

    private func put(_ bytes: [UInt8], _ path: String) throws(StoreError) {
        do throws(FileError) {
            let file = try fileSystem.open(path, .truncate)
            try file.append(bytes)
            try file.sync(.all)
            try file.close()
        } catch { throw .file(error) }
    }
}
