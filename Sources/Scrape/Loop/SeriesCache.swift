internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif

/// From the bytes of an exposition's lines to what was made of them last time.
///
/// The bytes of all keys lie in one arena, the entries in one table; the order of the last scrape is kept, so that an
/// unchanged exposition is recognised line by line with one comparison each, without hashing.
final class SeriesCache {
    /// What is known of a line.
    struct Entry {
        var hash: UInt64
        /// Where the key lies in the arena.
        var offset: Int
        var length: Int
        /// Of the store's series; 0 for none.
        var reference: UInt64
        /// The iterations that saw the line, and that stored a sample whose absence counts as the series' end.
        var seen: UInt32
        var tracked: UInt32
        /// Of metadata lines, the family in the metadata store.
        var family: Int32
        var kind: Kind
        /// Where the line stood in the last scrape that saw it.
        var position: Int32
        /// The metric type in force where the line stood (`MetricType.rawValue`).
        var type: UInt8
    }

    enum Kind: UInt8 {
        case sample, dropped, metadata, report
        /// Not in the last successful scrape; its key is as good as unknown.
        case dead
    }

    // SAFETY: both buffers belong to this object alone, which one task uses at a time; indices come from `insert`.
    private(set) var entries: UnsafeMutablePointer<Entry>
    private(set) var arena: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity = 64
    private var arenaCount = 0
    private var arenaCapacity = 4096
    private var slots: [Int32] = []
    private var dead = 0
    private var reports = 0
    /// How many lines this iteration saw, each counted once.
    private var seenCount = 0

    /// The current iteration; the first is 1.
    private(set) var iteration: UInt32 = 1
    /// The entries in the order of the last scrape.
    private(set) var order: [Int32] = []
    var nextOrder: [Int32] = []
    private var previouslyTracked: [Int32] = []
    var tracked: [Int32] = []
    private var successfulCount = 0

    init() {
        entries = .allocate(capacity: 64)
        arena = .allocate(capacity: 4096)
    }

    deinit {
        entries.deallocate()
        arena.deallocate()
    }

