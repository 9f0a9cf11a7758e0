import MetricModel
import TestSupport
import Testing

@Suite struct FloatHistogramTests {
    /// Schema 0, zero bucket of width 0.001, buckets 1..3 and 5.
    private var sample: FloatHistogram {
        FloatHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 2, count: 12, sum: 30,
            positiveSpans: [BucketSpan(offset: 1, length: 3), BucketSpan(offset: 1, length: 1)],
            positiveBuckets: [1, 2, 3, 4])
    }

    @Test func `bounds of all schemas are powers of two at the powers' indices`() {
        for schema in Int32(-4)...8 {
            #expect(FloatHistogram.exponentialBound(0, schema: schema) == 1)
        }
        #expect(FloatHistogram.exponentialBound(1, schema: 0) == 2)
        #expect(FloatHistogram.exponentialBound(-2, schema: 1) == 0.5)
        #expect(FloatHistogram.exponentialBound(1, schema: -4) == 65536)
        #expect(FloatHistogram.exponentialBound(1024, schema: 0) == .greatestFiniteMagnitude)
        #expect(FloatHistogram.exponentialBound(1025, schema: 0) == .infinity)
        #expect(FloatHistogram.exponentialBound(.max, schema: -4) == .infinity)
        #expect(FloatHistogram.exponentialBound(.min, schema: 8) == 0)
    }

    @Test func `text lists populated buckets with their bounds`() {
        #expect(sample.description == "{count:12, sum:30, [-0.001,0.001]:2, (1,2]:1, (2,4]:2, (4,8]:3, (16,32]:4}")
        #expect(
            sample.testExpression
                == "{{count:12 sum:30 z_bucket:2 z_bucket_w:0.001 offset:1 buckets:[1 2 3 0 4]}}")
    }

    @Test func `what is added and taken away again leaves the histogram as it was`() throws {
        var other = sample
        other.positiveSpans = [BucketSpan(offset: -3, length: 2), BucketSpan(offset: 4, length: 2)]
        var sum = sample
        try sum.add(other)
        #expect(sum.count == 24)
        try sum.subtract(other)
        #expect(sum.compacted().isSameData(as: sample))
    }

    @Test func `the coarser schema wins`() throws {
        var fine = FloatHistogram(
            schema: 1, count: 4, sum: 4, positiveSpans: [BucketSpan(offset: 0, length: 4)],
            positiveBuckets: [1, 1, 1, 1])
        let coarse = FloatHistogram(
            schema: 0, count: 4, sum: 4, positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveBuckets: [1, 2, 1])
        try fine.add(coarse)
        #expect(fine.schema == 0)
        #expect(fine.positiveBuckets == [2, 4, 2])
        #expect(fine.positiveSpans == [BucketSpan(offset: 0, length: 3)])
    }

    @Test func `a wider zero bucket takes in the buckets below it`() throws {
        var narrow = FloatHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 1, count: 6, sum: 6,
            positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveBuckets: [2, 2, 1])
        let wide = FloatHistogram(schema: 0, zeroThreshold: 1, zeroCount: 5, count: 5, sum: 1)
        try narrow.add(wide)
        #expect(narrow.zeroThreshold == 1)
        #expect(narrow.zeroCount == 8)
        #expect(narrow.compacted().positiveBuckets == [2, 1])
        #expect(narrow.compacted().positiveSpans == [BucketSpan(offset: 1, length: 2)])
    }

    @Test func `custom bounds are reconciled to those that both have`() throws {
        var left = FloatHistogram(
            schema: -53, count: 6, sum: 6, positiveSpans: [BucketSpan(offset: 0, length: 4)],
            positiveBuckets: [1, 2, 1, 2], customValues: [1, 2, 3])
        let right = FloatHistogram(
            schema: -53, count: 3, sum: 3, positiveSpans: [BucketSpan(offset: 0, length: 3)],
            positiveBuckets: [1, 1, 1], customValues: [2, 3])
        let result = try left.add(right)
        #expect(result.boundsReconciled)
        #expect(left.customValues == [2, 3])
        #expect(left.positiveBuckets == [4, 2, 3])
    }

    @Test func `exponential and custom buckets do not mix`() {
        var left = sample
        #expect(throws: HistogramError.incompatibleSchemas) { try left.add(FloatHistogram(schema: -53)) }
        #expect(left == sample)
    }

    @Test func `contradicting hints are reported`() throws {
        var left = sample
        left.counterResetHint = .reset
        var right = sample
        right.counterResetHint = .notReset
        #expect(try left.add(right).counterResetCollision)
        #expect(left.counterResetHint == .unknown)
    }

    @Test func `resets are seen in counts, buckets, schema and zero bucket`() {
        var next = sample
        #expect(!next.detectReset(since: sample))
        next.positiveBuckets[3] = 3
        #expect(next.detectReset(since: sample))
        next = sample
        next.positiveSpans = [BucketSpan(offset: 1, length: 3)]
        next.positiveBuckets = [9, 9, 9]
        next.count = 40
        #expect(next.detectReset(since: sample))
        next = sample
        next.schema = 1
        #expect(next.detectReset(since: sample))
        next = sample
        next.zeroThreshold = 2
        next.zeroCount = 3
        #expect(!next.detectReset(since: sample))
        next.counterResetHint = .reset
        #expect(next.detectReset(since: sample))
    }

    @Test func `broken histograms are refused with the field's sentence`() {
        var broken = sample
        broken.positiveBuckets.removeLast()
        #expect(throws: (any Error).self) { try broken.validate() }
        do throws(HistogramError) { try broken.validate() } catch {
            #expect(
                error.description == "positive side: spans need 4 buckets, have 3 buckets: histogram spans specify "
                    + "different number of buckets than provided")
        }
    }

    /// Random histograms, also with spans that do not fit their buckets: no operation may trap, and adding in either
    /// order gives the same buckets.
    @Test(arguments: UInt64(0)..<200) func `random histograms never trap`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let custom = Bool.random(using: &random)
        let left = Self.random(&random, custom: custom)
        let right = Self.random(&random, custom: custom)
        var one = left
        try one.add(right)
        var other = right
        try other.add(left)
        if left.zeroThreshold == 0 && right.zeroThreshold == 0 {
            // With a zero bucket that overlaps others, it matters whose buckets are looked at first.
            #expect(one.compacted().positiveBuckets == other.compacted().positiveBuckets)
            #expect(one.compacted().positiveSpans == other.compacted().positiveSpans)
        }
        var kahan = left
        var lost: FloatHistogram?
        try kahan.add(right, compensation: &lost)
        let compensation = try #require(lost)
        try kahan.add(compensation)
        #expect(kahan.compacted().positiveBuckets == one.compacted().positiveBuckets)
        _ = left.detectReset(since: right)
        _ = left.allBuckets
        _ = left.testExpression
        _ = left.copied(toSchema: -2).description
    }

    private static func random(_ random: inout SeededGenerator, custom: Bool) -> FloatHistogram {
        func spans() -> [BucketSpan] {
            (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                BucketSpan(
                    offset: Int32.random(in: custom ? 0...2 : -2...3, using: &random),
                    length: UInt32.random(in: 0..<4, using: &random))
            }
        }
        func buckets(_ spans: [BucketSpan]) -> [Double] {
            (0..<spans.reduce(0) { $0 + Int($1.length) }).map { _ in
                Double(Int.random(in: 0..<5, using: &random))
            }
        }
        var positive = spans()
        for index in positive.indices.dropFirst() { positive[index].offset = max(0, positive[index].offset) }
        var negative = custom ? [] : spans()
        for index in negative.indices.dropFirst() { negative[index].offset = max(0, negative[index].offset) }
        return FloatHistogram(
            schema: custom ? -53 : Int32.random(in: -1...3, using: &random),
            zeroThreshold: custom ? 0 : [0, 0.001, 0.5, 1, 3].randomElement(using: &random) ?? 0,
            zeroCount: custom ? 0 : Double(Int.random(in: 0..<4, using: &random)), count: 50, sum: 3,
            positiveSpans: positive, positiveBuckets: buckets(positive), negativeSpans: negative,
            negativeBuckets: buckets(negative),
            customValues: custom ? (0..<Int.random(in: 0..<9, using: &random)).map { Double($0) * 2 } : [])
    }
}
