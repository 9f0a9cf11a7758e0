internal import Compression

/// Puts a body together from large parts, which are taken as they are, and small ones, which are collected.
struct BodyAssembler {
    /// Parts below this size are copied together: a buffer of its own costs more.
    static let smallPart = 2048
    private static let collectedLimit = 32 * 1024

    private var body = ScrapeBody()
    private var collected: [UInt8] = []
    /// nil for a body that is not compressed.
    private let deflater: DeflateRuns?
    private var checksum: UInt32 = 0
    private var plainCount = 0

    init(isGzipped: Bool) {
        deflater = isGzipped ? DeflateRuns() : nil
        if isGzipped { body.append(DeflateRuns.gzipHeader) }
    }

    /// Adds bytes that nobody keeps.
    mutating func append(_ bytes: [UInt8]) {
        collected.append(contentsOf: bytes)
        if collected.count >= BodyAssembler.collectedLimit { flush() }
    }

    /// Adds what a chunk yields.
    mutating func append(_ chunk: SeriesChunk, _ key: EncodingKey, _ encode: (SeriesList) -> [UInt8]) {
        let plain = chunk.encoding(key) { EncodedPart(encode($0)) }
        guard plain.bytes.count >= BodyAssembler.smallPart else { return append(plain.bytes) }
        flush()
        guard let deflater else { return body.append(plain.bytes) }
        var deflatedKey = key
        deflatedKey.isDeflated = true
        let part = chunk.encoding(deflatedKey) { _ in
            let (run, checksum) = deflater.run(plain.bytes)
            return EncodedPart(run, plainCount: plain.bytes.count, checksum: checksum)
        }
        append(run: part.bytes, checksum: part.checksum, plainCount: part.plainCount)
    }

    private mutating func append(run: [UInt8], checksum: UInt32, plainCount: Int) {
        body.append(run)
        self.checksum = DeflateRuns.combine(self.checksum, checksum, secondCount: plainCount)
        self.plainCount += plainCount
    }

    private mutating func flush() {
        guard !collected.isEmpty else { return }
        if let deflater {
            let (run, checksum) = deflater.run(collected)
            append(run: run, checksum: checksum, plainCount: collected.count)
        } else {
            body.append(collected)
        }
        collected = []
    }

    /// The body, complete.
    mutating func finish(leftOutCount: Int) -> ScrapeBody {
        flush()
        if deflater != nil { body.append(DeflateRuns.gzipTrailer(checksum: checksum, plainCount: plainCount)) }
        body.leftOutCount = leftOutCount
        return body
    }
}
