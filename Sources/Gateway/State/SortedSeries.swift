/// All series of a family in upstream's order, in chunks: each change touches one or two of them, and a copy of the
/// list (for a scrape) shares all.
struct SortedSeries: Sendable {
    struct Entry: Sendable {
        /// The chunk's number in ``SlotTable``.
        let number: Int32
        var chunk: SeriesChunk
    }

    private(set) var entries: [Entry] = []
    private(set) var count = 0

    /// The series in `slot` of the chunk that stands at `index` of the list.
    func series(_ slot: Int32, inChunkAt index: Int32, hint: Int) -> PackedSeries? {
        let chunk = entries[Int(index)].chunk
        return chunk.position(of: slot, hint: hint).map { chunk.series(at: $0) }
    }

    /// Where in its chunk the series in `slot` stands, if it has the labels of `series`; nil if it does not.
    /// - Parameter hint: Where in the chunk it stood when somebody looked last.
    func position(of slot: Int32, inChunkAt index: Int32, hint: Int, like series: PackedSeries) -> Int? {
        let chunk = entries[Int(index)].chunk
        guard let position = chunk.position(of: slot, hint: hint), chunk.hasSameKey(at: position, as: series) else {
            return nil
        }
        return position
    }

    /// Puts `series` in place of what has the same labels.
    /// - Parameter hint: Where in the chunk it stood when somebody looked last.
    /// - Returns: The first byte of the old one: its type and flags.
    mutating func replace(
        _ slot: Int32, inChunkAt index: Int32, hint: Int, with series: PackedSeries, _ slots: inout SlotTable
    ) -> UInt8 {
        makeUnique(Int(index), &slots)
        let chunk = entries[Int(index)].chunk
        guard let position = chunk.position(of: slot, hint: hint) else { return series.head }
        return chunk.replace(at: position, with: series)
    }

    /// Sets the number of a series that is a gauge.
    /// - Returns: Where in the chunk it stands.
    mutating func setGauge(
        _ slot: Int32, inChunkAt index: Int32, hint: Int, _ value: Double, _ slots: inout SlotTable
    ) -> Int {
        makeUnique(Int(index), &slots)
        let chunk = entries[Int(index)].chunk
        guard let position = chunk.position(of: slot, hint: hint) else { return hint }
        chunk.setGauge(at: position, value)
        return position
    }

    /// The chunk that stands at `index` of the list, to be changed: no scrape has it, nor anything encoded of it.
    mutating func writable(_ index: Int32, _ slots: inout SlotTable) -> Unmanaged<SeriesChunk> {
        makeUnique(Int(index), &slots)
        entries[Int(index)].chunk.forgetEncodings()
        return .passUnretained(entries[Int(index)].chunk)
    }

    /// Adds `series`, whose labels no other has.
    /// - Complexity: O(log n) comparisons; now and then O(n / 64) when a chunk is split.
    mutating func insert(_ series: PackedSeries, _ slot: Int32, _ slots: inout SlotTable) {
        count += 1
        guard !entries.isEmpty else {
            let chunk = SeriesChunk(series, slot)
            let number = slots.allocateChunk(chunk, position: 0)
            entries.append(Entry(number: number, chunk: chunk))
            slots[slot].place = ChunkPlace(chunk: number, hint: 0)
            return
        }
        let index = chunkIndex(for: series)
        makeUnique(index, &slots)
        let chunk = entries[index].chunk
        let position = SortedSeries.insertionPoint(of: series, in: chunk)
        chunk.insert(series, slot, at: position)
        slots[slot].place = ChunkPlace(chunk: entries[index].number, hint: position)
        if chunk.isOverfull { split(index, insertedAt: position, &slots) }
    }

    /// Removes a series.
    mutating func remove(_ slot: Int32, _ slots: inout SlotTable) {
        count -= 1
        let place = slots[slot].place
        let index = Int(slots.position(of: place))
        makeUnique(index, &slots)
        let chunk = entries[index].chunk
        if let position = chunk.position(of: slot, hint: place.hint) { chunk.remove(at: position) }
        slots[slot].place = .none
        if chunk.count == 0 {
            drop(index, &slots)
        } else if chunk.count < SeriesChunk.maximumCount / 4 {
            mergeWithNext(index, &slots)
        }
    }

