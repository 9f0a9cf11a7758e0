import MetricModel
import TSDB
import Testing
import TestSupport

/// A counter or gauge whose buckets come and go.
struct HistogramSource {
    var counts: [Int: Int64] = [:]
    var negative: [Int: Int64] = [:]
    var zero: UInt64 = 0
    var sum = 0.0
    let gauge: Bool
    let custom: Bool

    mutating func observe(_ generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let bucket = custom ? Int.random(in: 0...4, using: &generator) : Int.random(in: -9...9, using: &generator)
            let change = Int64.random(in: gauge ? -3...5 : 0...5, using: &generator)
            counts[bucket] = max(0, (counts[bucket] ?? 0) + change)
            if !custom, Int.random(in: 0..<3, using: &generator) == 0 {
                negative[bucket] = (negative[bucket] ?? 0) + Int64.random(in: 0...3, using: &generator)
            }
            sum += Double(bucket)
        }
        if !custom { zero += UInt64.random(in: 0...2, using: &generator) }
    }

    var histogram: NativeHistogram {
        func parts(_ counts: [Int: Int64]) -> ([BucketSpan], [Int64]) {
            var spans: [BucketSpan] = []
            var deltas: [Int64] = []
            var next = 0
            var last: Int64 = 0
            for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
                if let end = spans.indices.last, index == next {
                    spans[end].length += 1
                } else {
                    spans.append(BucketSpan(offset: Int32(index - next), length: 1))
                }
                next = index + 1
                deltas.append(count - last)
                last = count
            }
            return (spans, deltas)
        }
        let (positiveSpans, positives) = parts(counts)
        let (negativeSpans, negatives) = parts(negative)
        let total = counts.values.reduce(0, +) + negative.values.reduce(0, +)
        return NativeHistogram(
            counterResetHint: gauge ? .gauge : .unknown, schema: custom ? -53 : 2,
            zeroThreshold: custom ? 0 : 0x1p-128, zeroCount: zero, count: UInt64(total) + zero, sum: sum,
            positiveSpans: positiveSpans, positiveDeltas: positives, negativeSpans: negativeSpans,
            negativeDeltas: negatives, customValues: custom ? [0.005, 1, 2.5, 1e9, -0.1].sorted() : [])
    }
}

/// Bucket counts by index, without empty buckets: what two spellings of one histogram have in common.
func populated(_ histogram: FloatHistogram) -> [[Int: Double]] {
    func one(_ spans: [BucketSpan], _ values: [Double]) -> [Int: Double] {
        var result: [Int: Double] = [:]
        var next = 0
        var position = 0
        for span in spans {
            next += Int(span.offset)
            for _ in 0..<span.length {
                if values[position] != 0 { result[next] = values[position] }
                next += 1
                position += 1
            }
        }
        return result
    }
    return [
        one(histogram.positiveSpans, histogram.positiveBuckets),
        one(histogram.negativeSpans, histogram.negativeBuckets),
    ]
}

