internal import CPrefetch
internal import Synchronization

/// Some consecutive series of one family, in upstream's order, and what scrapes have made of them.
///
/// The series lie one behind the other in one piece of memory: a push that replaces twenty of them touches few cache
/// lines and allocates nothing, and a copy of a chunk is one copy of its bytes.
///
/// SAFETY of `@unchecked Sendable`: the series are changed only under the store's lock and only while the state holds
/// the one reference; a scrape that holds another makes the state copy the chunk before it changes it. The encodings
/// have a lock of their own, since scrapes fill them in outside the store's.
final class SeriesChunk: @unchecked Sendable {
    /// Few enough that re-encoding the neighbours of a changed series is cheap, many enough that a large body has few
    /// parts and compresses well.
    static let maximumCount = 128
    /// Chunks of long series have fewer.
    private static let maximumBytes = 1 << 20

    /// Stands in place of the slot of a series that is about to go; no series has it.
    private static let markedSlot = Int32.max

    /// Which slot a series has, and where it ends; it begins where the one before it ends.
    private struct Place {
        private static let endBits: UInt64 = 33

        private let bits: UInt64

        init(slot: Int32, end: Int) {
            bits = UInt64(UInt32(bitPattern: slot)) << Place.endBits | UInt64(truncatingIfNeeded: end)
        }

        var slot: Int32 { Int32(truncatingIfNeeded: bits >> Place.endBits) }
        var end: Int { Int(truncatingIfNeeded: bits & (1 << Place.endBits - 1)) }
    }

    // The store's lock keeps accesses apart already.
    @exclusivity(unchecked) private(set) var count = 0
    /// How many series are about to go.
    @exclusivity(unchecked) private(set) var markedCount = 0
    // SAFETY: `places` has room for `placeCapacity` places, of which the first `count` are set, and `memory` for
    // `byteCapacity` bytes; ends grow from place to place, and the last is at most `byteCapacity`.
    @exclusivity(unchecked) private var places: UnsafeMutablePointer<Place>
    @exclusivity(unchecked) private var placeCapacity: Int
    @exclusivity(unchecked) private var memory: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var byteCapacity: Int
    private let encodings = Mutex(ChunkEncodings())

    private init(placeCapacity: Int, byteCapacity: Int) {
        self.placeCapacity = placeCapacity
        self.byteCapacity = byteCapacity
        places = .allocate(capacity: placeCapacity)
        memory = .allocate(byteCount: byteCapacity, alignment: 8)
    }

    /// One series.
    convenience init(_ series: PackedSeries, _ slot: Int32) {
        self.init(placeCapacity: 1, byteCapacity: series.bytes.count)
        insert(series, slot, at: 0)
    }

    /// The series of `chunk` in a range, nothing encoded.
    private convenience init(_ chunk: SeriesChunk, _ range: Range<Int>) {
        let start = chunk.start(of: range.lowerBound)
        let size = chunk.start(of: range.upperBound) - start
        // Somebody wants to change it: mostly values, sometimes a series is added.
        self.init(placeCapacity: range.count + 2, byteCapacity: size + size / 8)
        // SAFETY: `size` bytes from `start` are the series of the range, and both capacities were just chosen.
        memory.copyMemory(from: chunk.memory + start, byteCount: size)
        for index in range {
            let place = chunk.places[index]
            places[count] = Place(slot: place.slot, end: place.end - start)
            count += 1
        }
    }

    /// The same series, nothing encoded.
    convenience init(copying chunk: SeriesChunk) { self.init(chunk, 0..<chunk.count) }

    deinit {
        places.deallocate()
        memory.deallocate()
    }

    /// Whether the chunk should be split.
    var isOverfull: Bool {
        count > SeriesChunk.maximumCount || (count > 1 && byteCount > SeriesChunk.maximumBytes)
    }

    /// Whether what both chunks hold fits well into one.
    func canTake(_ other: SeriesChunk) -> Bool {
        count + other.count <= SeriesChunk.maximumCount / 2
            && byteCount + other.byteCount <= SeriesChunk.maximumBytes / 2
    }

    private var byteCount: Int { start(of: count) }

    private func start(of position: Int) -> Int { position == 0 ? 0 : places[position - 1].end }

    // MARK: Looking

    /// Reads a byte of the series that probably stands at `hint`; see ``SlotTable/warm(_:)``.
    func warm(at hint: Int) -> Int {
        guard hint < count else { return 0 }
        return Int(memory.load(fromByteOffset: start(of: hint), as: UInt8.self))
    }

