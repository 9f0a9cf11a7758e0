/// Where each stored series lies: numbers instead of references, so that a push finds its own series without a search.
struct SlotTable: Sendable {
    struct Slot: Sendable {
        /// Of labels and family; see ``GatewayState``.
        var hash: UInt64
        /// The chunk that holds the series; ``noChunk`` for one that is left out because another has its labels.
        var chunk: Int32
        var group: Int32
        var family: Int32
        /// The next series of the same family and group, or ``none``; of a free slot the next free one.
        var next: Int32
    }

    static let none: Int32 = -1
    static let noChunk: Int32 = -1

    private(set) var slots: [Slot] = []
    private var firstFree = SlotTable.none
    /// By chunk number: where the chunk stands in its family's list.
    var chunkPositions: [Int32] = []
    private var freeChunks: [Int32] = []

    subscript(slot: Int32) -> Slot {
        get { slots[Int(slot)] }
        _modify { yield &slots[Int(slot)] }
    }

    mutating func allocate(_ slot: Slot) -> Int32 {
        guard firstFree != SlotTable.none else {
            slots.append(slot)
            return Int32(truncatingIfNeeded: slots.count - 1)
        }
        let number = firstFree
        firstFree = slots[Int(number)].next
        slots[Int(number)] = slot
        return number
    }

    mutating func release(_ slot: Int32) {
        slots[Int(slot)] = Slot(hash: 0, chunk: SlotTable.noChunk, group: -1, family: -1, next: firstFree)
        firstFree = slot
    }

    mutating func allocateChunk(position: Int) -> Int32 {
        if let number = freeChunks.popLast() {
            chunkPositions[Int(number)] = Int32(truncatingIfNeeded: position)
            return number
        }
        chunkPositions.append(Int32(truncatingIfNeeded: position))
        return Int32(truncatingIfNeeded: chunkPositions.count - 1)
    }

    mutating func releaseChunk(_ number: Int32) { freeChunks.append(number) }
}
