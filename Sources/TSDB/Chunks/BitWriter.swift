internal import CPrefetch

/// Bits appended to a growing buffer, most significant first.
///
/// The buffer is kept zeroed ahead of the end, so that a write of up to 64 bits is one load, one or and one store.
/// A copy of the struct is a consistent snapshot: the next write through the original copies the buffer.
package struct BitWriter: Sendable {
    /// Data, then zeros: at least ``slack`` bytes of them.
    private(set) var storage: [UInt8]
    /// Bits written.
    private(set) var bitCount: Int

    /// A write at bit 7 of a byte touches that byte and the eight after it.
    private static let slack = 9

    /// A stream that begins with `headerSize` zero bytes.
    init(headerSize: Int) {
        storage = [UInt8](repeating: 0, count: 48)
        bitCount = headerSize * 8
    }

    /// A stream that goes on after the first `bitCount` bits of `bytes`.
    init(continuing bytes: UnsafeRawBufferPointer, bitCount: Int) {
        self.bitCount = min(bitCount, bytes.count * 8)
        let used = (self.bitCount + 7) / 8
        storage = [UInt8](unsafeUninitializedCapacity: used + Self.slack + 32) { target, count in
            count = used + Self.slack + 32
            // SAFETY: `used` bytes lie in `bytes`; the rest of the capacity is initialised to zero.
            for index in 0..<count { target.initializeElement(at: index, to: index < used ? bytes[index] : 0) }
        }
        // Bits after the end must be zero, since writes only set bits.
        if self.bitCount & 7 != 0 { storage[used - 1] &= ~(0xFF >> UInt8(self.bitCount & 7)) }
    }

    /// Bytes written, the last perhaps in part.
    var byteCount: Int { (bitCount + 7) >> 3 }

    /// Appends the low `count` bits of `value`; `count` is 0 to 64.
    @inline(__always)
    mutating func write(_ value: UInt64, bits count: Int) {
        guard count > 0 else { return }
        let byte = bitCount >> 3
        let shift = bitCount & 7
        if byte + Self.slack > storage.count { grow() }
        let aligned = value << UInt64(64 - count)
        // SAFETY: byte + 9 <= storage.count, checked above.
        storage.withUnsafeMutableBytes { target in
            let word = UInt64(bigEndian: target.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
            target.storeBytes(of: (word | aligned >> UInt64(shift)).bigEndian, toByteOffset: byte, as: UInt64.self)
            if shift + count > 64 {
                target[byte + 8] = UInt8(truncatingIfNeeded: (aligned << UInt64(64 - shift)) >> 56)
            }
        }
        bitCount += count
    }

    /// Asks the processor for the array's header, which a write looks at, and for the bytes that the next write changes.
    @inline(__always)
    mutating func prefetchEnd() {
        let end = 32 + bitCount >> 3
        withUnsafeMutablePointer(to: &storage) { storage in
            // SAFETY: an array is one pointer to its header, which 32 bytes behind is followed by the elements. It is
            // used as an address for hints only, without a retain, which would wait for the memory that is asked for.
            let base = UnsafeRawPointer(storage).load(as: UnsafeRawPointer.self)
            narthex_prefetch(base)
            narthex_prefetch(base + end)
        }
    }

    private mutating func grow() {
        let additional = max(32, storage.count / 2)
        storage.reserveCapacity(storage.count + additional)
        storage.append(contentsOf: repeatElement(0, count: additional))
    }

    /// Replaces a header byte; `index` must lie in what was written.
    mutating func setByte(_ value: UInt8, at index: Int) { storage[index] = value }

    /// A header byte.
    func byte(at index: Int) -> UInt8 { storage[index] }

    /// Appends an unsigned LEB128 number.
    mutating func writeUvarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(rest & 0x7F | 0x80, bits: 8)
            rest >>= 7
        }
        write(rest, bits: 8)
    }

    /// Appends a signed number in zigzag form.
    mutating func writeVarint(_ value: Int64) {
        writeUvarint(UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
    }

    /// A snapshot as a chunk.
    func chunk(_ encoding: ChunkEncoding) -> Chunk {
        Chunk(encoding: encoding, storage: storage, byteCount: byteCount)
    }
}

/// The buckets of sizes of "varbit" integers.
///
/// Source: prometheus/prometheus tsdb/chunkenc/varbit.go.
enum Varbit {
    /// Value bits after 0, 1, 2 … 8 leading ones.
    @inline(__always)
    static func width(leadingOnes: Int) -> Int {
        switch leadingOnes {
        case 0: 0
        case 1: 3
        case 2: 6
        case 3: 9
        case 4: 12
        case 5: 18
        case 6: 25
        case 7: 56
        default: 64
        }
    }

    /// Whether `value` fits the asymmetric range of `bits`: -(2^(bits-1))+1 to 2^(bits-1).
    @inline(__always)
    static func fits(_ value: Int64, _ bits: Int) -> Bool {
        let half = Int64(1) << Int64(bits - 1)
        return value >= 1 - half && value <= half
    }
}

extension BitWriter {
    /// Appends a signed varbit integer: 1 bit for 0, up to 72.
    mutating func writeVarbit(_ value: Int64) {
        guard value != 0 else { return write(0, bits: 1) }
        let ones: Int =
            switch true {
            case Varbit.fits(value, 3): 1
            case Varbit.fits(value, 6): 2
            case Varbit.fits(value, 9): 3
            case Varbit.fits(value, 12): 4
            case Varbit.fits(value, 18): 5
            case Varbit.fits(value, 25): 6
            case Varbit.fits(value, 56): 7
            default: 8
            }
        writeVarbit(UInt64(bitPattern: value), leadingOnes: ones)
    }

    /// Appends an unsigned varbit integer.
    mutating func writeVarbitUnsigned(_ value: UInt64) {
        guard value != 0 else { return write(0, bits: 1) }
        let significant = 64 - value.leadingZeroBitCount
        var ones = 1
        while Varbit.width(leadingOnes: ones) < significant { ones += 1 }
        writeVarbit(value, leadingOnes: ones)
    }

    private mutating func writeVarbit(_ value: UInt64, leadingOnes ones: Int) {
        let width = Varbit.width(leadingOnes: ones)
        if ones < 8 {
            write((1 << UInt64(ones + 1)) - 2, bits: ones + 1)
        } else {
            write(0xFF, bits: 8)
        }
        write(value, bits: width)
    }
}
