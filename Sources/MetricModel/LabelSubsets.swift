#if canImport(Glibc)
internal import Glibc
#endif

/// Numbers parts of label sets: those that agree in the labels that count have the same number.
///
/// For grouping and matching many series: a part is copied only when it is seen for the first time.
package struct LabelSubsets: Sendable {
    private let names: [ByteString]
    private let isKeeping: Bool
    /// The parts by number, in the order in which they were first seen.
    package private(set) var subsets: [Labels] = []
    private var hashes: [Int] = []
    /// Numbers by hash, linearly probed; -1 for none.
    private var slots: [Int32]
    private var scratch: [UInt8] = []

    /// Parts that consist of the labels in `names`, or of all others.
    /// - Parameter names: Sorted, each once.
    package init(of names: [ByteString], keeping isKeeping: Bool, capacity: Int = 0) {
        self.names = names
        self.isKeeping = isKeeping
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
    }

    /// The number of the part of `labels`.
    /// - Complexity: O(bytes); allocates for a part that was not seen before.
    package mutating func number(of labels: Labels) -> Int {
        scratch.removeAll(keepingCapacity: true)
        let isWhole = labels.appendSubset(names, keeping: isKeeping, to: &scratch)
        var hasher = Hasher()
        scratch.withUnsafeBytes { hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            if hashes[number] == hash && subsets[number].packed == scratch { return number }
            slot = (slot + 1) & mask
        }
        let number = subsets.count
        subsets.append(isWhole ? labels : Labels(assumingPacked: Array(scratch)))
        hashes.append(hash)
        slots[slot] = Int32(truncatingIfNeeded: number)
        if subsets.count * 2 > slots.count { grow() }
        return number
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [Int32](repeating: -1, count: mask + 1)
        for (number, hash) in hashes.enumerated() {
            var slot = hash & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(truncatingIfNeeded: number)
        }
    }
}