@Suite struct HistogramChunkTests {
    /// Appends a random series and returns what went in and the chunks that came out.
    static func run<H: ChunkHistogram>(
        _ seed: UInt64, startTimestamps: Bool, convert: (NativeHistogram) -> H
    ) throws -> (given: [(Timestamp, H)], chunks: [Chunk], recoded: Int) {
        var generator = SeededGenerator(seed: seed)
        var source = HistogramSource(gauge: seed % 3 == 0, custom: seed % 4 == 1)
        var appender = HistogramAppender<H>(startTimestamps: startTimestamps)
        var given: [(Timestamp, H)] = []
        var chunks: [Chunk] = []
        var recoded = 0
        var time: Timestamp = 1_700_000_000_000
        for step in 0..<150 {
            source.observe(&generator)
            if !source.gauge, Int.random(in: 0..<50, using: &generator) == 0 {
                source.counts = [:]
                source.negative = [:]
                source.zero = 0
            }
            var histogram = source.histogram
            if Int.random(in: 0..<60, using: &generator) == 0 {
                histogram = NativeHistogram(counterResetHint: source.gauge ? .gauge : .unknown, sum: SampleValue.stale)
            }
            time += 15_000 + Timestamp.random(in: 0...3, using: &generator)
            let sample = convert(histogram)
            given.append((time, sample))
            if step == 75 {
                appender = try HistogramAppender(
                    resuming: Chunk(encoding: appender.encoding, bytes: appender.chunk.bytes))
            }
            switch appender.append(time, sample, startTimestamp: step < 40 ? 0 : time - 7) {
            case .appended: break
            case .recoded: recoded += 1
            case .cut(let finished): chunks.append(finished)
            }
        }
        chunks.append(appender.chunk)
        return (given, chunks, recoded)
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func `integer histograms come back with all buckets`(seed: UInt64) throws
    {
        let starts = seed % 2 == 1
        let (given, chunks, _) = try Self.run(seed, startTimestamps: starts) { $0 }
        var columns = SampleColumns()
        for chunk in chunks { try chunk.decode(into: &columns) }
        #expect(columns.timestamps == given.map(\.0))
        for (index, sample) in columns.histograms.enumerated() {
            let expected = given[index].1.float
            #expect(sample.index == index)
            guard !expected.isStale else {
                #expect(sample.histogram.isStale && SampleValue.isStale(columns.values[index]))
                continue
            }
            #expect(sample.histogram.count == expected.count && sample.histogram.zeroCount == expected.zeroCount)
            #expect(sample.histogram.sum == expected.sum && sample.histogram.schema == expected.schema)
            #expect(sample.histogram.zeroThreshold == expected.zeroThreshold)
            #expect(sample.histogram.customValues == expected.customValues)
            #expect(populated(sample.histogram) == populated(expected))
        }
        if starts { #expect(columns.startTimestamps[149] == given[149].0 - 7 && columns.startTimestamps[0] == 0) }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func `float histograms come back with all buckets`(seed: UInt64) throws {
        let (given, chunks, _) = try Self.run(seed, startTimestamps: seed % 2 == 0) { histogram -> FloatHistogram in
            var float = histogram.float
            if !float.isStale { float.sum += 0.25 }
            return float
        }
        var columns = SampleColumns()
        for chunk in chunks { try chunk.decode(into: &columns) }
        #expect(columns.timestamps == given.map(\.0))
        for (index, sample) in columns.histograms.enumerated() where !given[index].1.isStale {
            #expect(sample.histogram.count == given[index].1.count && sample.histogram.sum == given[index].1.sum)
            #expect(populated(sample.histogram) == populated(given[index].1))
        }
    }

    @Test func `a counter reset cuts the chunk and is noted`() throws {
        var appender = HistogramAppender<NativeHistogram>()
        let spans = [BucketSpan(offset: 0, length: 2)]
        var high = NativeHistogram(schema: 1, count: 9, sum: 3, positiveSpans: spans, positiveDeltas: [4, 1])
        _ = appender.append(1, high)
        #expect(appender.counterReset == .unknown)
        high.positiveDeltas = [3, 3]
        guard case .cut(let finished) = appender.append(2, high) else {
            Issue.record("not cut")
            return
        }
        #expect(finished.sampleCount == 1 && appender.sampleCount == 1)
        #expect(appender.chunk.counterReset == .reset)
        high.schema = 0
        guard case .cut = appender.append(3, high) else {
            Issue.record("not cut")
            return
        }
        #expect(appender.chunk.counterReset == .unknown)
        var next = HistogramAppender<NativeHistogram>()
        high.count = 10
        _ = next.append(4, high, previous: appender)
        #expect(next.chunk.counterReset == .notReset)
    }

    @Test func `new buckets recode the chunk, missing empty ones widen the sample`() throws {
        var appender = HistogramAppender<NativeHistogram>()
        _ = appender.append(
            1,
            NativeHistogram(
                count: 1, sum: 1, positiveSpans: [BucketSpan(offset: 2, length: 1)], positiveDeltas: [1]))
        let outcome = appender.append(
            2,
            NativeHistogram(
                count: 2, sum: 1, positiveSpans: [BucketSpan(offset: 1, length: 2)], positiveDeltas: [0, 1]))
        guard case .recoded = outcome else {
            Issue.record("not recoded")
            return
        }
        guard
            case .appended = appender.append(
                3,
                NativeHistogram(
                    count: 3, sum: 1, positiveSpans: [BucketSpan(offset: 2, length: 1)], positiveDeltas: [2]))
        else {
            Issue.record("not appended")
            return
        }
        var columns = SampleColumns()
        try appender.chunk.decode(into: &columns)
        #expect(columns.histograms.map(\.histogram.positiveBuckets) == [[0, 1], [0, 1], [0, 2]])
        #expect(columns.histograms.map(\.histogram.counterResetHint) == [.unknown, .notReset, .notReset])
    }

    @Test func `cut and flipped histogram chunks never trap`() throws {
        let (_, chunks, _) = try Self.run(2, startTimestamps: true) { $0 }
        let floats = try Self.run(2, startTimestamps: false) { $0.float }.chunks
        for chunk in [chunks[0], floats[0]] {
            let bytes = chunk.bytes
            for length in 0..<bytes.count {
                var columns = SampleColumns()
                try? Chunk(encoding: chunk.encoding, bytes: Array(bytes.prefix(length))).decode(into: &columns)
            }
            for position in bytes.indices {
                var damaged = bytes
                damaged[position] ^= UInt8(truncatingIfNeeded: 1 << (position % 8))
                var columns = SampleColumns()
                try? Chunk(encoding: chunk.encoding, bytes: damaged).decode(into: &columns)
                #expect(columns.timestamps.count == columns.values.count)
            }
        }
    }
}
