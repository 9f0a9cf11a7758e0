package import MetricModel

/// The fields of float histograms: all by XOR.
///
/// Source: prometheus/prometheus tsdb/chunkenc/float_histogram.go.
package struct FloatHistogramCoder: HistogramCoder {
    package private(set) var timestamp: Timestamp = 0
    private var timestampDelta: Int64 = 0
    private var count = Field()
    private var zeroCount = Field()
    private var total = Field()
    private var positive: [Double] = []
    private var positiveWindows: [XORWindow] = []
    private var negative: [Double] = []
    private var negativeWindows: [XORWindow] = []

    private struct Field: Sendable {
        var value = 0.0
        var window = XORWindow.unset

        mutating func write(_ next: Double, to writer: inout BitWriter) {
            window.write(next.bitPattern ^ value.bitPattern, to: &writer)
            value = next
        }

        mutating func read(_ reader: inout BitReader) throws(ChunkError) {
            value = Double(bitPattern: value.bitPattern ^ (try window.read(&reader)))
        }
    }

    package init() {}

    package var sum: Double { total.value }

    package func shrinks(to histogram: FloatHistogram) -> (count: Bool, zeroCount: Bool) {
        (histogram.count < count.value, histogram.zeroCount < zeroCount.value)
    }

    package func bucketsShrink(to histogram: FloatHistogram) -> Bool {
        zip(positive, histogram.positiveBuckets).contains { $0 > $1 }
            || zip(negative, histogram.negativeBuckets).contains { $0 > $1 }
    }
}

extension FloatHistogramCoder {
    package mutating func writeFirst(_ time: Timestamp, _ histogram: FloatHistogram, to writer: inout BitWriter) {
        writer.writeVarbit(time)
        for value in [histogram.count, histogram.zeroCount, histogram.sum] {
            writer.write(value.bitPattern, bits: 64)
        }
        for bucket in histogram.positiveBuckets { writer.write(bucket.bitPattern, bits: 64) }
        for bucket in histogram.negativeBuckets { writer.write(bucket.bitPattern, bits: 64) }
        timestamp = time
        count.value = histogram.count
        zeroCount.value = histogram.zeroCount
        total.value = histogram.sum
        positive = histogram.positiveBuckets
        negative = histogram.negativeBuckets
        positiveWindows = [XORWindow](repeating: .unset, count: positive.count)
        negativeWindows = [XORWindow](repeating: .unset, count: negative.count)
    }

    package mutating func writeNext(_ time: Timestamp, _ histogram: FloatHistogram, to writer: inout BitWriter) {
        let newDelta = time &- timestamp
        writer.writeVarbit(newDelta &- timestampDelta)
        timestampDelta = newDelta
        timestamp = time
        count.write(histogram.count, to: &writer)
        zeroCount.write(histogram.zeroCount, to: &writer)
        total.write(histogram.sum, to: &writer)
        guard !histogram.isStale else { return }
        for index in 0..<min(positive.count, histogram.positiveBuckets.count) {
            let next = histogram.positiveBuckets[index]
            positiveWindows[index].write(next.bitPattern ^ positive[index].bitPattern, to: &writer)
            positive[index] = next
        }
        for index in 0..<min(negative.count, histogram.negativeBuckets.count) {
            let next = histogram.negativeBuckets[index]
            negativeWindows[index].write(next.bitPattern ^ negative[index].bitPattern, to: &writer)
            negative[index] = next
        }
    }

    package mutating func readFirst(_ layout: HistogramLayout, from reader: inout BitReader) throws(ChunkError) {
        timestamp = try reader.readVarbit()
        count = Field(value: Double(bitPattern: try reader.read(64)), window: .whole)
        zeroCount = Field(value: Double(bitPattern: try reader.read(64)), window: .whole)
        total = Field(value: Double(bitPattern: try reader.read(64)), window: .whole)
        let positives = BucketLayout.count(layout.positiveSpans)
        let negatives = BucketLayout.count(layout.negativeSpans)
        guard positives &+ negatives <= reader.remaining / 64 else { throw reader.failure(.truncated) }
        positive.reserveCapacity(positives)
        negative.reserveCapacity(negatives)
        for _ in 0..<positives { positive.append(Double(bitPattern: try reader.read(64))) }
        for _ in 0..<negatives { negative.append(Double(bitPattern: try reader.read(64))) }
        positiveWindows = [XORWindow](repeating: .whole, count: positives)
        negativeWindows = [XORWindow](repeating: .whole, count: negatives)
    }

    package mutating func readNext(from reader: inout BitReader) throws(ChunkError) {
        timestampDelta = timestampDelta &+ (try reader.readVarbit())
        timestamp = timestamp &+ timestampDelta
        try count.read(&reader)
        try zeroCount.read(&reader)
        try total.read(&reader)
        guard !SampleValue.isStale(total.value) else { return }
        for index in positive.indices {
            let difference = try positiveWindows[index].read(&reader)
            positive[index] = Double(bitPattern: positive[index].bitPattern ^ difference)
        }
        for index in negative.indices {
            let difference = try negativeWindows[index].read(&reader)
            negative[index] = Double(bitPattern: negative[index].bitPattern ^ difference)
        }
    }

    /// The sample read last.
    package func histogram(_ layout: HistogramLayout, hint: CounterResetHint) -> FloatHistogram {
        FloatHistogram(
            counterResetHint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold,
            zeroCount: zeroCount.value, count: count.value, sum: total.value, positiveSpans: layout.positiveSpans,
            positiveBuckets: positive, negativeSpans: layout.negativeSpans, negativeBuckets: negative,
            customValues: layout.customValues)
    }

    package mutating func becomeAppender() {
        if count.window.width == 64 { count.window = .unset }
        if zeroCount.window.width == 64 { zeroCount.window = .unset }
        if total.window.width == 64 { total.window = .unset }
        for index in positiveWindows.indices where positiveWindows[index].width == 64 {
            positiveWindows[index] = .unset
        }
        for index in negativeWindows.indices where negativeWindows[index].width == 64 {
            negativeWindows[index] = .unset
        }
    }
}
