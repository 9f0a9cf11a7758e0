internal import ByteCoding
internal import MetricModel

/// A chunk as it stands in a file of `chunks_head`, with the series it belongs to.
struct StoredHeadChunk {
    var series: UInt64
    var chunk: MappedChunk
    var isOutOfOrder: Bool
}

/// How chunks stand in the files under `chunks_head`.
///
/// Source of the format: prometheus/prometheus tsdb/docs/format/head_chunks.md.
enum HeadChunkFormat {
    /// The first four bytes of a file.
    static let magic: UInt32 = 0x0130_BC91
    /// Magic number, version, padding.
    static let headerSize = 8
    /// A file that would become larger is followed by a new one.
    static let maximumFileSize: Int64 = 128 << 20
    /// The bit of the encoding byte that says that the chunk's samples came late.
    static let outOfOrderBit: UInt8 = 0x80
    /// Reference, two times, encoding.
    static let fixedSize = 25
    /// The series of chunks that the next start is to ignore.
    static let nobody = UInt64.max

    /// A chunk, and where its parts lie in the bytes it was read from.
    struct Parsed {
        var series: UInt64
        var minimumTime: Timestamp
        var maximumTime: Timestamp
        var encoding: ChunkEncoding
        var isOutOfOrder: Bool
        var data: Range<Int>
        var sampleCount: UInt32
        var size: Int
    }

    /// What stands at a place of a file.
    enum Found {
        case chunk(Parsed)
        /// Nothing any more: zeros that were never written over.
        case end
        case bad(String)
    }

    /// Reads the chunk at the start of `bytes`.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Found {
        var cursor = WireCursor(bytes)
        let series = cursor.bigEndian64()
        let minimum = Int64(bitPattern: cursor.bigEndian64())
        let maximum = Int64(bitPattern: cursor.bigEndian64())
        if !cursor.isBad && series == 0 && minimum == 0 && maximum == 0 { return .end }
        let number = cursor.byte()
        let length = cursor.uvarint()
        if cursor.isBad {
            return bytes.allSatisfy({ $0 == 0 }) ? .end : .bad("head chunk file ends within a chunk")
        }
        guard length <= UInt64(cursor.left), cursor.left - Int(length) >= 4 else {
            return .bad("head chunk file doesn't include enough bytes to read the chunk")
        }
        let start = cursor.offset
        let end = start + Int(length)
        _ = cursor.slice(Int(length))
        let expected = cursor.bigEndian32()
        let found = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<end]))
        guard found == expected else {
            return .bad(
                "checksum mismatch expected:\(String(expected, radix: 16)), actual:\(String(found, radix: 16))")
        }
        guard let encoding = ChunkEncoding(rawValue: number & ~outOfOrderBit) else {
            return .bad("unknown chunk encoding \(number & ~outOfOrderBit)")
        }
        let samples = ChunkHeader.sampleCount(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), encoding)
        return .chunk(
            Parsed(
                series: series, minimumTime: minimum, maximumTime: maximum, encoding: encoding,
                isOutOfOrder: number & outOfOrderBit != 0, data: start..<end, sampleCount: UInt32(samples),
                size: cursor.offset))
    }

    /// The size of the chunk at the start of `bytes`, as far as they tell; 0 if they are too few to tell.
    static func neededSize(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { buffer in
            var cursor = WireCursor(buffer)
            _ = cursor.slice(fixedSize)
            let length = cursor.uvarint()
            return cursor.isBad ? 0 : cursor.offset + Int(clamping: min(length, 1 << 26)) + 4
        }
    }
}
