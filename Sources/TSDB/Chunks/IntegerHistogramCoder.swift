package import MetricModel

/// The fields of integer histograms: deltas of deltas; the sum by XOR.
///
/// Source: prometheus/prometheus tsdb/chunkenc/histogram.go.
package struct IntegerHistogramCoder: HistogramCoder {
    package private(set) var timestamp: Timestamp = 0
    private var timestampDelta: Int64 = 0
    private var count: UInt64 = 0
    private var countDelta: Int64 = 0
    private var zeroCount: UInt64 = 0
    private var zeroCountDelta: Int64 = 0
    package private(set) var sum = 0.0
    private var window = XORWindow.unset
    private var positive: [Int64] = []
    private var positiveDelta: [Int64] = []
    private var negative: [Int64] = []
    private var negativeDelta: [Int64] = []

    package init() {}

    package func shrinks(to histogram: NativeHistogram) -> (count: Bool, zeroCount: Bool) {
        (histogram.count < count, histogram.zeroCount < zeroCount)
    }

    package func bucketsShrink(to histogram: NativeHistogram) -> Bool {
        Self.shrinks(positive, histogram.positiveDeltas) || Self.shrinks(negative, histogram.negativeDeltas)
    }

    /// Compares running sums of deltas.
    private static func shrinks(_ old: [Int64], _ new: [Int64]) -> Bool {
        var oldCount: Int64 = 0
        var newCount: Int64 = 0
        for index in 0..<min(old.count, new.count) {
            oldCount = oldCount &+ old[index]
            newCount = newCount &+ new[index]
            if oldCount > newCount { return true }
        }
        return false
    }
}

extension IntegerHistogramCoder {
    package mutating func writeFirst(_ time: Timestamp, _ histogram: NativeHistogram, to writer: inout BitWriter) {
        writer.writeVarbit(time)
        writer.writeVarbitUnsigned(histogram.count)
        writer.writeVarbitUnsigned(histogram.zeroCount)
        writer.write(histogram.sum.bitPattern, bits: 64)
        for bucket in histogram.positiveDeltas { writer.writeVarbit(bucket) }
        for bucket in histogram.negativeDeltas { writer.writeVarbit(bucket) }
        timestamp = time
        count = histogram.count
        zeroCount = histogram.zeroCount
        sum = histogram.sum
        positive = histogram.positiveDeltas
        negative = histogram.negativeDeltas
        positiveDelta = [Int64](repeating: 0, count: positive.count)
        negativeDelta = [Int64](repeating: 0, count: negative.count)
    }

    package mutating func writeNext(_ time: Timestamp, _ histogram: NativeHistogram, to writer: inout BitWriter) {
        let stale = histogram.isStale
        let newTimestampDelta = time &- timestamp
        let newCountDelta = Int64(bitPattern: histogram.count &- count)
        let newZeroCountDelta = Int64(bitPattern: histogram.zeroCount &- zeroCount)
        writer.writeVarbit(newTimestampDelta &- timestampDelta)
        writer.writeVarbit(stale ? 0 : newCountDelta &- countDelta)
        writer.writeVarbit(stale ? 0 : newZeroCountDelta &- zeroCountDelta)
        window.write(histogram.sum.bitPattern ^ sum.bitPattern, to: &writer)
        timestamp = time
        timestampDelta = newTimestampDelta
        count = histogram.count
        countDelta = newCountDelta
        zeroCount = histogram.zeroCount
        zeroCountDelta = newZeroCountDelta
        sum = histogram.sum
        // After a staleness marker only further markers follow in a chunk: their buckets do not matter.
        guard !stale else { return }
        Self.write(histogram.positiveDeltas, last: &positive, delta: &positiveDelta, to: &writer)
        Self.write(histogram.negativeDeltas, last: &negative, delta: &negativeDelta, to: &writer)
    }

    private static func write(
        _ buckets: [Int64], last: inout [Int64], delta: inout [Int64], to writer: inout BitWriter
    ) {
        for index in 0..<min(buckets.count, last.count) {
            let change = buckets[index] &- last[index]
            writer.writeVarbit(change &- delta[index])
            delta[index] = change
            last[index] = buckets[index]
        }
    }

    package mutating func readFirst(_ layout: HistogramLayout, from reader: inout BitReader) throws(ChunkError) {
        window = .whole
        timestamp = try reader.readVarbit()
        count = try reader.readVarbitUnsigned()
        zeroCount = try reader.readVarbitUnsigned()
        sum = Double(bitPattern: try reader.read(64))
        let positives = BucketLayout.count(layout.positiveSpans)
        let negatives = BucketLayout.count(layout.negativeSpans)
        // A bucket takes at least one bit: a greater number is damage, and must not become an allocation.
        guard positives &+ negatives <= reader.remaining else { throw reader.failure(.truncated) }
        positive.reserveCapacity(positives)
        negative.reserveCapacity(negatives)
        for _ in 0..<positives { positive.append(try reader.readVarbit()) }
        for _ in 0..<negatives { negative.append(try reader.readVarbit()) }
        positiveDelta = [Int64](repeating: 0, count: positives)
        negativeDelta = [Int64](repeating: 0, count: negatives)
    }

    package mutating func readNext(from reader: inout BitReader) throws(ChunkError) {
        timestampDelta = timestampDelta &+ (try reader.readVarbit())
        timestamp = timestamp &+ timestampDelta
        countDelta = countDelta &+ (try reader.readVarbit())
        count = count &+ UInt64(bitPattern: countDelta)
        zeroCountDelta = zeroCountDelta &+ (try reader.readVarbit())
        zeroCount = zeroCount &+ UInt64(bitPattern: zeroCountDelta)
        sum = Double(bitPattern: sum.bitPattern ^ (try window.read(&reader)))
        guard !SampleValue.isStale(sum) else { return }
        for index in positive.indices {
            positiveDelta[index] = positiveDelta[index] &+ (try reader.readVarbit())
            positive[index] = positive[index] &+ positiveDelta[index]
        }
        for index in negative.indices {
            negativeDelta[index] = negativeDelta[index] &+ (try reader.readVarbit())
            negative[index] = negative[index] &+ negativeDelta[index]
        }
    }

    /// The sample read last.
    package func histogram(_ layout: HistogramLayout, hint: CounterResetHint) -> NativeHistogram {
        NativeHistogram(
            counterResetHint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold, zeroCount: zeroCount,
            count: count, sum: sum, positiveSpans: layout.positiveSpans, positiveDeltas: positive,
            negativeSpans: layout.negativeSpans, negativeDeltas: negative, customValues: layout.customValues)
    }

    package mutating func becomeAppender() { if window.width == 64 { window = .unset } }
}
