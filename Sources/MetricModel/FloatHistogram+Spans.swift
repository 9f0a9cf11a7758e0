/// Buckets of one sign while they are combined: spans, counts, and optionally what Kahan's summation lost.
struct BucketSide {
    var spans: [BucketSpan]
    var counts: [Double]
    /// As long as ``counts``, or empty if nothing is kept.
    var compensations: [Double] = []

    /// Nothing.
    static let empty = BucketSide(spans: [], counts: [])

    /// Appends a bucket; indices must ascend. `nextIndex` is one beyond the last bucket appended.
    @inline(__always)
    mutating func append(
        _ index: Int32, _ count: Double, _ compensation: Double, keeping: Bool, nextIndex: inout Int32
    ) {
        if counts.isEmpty {
            spans.append(BucketSpan(offset: index, length: 1))
        } else if index == nextIndex, let last = spans.indices.last {
            spans[last].length &+= 1
        } else {
            spans.append(BucketSpan(offset: index &- nextIndex, length: 1))
        }
        nextIndex = index &+ 1
        counts.append(count)
        if keeping { compensations.append(compensation) }
    }

    /// This side by the lower schema `target`; with compensations if there are any.
    ///
    /// Source: prometheus/prometheus model/histogram (`reduceResolution`, `kahanReduceResolution`).
    func reduced(from origin: Int32, to target: Int32) -> BucketSide {
        var result = BucketSide.empty
        var nextIndex: Int32 = 0
        let keeping = !compensations.isEmpty
        for (index, position) in BucketPositions(spans, count: counts.count) {
            let targetIndex = FloatHistogram.targetIndex(index, origin: origin, target: target)
            let count = counts[position]
            let compensation = keeping ? compensations[position] : 0
            guard let last = result.counts.indices.last, targetIndex == nextIndex &- 1 else {
                result.append(targetIndex, count, compensation, keeping: keeping, nextIndex: &nextIndex)
                continue
            }
            if keeping {
                var sum = KahanSum(result.counts[last], compensation: result.compensations[last])
                sum.add(count)
                sum.add(compensation)
                result.counts[last] = sum.sum
                result.compensations[last] = sum.compensation
            } else {
                result.counts[last] += count
            }
        }
        return result
    }

    /// Without empty buckets, but for those that fill a gap of at most `maximumEmpty`.
    ///
    /// Source: prometheus/prometheus model/histogram/generic.go (`compactBuckets`).
    func compacted(maximumEmpty: Int) -> BucketSide {
        let keeping = !compensations.isEmpty
        var result = BucketSide.empty
        result.counts.reserveCapacity(counts.count)
        var nextIndex: Int32 = 0
        for (index, position) in BucketPositions(spans, count: counts.count) {
            let count = counts[position]
            let compensation = keeping ? compensations[position] : 0
            if count == 0 && compensation == 0 { continue }
            if !result.counts.isEmpty {
                let gap = Int(index) - Int(nextIndex)
                // Gaps come from the input: never fill more than the input could have held explicitly.
                if gap > 0 && gap <= min(maximumEmpty, 1 << 20) {
                    for _ in 0..<gap { result.append(nextIndex, 0, 0, keeping: keeping, nextIndex: &nextIndex) }
                }
            }
            result.append(index, count, compensation, keeping: keeping, nextIndex: &nextIndex)
        }
        return result
    }

    /// Whether ``compacted(maximumEmpty:)`` with 0 would change nothing.
    var isCompact: Bool {
        guard !counts.contains(0) else { return false }
        return spans.enumerated().allSatisfy { $0.element.length > 0 && ($0.offset == 0 || $0.element.offset > 0) }
    }

    /// Adds (or subtracts) the buckets of `other` that do not lie within the zero bucket.
    ///
    /// Source: prometheus/prometheus model/histogram (`addBuckets`, `kahanAddBuckets`).
    /// - Parameters:
    ///   - schema: The schema of both sides.
    ///   - threshold: Buckets of `other` that end at or below it are left out, for exponential schemas.
    ///   - keeping: Whether to keep compensations.
    /// - Complexity: O(buckets).
    mutating func add(
        _ other: BucketSide, schema: Int32, threshold: Double, negative: Bool, keeping: Bool
    ) {
        if keeping && compensations.count != counts.count {
            compensations = [Double](repeating: 0, count: counts.count)
        }
        let sign: Double = negative ? -1 : 1
        var skipped = 0
        if schema != FloatHistogram.customBucketsSchema && threshold > 0 {
            for (index, _) in BucketPositions(other.spans, count: other.counts.count) {
                guard FloatHistogram.exponentialBound(index, schema: schema) <= threshold else { break }
                skipped += 1
            }
        }
        if skipped == 0 && spans == other.spans && counts.count == other.counts.count && !keeping {
            for position in counts.indices { counts[position] += sign * other.counts[position] }
            return
        }
        var left = BucketPositions(spans, count: counts.count)
        var right = BucketPositions(other.spans, count: other.counts.count)
        for _ in 0..<skipped { _ = right.next() }
        var result = BucketSide.empty
        result.counts.reserveCapacity(counts.count + other.counts.count)
        var nextIndex: Int32 = 0
        var a = left.next()
        var b = right.next()
        while a != nil || b != nil {
            if let (index, position) = a, b.map({ index < $0.index }) ?? true {
                result.append(
                    index, counts[position], keeping ? compensations[position] : 0, keeping: keeping,
                    nextIndex: &nextIndex)
                a = left.next()
            } else if let (index, position) = b, a.map({ index < $0.index }) ?? true {
                let compensation = other.compensations.isEmpty ? 0 : other.compensations[position]
                result.append(
                    index, sign * other.counts[position], sign * compensation, keeping: keeping,
                    nextIndex: &nextIndex)
                b = right.next()
            } else if let (index, mine) = a, let (_, theirs) = b {
                if keeping {
                    var sum = KahanSum(counts[mine], compensation: compensations[mine])
                    sum.add(sign * other.counts[theirs])
                    if !other.compensations.isEmpty && other.compensations[theirs] != 0 {
                        sum.add(sign * other.compensations[theirs])
                    }
                    result.append(index, sum.sum, sum.compensation, keeping: true, nextIndex: &nextIndex)
                } else {
                    result.append(
                        index, counts[mine] + sign * other.counts[theirs], 0, keeping: false, nextIndex: &nextIndex)
                }
                a = left.next()
                b = right.next()
            }
        }
        self = result
    }

