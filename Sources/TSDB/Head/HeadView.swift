internal import Dispatch
internal import Matching
internal import MetricModel
internal import Synchronization

/// The head as one reader sees it: commits up to its snapshot, deletions as they were, files kept open.
final class HeadView: Sendable {
    let head: Head
    let snapshot: UInt64
    /// Samples outside are not shown.
    let start: Timestamp
    /// Samples in order before it are in blocks.
    let inOrderStart: Timestamp
    let end: Timestamp
    let deletions: [UInt64: [TimeInterval]]
    /// Whether there are any: asked for each series, by all cores.
    let hasDeletions: Bool
    let openFiles: [Int: HeadChunkFiles.Reader]

    /// - Parameter snapshot: Of a reader that is open, to see what that sees; nil to see the commits up to now.
    init(
        _ head: Head, from start: Timestamp, inOrderFrom inOrderStart: Timestamp, to end: Timestamp,
        at snapshot: UInt64? = nil
    ) {
        self.head = head
        self.start = start
        self.inOrderStart = inOrderStart
        self.end = end
        self.snapshot = head.isolation.openReader(beside: snapshot)
        deletions = head.deletions.all
        hasDeletions = !deletions.isEmpty
        openFiles = head.chunkFiles.openFiles
    }

    /// The file of a chunk, if it was there when the view was made.
    func file(of chunk: MappedChunk) -> HeadChunkFiles.OpenFile? {
        openFiles[chunk.fileNumber].map { HeadChunkFiles.OpenFile(number: chunk.fileNumber, reader: $0) }
    }

    /// The series by their labels.
    var index: HeadIndex { HeadIndex(head: head) }

    /// Whether any sample of the head lies between the view's first and last millisecond, as far as the head's own
    /// range tells.
    var overlapsHead: Bool {
        let first = min(head.minimumTime.load(ordering: .relaxed), head.lateMinimumTime.load(ordering: .relaxed))
        let last = max(head.maximumTime.load(ordering: .relaxed), head.lateMaximumTime.load(ordering: .relaxed))
        return start <= end && first <= end && last >= start
    }

    deinit { head.isolation.closeReader(snapshot) }

    /// Series that one core looks at in one go: waking another, and two of them noting that they use the same objects,
    /// takes longer than to do fewer.
    private static let share = 4096

    /// The series that fulfil `matchers` and may have samples in the range, sorted by labels.
    func select(_ matchers: [Matcher]) throws(StoreError) -> [SelectedSeries] {
        let series = try sortedSeries(matchers)
        if series.count < 2 * Self.share { return selected(series[...]) }
        let parts = Mutex([[SelectedSeries]](repeating: [], count: (series.count + Self.share - 1) / Self.share))
        let count = parts.withLock { $0.count }
        DispatchQueue.concurrentPerform(iterations: count) { number in
            let start = number * Self.share
            let part = selected(series[start..<min(series.count, start + Self.share)])
            parts.withLock { $0[number] = part }
        }
        return parts.withLock { Array($0.joined()) }
    }

    private func selected(_ series: ArraySlice<MemorySeries>) -> [SelectedSeries] {
        var selected: [SelectedSeries] = []
        selected.reserveCapacity(series.count)
        for one in series {
            if let view = capture(one) { selected.append(SelectedSeries(view)) }
        }
        return selected
    }

    /// The labels of the series that ``select(_:)`` gives.
    func labels(_ matchers: [Matcher]) throws(StoreError) -> [Labels] {
        try sortedSeries(matchers).compactMap { capture($0) == nil ? nil : $0.labels }
    }

    private func sortedSeries(_ matchers: [Matcher]) throws(StoreError) -> [MemorySeries] {
        try head.postings.selections.series(matchers) { () throws(StoreError) -> [MemorySeries] in
            let found = head.series.series(numbers: try index.select(matchers))
            return Labels.order(of: found.map(\.labels)).map { found[Int($0)] }
        }
    }

