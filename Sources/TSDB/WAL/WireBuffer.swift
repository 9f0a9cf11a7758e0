/// A growing buffer of bytes for encoders: big-endian numbers and varints, written without a check a byte.
///
/// Owns its memory; reused from record to record, so that encoding allocates only while the buffer grows.
struct WireBuffer: ~Copyable {
    // SAFETY: `base` has `capacity` bytes, of which the first `count` are written; freed in deinit only.
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes written.
    private(set) var count = 0

    init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// What was written; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Forgets what was written, keeps the memory.
    mutating func removeAll() { count = 0 }

    /// Forgets what was written after the first `newCount` bytes.
    mutating func truncate(to newCount: Int) { count = min(count, max(0, newCount)) }

    /// Gives memory beyond `limit` bytes back.
    mutating func shrink(to limit: Int) {
        guard capacity > limit, count <= limit else { return }
        let smaller = UnsafeMutableRawPointer.allocate(byteCount: limit, alignment: 16)
        smaller.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = smaller
        capacity = limit
    }

    /// Makes room for `additional` bytes, so that the calls that say so need no check.
    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if count &+ additional > capacity { grow(additional) }
    }

    @inline(never)
    private mutating func grow(_ additional: Int) {
        let wanted = max(count + additional, capacity * 2)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    /// Room for `size` bytes that another writes; `body` returns how many it wrote.
    mutating func fill<E: Error>(
        _ size: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        reserve(size)
        let written = try body(UnsafeMutableRawBufferPointer(start: base + count, count: size))
        count += min(max(0, written), size)
    }

    /// One byte. Room must be reserved.
    @inline(__always)
    mutating func putReserved(_ byte: UInt8) {
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Eight bytes, big-endian. Room must be reserved.
    @inline(__always)
    mutating func putReserved(bigEndian value: UInt64) {
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt64.self)
        count &+= 8
    }

    /// An unsigned varint of up to ten bytes. Room must be reserved.
    @inline(__always)
    mutating func putReserved(uvarint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count &+= 1
            rest >>= 7
        }
        base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// A zigzag varint of up to ten bytes. Room must be reserved.
    @inline(__always)
    mutating func putReserved(varint value: Int64) {
        putReserved(uvarint: UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
    }

    mutating func put(_ byte: UInt8) {
        reserve(1)
        putReserved(byte)
    }

    mutating func put(bigEndian value: UInt64) {
        reserve(8)
        putReserved(bigEndian: value)
    }

    mutating func put(bigEndian32 value: UInt32) {
        reserve(4)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt32.self)
        count &+= 4
    }

    mutating func put(_ value: Double) { put(bigEndian: value.bitPattern) }

    mutating func put(uvarint value: UInt64) {
        reserve(10)
        putReserved(uvarint: value)
    }

    mutating func put(varint value: Int64) {
        reserve(10)
        putReserved(varint: value)
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    mutating func put(_ bytes: some Collection<UInt8>) {
        reserve(bytes.count)
        for byte in bytes { putReserved(byte) }
    }

    /// A text preceded by its length as a varint.
    mutating func put(text: some Collection<UInt8>) {
        put(uvarint: UInt64(text.count))
        put(text)
    }

    mutating func put(zeros number: Int) {
        guard number > 0 else { return }
        reserve(number)
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: number)
        count &+= number
    }
}
