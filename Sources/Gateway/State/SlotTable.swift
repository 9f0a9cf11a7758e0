internal import CPrefetch

/// Where each stored series lies: numbers instead of references, so that a push finds its own series without a search.
struct SlotTable: Sendable {
    struct Slot: Sendable {
        /// Of labels and family; see ``GatewayState``.
        var hash: UInt64
        /// The chunk that holds the series; ``ChunkPlace/none`` for one that is left out because another has its
        /// labels.
        var place: ChunkPlace
        var group: Int32
        var family: Int32
        /// The next series of the same family and group, or ``none``; of a free slot the next free one.
        var next: Int32
    }

    private struct ChunkRecord: Sendable {
        /// Where the chunk stands in its family's list.
        var position: Int32
        // SAFETY: the family's list holds the chunk, and tells whenever another takes its place.
        var chunk: Unmanaged<SeriesChunk>?
    }

    static let none: Int32 = -1

    private(set) var slots: [Slot] = []
    private var firstFree = SlotTable.none
    /// By chunk number.
    private var chunks: [ChunkRecord] = []
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
        slots[Int(slot)] = Slot(hash: 0, place: .none, group: -1, family: -1, next: firstFree)
        firstFree = slot
    }

    mutating func allocateChunk(_ chunk: SeriesChunk, position: Int) -> Int32 {
        let record = ChunkRecord(
            position: Int32(truncatingIfNeeded: position), chunk: Unmanaged.passUnretained(chunk))
        if let number = freeChunks.popLast() {
            chunks[Int(number)] = record
            return number
        }
        chunks.append(record)
        return Int32(truncatingIfNeeded: chunks.count - 1)
    }

    /// Where the chunk of `place` stands in its family's list.
    func position(of place: ChunkPlace) -> Int32 { chunks[Int(place.chunk)].position }

    /// Where a chunk stands in its family's list.
    func position(ofChunk number: Int32) -> Int32 { chunks[Int(number)].position }

    /// Notes that a chunk stands elsewhere now.
    mutating func move(chunk number: Int32, to position: Int) {
        chunks[Int(number)].position = Int32(truncatingIfNeeded: position)
    }

    /// Notes that a chunk was copied, and the copy is used from now on.
    mutating func replace(chunk number: Int32, with copy: SeriesChunk) {
        chunks[Int(number)].chunk = Unmanaged.passUnretained(copy)
    }

    mutating func releaseChunk(_ number: Int32) {
        chunks[Int(number)].chunk = nil
        freeChunks.append(number)
    }

    // MARK: Caches

    /// Begins to read what a push of the series that a group has will look at.
    /// - Parameters:
    ///   - members: The group's families.
    ///   - last: One more slot.
    func prefetch(_ members: [GroupRecord.Member], and last: Int32) {
        typealias Run = (chunk: Unmanaged<SeriesChunk>, hint: Int, length: Int)
        slots.withUnsafeBufferPointer { slots in
            withUnsafeTemporaryAllocation(of: Run.self, capacity: 32) { runs in
                // SAFETY: slots of members are in the table, addresses are only hints; `count` stays below the capacity,
                // and only what was initialised is read; the type is trivial.
                guard let base = slots.baseAddress else { return }
                for member in members.prefix(31) { narthex_prefetch(base + Int(member.first)) }
                if last != SlotTable.none { narthex_prefetch(base + Int(last)) }
                var count = 0
                func note(_ slot: Int32, _ length: Int32) {
                    guard slot != SlotTable.none, slots[Int(slot)].place != .none, length > 0 else { return }
                    let place = slots[Int(slot)].place
                    guard let chunk = chunks[Int(place.chunk)].chunk else { return }
                    narthex_prefetch(chunk.toOpaque())
                    narthex_prefetch(chunk.toOpaque() + 64)
                    runs.initializeElement(at: count, to: (chunk, place.hint, Int(length)))
                    count += 1
                }
                for member in members.prefix(31) { note(member.first, member.count) }
                note(last, 1)
                for run in runs[..<count] {
                    run.chunk._withUnsafeGuaranteedRef { $0.prefetchPlaces(at: run.hint, length: run.length) }
                }
                for run in runs[..<count] {
                    run.chunk._withUnsafeGuaranteedRef { $0.prefetchBytes(at: run.hint, length: run.length) }
                }
            }
        }
    }

    /// Brings what a push will look at into the processor's caches: a few dozen reads far apart, which the processor
    /// does at the same time if none of them depends on another.
    /// - Parameter firsts: The first slots of families of one group.
    /// - Returns: A number that depends on all reads, so that they are not left out.
    func warm(_ firsts: some Sequence<Int32>) -> Int {
        withUnsafeTemporaryAllocation(of: (chunk: Unmanaged<SeriesChunk>, hint: Int).self, capacity: 64) { found in
            // SAFETY: `count` stays below the capacity, and only what was initialised is read; the type is trivial.
            var count = 0
            var last: Int32 = -1
            for first in firsts {
                var slot = first
                while slot != SlotTable.none, count < found.count {
                    let place = slots[Int(slot)].place
                    slot = slots[Int(slot)].next
                    guard place != .none, let chunk = chunks[Int(place.chunk)].chunk else { continue }
                    // Neighbours in one chunk mostly lie side by side.
                    if place.chunk == last { continue }
                    last = place.chunk
                    found.initializeElement(at: count, to: (chunk, place.hint))
                    count += 1
                }
            }
            var sum = 0
            for index in 0..<count { sum &+= found[index].chunk._withUnsafeGuaranteedRef { $0.count } }
            for index in 0..<count {
                let hint = found[index].hint
                sum &+= found[index].chunk._withUnsafeGuaranteedRef { $0.warm(at: hint) }
            }
            return sum
        }
    }
}

/// Which chunk holds a series, and where in it the series stood when somebody looked last: a search then begins there,
/// and mostly ends there.
struct ChunkPlace: Sendable, Equatable {
    private static let hintBits: UInt32 = 7

    private let bits: UInt32

    private init(bits: UInt32) { self.bits = bits }

    /// - Parameter hint: Cut to what fits; a wrong one costs a search.
    init(chunk: Int32, hint: Int) {
        let cut = UInt32(truncatingIfNeeded: min(hint, 127))
        bits = UInt32(bitPattern: chunk) << ChunkPlace.hintBits | cut
    }

    /// In no chunk.
    static let none = ChunkPlace(bits: .max)

    /// The chunk's number.
    var chunk: Int32 { Int32(bitPattern: bits >> ChunkPlace.hintBits) }

    /// Where the series stood.
    var hint: Int { Int(bits & 0x7F) }
}