    /// The same as they lie in the head.
    func views(_ matchers: [Matcher]) throws(StoreError) -> [HeadSeriesView] {
        try head.series.series(numbers: index.select(matchers)).compactMap { capture($0) }
    }

    /// What of a series lies in the range, as it is now for this reader.
    private func capture(_ series: MemorySeries) -> HeadSeriesView? {
        let view: HeadSeriesView? = series.lock.withLock { _ in
            var view = HeadSeriesView(series: series, view: self)
            var hidden = series.hiddenSamples(after: snapshot)
            // From the newest chunk back, as hidden samples are the newest ones.
            if series.isOpen, series.openMinimumTime <= end, series.lastTimestamp >= inOrderStart || hidden > 0,
                let chunk = series.openChunk
            {
                let count = chunk.sampleCount
                if count > hidden, series.lastTimestamp >= inOrderStart {
                    let open = FullChunk(
                        minimumTime: series.openMinimumTime, maximumTime: series.lastTimestamp, chunk: chunk)
                    view.add(.memory(open, limit: count - hidden))
                }
                hidden = max(0, hidden - count)
            } else if series.isOpen, hidden > 0, let chunk = series.openChunk {
                hidden = max(0, hidden - chunk.sampleCount)
            }
            if let full = series.extra?.full, !full.isEmpty { hidden = captureFull(full, hidden, into: &view) }
            if let mapped = series.mapped.last, mapped.maximumTime >= inOrderStart || hidden > 0 {
                captureMapped(series.mapped, hidden, into: &view)
            }
            view.reverseParts()
            if let late = series.extra?.outOfOrder {
                view.late = late.mapped.filter { $0.minimumTime <= end && $0.maximumTime >= start }
                view.lateBuffer = late.buffer.filter { $0.timestamp >= start && $0.timestamp <= end }
            }
            return view.isEmpty ? nil : view
        }
        return view
    }

    /// Adds the full chunks in memory that lie in the range, newest first.
    /// - Returns: How many of the samples before them are hidden.
    private func captureFull(_ chunks: [FullChunk], _ hidden: Int, into view: inout HeadSeriesView) -> Int {
        var hidden = hidden
        for full in chunks.reversed() {
            let count = full.chunk.sampleCount
            if count > hidden, full.minimumTime <= end, full.maximumTime >= inOrderStart {
                view.add(.memory(full, limit: count - hidden))
            }
            hidden = max(0, hidden - count)
        }
        return hidden
    }

    /// Adds the chunks in files that lie in the range, newest first.
    private func captureMapped(_ chunks: [MappedChunk], _ hidden: Int, into view: inout HeadSeriesView) {
        var hidden = hidden
        for mapped in chunks.reversed() {
            if mapped.maximumTime < inOrderStart && hidden == 0 { break }
            let count = Int(mapped.sampleCount)
            if count > hidden, mapped.minimumTime <= end, mapped.maximumTime >= inOrderStart {
                view.add(.mapped(mapped, limit: count - hidden))
            }
            hidden = max(0, hidden - count)
        }
    }
}

/// A series of the head as one reader sees it.
struct HeadSeriesView: Sendable {
    enum Part: Sendable {
        case memory(FullChunk, limit: Int)
        case mapped(MappedChunk, limit: Int)
    }

    let series: MemorySeries
    let view: HeadView
    // Queries of a moment reach into one chunk of each series, which then needs no list.
    private var firstPart: Part?
    private var otherParts: [Part] = []
    /// Late chunks, which may overlap anything.
    var late: [MappedChunk] = []
    var lateBuffer: [LateSample] = []

    init(series: MemorySeries, view: HeadView) {
        self.series = series
        self.view = view
    }

    /// By time.
    var parts: [Part] {
        get { (firstPart.map { [$0] } ?? []) + otherParts }
        set {
            firstPart = newValue.first
            otherParts = Array(newValue.dropFirst())
        }
    }

    /// How many ``parts`` there are.
    var partCount: Int { firstPart == nil ? 0 : 1 + otherParts.count }

