internal import CPrefetch

/// Series by a 64-bit key: open addressing, linear probing, no allocation for a look-up.
///
/// Keys may repeat; who looks up tells which series is meant. The table owns its series. Not thread-safe.
struct SeriesTable: ~Copyable {
    private struct Slot {
        var key: UInt64
        var series: Unmanaged<MemorySeries>?
    }

    // SAFETY: `slots` has `mask + 1` initialised elements, freed in deinit; each series in it is retained once.
    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    private(set) var count = 0

    init() {
        slots = SeriesTable.empty(1024)
        mask = 1023
    }

    deinit {
        for index in 0...mask { slots[index].series?.release() }
        slots.deallocate()
    }

    private static func empty(_ size: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: size)
        slots.initialize(repeating: Slot(key: 0, series: nil), count: size)
        return slots
    }

    /// The series of `key` for which `isWanted` holds. It stays alive while it is in the table.
    @inline(__always)
    func find(_ key: UInt64, _ isWanted: (MemorySeries) -> Bool) -> Unmanaged<MemorySeries>? {
        var index = Int(truncatingIfNeeded: key) & mask
        while let series = slots[index].series {
            if slots[index].key == key && series._withUnsafeGuaranteedRef(isWanted) { return series }
            index = (index &+ 1) & mask
        }
        return nil
    }

    /// Asks for the place where the search for `key` begins.
    @inline(__always)
    func prefetch(_ key: UInt64) { narthex_prefetch(slots + (Int(truncatingIfNeeded: key) & mask)) }

    /// What stands at the place where the search for `key` begins: in most cases its series.
    @inline(__always)
    func firstGuess(_ key: UInt64) -> Unmanaged<MemorySeries>? { slots[Int(truncatingIfNeeded: key) & mask].series }

    /// The series of a key in a table whose keys are references: no other has it, so that no series is looked at.
    @inline(__always)
    func find(reference: UInt64) -> Unmanaged<MemorySeries>? {
        var index = Int(truncatingIfNeeded: reference) & mask
        while let series = slots[index].series {
            if slots[index].key == reference { return series }
            index = (index &+ 1) & mask
        }
        return nil
    }

    /// The series whose reference has the low half `number`, in a table whose keys are references.
    @inline(__always)
    func find(number: UInt32) -> Unmanaged<MemorySeries>? {
        var index = Int(truncatingIfNeeded: number) & mask
        while let series = slots[index].series {
            if UInt32(truncatingIfNeeded: slots[index].key) == number { return series }
            index = (index &+ 1) & mask
        }
        return nil
    }

    /// Adds a series.
    mutating func insert(_ key: UInt64, _ series: MemorySeries) {
        if (count + 1) * 4 > (mask + 1) * 3 { grow() }
        place(key, Unmanaged.passRetained(series))
        count += 1
    }

    private mutating func place(_ key: UInt64, _ series: Unmanaged<MemorySeries>) {
        var index = Int(truncatingIfNeeded: key) & mask
        while slots[index].series != nil { index = (index &+ 1) & mask }
        slots[index] = Slot(key: key, series: series)
    }

    private mutating func grow() {
        let old = slots
        let oldSize = mask + 1
        slots = SeriesTable.empty(oldSize * 2)
        mask = oldSize * 2 - 1
        for index in 0..<oldSize {
            if let series = old[index].series { place(old[index].key, series) }
        }
        old.deallocate()
    }

    /// Removes a series, if it is there.
    mutating func remove(_ key: UInt64, _ series: MemorySeries) {
        var index = Int(truncatingIfNeeded: key) & mask
        while let found = slots[index].series {
            if slots[index].key == key && found.toOpaque() == Unmanaged.passUnretained(series).toOpaque() {
                found.release()
                closeGap(index)
                count -= 1
                return
            }
            index = (index &+ 1) & mask
        }
    }

    /// Moves later slots of the same run up, so that no search ends early.
    private mutating func closeGap(_ start: Int) {
        var gap = start
        var index = (gap &+ 1) & mask
        while let series = slots[index].series {
            let home = Int(truncatingIfNeeded: slots[index].key) & mask
            if (index &- home) & mask >= (index &- gap) & mask {
                slots[gap] = Slot(key: slots[index].key, series: series)
                gap = index
            }
            index = (index &+ 1) & mask
        }
        slots[gap] = Slot(key: 0, series: nil)
    }

    /// Calls `body` with each series.
    func forEach(_ body: (MemorySeries) -> Void) {
        for index in 0...mask {
            if let series = slots[index].series { body(series.takeUnretainedValue()) }
        }
    }
}