    /// Begins to read the places of `length` series from `hint` on.
    func prefetchPlaces(at hint: Int, length: Int) {
        narthex_prefetch(places + hint)
        narthex_prefetch(places + hint + length - 1)
    }

    /// Begins to read the bytes of `length` series from `hint` on, of the first two thousand bytes.
    func prefetchBytes(at hint: Int, length: Int) {
        guard hint < count else { return }
        let start = start(of: hint)
        let end = min(places[min(hint + length, count) - 1].end, start + 2048)
        for offset in stride(from: start, to: end, by: 64) { narthex_prefetch(memory + offset) }
        narthex_prefetch(memory + end - 1)
    }

    /// The slot of the series at a position below `count`.
    func slot(at position: Int) -> Int32 { places[position].slot }

    /// Where the series in `slot` stands; looked for at `hint` first.
    func position(of slot: Int32, hint: Int) -> Int? {
        if hint < count, places[hint].slot == slot { return hint }
        var index = 0
        while index < count {
            if places[index].slot == slot { return index }
            index &+= 1
        }
        return nil
    }

    /// Whether the series in `slot` stands at a position.
    @inline(__always)
    func holds(_ slot: Int32, at position: Int) -> Bool { position < count && places[position].slot == slot }

    /// How many bytes the series at a position below `count` has.
    func byteCount(at position: Int) -> Int { places[position].end - start(of: position) }

    /// Appends the bytes of the series at a position below `count`, with their number before them.
    func append(seriesAt position: Int, to writer: inout PackedWriter) {
        let bytes = bytes(at: position)
        writer.count(bytes.count)
        writer.bytes.append(contentsOf: bytes)
    }

    /// The bytes of the series at a position below `count`; they must not be used once the chunk changes or goes.
    private func bytes(at position: Int) -> UnsafeRawBufferPointer {
        let start = start(of: position)
        // SAFETY: the bytes from one end to the next are those of one series.
        return UnsafeRawBufferPointer(start: memory + start, count: places[position].end - start)
    }

    /// A copy of the series at a position below `count`.
    func series(at position: Int) -> PackedSeries { PackedSeries(packed: Array(bytes(at: position))) }

    /// Whether the series at a position below `count` has the labels of `series`.
    func hasSameKey(at position: Int, as series: PackedSeries) -> Bool { series.hasSameKey(as: bytes(at: position)) }

    /// The order of `series` and the one at a position below `count`: negative if `series` comes first.
    func compare(_ series: PackedSeries, at position: Int) -> Int { series.compare(with: bytes(at: position)) }

