/// Bits of a buffer, most significant first. Total: reading past the end throws.
package struct BitReader {
    // SAFETY: every load is checked against `byteCount`; the reader lives within the `withUnsafeBytes` that made it.
    private let base: UnsafeRawBufferPointer
    private let byteCount: Int
    /// Bits read, counted from the start of the buffer.
    var position: Int

    /// A reader of `bytes` from byte `offset` on.
    init(_ bytes: UnsafeRawBufferPointer, from offset: Int) {
        base = bytes
        byteCount = bytes.count
        position = offset * 8
    }

    /// Bits in the buffer.
    @inline(__always)
    var bitCount: Int { byteCount &* 8 }

    /// Bits not read yet; never negative.
    var remaining: Int { max(0, bitCount - position) }

    /// The next bits at `position`, left-aligned: at least 57 of them, zeros beyond the end.
    @inline(__always)
    func peek(_ position: Int) -> UInt64 {
        let byte = position >> 3
        if byte &+ 8 <= byteCount {
            // SAFETY: eight bytes from `byte` lie in the buffer; `position` never decreases below its start.
            let word = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
            return word << UInt64(truncatingIfNeeded: position & 7)
        }
        return peekTail(byte) << UInt64(truncatingIfNeeded: position & 7)
    }

    @inline(never)
    private func peekTail(_ start: Int) -> UInt64 {
        var word: UInt64 = 0
        var index = start
        while index < start &+ 8 {
            word = word << 8 | (index < byteCount ? UInt64(base[index]) : 0)
            index &+= 1
        }
        return word
    }

    /// An error at the current position.
    func failure(_ reason: ChunkError.Reason) -> ChunkError { ChunkError(reason: reason, bit: position) }

    /// Throws if more bits were taken than there are.
    @inline(__always)
    func check() throws(ChunkError) {
        if position > bitCount { throw ChunkError(reason: .truncated, bit: bitCount) }
    }

    /// The next `count` bits, 0 to 64, right-aligned.
    @inline(__always)
    mutating func read(_ count: Int) throws(ChunkError) -> UInt64 {
        guard count > 0 else { return 0 }
        let value: UInt64
        if count <= 57 {
            value = peek(position) >> UInt64(truncatingIfNeeded: 64 &- count)
        } else {
            let high = peek(position) >> 32
            let low = peek(position &+ 32) >> 32
            value = (high << 32 | low) >> UInt64(truncatingIfNeeded: 64 &- count)
        }
        position &+= count
        try check()
        return value
    }

    /// An unsigned LEB128 number.
    mutating func readUvarint() throws(ChunkError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try read(8)
            if shift == 63 && byte > 1 { throw failure(.invalid("varint overflows a 64-bit integer")) }
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw failure(.invalid("varint overflows a 64-bit integer")) }
        }
    }

    /// A signed number in zigzag form.
    mutating func readVarint() throws(ChunkError) -> Int64 {
        let raw = try readUvarint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// An unsigned varbit integer.
    @inline(__always)
    mutating func readVarbitUnsigned() throws(ChunkError) -> UInt64 {
        let window = peek(position)
        let ones = min((~window).leadingZeroBitCount, 8)
        let width = Varbit.width(leadingOnes: ones)
        let prefix = min(ones &+ 1, 8)
        if ones <= 6 {
            position &+= prefix &+ width
            try check()
            guard width > 0 else { return 0 }
            return (window << UInt64(truncatingIfNeeded: prefix)) >> UInt64(truncatingIfNeeded: 64 &- width)
        }
        position &+= prefix
        return try read(width)
    }

    /// A signed varbit integer.
    @inline(__always)
    mutating func readVarbit() throws(ChunkError) -> Int64 {
        let ones = min((~peek(position)).leadingZeroBitCount, 8)
        let raw = try readVarbitUnsigned()
        let width = Varbit.width(leadingOnes: ones)
        return BitReader.signed(raw, width)
    }

    /// The value of `width` bits in the asymmetric form of ``Varbit/fits(_:_:)``.
    @inline(__always)
    static func signed(_ raw: UInt64, _ width: Int) -> Int64 {
        guard width > 0, width < 64 else { return Int64(bitPattern: raw) }
        if raw > 1 << UInt64(truncatingIfNeeded: width &- 1) {
            return Int64(bitPattern: raw &- (1 << UInt64(truncatingIfNeeded: width)))
        }
        return Int64(bitPattern: raw)
    }
}
