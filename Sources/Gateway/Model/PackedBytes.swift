internal import ByteCoding
internal import MetricModel

/// Appends numbers and texts in the form that series are kept and journalled in; see docs/format/journal.md.
struct PackedWriter {
    var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func varint(_ value: UInt64) { Varint.append(value, to: &bytes) }

    mutating func count(_ value: Int) { varint(UInt64(truncatingIfNeeded: value)) }

    mutating func signed(_ value: Int64) { varint(Varint.zigzag(value)) }

    mutating func double(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func shardHash(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func text(_ value: ByteString) {
        count(value.count)
        bytes.append(contentsOf: value.bytes)
    }

    mutating func optional(_ value: Double?) {
        byte(value == nil ? 0 : 1)
        if let value { double(value) }
    }

    mutating func optional(_ value: Int64?) {
        byte(value == nil ? 0 : 1)
        if let value { signed(value) }
    }

    mutating func optional(_ value: ByteString?) {
        byte(value == nil ? 0 : 1)
        if let value { text(value) }
    }
}

/// The bytes are not what ``PackedWriter`` wrote.
struct MalformedBytes: Error, Hashable {}

/// Reads what ``PackedWriter`` wrote; every read is checked against the end.
struct PackedReader {
    let bytes: [UInt8]
    var position: Int
    let end: Int

    init(_ bytes: [UInt8], at position: Int = 0, end: Int? = nil) {
        self.bytes = bytes
        self.end = min(end ?? bytes.count, bytes.count)
        self.position = max(0, position)
    }

    var isAtEnd: Bool { position >= end }

    mutating func byte() throws(MalformedBytes) -> UInt8 {
        guard position < end else { throw MalformedBytes() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func varint() throws(MalformedBytes) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { throw MalformedBytes() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw MalformedBytes() }
        }
        throw MalformedBytes()
    }

    /// A number of things of which each takes at least one byte, so that no claim can reserve more than the input.
    mutating func count() throws(MalformedBytes) -> Int {
        let value = try varint()
        guard value <= UInt64(end - position) else { throw MalformedBytes() }
        return Int(value)
    }

    mutating func signed() throws(MalformedBytes) -> Int64 { Varint.unzigzag(try varint()) }

    mutating func double() throws(MalformedBytes) -> Double {
        guard end - position >= 8 else { throw MalformedBytes() }
        defer { position += 8 }
        // SAFETY: eight bytes from `position` lie within the array, as was just checked.
        let pattern = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
        return Double(bitPattern: UInt64(littleEndian: pattern))
    }

    mutating func textRange() throws(MalformedBytes) -> Range<Int> {
        let length = try count()
        defer { position += length }
        return position..<(position + length)
    }

    mutating func text() throws(MalformedBytes) -> ByteString { ByteString(bytes[try textRange()]) }

    mutating func optionalDouble() throws(MalformedBytes) -> Double? { try byte() == 0 ? nil : double() }

    mutating func optionalSigned() throws(MalformedBytes) -> Int64? { try byte() == 0 ? nil : signed() }

    mutating func optionalText() throws(MalformedBytes) -> ByteString? { try byte() == 0 ? nil : text() }
}
