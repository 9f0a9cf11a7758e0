internal import Compression

/// Puts a body together, piece by piece: small parts are collected, large ones taken as they are, and what chunks yield
/// is kept with them for the next scrape, up to a limit.
struct BodyAssembler {
    /// Parts below this size are copied together: a buffer of its own costs more.
    private static let smallPart = 2048
    private static let collectedLimit = 32 * 1024
    /// Bytes of one body that are kept with their chunks. All scrapes pass the families in the same order and keep the
    /// same first part, so that this bounds what encodings of one format cost; the rest is encoded each time.
    private let keptLimit: Int

    /// The limit for a body of so many series: a body of ordinary size (some 100 bytes a series) is kept whole, since
    /// scrapes that find it warm cost a twentieth; of one that would double the memory only a small part is.
    static func keptLimit(seriesCount: Int, isGzipped: Bool) -> Int {
        if seriesCount <= 250_000 { return 32 << 20 }
        // Compressed it is a tenth, and took ten times as long.
        return isGzipped ? 2 << 20 : 1 << 20
    }

    /// What is complete and was not taken yet, in order; none is empty.
    private(set) var parts: [[UInt8]] = []
    private var collected: [UInt8] = []
    /// nil for a body that is not compressed.
    private let deflater: DeflateRuns?
    private var checksum: UInt32 = 0
    private var plainCount = 0
    private var keptCount = 0

    init(isGzipped: Bool, keptLimit: Int) {
        self.keptLimit = keptLimit
        deflater = isGzipped ? DeflateRuns() : nil
        if isGzipped { parts.append(DeflateRuns.gzipHeader) }
    }

    /// What is complete.
    mutating func takeParts() -> [[UInt8]] {
        defer { parts = [] }
        return parts
    }

    /// Adds bytes that nobody keeps.
    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// Adds bytes that nobody keeps.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        collected.append(contentsOf: bytes)
        if collected.count >= BodyAssembler.collectedLimit { flush() }
    }

    /// Adds the series of a chunk.
    mutating func append(_ chunk: SeriesChunk, of family: FamilyView, _ key: EncodingKey, _ encoder: ChunkEncoder) {
        let compressedKey = key.with(.deflated)
        if let deflater {
            if let run = chunk.encoding(compressedKey) {
                append(run: run)
                noteKept(run, chunk, compressedKey)
            } else {
                encoder.encode(chunk, of: family, key) { bytes in
                    guard bytes.count >= BodyAssembler.smallPart else { return append(bytes) }
                    let (run, checksum) = deflater.run(bytes)
                    let part = EncodedPart(run, plainCount: bytes.count, checksum: checksum)
                    append(run: part)
                    if keeps(run.count) { chunk.keep(part, compressedKey) }
                }
            }
        } else if let part = chunk.encoding(key) {
            append(part)
            noteKept(part, chunk, key)
        } else {
            encoder.encode(chunk, of: family, key) { bytes in
                guard keeps(bytes.count) else { return append(bytes) }
                let part = EncodedPart(Array(bytes))
                chunk.keep(part, key)
                append(part)
            }
        }
    }

    /// How many bytes the series of a chunk take, before compression.
    func length(
        _ chunk: SeriesChunk, of family: FamilyView, _ key: EncodingKey, _ encoder: ChunkEncoder
    ) -> Int {
        for content in [EncodingKey.Content.plain, .deflated, .length] {
            if let part = chunk.encoding(key.with(content)) { return part.plainCount }
        }
        var length = 0
        encoder.encode(chunk, of: family, key) { length = $0.count }
        chunk.keep(EncodedPart([], plainCount: length), key.with(.length))
        return length
    }

    private mutating func append(_ part: EncodedPart) {
        guard part.bytes.count >= BodyAssembler.smallPart else { return append(part.bytes) }
        flush()
        parts.append(part.bytes)
    }

    private mutating func append(run part: EncodedPart) {
        flush()
        parts.append(part.bytes)
        checksum = DeflateRuns.combine(checksum, part.checksum, secondCount: part.plainCount)
        plainCount += part.plainCount
    }

    /// Whether so many bytes more may be kept; they are counted then.
    private mutating func keeps(_ count: Int) -> Bool {
        guard keptCount + count <= keptLimit else { return false }
        keptCount += count
        return true
    }

    /// Counts what is kept already, or forgets it if there is too much before it by now.
    private mutating func noteKept(_ part: EncodedPart, _ chunk: SeriesChunk, _ key: EncodingKey) {
        if !keeps(part.bytes.count) { chunk.forget(key) }
    }

    private mutating func flush() {
        guard !collected.isEmpty else { return }
        let bytes = collected
        collected = []
        if let deflater {
            let (run, checksum) = deflater.run(bytes)
            append(run: EncodedPart(run, plainCount: bytes.count, checksum: checksum))
        } else {
            parts.append(bytes)
        }
    }

    /// Completes the body.
    mutating func finish() {
        flush()
        if deflater != nil { parts.append(DeflateRuns.gzipTrailer(checksum: checksum, plainCount: plainCount)) }
    }
}
