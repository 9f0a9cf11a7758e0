internal import ByteCoding

/// Bytes that are written one behind the other, for loops that write many short pieces: room is made once for several
/// of them, and then none is checked.
struct RawText: ~Copyable {
    // SAFETY: `memory` has room for `capacity` bytes, of which the first `count` are written. Whoever writes has made
    // room before for all that is written.
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { memory.deallocate() }

    /// What was written; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    mutating func removeAll() { count = 0 }

    /// Makes sure that `size` bytes more can be written.
    /// - Complexity: O(1) amortised.
    mutating func makeRoom(_ size: Int) {
        guard capacity - count < size else { return }
        capacity = (count + size) * 2
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        // SAFETY: `count` bytes are written, and the new memory is larger.
        larger.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = larger
    }

    // All below need room that was made before.

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        (memory + count).copyMemory(from: base, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    mutating func put(_ text: StaticString) { text.withUTF8Buffer { put(UnsafeRawBufferPointer($0)) } }

    /// Writes a number as a scrape shows it: at most 32 bytes.
    @inline(__always)
    mutating func put(_ value: Double) {
        let room = UnsafeMutableRawBufferPointer(start: memory + count, count: 32)
        count &+= FloatText.writeExposition(value, to: room)
    }

    /// Writes what stands between quotes, backslashes, quotes and line feeds escaped: at most twice as many bytes.
    @inline(__always)
    mutating func putEscaped(_ value: UnsafeRawBufferPointer) {
        let start = count
        var index = 0
        while index &+ 8 <= value.count {
            let word = value.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if RawText.needsEscape(word) { return putEscapedSlowly(value, at: start) }
            memory.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
            count &+= 8
            index &+= 8
        }
        while index < value.count {
            let byte = value[index]
            if RawText.escape(byte) != nil { return putEscapedSlowly(value, at: start) }
            put(byte)
            index &+= 1
        }
    }

    private mutating func putEscapedSlowly(_ value: UnsafeRawBufferPointer, at start: Int) {
        count = start
        for byte in value {
            if let escaped = RawText.escape(byte) {
                put(UInt8(ascii: "\\"))
                put(escaped)
            } else {
                put(byte)
            }
        }
    }

    @inline(__always)
    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): byte
        case UInt8(ascii: "\n"): UInt8(ascii: "n")
        default: nil
        }
    }

    /// Whether one of eight bytes is a backslash, a quote or a line feed.
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        hasZero(word ^ 0x5C5C_5C5C_5C5C_5C5C) || hasZero(word ^ 0x2222_2222_2222_2222)
            || hasZero(word ^ 0x0A0A_0A0A_0A0A_0A0A)
    }

    @inline(__always)
    private static func hasZero(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }
}
