package import MetricModel

/// How the samples of a chunk are coded.
///
/// Source: prometheus/prometheus tsdb/docs/format/chunks.md and tsdb/chunkenc/chunk.go (numbers).
package enum ChunkEncoding: UInt8, Sendable, Hashable, CaseIterable {
    /// Floats, deltas of deltas and XORed values.
    case xor = 1
    /// Integer native histograms.
    case histogram = 2
    /// Float native histograms.
    case floatHistogram = 3
    /// Floats with joint control bits and optional start timestamps.
    case xor2 = 4
    /// Integer native histograms with start timestamps.
    case histogramST = 5
    /// Float native histograms with start timestamps.
    case floatHistogramST = 6

    /// The name used in error texts and in `promtool tsdb analyze`.
    package var name: String {
        switch self {
        case .xor: "XOR"
        case .histogram: "histogram"
        case .floatHistogram: "floathistogram"
        case .xor2: "XOR2"
        case .histogramST: "histogramST"
        case .floatHistogramST: "floathistogramST"
        }
    }

    /// Whether the samples are numbers.
    package var holdsFloats: Bool { self == .xor || self == .xor2 }

    /// Bytes before the bit stream.
    var headerSize: Int {
        switch self {
        case .xor: 2
        case .xor2, .histogram, .floatHistogram, .histogramST, .floatHistogramST: 3
        }
    }
}

/// Why bytes are not a chunk; the position is one in the chunk's data (after the encoding byte).
package struct ChunkError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Reason: Equatable, Sendable {
        /// The bytes end before the samples that the header announces.
        case truncated
        /// A bit pattern that no encoder writes.
        case invalid(String)
        /// An encoding this program does not know.
        case unknownEncoding(UInt8)
        /// A histogram schema this program does not know.
        case unknownSchema(Int32)
    }

    /// What is wrong.
    package let reason: Reason
    /// Where, in bits from the start of the chunk's data.
    package let bit: Int

    package var description: String {
        switch reason {
        case .truncated: "unexpected end of chunk data at bit \(bit)"
        case .invalid(let text): "\(text) at bit \(bit) of chunk data"
        case .unknownEncoding(let number): "unknown chunk encoding \(number)"
        case .unknownSchema(let schema):
            "histogram has an unknown schema, which must be between -9 and 52 for exponential buckets, or -53 for "
                + "custom buckets, got schema \(schema)"
        }
    }
}

/// The coded samples of one stretch of one series: an immutable snapshot that shares memory with its appender until
/// that writes again.
package struct Chunk: Sendable {
    /// How the samples are coded.
    package let encoding: ChunkEncoding
    /// The data, perhaps followed by spare bytes.
    let storage: [UInt8]
    /// Length of the data.
    package let byteCount: Int

    /// A chunk of complete data, as read from a file.
    package init(encoding: ChunkEncoding, bytes: [UInt8]) {
        self.encoding = encoding
        self.storage = bytes
        self.byteCount = bytes.count
    }

    init(encoding: ChunkEncoding, storage: [UInt8], byteCount: Int) {
        self.encoding = encoding
        self.storage = storage
        self.byteCount = byteCount
    }

    /// A copy of the data.
    package var bytes: [UInt8] { Array(storage.prefix(byteCount)) }

    /// Number of samples that the header announces; 0 for data too short to have one.
    package var sampleCount: Int { withUnsafeBytes { ChunkHeader.sampleCount($0, encoding) } }

    /// What the header of a histogram chunk says about a reset before its first sample.
    package var counterReset: CounterResetHint {
        withUnsafeBytes { ChunkHeader.counterReset($0, encoding) }
    }

    /// Calls `body` with the data.
    package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        // SAFETY: byteCount never exceeds the storage; the pointer does not leave `body` by contract.
        let result: Result<R, E> = storage.withUnsafeBytes { buffer in
            do throws(E) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: buffer.prefix(byteCount))))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Appends the first `limit` samples to `columns`.
    /// - Throws: ``ChunkError``; the columns are then as before.
    /// - Complexity: O(samples).
    package func decode(into columns: inout SampleColumns, limit: Int = .max) throws(ChunkError) {
        try withUnsafeBytes { (bytes) throws(ChunkError) in
            try ChunkDecoder.decode(encoding, bytes, into: &columns, limit: limit)
        }
    }
}

/// The fixed bytes at the start of chunk data.
enum ChunkHeader {
    /// Number of samples; in chunks of histograms with start timestamps the upper two bits mean something else.
    static func sampleCount(_ bytes: UnsafeRawBufferPointer, _ encoding: ChunkEncoding) -> Int {
        guard bytes.count >= 2 else { return 0 }
        let count = Int(bytes[0]) << 8 | Int(bytes[1])
        switch encoding {
        case .xor, .xor2, .histogram, .floatHistogram: return count
        case .histogramST, .floatHistogramST: return count & 0x3FFF
        }
    }

    /// The counter reset bits of a histogram chunk.
    static func counterReset(_ bytes: UnsafeRawBufferPointer, _ encoding: ChunkEncoding) -> CounterResetHint {
        guard bytes.count >= 3 else { return .unknown }
        switch encoding {
        case .xor, .xor2: return .unknown
        case .histogram, .floatHistogram: return hint(bytes[2])
        case .histogramST, .floatHistogramST: return hint(bytes[0])
        }
    }

    private static func hint(_ byte: UInt8) -> CounterResetHint {
        switch byte >> 6 {
        case 0b10: .reset
        case 0b01: .notReset
        case 0b11: .gauge
        default: .unknown
        }
    }

    /// The two bits of `hint`, in place.
    static func bits(_ hint: CounterResetHint) -> UInt8 {
        switch hint {
        case .unknown: 0
        case .reset: 0b1000_0000
        case .notReset: 0b0100_0000
        case .gauge: 0b1100_0000
        }
    }
}
