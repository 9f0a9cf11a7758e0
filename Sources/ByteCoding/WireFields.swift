/// Appending fields of protobuf messages: what ``WireReader`` reads. All are written, zeros too: who leaves those out
/// does so before.
extension [UInt8] {
    /// A whole number, or what ``Varint/zigzag(_:)`` makes of a signed one.
    @inlinable
    package mutating func appendVarint(_ field: UInt64, _ value: UInt64) {
        Varint.append(field << 3, to: &self)
        Varint.append(value, to: &self)
    }

    /// A number of eight bytes.
    @inlinable
    package mutating func appendDouble(_ field: UInt64, _ value: Double) {
        Varint.append(field << 3 | 1, to: &self)
        // SAFETY: the value's own bytes.
        Swift.withUnsafeBytes(of: value.bitPattern.littleEndian) { append(contentsOf: $0) }
    }

    /// Bytes, text, or a message that is encoded already.
    @inlinable
    package mutating func appendField(_ field: UInt64, _ content: some Collection<UInt8>) {
        Varint.append(field << 3 | 2, to: &self)
        Varint.append(UInt64(content.count), to: &self)
        append(contentsOf: content)
    }

    /// A message that `body` appends. Room for a length of one byte is left; a longer one moves the message.
    /// - Complexity: O(message).
    @inlinable
    package mutating func appendMessage(_ field: UInt64, _ body: (inout [UInt8]) -> Void) {
        Varint.append(field << 3 | 2, to: &self)
        let start = count
        append(0)
        body(&self)
        let length = UInt64(count &- start &- 1)
        if length < 0x80 {
            self[start] = UInt8(length)
        } else {
            var prefix: [UInt8] = []
            Varint.append(length, to: &prefix)
            replaceSubrange(start...start, with: prefix)
        }
    }
}