    /// Adds (or subtracts) custom buckets with other bounds, both mapped to the bounds that they share.
    ///
    /// Source: prometheus/prometheus model/histogram (`addCustomBucketsWithMismatches`).
    mutating func add(
        _ other: BucketSide, bounds: [Double], otherBounds: [Double], shared: [Double], negative: Bool, keeping: Bool
    ) {
        var sums = [KahanSum](repeating: KahanSum(), count: shared.count + 1)
        Self.map(self, bounds: bounds, to: shared, sign: 1, into: &sums)
        var plain = other
        plain.compensations = []
        Self.map(plain, bounds: otherBounds, to: shared, sign: negative ? -1 : 1, into: &sums)
        var result = BucketSide.empty
        var nextIndex: Int32 = 0
        for (index, sum) in sums.enumerated() where sum.sum != 0 || sum.compensation != 0 {
            result.append(
                Int32(truncatingIfNeeded: index), sum.sum, sum.compensation, keeping: keeping, nextIndex: &nextIndex)
        }
        self = result
    }

    private static func map(
        _ side: BucketSide, bounds: [Double], to shared: [Double], sign: Double, into sums: inout [KahanSum]
    ) {
        var candidate = 0
        for (index, position) in BucketPositions(side.spans, count: side.counts.count) {
            var target = sums.count - 1
            if index >= 0 && Int(index) < bounds.count {
                let bound = bounds[Int(index)]
                while candidate < shared.count && shared[candidate] < bound { candidate += 1 }
                target = candidate
            }
            sums[target].add(sign * side.counts[position])
            if !side.compensations.isEmpty { sums[target].add(side.compensations[position]) }
        }
    }
}

extension FloatHistogram {
    /// The positive buckets as one value.
    var positive: BucketSide {
        get { BucketSide(spans: positiveSpans, counts: positiveBuckets) }
        set {
            positiveSpans = newValue.spans
            positiveBuckets = newValue.counts
        }
    }

    /// The negative buckets as one value.
    var negative: BucketSide {
        get { BucketSide(spans: negativeSpans, counts: negativeBuckets) }
        set {
            negativeSpans = newValue.spans
            negativeBuckets = newValue.counts
        }
    }

    /// Removes empty buckets, but for those that fill a gap of at most `maximumEmpty`, and joins the spans.
    ///
    /// Source: prometheus/prometheus model/histogram (`Compact`).
    /// - Complexity: O(buckets).
    public mutating func compact(maximumEmpty: Int = 0) {
        if maximumEmpty > 0 || !positive.isCompact { positive = positive.compacted(maximumEmpty: maximumEmpty) }
        if maximumEmpty > 0 || !negative.isCompact { negative = negative.compacted(maximumEmpty: maximumEmpty) }
    }

    /// ``compact(maximumEmpty:)`` on a copy.
    public func compacted(maximumEmpty: Int = 0) -> FloatHistogram {
        var copy = self
        copy.compact(maximumEmpty: maximumEmpty)
        return copy
    }

    /// Lowers the resolution to `target`.
    /// - Throws: ``HistogramError/cannotReduceResolution(from:to:)`` unless both schemas are exponential and `target`
    ///   is the lower one; ``HistogramError/spansBucketsMismatch(_:)`` or
    ///   ``HistogramError/negativeSpanOffset(span:offset:)`` for a broken histogram.
    public mutating func reduceResolution(to target: Int32) throws(HistogramError) {
        guard !usesCustomBuckets, target != Self.customBucketsSchema, target < schema else {
            throw .cannotReduceResolution(from: schema, to: target)
        }
        try SpanValidation.check(positiveSpans, buckets: positiveBuckets.count)
        try SpanValidation.check(negativeSpans, buckets: negativeBuckets.count)
        self = copied(toSchema: target)
    }

    /// A copy with the lower (or same) schema `target`; of a histogram with custom buckets, the same. The counter
    /// reset hint is only kept where the schema stays.
    ///
    /// Source: prometheus/prometheus model/histogram (`CopyToSchema`).
    public func copied(toSchema target: Int32) -> FloatHistogram {
        guard target < schema, !usesCustomBuckets, target != Self.customBucketsSchema else { return self }
        var copy = self
        copy.counterResetHint = .unknown
        copy.schema = target
        copy.positive = positive.reduced(from: schema, to: target)
        copy.negative = negative.reduced(from: schema, to: target)
        return copy
    }
}
