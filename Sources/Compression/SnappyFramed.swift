internal import ByteCoding

/// The framing format of snappy: a stream of checked chunks, as `Content-Encoding: snappy` means it.
///
/// Source: github.com/google/snappy/blob/main/framing_format.txt; github.com/golang/snappy for what is refused.
package enum SnappyFramed {
    private static let identifier: [UInt8] = [0xFF, 6, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]
    /// The most bytes that one chunk unpacks to.
    private static let maximumChunk = 65536
    /// The longest chunk that golang/snappy has room for: what `maximumChunk` bytes become at worst, and a checksum.
    private static let maximumLength = 76490 + 4

    /// Unpacks a whole body; an empty one is empty.
    /// - Throws: ``CompressionError``, with the offset of the chunk.
    package static func unpack(_ bytes: [UInt8], limits: DecompressionLimits) throws(CompressionError) -> [UInt8] {
        // SAFETY: the buffer is only read within the call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(CompressionError) -> [UInt8] in
            try unpack(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Unpacks a whole body; an empty one is empty.
    package static func unpack(
        _ bytes: UnsafeRawBufferPointer, limits: DecompressionLimits
    ) throws(CompressionError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(min(limits.maximumBytes, bytes.count * 2, 1 << 20))
        var position = 0
        while position < bytes.count {
            guard bytes.count - position >= 4 else { throw .truncated(.snappy, offset: bytes.count) }
            let kind = bytes[position]
            let length = Int(bytes[position + 1]) | Int(bytes[position + 2]) << 8 | Int(bytes[position + 3]) << 16
            if position == 0, kind != 0xFF {
                throw .corrupt(.snappy, offset: 0, reason: "corrupt input: no stream identifier")
            }
            if kind < 0x80, length > maximumLength {
                throw .corrupt(.snappy, offset: position, reason: "unsupported input: chunk of \(length) bytes")
            }
            guard length <= bytes.count - position - 4 else { throw .truncated(.snappy, offset: bytes.count) }
            let body = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<(position + 4 + length)])
            try unpack(kind, body, at: position, limits: limits, into: &output)
            position += 4 + length
            try limits.check(.snappy, unpacked: output.count, packed: position)
        }
        return output
    }

    private static func unpack(
        _ kind: UInt8, _ body: UnsafeRawBufferPointer, at offset: Int, limits: DecompressionLimits,
        into output: inout [UInt8]
    ) throws(CompressionError) {
        func corrupt(_ what: String) -> CompressionError {
            .corrupt(.snappy, offset: offset, reason: "corrupt input: \(what)")
        }
        switch kind {
        case 0xFF:
            guard body.elementsEqual(identifier.dropFirst(4)) else { throw corrupt("bad stream identifier") }
        case 0x80...0xFE: break  // padding, and what may be skipped
        case 0x02...0x7F:
            throw .corrupt(.snappy, offset: offset, reason: "unsupported input: chunk of type \(kind)")
        default:
            guard body.count >= 4 else { throw corrupt("short chunk") }
            let data = UnsafeRawBufferPointer(rebasing: body[4...])
            let start = output.count
            if kind == 0x01 {
                guard data.count <= maximumChunk else { throw corrupt("chunk too large") }
                output.append(contentsOf: data)
            } else {
                guard let size = SnappyBlock.uncompressedSize(data), size <= maximumChunk else {
                    throw corrupt("bad chunk length")
                }
                var chunk = [UInt8](repeating: 0, count: size)
                // SAFETY: the library writes at most `size` bytes.
                let written = chunk.withUnsafeMutableBytes { SnappyBlock.decompress(data, into: $0) }
                guard written == size else { throw corrupt("bad chunk") }
                output.append(contentsOf: chunk)
            }
            let expected = UInt32(littleEndian: body.loadUnaligned(as: UInt32.self))
            guard masked(CRC32C.checksum(output[start...])) == expected else { throw corrupt("bad checksum") }
        }
    }

    /// Packs `bytes`.
    package static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var output = identifier
        // SAFETY: all slices lie within the buffers; the library writes at most the size it announced.
        bytes.withUnsafeBytes { source in
            var position = 0
            while position < source.count {
                let piece = UnsafeRawBufferPointer(
                    rebasing: source[position..<min(position + maximumChunk, source.count)])
                var packed = [UInt8](repeating: 0, count: SnappyBlock.maximumCompressedSize(piece.count))
                let count = packed.withUnsafeMutableBytes { SnappyBlock.compress(piece, into: $0) }
                // Only what becomes an eighth smaller is worth unpacking.
                let isPacked = count > 0 && count < piece.count - piece.count / 8
                appendHeader(isPacked ? 0x00 : 0x01, (isPacked ? count : piece.count) + 4, to: &output)
                let checksum = masked(CRC32C.checksum(piece))
                withUnsafeBytes(of: checksum.littleEndian) { output.append(contentsOf: $0) }
                if isPacked { output.append(contentsOf: packed[..<count]) } else { output.append(contentsOf: piece) }
                position += piece.count
            }
        }
        return output
    }

    private static func appendHeader(_ kind: UInt8, _ length: Int, to output: inout [UInt8]) {
        output.append(kind)
        for shift in [0, 8, 16] { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
    }

    private static func masked(_ checksum: UInt32) -> UInt32 {
        (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }
}

extension SnappyBlock {
    /// Unpacks a whole block, as remote write bodies are.
    /// - Throws: ``CompressionError``.
    package static func unpack(_ bytes: [UInt8], limits: DecompressionLimits) throws(CompressionError) -> [UInt8] {
        // SAFETY: both buffers are used within the call only.
        let size = bytes.withUnsafeBytes { uncompressedSize($0) }
        guard let size else { throw .corrupt(.snappy, offset: 0, reason: "corrupt input: bad length") }
        try limits.check(.snappy, unpacked: size, packed: bytes.count)
        var output = [UInt8](repeating: 0, count: size)
        let written = bytes.withUnsafeBytes { source in output.withUnsafeMutableBytes { decompress(source, into: $0) } }
        guard written == size else { throw .corrupt(.snappy, offset: 0, reason: "corrupt input") }
        return output
    }

    /// Packs `bytes` as one block.
    package static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: maximumCompressedSize(bytes.count))
        // SAFETY: both buffers are used within the call only.
        let count = bytes.withUnsafeBytes { source in output.withUnsafeMutableBytes { compress(source, into: $0) } }
        output.removeLast(output.count - count)
        return output
    }
}