    /// The entry of `key`, if it lives.
    func find(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if entries[index].hash == hash, entries[index].kind != .dead, entries[index].length == key.count,
                let base = key.baseAddress, memcmp(arena + entries[index].offset, base, key.count) == 0
            {
                return index
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// Adds `key`, which is not there.
    func insert(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64, kind: Kind, type: UInt8) -> Int {
        if count == capacity { growEntries() }
        if arenaCount + key.count > arenaCapacity { growArena(key.count) }
        if let source = key.baseAddress { (arena + arenaCount).update(from: source, count: key.count) }
        (entries + count).initialize(
            to: Entry(
                hash: hash, offset: arenaCount, length: key.count, reference: 0, seen: 0, tracked: 0, family: -1,
                kind: kind, position: -1, type: type))
        arenaCount += key.count
        count += 1
        if kind == .report { reports += 1 }
        if slots.count < count * 2 { rebuildSlots() } else { place(count - 1) }
        return count - 1
    }

    /// Notes that this iteration saw entry `index`.
    /// - Returns: whether it had before.
    @inline(__always)
    func see(_ index: Int) -> Bool {
        if entries[index].seen == iteration { return true }
        entries[index].seen = iteration
        seenCount &+= 1
        return false
    }

    /// Notes that entry `index` is the next line of this scrape.
    /// - Returns: whether this iteration had seen it before.
    @inline(__always)
    func appear(_ index: Int) -> Bool {
        entries[index].position = Int32(truncatingIfNeeded: nextOrder.count)
        nextOrder.append(Int32(truncatingIfNeeded: index))
        return see(index)
    }

    /// Forgets what this iteration stored, since it is rolled back: all series of the last one have then ended.
    func forgetTracked() {
        for index in tracked { entries[Int(index)].tracked = 0 }
        tracked.removeAll(keepingCapacity: true)
    }

    /// The bytes of the key of entry `index`.
    func key(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: arena + entries[index].offset, count: entries[index].length)
    }

    /// The references of series that the last iteration stored and this one did not; those that this one stored under
    /// another key are not among them.
    func forEachStale(_ body: (Int) -> Void) {
        var current: Set<UInt64>?
        for index in previouslyTracked {
            let index = Int(index)
            let entry = entries[index]
            if entry.tracked == iteration || entry.reference == 0 { continue }
            if current == nil { current = Set(tracked.map { entries[Int($0)].reference }) }
            if let current, current.contains(entry.reference) { continue }
            body(index)
        }
    }

    /// Ends the iteration. After a success, what it did not see is forgotten; after a failure, only if the cache has
    /// grown a lot, as it would with a target whose labels change while its scrapes fail.
    /// - Returns: whether forgetting was forced by growth.
    func endIteration(isSuccess: Bool) -> Bool {
        let living = count - dead
        var forgets = isSuccess
        var isForced = false
        if isSuccess {
            successfulCount = living
        } else if living > successfulCount * 2 + 1000 {
            forgets = true
            isForced = true
        }
        if forgets {
            if isSuccess { swap(&order, &nextOrder) } else { order.removeAll(keepingCapacity: true) }
            if seenCount < living - reports || isForced { forgetUnseen() }
        }
        nextOrder.removeAll(keepingCapacity: true)
        seenCount = 0
        swap(&previouslyTracked, &tracked)
        tracked.removeAll(keepingCapacity: true)
        if dead > max(1000, (count - dead) / 2) { compact() }
        iteration &+= 1
        return isForced
    }

    private func forgetUnseen() {
        for index in 0..<count
        where entries[index].seen != iteration && entries[index].kind != .report && entries[index].kind != .dead {
            entries[index].kind = .dead
            dead += 1
        }
    }

    /// Drops the dead and closes the gaps.
    private func compact() {
        var map = [Int32](repeating: -1, count: count)
        var keep: [Int] = []
        for index in 0..<count where entries[index].kind != .dead {
            map[index] = Int32(truncatingIfNeeded: keep.count)
            keep.append(index)
        }
        let oldEntries = entries
        let oldArena = arena
        capacity = max(64, keep.count * 2)
        arenaCapacity = max(4096, keep.reduce(0) { $0 + oldEntries[$1].length } * 5 / 4)
        entries = .allocate(capacity: capacity)
        arena = .allocate(capacity: arenaCapacity)
        arenaCount = 0
        count = 0
        dead = 0
        for index in keep {
            var entry = oldEntries[index]
            (arena + arenaCount).update(from: oldArena + entry.offset, count: entry.length)
            entry.offset = arenaCount
            arenaCount += entry.length
            (entries + count).initialize(to: entry)
            count += 1
        }
        oldEntries.deallocate()
        oldArena.deallocate()
        order = order.compactMap { map[Int($0)] >= 0 ? map[Int($0)] : nil }
        previouslyTracked = previouslyTracked.compactMap { map[Int($0)] >= 0 ? map[Int($0)] : nil }
        rebuildSlots()
    }

    private func growEntries() {
        let old = entries
        capacity *= 2
        entries = .allocate(capacity: capacity)
        entries.moveInitialize(from: old, count: count)
        old.deallocate()
    }

    private func growArena(_ additional: Int) {
        let old = arena
        arenaCapacity = max(arenaCapacity * 2, arenaCount + additional)
        arena = .allocate(capacity: arenaCapacity)
        arena.update(from: old, count: arenaCount)
        old.deallocate()
    }

    private func rebuildSlots() {
        var size = 128
        while size < count * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        for index in 0..<count { place(index) }
    }

    private func place(_ index: Int) {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: entries[index].hash) & mask
        while slots[slot] >= 0 { slot = (slot &+ 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: index)
    }
}
