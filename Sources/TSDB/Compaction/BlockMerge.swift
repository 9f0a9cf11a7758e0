internal import MetricModel

/// The series of several blocks as one, without deleted samples.
///
/// Chunks are copied as they are, but where they overlap or have deleted samples in them: those are coded anew. Where
/// blocks have different samples for one time, the block named first has its way.
struct BlockMerge: BlockSource {
    private let blocks: [Block]
    private let options: SampleEncoder.Options
    private let isCancelled: @Sendable () -> Bool

    /// Of `blocks`, by time; what is coded anew is coded as `options` say.
    init(
        _ blocks: [Block], _ options: SampleEncoder.Options = SampleEncoder.Options(),
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.blocks = blocks
        self.options = options
        self.isCancelled = isCancelled
    }

    func symbols() throws(StoreError) -> [ByteString] {
        if blocks.count == 1 { return try blocks[0].index.symbols() }
        var all: [ByteString] = []
        for block in blocks { all += try block.index.symbols() }
        all.sort()
        var result: [ByteString] = []
        result.reserveCapacity(all.count)
        for symbol in all where result.last != symbol { result.append(symbol) }
        return result
    }

    /// Where reading a block stands.
    private struct Cursor {
        let block: Block
        let tombstones: Tombstones
        let numbers: [UInt32]
        var next = 0
        var current: (labels: Labels, chunks: [ChunkMeta], deleted: [TimeInterval])?

        init(_ block: Block) throws(StoreError) {
            self.block = block
            tombstones = block.tombstones
            numbers = try block.index.allPostings().numbers
            try advance()
        }

        mutating func advance() throws(StoreError) {
            current = nil
            guard next < numbers.count else { return }
            let (labels, chunks) = try block.index.series(numbers[next])
            current = (labels, chunks, tombstones[UInt64(numbers[next])])
            next += 1
        }
    }

    /// A chunk on its way.
    private struct Part {
        var meta: ChunkMeta
        var block: Block
        var deleted: [TimeInterval]
    }

    func forEach(_ body: (BlockSeries) throws(StoreError) -> Void) throws(StoreError) {
        var cursors: [Cursor] = []
        for block in blocks { cursors.append(try Cursor(block)) }
        while true {
            if isCancelled() { throw .closed }
            // A handful of blocks: looking at each is as good as a heap.
            var lowest: Labels?
            for cursor in cursors {
                guard let labels = cursor.current?.labels else { continue }
                if let known = lowest, known < labels || known == labels { continue }
                lowest = labels
            }
            guard let labels = lowest else { return }
            var parts: [Part] = []
            for index in cursors.indices {
                guard let current = cursors[index].current, current.labels == labels else { continue }
                for meta in current.chunks {
                    parts.append(Part(meta: meta, block: cursors[index].block, deleted: current.deleted))
                }
                try cursors[index].advance()
            }
            let chunks = try merged(parts)
            if !chunks.isEmpty { try body(BlockSeries(labels: labels, chunks: chunks)) }
        }
    }

    /// The chunks of one series: runs that overlap are coded anew.
    private func merged(_ parts: [Part]) throws(StoreError) -> [FullChunk] {
        let order = parts.indices.sorted { left, right in
            let a = parts[left].meta.minimumTime
            let b = parts[right].meta.minimumTime
            return a == b ? left < right : a < b
        }
        var result: [FullChunk] = []
        var position = 0
        while position < order.count {
            var run = [order[position]]
            var end = parts[order[position]].meta.maximumTime
            position += 1
            while position < order.count, parts[order[position]].meta.minimumTime <= end {
                end = max(end, parts[order[position]].meta.maximumTime)
                run.append(order[position])
                position += 1
            }
            if run.count == 1 {
                result += try single(parts[run[0]])
            } else {
                result += try recoded(run.sorted().map { parts[$0] })
            }
        }
        return result
    }

    private func single(_ part: Part) throws(StoreError) -> [FullChunk] {
        let meta = part.meta
        let touching = part.deleted.filter {
            $0.minimumTime <= meta.maximumTime && $0.maximumTime >= meta.minimumTime
        }
        if touching.contains(where: {
            $0.minimumTime <= meta.minimumTime && $0.maximumTime >= meta.maximumTime
        }) {
            return []
        }
        guard touching.isEmpty else { return try recoded([part]) }
        return [
            FullChunk(
                minimumTime: meta.minimumTime, maximumTime: meta.maximumTime,
                chunk: try part.block.chunks.chunk(meta.reference))
        ]
    }

    private func recoded(_ parts: [Part]) throws(StoreError) -> [FullChunk] {
        var samples: [(time: Timestamp, order: Int, sample: ChunkSample)] = []
        for part in parts {
            let list = try part.block.chunks.withChunk(part.meta.reference) {
                (encoding, bytes) throws(ChunkError) -> [ChunkSample] in
                try ChunkDecoder.samples(encoding, bytes)
            }
            for sample in list where !part.deleted.contains(where: { $0.contains(sample.timestamp) }) {
                samples.append((sample.timestamp, samples.count, sample))
            }
        }
        samples.sort { $0.time == $1.time ? $0.order < $1.order : $0.time < $1.time }
        var encoder = SampleEncoder(options)
        for entry in samples { encoder.append(entry.sample) }
        return encoder.finish()
    }
}
