internal import MetricModel

/// Codes the samples of one series as chunks: for imports, and for compactions that must write samples anew.
package struct SampleEncoder: Sendable {
    /// How samples are coded.
    package struct Options: Sendable {
        /// Samples of a chunk of floats.
        package var samplesPerChunk = 120
        /// How numbers without start timestamps are coded; those with them take ``FloatEncoding/xor2``.
        package var floatEncoding = FloatEncoding.xor

        /// Prometheus' defaults.
        package init() {}
    }

    private enum Open: Sendable {
        case none
        case xor(XORAppender)
        case xor2(XOR2Appender)
        case histogram(HistogramAppender<NativeHistogram>)
        case floatHistogram(HistogramAppender<FloatHistogram>)
    }

    private let options: Options
    private var open = Open.none
    private var finished: [FullChunk] = []
    private var first: Timestamp = 0
    private var last: Timestamp?

    /// No samples.
    package init(_ options: Options = Options()) { self.options = options }

    /// Adds a sample; one that is not later than the one before is left out.
    package mutating func append(_ sample: ChunkSample) {
        let time = sample.timestamp
        if let last, time <= last { return }
        switch sample {
        case .float(_, let value, let start): appendFloat(time, value, start)
        case .histogram(_, let histogram, let start): appendHistogram(time, histogram, start)
        case .floatHistogram(_, let histogram, let start): appendFloatHistogram(time, histogram, start)
        }
        last = time
    }

    /// The chunks, by time; the encoder is empty after.
    package mutating func finish() -> [FullChunk] {
        close()
        defer {
            finished = []
            last = nil
        }
        return finished
    }

    private mutating func close() {
        let chunk: Chunk
        switch open {
        case .none: return
        case .xor(let appender): chunk = appender.chunk
        case .xor2(let appender): chunk = appender.chunk
        case .histogram(let appender): chunk = appender.chunk
        case .floatHistogram(let appender): chunk = appender.chunk
        }
        open = .none
        keep(chunk)
    }

    private mutating func keep(_ chunk: Chunk) {
        guard let last, chunk.sampleCount > 0 else { return }
        // Without the spare bytes that appenders keep.
        let exact = Chunk(encoding: chunk.encoding, bytes: chunk.bytes)
        finished.append(FullChunk(minimumTime: first, maximumTime: last, chunk: exact))
    }

    private mutating func appendFloat(_ time: Timestamp, _ value: Double, _ start: Timestamp) {
        switch open {
        case .xor(var appender) where appender.sampleCount < options.samplesPerChunk && start == 0:
            open = .none
            appender.append(time, value)
            open = .xor(appender)
        case .xor2(var appender) where appender.sampleCount < options.samplesPerChunk:
            open = .none
            appender.append(time, value, startTimestamp: start)
            open = .xor2(appender)
        case .none, .xor, .xor2, .histogram, .floatHistogram:
            close()
            first = time
            if options.floatEncoding == .xor2 || start != 0 {
                var appender = XOR2Appender()
                appender.append(time, value, startTimestamp: start)
                open = .xor2(appender)
            } else {
                var appender = XORAppender()
                appender.append(time, value)
                open = .xor(appender)
            }
        }
    }

    private mutating func appendHistogram(_ time: Timestamp, _ histogram: NativeHistogram, _ start: Timestamp) {
        var current: HistogramAppender<NativeHistogram>?
        if case .histogram(let appender) = open { current = appender }
        open = .histogram(append(time, histogram, start, to: current))
    }

    private mutating func appendFloatHistogram(_ time: Timestamp, _ histogram: FloatHistogram, _ start: Timestamp) {
        var current: HistogramAppender<FloatHistogram>?
        if case .floatHistogram(let appender) = open { current = appender }
        open = .floatHistogram(append(time, histogram, start, to: current))
    }

    /// Adds a histogram to the chunk of `current`, or to a new one where that is full, of another kind, or has no place
    /// for a start timestamp (or only places for them).
    /// - Returns: the appender of the chunk that is open from then on.
    private mutating func append<Histogram: ChunkHistogram>(
        _ time: Timestamp, _ histogram: Histogram, _ start: Timestamp, to current: HistogramAppender<Histogram>?
    ) -> HistogramAppender<Histogram> {
        if let current, current.encoding.hasStartHeader == (start != 0),
            !isFull(current.byteCount, current.sampleCount)
        {
            var appender = current
            open = .none
            if case .cut(let done) = appender.append(time, histogram, startTimestamp: start) {
                keep(done)
                first = time
            }
            return appender
        }
        close()
        first = time
        var appender = HistogramAppender<Histogram>(startTimestamps: start != 0)
        _ = appender.append(time, histogram, startTimestamp: start, previous: current)
        return appender
    }

    private func isFull(_ byteCount: Int, _ sampleCount: Int) -> Bool {
        byteCount >= HistogramAppender<NativeHistogram>.targetBytes
            && sampleCount >= HistogramAppender<NativeHistogram>.minimumSamples
    }
}
