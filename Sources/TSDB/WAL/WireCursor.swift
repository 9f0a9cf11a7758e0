/// A position in bytes that were read from disk. Every read is checked: what does not fit sets ``isBad`` and gives 0,
/// so that a decoder may check once a row.
struct WireCursor {
    // SAFETY: the memory is lent by the caller of the decoder for as long as the cursor lives.
    private let bytes: UnsafeRawBufferPointer
    /// Offset of the next byte.
    private(set) var offset = 0
    /// Whether a read went wrong: the bytes ended, or a varint was too long.
    private(set) var isBad = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Whether there is more to read and nothing went wrong.
    @inline(__always)
    var hasMore: Bool { offset < bytes.count && !isBad }

    /// What lies between this position and that of a copy that read on.
    func bytes(upTo later: WireCursor) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[offset..<max(offset, later.offset)])
    }

    /// Bytes left.
    var left: Int { bytes.count - offset }

    @inline(__always)
    mutating func byte() -> UInt8 {
        guard offset < bytes.count else {
            isBad = true
            return 0
        }
        let value = bytes[offset]
        offset &+= 1
        return value
    }

    @inline(__always)
    mutating func bigEndian64() -> UInt64 {
        guard bytes.count &- offset >= 8 else {
            isBad = true
            return 0
        }
        let value = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        offset &+= 8
        return value
    }

    mutating func bigEndian32() -> UInt32 {
        guard bytes.count &- offset >= 4 else {
            isBad = true
            return 0
        }
        let value = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        offset &+= 4
        return value
    }

    @inline(__always)
    mutating func double() -> Double { Double(bitPattern: bigEndian64()) }

    @inline(__always)
    mutating func uvarint() -> UInt64 {
        if offset < bytes.count {
            let first = bytes[offset]
            if first < 0x80 {
                offset &+= 1
                return UInt64(first)
            }
        }
        return longUvarint()
    }

    private mutating func longUvarint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count {
            let next = bytes[offset]
            offset &+= 1
            if shift == 63 && next > 1 { break }
            value |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 { return value }
            shift &+= 7
            if shift > 63 { break }
        }
        isBad = true
        return 0
    }

    @inline(__always)
    mutating func varint() -> Int64 {
        let raw = uvarint()
        return Int64(bitPattern: raw >> 1) ^ (0 &- Int64(bitPattern: raw & 1))
    }

    /// A count of things of which each takes at least `minimumSize` bytes: more than the bytes left can hold is bad,
    /// so that a wrong count cannot reserve memory.
    mutating func count(minimumSize: Int) -> Int {
        let value = uvarint()
        guard value <= UInt64(left / max(1, minimumSize)) else {
            isBad = true
            return 0
        }
        return Int(value)
    }

    /// A text preceded by its length.
    mutating func text() -> UnsafeRawBufferPointer {
        let length = count(minimumSize: 1)
        return slice(length)
    }

    /// The next `length` bytes.
    mutating func slice(_ length: Int) -> UnsafeRawBufferPointer {
        guard length >= 0, length <= left else {
            isBad = true
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
        offset += length
        return part
    }
}
