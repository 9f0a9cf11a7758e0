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

    /// The series in `slot`, which must be one of this family's.
    func series(_ slot: Int32, _ slots: SlotTable) -> PackedSeries? {
        let number = slots[slot].chunk
        guard number != SlotTable.noChunk else { return nil }
        let chunk = entries[Int(slots.chunkPositions[Int(number)])].chunk
        return chunk.position(of: slot).map { chunk.series[$0] }
    }

    /// Puts `series` in place of what has the same labels.
    mutating func replace(_ slot: Int32, with series: PackedSeries, _ slots: SlotTable) {
        let index = Int(slots.chunkPositions[Int(slots[slot].chunk)])
        makeUnique(index)
        let chunk = entries[index].chunk
        if let position = chunk.position(of: slot) { chunk.replace(at: position, with: series) }
    }

    /// Adds `series`, whose labels no other has.
    /// - Complexity: O(log n) comparisons; now and then O(n / 64) when a chunk is split.
    mutating func insert(_ series: PackedSeries, _ slot: Int32, _ slots: inout SlotTable) {
        count += 1
        guard !entries.isEmpty else {
            let number = slots.allocateChunk(position: 0)
            entries.append(Entry(number: number, chunk: SeriesChunk(series: [series], slots: [slot])))
            slots[slot].chunk = number
            return
        }
        let index = chunkIndex(for: series)
        makeUnique(index)
        let chunk = entries[index].chunk
        let position = SortedSeries.insertionPoint(of: series, in: chunk.series)
        chunk.insert(series, slot, at: position)
        slots[slot].chunk = entries[index].number
        if chunk.series.count > SeriesChunk.maximumCount { split(index, insertedAt: position, &slots) }
    }

    /// Removes a series.
    mutating func remove(_ slot: Int32, _ slots: inout SlotTable) {
        count -= 1
        let index = Int(slots.chunkPositions[Int(slots[slot].chunk)])
        makeUnique(index)
        let chunk = entries[index].chunk
        if let position = chunk.position(of: slot) { chunk.remove(at: position) }
        slots[slot].chunk = SlotTable.noChunk
        if chunk.series.isEmpty {
            drop(index, &slots)
        } else if chunk.series.count < SeriesChunk.maximumCount / 4 {
            mergeWithNext(index, &slots)
        }
    }

    private mutating func makeUnique(_ index: Int) {
        if !isKnownUniquelyReferenced(&entries[index].chunk) {
            entries[index].chunk = SeriesChunk(copying: entries[index].chunk)
        }
    }

    /// The last chunk whose first series is not greater, or the first chunk.
    private func chunkIndex(for series: PackedSeries) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if let first = entries[middle].chunk.series.first, PackedSeries.compare(first, series) <= 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return max(0, low - 1)
    }

    private static func insertionPoint(of series: PackedSeries, in sorted: [PackedSeries]) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if PackedSeries.compare(sorted[middle], series) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func split(_ index: Int, insertedAt position: Int, _ slots: inout SlotTable) {
        let chunk = entries[index].chunk
        // Series that come in order leave full chunks behind.
        let isAppending = position == chunk.series.count - 1
        let tail = chunk.split(at: isAppending ? chunk.series.count - 1 : chunk.series.count / 2)
        let number = slots.allocateChunk(position: index + 1)
        entries.insert(Entry(number: number, chunk: tail), at: index + 1)
        renumber(from: index + 1, &slots)
        for slot in tail.slots { slots[slot].chunk = number }
    }

    private mutating func drop(_ index: Int, _ slots: inout SlotTable) {
        slots.releaseChunk(entries[index].number)
        entries.remove(at: index)
        renumber(from: index, &slots)
    }

    private mutating func mergeWithNext(_ index: Int, _ slots: inout SlotTable) {
        guard index + 1 < entries.count else { return }
        let next = entries[index + 1].chunk
        guard entries[index].chunk.series.count + next.series.count <= SeriesChunk.maximumCount / 2 else { return }
        entries[index].chunk.append(contentsOf: next)
        for slot in next.slots { slots[slot].chunk = entries[index].number }
        drop(index + 1, &slots)
    }

    private func renumber(from index: Int, _ slots: inout SlotTable) {
        var position = index
        while position < entries.count {
            slots.chunkPositions[Int(entries[position].number)] = Int32(truncatingIfNeeded: position)
            position += 1
        }
    }
}
