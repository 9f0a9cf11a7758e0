package import MetricModel

/// Decodes chunks of any encoding.
package enum ChunkDecoder {
    /// Appends the first `limit` samples of a chunk to `columns`.
    ///
    /// - Parameters:
    ///   - encoding: How the data is coded.
    ///   - bytes: The data, without encoding byte and checksum; only read within the call.
    ///   - columns: Where the samples go.
    ///   - limit: Samples to decode at most, for readers of an open chunk that may not see its last samples.
    /// - Throws: ``ChunkError``; the columns are then as before.
    /// - Complexity: O(samples); allocates only to make room in the columns, and for histograms.
    package static func decode(
        _ encoding: ChunkEncoding, _ bytes: UnsafeRawBufferPointer, into columns: inout SampleColumns,
        limit: Int = .max
    ) throws(ChunkError) {
        let announced = min(ChunkHeader.sampleCount(bytes, encoding), max(limit, 0))
        guard announced > 0 else {
            if bytes.count < encoding.headerSize { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
            return
        }
        let before = columns.count
        let histogramsBefore = columns.histograms.count
        do {
            switch encoding {
            case .xor: try decodeXOR(bytes, announced, into: &columns)
            case .xor2: try decodeXOR2(bytes, announced, into: &columns)
            case .histogram, .histogramST:
                try decodeHistograms(NativeHistogram.self, encoding, bytes, announced, into: &columns) { $0.float }
            case .floatHistogram, .floatHistogramST:
                try decodeHistograms(FloatHistogram.self, encoding, bytes, announced, into: &columns) { $0 }
            }
        } catch {
            columns.timestamps.removeLast(columns.timestamps.count - before)
            columns.values.removeLast(columns.values.count - before)
            columns.histograms.removeLast(columns.histograms.count - histogramsBefore)
            if columns.startTimestamps.count > before {
                columns.startTimestamps.removeLast(columns.startTimestamps.count - before)
            }
            throw error
        }
        guard !columns.startTimestamps.isEmpty else { return }
        // Long chunks have start timestamps from sample 127 on, even if all are 0.
        if columns.startTimestamps.allSatisfy({ $0 == 0 }) { return columns.startTimestamps.removeAll() }
        columns.padStartTimestamps(to: columns.count)
    }

    private static func decodeXOR(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, into columns: inout SampleColumns
    ) throws(ChunkError) {
        // A sample takes two bits at least: a header that announces more is damaged, and must not cost memory.
        guard count <= bytes.count * 4 else { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
        var decoder = try XORDecoder(bytes)
        try columns.appendFloats(count) { (timestamps, values) throws(ChunkError) in
            try decoder.decode(count, timestamps, values)
        }
    }

    private static func decodeXOR2(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, into columns: inout SampleColumns
    ) throws(ChunkError) {
        guard count <= bytes.count * 8 else { throw ChunkError(reason: .truncated, bit: bytes.count * 8) }
        var decoder = try XOR2Decoder(bytes)
        guard decoder.start.isPresent else {
            return try columns.appendFloats(count) { (timestamps, values) throws(ChunkError) in
                for index in 0..<count {
                    try decoder.next()
                    timestamps[index] = decoder.timestamp
                    values[index] = Double(bitPattern: decoder.bits)
                }
            }
        }
        columns.padStartTimestamps(to: columns.count)
        for _ in 0..<count {
            try decoder.next()
            columns.append(decoder.timestamp, Double(bitPattern: decoder.bits))
            columns.startTimestamps.append(decoder.start.startTimestamp)
        }
    }

    private static func decodeHistograms<Histogram: ChunkHistogram>(
        _ type: Histogram.Type, _ encoding: ChunkEncoding, _ bytes: UnsafeRawBufferPointer, _ count: Int,
        into columns: inout SampleColumns, _ float: (Histogram) -> FloatHistogram
    ) throws(ChunkError) {
        var decoder = try HistogramDecoder<Histogram>(encoding, bytes)
        let isInteger = type == NativeHistogram.self
        if decoder.start.isPresent { columns.padStartTimestamps(to: columns.count) }
        for _ in 0..<count {
            guard try decoder.next() else { break }
            columns.append(decoder.timestamp, float(decoder.histogram), hasIntegerCounts: isInteger)
            if decoder.start.isPresent { columns.startTimestamps.append(decoder.startTimestamp) }
        }
    }
}

/// One sample as a chunk holds it, for code that writes chunks anew: integer histograms stay integers.
package enum ChunkSample: Sendable {
    /// A number.
    case float(Timestamp, Double, start: Timestamp)
    /// An integer histogram.
    case histogram(Timestamp, NativeHistogram, start: Timestamp)
    /// A float histogram.
    case floatHistogram(Timestamp, FloatHistogram, start: Timestamp)

    /// Milliseconds.
    package var timestamp: Timestamp {
        switch self {
        case .float(let time, _, _), .histogram(let time, _, _), .floatHistogram(let time, _, _): time
        }
    }

    /// Start timestamp; 0 if not known.
    package var start: Timestamp {
        switch self {
        case .float(_, _, let start), .histogram(_, _, let start), .floatHistogram(_, _, let start): start
        }
    }
}

extension ChunkDecoder {
    /// The samples of a chunk one by one.
    /// - Throws: ``ChunkError``.
    package static func samples(
        _ encoding: ChunkEncoding, _ bytes: UnsafeRawBufferPointer
    ) throws(ChunkError) -> [ChunkSample] {
        var result: [ChunkSample] = []
        switch encoding {
        case .xor, .xor2:
            var columns = SampleColumns()
            try decode(encoding, bytes, into: &columns)
            result.reserveCapacity(columns.count)
            for index in 0..<columns.count {
                let start = index < columns.startTimestamps.count ? columns.startTimestamps[index] : 0
                result.append(.float(columns.timestamps[index], columns.values[index], start: start))
            }
        case .histogram, .histogramST:
            var decoder = try HistogramDecoder<NativeHistogram>(encoding, bytes)
            while try decoder.next() {
                result.append(.histogram(decoder.timestamp, decoder.histogram, start: decoder.startTimestamp))
            }
        case .floatHistogram, .floatHistogramST:
            var decoder = try HistogramDecoder<FloatHistogram>(encoding, bytes)
            while try decoder.next() {
                result.append(.floatHistogram(decoder.timestamp, decoder.histogram, start: decoder.startTimestamp))
            }
        }
        return result
    }
}

extension SampleColumns {
    /// Makes room for `count` floats and lets `body` fill it; nothing is appended if that throws.
    mutating func appendFloats(
        _ count: Int,
        _ body: (UnsafeMutablePointer<Timestamp>, UnsafeMutablePointer<Double>) throws(ChunkError) -> Void
    ) throws(ChunkError) {
        var failure: ChunkError?
        let values = self.values
        self.values = []
        var moved = consume values
        timestamps.append(addingCapacity: count) { target in
            target.withUnsafeMutableBufferPointer { timeSpace, timeCount in
                moved.append(addingCapacity: count) { valueTarget in
                    valueTarget.withUnsafeMutableBufferPointer { valueSpace, valueCount in
                        guard let times = timeSpace.baseAddress, let numbers = valueSpace.baseAddress else { return }
                        do throws(ChunkError) {
                            // SAFETY: both spans have room for `count` elements from their current ends.
                            try body(times + timeCount, numbers + valueCount)
                            timeCount += count
                            valueCount += count
                        } catch {
                            failure = error
                        }
                    }
                }
            }
        }
        self.values = moved
        if let failure { throw failure }
    }

    /// Fills up with 0, "unknown".
    mutating func padStartTimestamps(to count: Int) {
        guard startTimestamps.count < count else { return }
        startTimestamps.append(contentsOf: repeatElement(0, count: count - startTimestamps.count))
    }
}
