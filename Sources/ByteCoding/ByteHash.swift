/// A fast hash of bytes for tables in memory. Its seed changes with each process, so that nobody can prepare texts
/// that all fall into one slot; it is never written down.
package enum ByteHash {
    private static let seed = UInt64.random(in: .min ... .max)

    /// The hash of `bytes`.
    /// - Complexity: O(n), 16 bytes a multiplication; no allocation.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        var state = seed ^ UInt64(truncatingIfNeeded: count)
        var offset = 0
        // SAFETY: each load lies before `count`, as the condition before it says.
        while offset &+ 16 <= count {
            let first = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let second = bytes.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
            state = mix(first ^ 0xA076_1D64_78BD_642F, second ^ state)
            offset &+= 16
        }
        if offset &+ 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = mix(word ^ 0xE703_7ED1_A0B4_28DB, state)
            offset &+= 8
        }
        if offset < count {
            var word: UInt64 = 0
            while offset < count {
                word = word << 8 | UInt64(bytes[offset])
                offset &+= 1
            }
            state = mix(word ^ 0x8EBC_6AF0_9C88_C6E3, state)
        }
        return mix(state ^ 0x5899_65CC_7537_4CC3, seed | 1)
    }

    /// The hash of `bytes`.
    package static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 { hash(UnsafeRawBufferPointer(bytes)) }

    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

/// A table from hashes to small numbers (0, 1, 2, … in order of insertion); what the numbers stand for, and whether
/// two of them are equal, the owner knows.
package struct HashIndex: Sendable {
    private var hashes: [UInt64] = []
    private var slots: [Int32] = []

    /// An empty table.
    package init() {}

    /// The number of entries.
    package var count: Int { hashes.count }

    /// The entry with `hash` for which `isEqual` holds, or nil.
    /// - Complexity: O(1) on average.
    package func find(_ hash: UInt64, where isEqual: (Int) -> Bool) -> Int? {
        if hashes.count <= 8 {
            for index in 0..<hashes.count where hashes[index] == hash && isEqual(index) { return index }
            return nil
        }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if hashes[index] == hash, isEqual(index) { return index }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    /// Adds an entry, which must not be there yet.
    /// - Returns: Its number: what ``count`` was before.
    @discardableResult
    package mutating func insert(_ hash: UInt64) -> Int {
        hashes.append(hash)
        if hashes.count > 8 {
            if slots.count < hashes.count &* 2 {
                slots = [Int32](repeating: -1, count: max(32, slots.count &* 2))
                for index in 0..<hashes.count { place(index) }
            } else {
                place(hashes.count &- 1)
            }
        }
        return hashes.count &- 1
    }

    /// Removes all entries and keeps the memory.
    package mutating func removeAll() {
        hashes.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: false)
    }

    private mutating func place(_ index: Int) {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hashes[index]) & mask
        while slots[slot] >= 0 { slot = (slot &+ 1) & mask }
        slots[slot] = Int32(truncatingIfNeeded: index)
    }
}
