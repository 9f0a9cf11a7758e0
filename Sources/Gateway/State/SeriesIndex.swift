internal import CPrefetch

/// From hashes of series to their slots: open addressing in many small tables, so that growing one of them never
/// takes long. Equal hashes are told apart by whoever asks.
struct SeriesIndex: Sendable {
    private struct Entry {
        /// The upper half of the hash.
        var tag: UInt32
        /// The slot, ``free`` or ``removed``.
        var slot: Int32
    }

    private struct Table {
        var entries: [Entry] = []
        /// Entries that are not ``free``.
        var used = 0
        /// Entries that hold a slot.
        var count = 0
    }

    private static let free: Int32 = -1
    private static let removed: Int32 = -2
    private static let tableBits: UInt64 = 8

    private var tables = [Table](repeating: Table(), count: 1 << SeriesIndex.tableBits)

    /// The first slot with `hash` for which `isEqual` holds.
    /// - Complexity: O(1) on average.
    func find(_ hash: UInt64, where isEqual: (Int32) -> Bool) -> Int32? {
        let table = tables[SeriesIndex.tableNumber(hash)]
        guard !table.entries.isEmpty else { return nil }
        let mask = table.entries.count &- 1
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var position = SeriesIndex.start(hash) & mask
        while table.entries[position].slot != SeriesIndex.free {
            let entry = table.entries[position]
            if entry.tag == tag, entry.slot >= 0, isEqual(entry.slot) { return entry.slot }
            position = (position &+ 1) & mask
        }
        return nil
    }

    /// Adds a slot under `hash`.
    /// - Complexity: O(1) amortised; a table that grows holds a 256th of all.
    mutating func insert(_ hash: UInt64, _ slot: Int32, hashOf: (Int32) -> UInt64) {
        let number = SeriesIndex.tableNumber(hash)
        if (tables[number].used + 1) * 4 > tables[number].entries.count * 3 { rebuild(number, hashOf) }
        SeriesIndex.place(hash, slot, in: &tables[number])
    }

    /// Begins to read the place of `hash`.
    func prefetch(_ hash: UInt64) {
        tables[SeriesIndex.tableNumber(hash)].entries.withUnsafeBufferPointer { entries in
            // An address is only a hint.
            if let base = entries.baseAddress {
                narthex_prefetch(base + (SeriesIndex.start(hash) & (entries.count - 1)))
            }
        }
    }

    /// Removes a slot from under `hash`.
    mutating func remove(_ hash: UInt64, _ slot: Int32) {
        let number = SeriesIndex.tableNumber(hash)
        let mask = tables[number].entries.count - 1
        guard mask >= 0 else { return }
        var position = SeriesIndex.start(hash) & mask
        while tables[number].entries[position].slot != SeriesIndex.free {
            if tables[number].entries[position].slot == slot {
                let isLastOfRun = tables[number].entries[(position + 1) & mask].slot == SeriesIndex.free
                tables[number].entries[position].slot = isLastOfRun ? SeriesIndex.free : SeriesIndex.removed
                if isLastOfRun { tables[number].used -= 1 }
                tables[number].count -= 1
                return
            }
            position = (position + 1) & mask
        }
    }

    private mutating func rebuild(_ number: Int, _ hashOf: (Int32) -> UInt64) {
        let old = tables[number].entries
        // Twice what is held, so that removals are not followed by a rebuild at each insertion.
        var capacity = 8
        while capacity < (tables[number].count + 1) * 2 { capacity *= 2 }
        tables[number] = Table(
            entries: [Entry](repeating: Entry(tag: 0, slot: SeriesIndex.free), count: capacity), used: 0, count: 0)
        for entry in old where entry.slot >= 0 {
            SeriesIndex.place(hashOf(entry.slot), entry.slot, in: &tables[number])
        }
    }

    private static func place(_ hash: UInt64, _ slot: Int32, in table: inout Table) {
        let mask = table.entries.count &- 1
        var position = start(hash) & mask
        while table.entries[position].slot >= 0 { position = (position &+ 1) & mask }
        if table.entries[position].slot == free { table.used += 1 }
        table.count += 1
        table.entries[position] = Entry(tag: UInt32(truncatingIfNeeded: hash >> 32), slot: slot)
    }

    private static func tableNumber(_ hash: UInt64) -> Int { Int(hash & ((1 << tableBits) &- 1)) }
    private static func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: (hash >> tableBits) & 0xFFFF_FFFF) }
}
