/// Part of a body: bytes as they are sent, and what is needed to put compressed parts together.
package final class EncodedPart: Sendable {
    /// As sent; empty if only the length is known.
    package let bytes: [UInt8]
    /// Bytes before compression.
    let plainCount: Int
    /// CRC-32 of the bytes before compression; 0 for parts that are not compressed.
    let checksum: UInt32

    init(_ bytes: [UInt8], plainCount: Int? = nil, checksum: UInt32 = 0) {
        self.bytes = bytes
        self.plainCount = plainCount ?? bytes.count
        self.checksum = checksum
    }
}
