internal import MetricModel

/// A series on its way into a block.
struct BlockSeries {
    var labels: Labels
    /// By time, without overlaps.
    var chunks: [FullChunk]
}

/// The samples of a range of the head, or its late samples, in the form in which a block takes them.
///
/// What it reads does not change meanwhile: nothing is appended in order before the end of the range any more, and late
/// samples are taken as they were when the source was made.
struct HeadBlockSource {
    private let head: Head
    /// First and last millisecond, both included.
    let range: TimeInterval
    private let views: [HeadSeriesView]
    private let rules: ChunkRules
    private let isLate: Bool

    /// The samples in order from `range.minimumTime` to `range.maximumTime`: of all series, or of those given.
    init(_ head: Head, range: TimeInterval, of references: Set<UInt64>? = nil) throws(StoreError) {
        let view = HeadView(
            head, from: range.minimumTime, inOrderFrom: range.minimumTime, to: range.maximumTime)
        var views = try view.views([])
        if let references { views.removeAll { !references.contains($0.series.reference) } }
        for index in views.indices {
            views[index].late = []
            views[index].lateBuffer = []
        }
        self.init(head, range, views.filter { !$0.isEmpty }, isLate: false)
    }

    /// The late samples of that range.
    init(lateSamplesOf head: Head, range: TimeInterval) throws(StoreError) {
        let view = HeadView(
            head, from: range.minimumTime, inOrderFrom: range.minimumTime, to: range.maximumTime)
        var views = try view.views([])
        for index in views.indices { views[index].parts = [] }
        self.init(head, range, views.filter { !$0.isEmpty }, isLate: true)
    }

    private init(_ head: Head, _ range: TimeInterval, _ views: [HeadSeriesView], isLate: Bool) {
        self.head = head
        self.range = range
        self.views = views.sorted { $0.series.labels < $1.series.labels }
        self.isLate = isLate
        rules = head.rules
    }

    /// Whether there is nothing.
    var isEmpty: Bool { views.isEmpty }

    /// Number of series.
    var count: Int { views.count }

    /// All label names and values, sorted, each once.
    func symbols() -> [ByteString] {
        var found: Set<ByteString> = []
        for view in views {
            let packed = view.series.labels.packedBytes
            view.series.labels.forEachRange { name, value in
                found.insert(ByteString(packed[name]))
                found.insert(ByteString(packed[value]))
            }
        }
        return found.sorted()
    }

    /// Calls `body` with each series, by labels. Series whose samples were all deleted are left out.
    func forEach(_ body: (BlockSeries) throws(StoreError) -> Void) throws(StoreError) {
        for view in views {
            let chunks = try isLate ? lateChunks(view) : chunks(view)
            if !chunks.isEmpty { try body(BlockSeries(labels: view.series.labels, chunks: chunks)) }
        }
    }

    private func chunks(_ view: HeadSeriesView) throws(StoreError) -> [FullChunk] {
        let deleted = view.view.deletions[view.series.reference] ?? []
        var result: [FullChunk] = []
        for part in view.parts {
            let full: FullChunk
            let limit: Int
            switch part {
            case .memory(let memory, let visible):
                full = memory
                limit = visible
            case .mapped(let mapped, let visible):
                let chunk = try head.chunkFiles.read(mapped, of: view.series.reference, in: view.view.file(of: mapped))
                full = FullChunk(
                    minimumTime: mapped.minimumTime, maximumTime: mapped.maximumTime, chunk: chunk)
                limit = visible
            }
            let isWhole =
                full.minimumTime >= range.minimumTime && full.maximumTime <= range.maximumTime
                && limit >= full.chunk.sampleCount
            let isTouched = deleted.contains {
                $0.minimumTime <= full.maximumTime && $0.maximumTime >= full.minimumTime
            }
            if isWhole && !isTouched {
                result.append(full)
            } else {
                let samples = try HeadBlockSource.samples(full.chunk, view.series.labels)
                result += encode(Array(samples.prefix(limit)), deleted)
            }
        }
        return result
    }

    /// Late chunks overlap each other: their samples are put in order and coded anew.
    private func lateChunks(_ view: HeadSeriesView) throws(StoreError) -> [FullChunk] {
        var samples: [ChunkSample] = []
        for mapped in view.late {
            let chunk = try head.chunkFiles.read(mapped, of: view.series.reference, in: view.view.file(of: mapped))
            samples += try HeadBlockSource.samples(chunk, view.series.labels)
        }
        for sample in view.lateBuffer {
            switch sample.value {
            case .float(let value): samples.append(.float(sample.timestamp, value, start: sample.start))
            case .histogram(.integer(let histogram)):
                samples.append(.histogram(sample.timestamp, histogram, start: sample.start))
            case .histogram(.float(let histogram)):
                samples.append(.floatHistogram(sample.timestamp, histogram, start: sample.start))
            }
        }
        // Stable, so that of samples of one time the one that came first stays.
        let order = samples.indices.sorted {
            let left = samples[$0].timestamp
            let right = samples[$1].timestamp
            return left == right ? $0 < $1 : left < right
        }
        return encode(order.map { samples[$0] }, view.view.deletions[view.series.reference] ?? [])
    }

    private static func samples(_ chunk: Chunk, _ labels: Labels) throws(StoreError) -> [ChunkSample] {
        do throws(ChunkError) {
            return try chunk.withUnsafeBytes { (bytes) throws(ChunkError) in
                try ChunkDecoder.samples(chunk.encoding, bytes)
            }
        } catch {
            throw .corrupt(
                path: "head chunk of series \(labels)", offset: Int64(error.bit / 8), reason: error.description)
        }
    }

    /// Ascending samples as chunks, without what lies outside the range or was deleted.
    private func encode(_ samples: [ChunkSample], _ deleted: [TimeInterval]) -> [FullChunk] {
        let series = MemorySeries(reference: 0, labels: .empty)
        var rules = rules
        // What has start timestamps keeps them, whatever new chunks are like now.
        if samples.contains(where: { $0.start != 0 }) {
            rules.usesXOR2 = true
            rules.encodesHistogramStarts = true
        }
        for sample in samples {
            let time = sample.timestamp
            guard time > series.lastTimestamp, range.contains(time), !deleted.contains(where: { $0.contains(time) })
            else { continue }
            switch sample {
            case .float(_, let value, let start):
                // A marker behind a histogram is a histogram in the store already.
                _ = series.append(time, value, start: start, rules)
            case .histogram(_, let histogram, let start):
                _ = series.append(time, .integer(histogram), start: start, rules)
            case .floatHistogram(_, let histogram, let start):
                _ = series.append(time, .float(histogram), start: start, rules)
            }
        }
        series.closeChunk()
        return series.extra?.full ?? []
    }
}
