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
    func series(_ slot: Int32, inChunkAt index: Int32) -> PackedSeries? {
        let chunk = entries[Int(index)].chunk
        return chunk.position(of: slot).map { chunk.series[$0] }
    }

    /// Where in its chunk the series in `slot` stands, if it has the labels of `series`; nil if it does not.
    func position(of slot: Int32, inChunkAt index: Int32, like series: PackedSeries) -> Int? {
        let chunk = entries[Int(index)].chunk
        guard let position = chunk.position(of: slot), chunk.series[position].hasSameKey(as: series) else { return nil }
        return position
    }

    /// Puts `series` in place of what has the same labels.
    /// - Parameter hint: Where in the chunk it stood when somebody looked last.
    /// - Returns: The first byte of the old one: its type and flags.
    mutating func replace(
        _ slot: Int32, inChunkAt index: Int32, hint: Int, with series: PackedSeries
    ) -> UInt8 {
        makeUnique(Int(index))
        let chunk = entries[Int(index)].chunk
        guard let position = chunk.position(of: slot, hint: hint) else { return series.head }
        return chunk.replace(at: position, with: series)
    }

    /// Sets the number of a series that is a gauge.
    mutating func setGauge(_ slot: Int32, inChunkAt index: Int32, _ value: Double) {
        makeUnique(Int(index))
        let chunk = entries[Int(index)].chunk
        if let position = chunk.position(of: slot) { chunk.setGauge(at: position, value) }
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