    /// Notes that a series goes with the next ``removeMarked(in:_:)``; until then only other series may be marked.
    /// - Returns: The first byte of the series, and whether it is the first of its chunk that goes; nil if it is not there.
    mutating func mark(
        _ slot: Int32, inChunkAt index: Int32, hint: Int, _ slots: inout SlotTable
    ) -> (head: UInt8, isFirst: Bool)? {
        let isFirst = entries[Int(index)].chunk.markedCount == 0
        if isFirst { _ = writable(index, &slots) }
        let chunk = entries[Int(index)].chunk
        return chunk.position(of: slot, hint: hint).map { (chunk.mark(at: $0), isFirst) }
    }

    /// Removes all series that were marked.
    /// - Parameter numbers: The chunks that have such, each once.
    /// - Complexity: O(series in these chunks), and O(chunks behind the first that is left without series).
    mutating func removeMarked(in numbers: [Int32], _ slots: inout SlotTable) {
        var kept: [Int32] = []
        var empty: [Int] = []
        for number in numbers {
            let index = Int(slots.position(ofChunk: number))
            count -= entries[index].chunk.removeMarked()
            if entries[index].chunk.count == 0 { empty.append(index) } else { kept.append(number) }
        }
        empty.sort(by: >)
        for index in empty { slots.releaseChunk(entries[index].number) }
        // Mostly they stand side by side, and go at once.
        var next = 0
        while next < empty.count {
            let last = empty[next]
            while next + 1 < empty.count, empty[next + 1] == empty[next] - 1 { next += 1 }
            entries.removeSubrange(empty[next]...last)
            next += 1
        }
        if let lowest = empty.last { renumber(from: lowest, &slots) }
        for number in kept {
            // It may have been merged into the one before.
            let index = Int(slots.position(ofChunk: number))
            guard index < entries.count, entries[index].number == number else { continue }
            if entries[index].chunk.count < SeriesChunk.maximumCount / 4 { mergeWithNext(index, &slots) }
        }
    }

    private mutating func makeUnique(_ index: Int, _ slots: inout SlotTable) {
        if !isKnownUniquelyReferenced(&entries[index].chunk) {
            let copy = SeriesChunk(copying: entries[index].chunk)
            entries[index].chunk = copy
            slots.replace(chunk: entries[index].number, with: copy)
        }
    }

    /// The last chunk whose first series is not greater, or the first chunk.
    private func chunkIndex(for series: PackedSeries) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].chunk.compare(series, at: 0) >= 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return max(0, low - 1)
    }

    private static func insertionPoint(of series: PackedSeries, in chunk: SeriesChunk) -> Int {
        var low = 0
        var high = chunk.count
        while low < high {
            let middle = (low + high) / 2
            if chunk.compare(series, at: middle) > 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ index: Int, insertedAt position: Int, _ slots: inout SlotTable) {
        let chunk = entries[index].chunk
        // Series that come in order leave full chunks behind.
        let isAppending = position == chunk.count - 1
        let tail = chunk.split(at: isAppending ? chunk.count - 1 : chunk.count / 2)
        let number = slots.allocateChunk(tail, position: index + 1)
        entries.insert(Entry(number: number, chunk: tail), at: index + 1)
        renumber(from: index + 1, &slots)
        SortedSeries.assign(tail, number, &slots)
    }

    private static func assign(_ chunk: SeriesChunk, _ number: Int32, _ slots: inout SlotTable) {
        for position in 0..<chunk.count {
            slots[chunk.slot(at: position)].place = ChunkPlace(chunk: number, hint: position)
        }
    }

    private mutating func drop(_ index: Int, _ slots: inout SlotTable) {
        slots.releaseChunk(entries[index].number)
        entries.remove(at: index)
        renumber(from: index, &slots)
    }

    private mutating func mergeWithNext(_ index: Int, _ slots: inout SlotTable) {
        guard index + 1 < entries.count else { return }
        let next = entries[index + 1].chunk
        guard entries[index].chunk.canTake(next) else { return }
        entries[index].chunk.append(contentsOf: next)
        SortedSeries.assign(entries[index].chunk, entries[index].number, &slots)
        drop(index + 1, &slots)
    }

    private func renumber(from index: Int, _ slots: inout SlotTable) {
        var position = index
        while position < entries.count {
            slots.move(chunk: entries[position].number, to: position)
            position += 1
        }
    }
}
