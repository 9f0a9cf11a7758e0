internal import ByteCoding

/// Reads packed bytes where they lie, for hot loops over bytes that were checked when they were packed: what does not
/// fit reads as zero or as nothing, and never beyond the end. ``PackedReader`` is for all else.
struct PackedCursor {
    // SAFETY: `position` never exceeds the bytes' count.
    private let bytes: UnsafeRawBufferPointer
    private var position: Int

    /// A cursor that is used only while the bytes are there.
    init(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        self.bytes = bytes
        self.position = min(position, bytes.count)
    }

    @inline(__always)
    var isAtEnd: Bool { position >= bytes.count }

    @inline(__always)
    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// A number of things that take at least a byte each.
    @inline(__always)
    mutating func count() -> Int {
        guard position < bytes.count else { return 0 }
        let first = bytes[position]
        if first < 0x80 {
            position &+= 1
            return min(Int(first), bytes.count &- position)
        }
        return Int(min(Varint.read(bytes, at: &position) ?? 0, UInt64(bytes.count &- position)))
    }

    @inline(__always)
    mutating func text() -> UnsafeRawBufferPointer {
        let length = count()
        defer { position &+= length }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position &+ length)])
    }

    @inline(__always)
    mutating func double() -> Double {
        guard bytes.count &- position >= 8 else {
            position = bytes.count
            return 0
        }
        defer { position &+= 8 }
        return Double(
            bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
    }

    mutating func optionalDouble() -> Double? { byte() == 0 ? nil : double() }

    mutating func skipVarint() {
        while byte() >= 0x80 {}
    }

    mutating func skipOptionalVarint() {
        if byte() != 0 { skipVarint() }
    }

    /// Passes over an exemplar, or the mark that there is none.
    mutating func skipExemplar() {
        guard byte() != 0 else { return }
        _ = double()
        skipOptionalVarint()
        for _ in 0..<count() {
            _ = text()
            _ = text()
        }
    }
}
