internal import Synchronization

/// Some consecutive series of one family, in upstream's order, and what scrapes have made of them.
///
/// SAFETY of `@unchecked Sendable`: `series` and `slots` are changed only under the store's lock and only while the
/// state holds the one reference; a scrape that holds another makes the state copy the chunk before it changes it.
/// The encodings have a lock of their own, since scrapes fill them in outside the store's.
final class SeriesChunk: @unchecked Sendable {
    /// Few enough that re-encoding the neighbours of a changed series is cheap, many enough that a large body has few
    /// parts and compresses well.
    static let maximumCount = 128

    private(set) var series: [PackedSeries]
    private(set) var slots: [Int32]
    private let encodings = Mutex(ChunkEncodings())

    init(series: [PackedSeries], slots: [Int32]) {
        self.series = series
        self.slots = slots
    }

    /// The same series, nothing encoded.
    convenience init(copying chunk: SeriesChunk) { self.init(series: chunk.series, slots: chunk.slots) }

    func position(of slot: Int32) -> Int? {
        // SAFETY: the buffer is only read within the call, at indices below its count.
        slots.withUnsafeBufferPointer { slots in
            var index = 0
            while index < slots.count {
                if slots[index] == slot { return index }
                index &+= 1
            }
            return nil
        }
    }

    func position(of slot: Int32, hint: Int) -> Int? {
        hint < slots.count && slots[hint] == slot ? hint : position(of: slot)
    }

    /// - Returns: The first byte of the old series.
    func replace(at position: Int, with new: PackedSeries) -> UInt8 {
        forgetEncodings()
        let old = series[position].head
        series[position] = new
        return old
    }

    func setGauge(at position: Int, _ value: Double) {
        forgetEncodings()
        series[position].setGauge(value)
    }

    func insert(_ new: PackedSeries, _ slot: Int32, at position: Int) {
        forgetEncodings()
        series.insert(new, at: position)
        slots.insert(slot, at: position)
    }

    func remove(at position: Int) {
        forgetEncodings()
        series.remove(at: position)
        slots.remove(at: position)
    }

    /// Moves what stands from `position` on into a new chunk.
    func split(at position: Int) -> SeriesChunk {
        forgetEncodings()
        let tail = SeriesChunk(series: Array(series[position...]), slots: Array(slots[position...]))
        series.removeSubrange(position...)
        slots.removeSubrange(position...)
        return tail
    }

    func append(contentsOf other: SeriesChunk) {
        forgetEncodings()
        series.append(contentsOf: other.series)
        slots.append(contentsOf: other.slots)
    }

    private func forgetEncodings() {
        encodings.withLock { $0.removeAll() }
    }

    /// What `make` yields for these series under `key`, made once and kept until the chunk changes.
    ///
    /// Two scrapes that come at once may both make it; the encodings are equal.
    func encoding(_ key: EncodingKey, make: ([PackedSeries]) -> EncodedPart) -> EncodedPart {
        if let found = encodings.withLock({ $0[key] }) { return found }
        let made = make(series)
        encodings.withLock { $0[key] = made }
        return made
    }
}
