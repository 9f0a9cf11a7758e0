internal import MetricModel

/// Reads chunks of native histograms, sample by sample.
struct HistogramDecoder<Histogram: ChunkHistogram> {
    var reader: BitReader
    private(set) var layout = HistogramLayout()
    private(set) var coder = Histogram.Coder()
    private(set) var start = StartTimestampCoder()
    /// Samples read so far.
    private(set) var read = 0
    let storesStart: Bool
    let total: Int
    private let chunkHint: CounterResetHint

    /// - Throws: ``ChunkError`` for data without a header or of another encoding.
    init(_ encoding: ChunkEncoding, _ bytes: UnsafeRawBufferPointer) throws(ChunkError) {
        guard bytes.count >= 3 else { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
        guard encoding == Histogram.encoding(startTimestamps: encoding.hasStartHeader) else {
            throw ChunkError(reason: .invalid("chunk encoding \(encoding.name) holds other samples"), bit: 0)
        }
        storesStart = encoding.hasStartHeader
        reader = BitReader(bytes, from: 3)
        total = ChunkHeader.sampleCount(bytes, encoding)
        chunkHint = ChunkHeader.counterReset(bytes, encoding)
        if storesStart { start = StartTimestampCoder(header: bytes[2]) }
    }

    /// Reads the next sample; false after the last.
    mutating func next() throws(ChunkError) -> Bool {
        guard read < total else { return false }
        let previous = coder.timestamp
        if read == 0 {
            layout = try HistogramLayout(from: &reader)
            try coder.readFirst(layout, from: &reader)
        } else {
            try coder.readNext(from: &reader)
        }
        if storesStart {
            try start.read(index: read, timestamp: coder.timestamp, previous: previous, from: &reader)
        }
        read += 1
        return true
    }

    /// Time of the sample read last.
    var timestamp: Timestamp { coder.timestamp }

    /// Its start timestamp, 0 if not known.
    var startTimestamp: Timestamp { start.startTimestamp }

    /// The sample read last. The first of a chunk says nothing about a reset, whatever the header says: the chunk
    /// before may be gone, or may have been added later.
    var histogram: Histogram {
        if SampleValue.isStale(coder.sum) { return Histogram.stale }
        let hint: CounterResetHint = chunkHint == .gauge ? .gauge : read > 1 ? .notReset : .unknown
        var histogram = coder.histogram(layout, hint: hint)
        let highest = FloatHistogram.exponentialSchemas.upperBound
        if histogram.schema > highest {
            // Resolutions that are reserved for the future are lowered, as upstream does. Spans and buckets of a chunk
            // always fit each other, which is all that could go wrong.
            try? histogram.reduceResolution(to: highest)
        }
        return histogram
    }
}

extension ChunkEncoding {
    /// Whether a header byte announces start timestamps.
    var hasStartHeader: Bool { self == .xor2 || self == .histogramST || self == .floatHistogramST }
}
