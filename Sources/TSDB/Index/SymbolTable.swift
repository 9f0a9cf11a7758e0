internal import ByteCoding
internal import MetricModel

/// The texts of an index, sorted, with their numbers: found by hashing, without an allocation a look-up.
struct SymbolTable: Sendable {
    /// All texts, one after the other.
    private var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [UInt32] = []
    /// Open addressing: symbol number plus one, 0 for free.
    private var slots: [UInt32] = []

    /// Of `symbols`, which are sorted, each once.
    init(_ symbols: [ByteString]) {
        bytes.reserveCapacity(symbols.reduce(0) { $0 + $1.count })
        ends.reserveCapacity(symbols.count)
        for symbol in symbols {
            bytes += symbol.bytes
            ends.append(UInt32(truncatingIfNeeded: bytes.count))
        }
        var size = 16
        while size < symbols.count * 2 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        for index in ends.indices {
            let hash = bytes.withUnsafeBytes { XXHash64.hash(UnsafeRawBufferPointer(rebasing: $0[range(index)])) }
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    /// Number of texts.
    var count: Int { ends.count }

    private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index]) }

    /// Text number `index`.
    subscript(_ index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    /// The number of `text`, or nil.
    func index(of text: UnsafeRawBufferPointer) -> UInt32? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: XXHash64.hash(text)) & mask
        while slots[slot] != 0 {
            let candidate = range(Int(slots[slot] - 1))
            if candidate.count == text.count {
                let equal = bytes.withUnsafeBytes { all in
                    UnsafeRawBufferPointer(rebasing: all[candidate]).elementsEqual(text)
                }
                if equal { return slots[slot] - 1 }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }
}
