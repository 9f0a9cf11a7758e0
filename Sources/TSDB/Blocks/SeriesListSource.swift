package import DurableFiles
package import MetricModel

/// Series with their samples in memory, as a source for a block: imports, and tests.
package struct SeriesList: Sendable {
    /// A series with its samples, by time.
    package struct Entry: Sendable {
        /// Of the series.
        package var labels: Labels
        /// Ascending by time.
        package var samples: [ChunkSample]

        /// `samples` of `labels`.
        package init(labels: Labels, samples: [ChunkSample]) {
            self.labels = labels
            self.samples = samples
        }
    }

    /// By labels, each once.
    package let entries: [Entry]

    /// Of `entries` in any order. Of samples that are not later than the one before, none is kept.
    package init(_ entries: [Entry]) { self.entries = entries.sorted { $0.labels < $1.labels } }

    /// Writes the series as a block in `directory`.
    /// - Parameters:
    ///   - directory: Where blocks are; must exist.
    ///   - ulid: Name of the block.
    ///   - encoding: How samples are coded.
    /// - Returns: What was written, or nil if there are no samples.
    package func writeBlock(
        in directory: String, ulid: ULID, encoding: SampleEncoder.Options = .init(), on fileSystem: any FileSystem
    ) throws(StoreError) -> BlockMeta? {
        var meta = BlockMeta(ulid: ulid, minimumTime: .max, maximumTime: .min)
        for sample in entries.lazy.flatMap(\.samples) {
            meta.minimumTime = min(meta.minimumTime, sample.timestamp)
            meta.maximumTime = max(meta.maximumTime, sample.timestamp &+ 1)
        }
        meta.sources = [ulid]
        return try BlockWriter(directory: directory, fileSystem: fileSystem).write(
            SeriesListSource(list: self, options: encoding), as: meta)
    }
}

/// The chunks of a ``SeriesList``.
struct SeriesListSource: BlockSource {
    let list: SeriesList
    let options: SampleEncoder.Options

    func symbols() -> [ByteString] {
        var found: Set<ByteString> = []
        for entry in list.entries {
            let packed = entry.labels.packedBytes
            entry.labels.forEachRange { name, value in
                found.insert(ByteString(packed[name]))
                found.insert(ByteString(packed[value]))
            }
        }
        return found.sorted()
    }

    func forEach(_ body: (BlockSeries) throws(StoreError) -> Void) throws(StoreError) {
        for entry in list.entries {
            var encoder = SampleEncoder(options)
            for sample in entry.samples { encoder.append(sample) }
            let chunks = encoder.finish()
            if !chunks.isEmpty { try body(BlockSeries(labels: entry.labels, chunks: chunks)) }
        }
    }
}