    /// Adds a part at the end of ``parts``.
    fileprivate mutating func add(_ part: Part) {
        if firstPart == nil { firstPart = part } else { otherParts.append(part) }
    }

    fileprivate mutating func reverseParts() {
        guard let first = firstPart, let last = otherParts.popLast() else { return }
        otherParts.reverse()
        otherParts.append(first)
        firstPart = last
    }

    var isEmpty: Bool { firstPart == nil && late.isEmpty && lateBuffer.isEmpty }

    /// Appends the samples of the range, each time once; where an in-order and a late sample have the same time, the
    /// one in order.
    /// - Parameter goesOn: Asked after some chunks each; when it gives false, nothing more is read.
    func read(into columns: inout SampleColumns, while goesOn: () -> Bool = { true }) throws(StoreError) {
        let base = columns.count
        var file: HeadChunkFiles.OpenFile?
        if let firstPart { try read(firstPart, &file, into: &columns) }
        for (index, part) in otherParts.enumerated() {
            if (index + 1) % SelectedSeries.chunksInTurn == 0, !goesOn() { break }
            try read(part, &file, into: &columns)
        }
        columns.clip(from: base, to: view.inOrderStart...max(view.inOrderStart, view.end))
        if !late.isEmpty || !lateBuffer.isEmpty { try mergeLate(into: &columns, base) }
        if view.hasDeletions, let deleted = view.deletions[series.reference] { columns.remove(deleted, from: base) }
    }

    /// - Parameter file: That of the chunk read before, which most often holds the next one, too.
    private func read(
        _ part: Part, _ file: inout HeadChunkFiles.OpenFile?, into columns: inout SampleColumns
    ) throws(StoreError) {
        switch part {
        case .memory(let full, let limit): try decode(full.chunk, limit, into: &columns)
        case .mapped(let mapped, let limit): try decode(mapped, limit, &file, into: &columns)
        }
    }

    private func decode(
        _ mapped: MappedChunk, _ limit: Int, _ file: inout HeadChunkFiles.OpenFile?, into columns: inout SampleColumns
    ) throws(StoreError) {
        if file?.number != mapped.fileNumber { file = view.file(of: mapped) }
        var failure: ChunkError?
        try view.head.chunkFiles.withChunk(mapped, of: series.reference, in: file) { encoding, bytes in
            do throws(ChunkError) {
                try ChunkDecoder.decode(encoding, bytes, into: &columns, limit: limit)
            } catch {
                failure = error
            }
        }
        if let failure { throw corrupt(failure) }
    }

    private func corrupt(_ error: ChunkError) -> StoreError {
        .corrupt(path: "head chunk of series \(series.labels)", offset: Int64(error.bit / 8), reason: error.description)
    }

    private func decode(_ chunk: Chunk, _ limit: Int, into columns: inout SampleColumns) throws(StoreError) {
        do throws(ChunkError) { try chunk.decode(into: &columns, limit: limit) } catch { throw corrupt(error) }
    }

    private func mergeLate(into columns: inout SampleColumns, _ base: Int) throws(StoreError) {
        var merged = columns.split(from: base)
        for chunk in late {
            var one = SampleColumns()
            var file: HeadChunkFiles.OpenFile?
            try decode(chunk, .max, &file, into: &one)
            one.clip(from: 0, to: view.start...max(view.start, view.end))
            merged = SampleColumns.merging(merged, one)
        }
        var buffered = SampleColumns()
        for sample in lateBuffer {
            switch sample.value {
            case .float(let value): buffered.append(sample.timestamp, value)
            case .histogram(.integer(let histogram)):
                buffered.append(sample.timestamp, histogram.float, hasIntegerCounts: true)
            case .histogram(.float(let histogram)): buffered.append(sample.timestamp, histogram)
            }
        }
        if lateBuffer.contains(where: { $0.start != 0 }) { buffered.startTimestamps = lateBuffer.map(\.start) }
        merged = SampleColumns.merging(merged, buffered)
        columns.append(merged)
    }
}