    /// Calls `body` with the bytes of each series in order, for those who hold a reference meanwhile and so keep the
    /// chunk from being changed; the bytes must not be used after the call.
    func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
        for position in 0..<count { body(bytes(at: position)) }
    }

    /// All series in order, as they are now.
    var all: SeriesList {
        SeriesList(
            bytes: Array(UnsafeRawBufferPointer(start: memory, count: byteCount)),
            ends: (0..<count).map { places[$0].end })
    }

    // MARK: Changing

    /// - Returns: The first byte of the old series.
    func replace(at position: Int, with new: PackedSeries) -> UInt8 {
        forgetEncodings()
        let old = bytes(at: position)
        let head = old.first ?? 0
        if old.count != new.bytes.count {
            resize(start(of: position), old.count, to: new.bytes.count, from: position)
        }
        copy(new, to: start(of: position))
        return head
    }

    /// Puts a number into the series at a position below `count`, `fromEnd` bytes before its end; whoever calls has
    /// called ``forgetEncodings()``.
    @inline(__always)
    func store(_ value: Double, at position: Int, fromEnd: Int) {
        let end = places[position].end
        guard fromEnd >= 8, end - fromEnd >= start(of: position) else { return }
        // SAFETY: the eight bytes lie within the series.
        memory.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: end - fromEnd, as: UInt64.self)
    }

    func setGauge(at position: Int, _ value: Double) {
        forgetEncodings()
        let old = bytes(at: position)
        guard old.count >= 10, old[1] == PackedValue.Kind.gauge.rawValue else { return }
        // SAFETY: the last eight bytes of a gauge are its value.
        memory.storeBytes(
            of: value.bitPattern.littleEndian, toByteOffset: places[position].end - 8, as: UInt64.self)
    }

    func insert(_ new: PackedSeries, _ slot: Int32, at position: Int) {
        forgetEncodings()
        if count == placeCapacity {
            let larger = UnsafeMutablePointer<Place>.allocate(capacity: min(count * 2, count + 32))
            larger.moveInitialize(from: places, count: count)
            places.deallocate()
            places = larger
            placeCapacity = min(count * 2, count + 32)
        }
        let start = start(of: position)
        // SAFETY: there is room for one more place.
        (places + position + 1).moveInitialize(from: places + position, count: count - position)
        places[position] = Place(slot: slot, end: start)
        count += 1
        resize(start, 0, to: new.bytes.count, from: position)
        copy(new, to: start)
    }

    /// Notes that the series at a position below `count` goes with the next ``removeMarked()``; whoever calls has called
    /// ``forgetEncodings()``.
    /// - Returns: The first byte of the series.
    func mark(at position: Int) -> UInt8 {
        let place = places[position]
        places[position] = Place(slot: SeriesChunk.markedSlot, end: place.end)
        markedCount += 1
        return memory.load(fromByteOffset: start(of: position), as: UInt8.self)
    }

    /// Removes all series that were marked.
    /// - Returns: How many.
    /// - Complexity: O(series), however many go.
    func removeMarked() -> Int {
        var kept = 0
        var end = 0
        var start = 0
        for position in 0..<count {
            let place = places[position]
            let size = place.end - start
            if place.slot != SeriesChunk.markedSlot {
                // SAFETY: what is kept moves to the front, where there is room; `copyMemory` allows overlaps.
                if end != start { (memory + end).copyMemory(from: memory + start, byteCount: size) }
                end += size
                places[kept] = Place(slot: place.slot, end: end)
                kept += 1
            }
            start = place.end
        }
        defer {
            count = kept
            markedCount = 0
        }
        return count - kept
    }

    func remove(at position: Int) {
        forgetEncodings()
        let old = bytes(at: position)
        resize(start(of: position), old.count, to: 0, from: position)
        // SAFETY: the places behind are `count - position - 1`.
        (places + position).moveInitialize(from: places + position + 1, count: count - position - 1)
        count -= 1
    }

    /// Moves what stands from `position` on into a new chunk.
    func split(at position: Int) -> SeriesChunk {
        forgetEncodings()
        let tail = SeriesChunk(self, position..<count)
        count = position
        return tail
    }

    func append(contentsOf other: SeriesChunk) {
        for position in 0..<other.count { insert(other.series(at: position), other.slot(at: position), at: count) }
    }

    /// Makes `size` bytes at `start` take up `newSize` bytes, and moves all ends from `position` on.
    private func resize(_ start: Int, _ size: Int, to newSize: Int, from position: Int) {
        let total = count == 0 ? 0 : places[count - 1].end
        let newTotal = total + newSize - size
        let rest = total - start - size
        if newTotal > byteCapacity {
            byteCapacity = newTotal + newTotal / 4
            let larger = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 8)
            // SAFETY: what lies before `start` and the `rest` behind it fit into the larger memory.
            larger.copyMemory(from: memory, byteCount: start)
            (larger + start + newSize).copyMemory(from: memory + start + size, byteCount: rest)
            memory.deallocate()
            memory = larger
        } else {
            // SAFETY: `newTotal` bytes fit; the regions may overlap, which `copyMemory` allows.
            (memory + start + newSize).copyMemory(from: memory + start + size, byteCount: rest)
        }
        var index = position
        while index < count {
            places[index] = Place(slot: places[index].slot, end: places[index].end + newSize - size)
            index += 1
        }
    }

    private func copy(_ series: PackedSeries, to start: Int) {
        // SAFETY: the bytes from `start` on were made as many as the series has.
        series.bytes.withUnsafeBytes { source in
            if let base = source.baseAddress { (memory + start).copyMemory(from: base, byteCount: source.count) }
        }
    }

    /// Forgets what scrapes made of the series, since they change.
    func forgetEncodings() {
        encodings.withLock { $0.removeAll() }
    }

    /// What was kept under `key` since the chunk changed.
    func encoding(_ key: EncodingKey) -> EncodedPart? { encodings.withLock { $0[key] } }

    /// Keeps `part` under `key` until the chunk changes. Two scrapes that come at once may both do so; the encodings
    /// are equal.
    func keep(_ part: EncodedPart, _ key: EncodingKey) { encodings.withLock { $0[key] = part } }

    /// Forgets what is kept under `key`.
    func forget(_ key: EncodingKey) { encodings.withLock { $0[key] = nil } }
}

/// Some series, one behind the other.
struct SeriesList: Sendable {
    let bytes: [UInt8]
    let ends: [Int]

    /// Calls `body` with each series in order.
    func forEach(_ body: (SeriesView) -> Void) {
        var start = 0
        for end in ends {
            body(SeriesView(bytes: bytes, start: start, end: end))
            start = end
        }
    }
}
