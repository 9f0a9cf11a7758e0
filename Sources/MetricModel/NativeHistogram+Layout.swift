extension NativeHistogram {
    /// Whether both hold the same data: sums bit by bit, spans by the layout they describe; the counter reset hint
    /// is not compared.
    ///
    /// Source: prometheus/prometheus model/histogram/histogram.go (`Equals`).
    public func isSameData(as other: NativeHistogram) -> Bool {
        count == other.count && zeroCount == other.zeroCount && float.isSameData(as: other.float)
    }

    /// Removes empty buckets, but for those that fill a gap of at most `maximumEmpty`, and joins the spans.
    ///
    /// Source: prometheus/prometheus model/histogram (`Compact`).
    public mutating func compact(maximumEmpty: Int = 0) {
        (positiveSpans, positiveDeltas) = Self.compacted(positiveSpans, positiveDeltas, maximumEmpty)
        (negativeSpans, negativeDeltas) = Self.compacted(negativeSpans, negativeDeltas, maximumEmpty)
    }

    /// Lowers the resolution to `target`.
    /// - Throws: As ``FloatHistogram/reduceResolution(to:)``.
    public mutating func reduceResolution(to target: Int32) throws(HistogramError) {
        guard !usesCustomBuckets, target != FloatHistogram.customBucketsSchema, target < schema else {
            throw .cannotReduceResolution(from: schema, to: target)
        }
        try SpanValidation.check(positiveSpans, buckets: positiveDeltas.count)
        try SpanValidation.check(negativeSpans, buckets: negativeDeltas.count)
        let origin = schema
        let index = { FloatHistogram.targetIndex($0, origin: origin, target: target) }
        (positiveSpans, positiveDeltas) = Self.packed(Self.absolute(positiveSpans, positiveDeltas), index)
        (negativeSpans, negativeDeltas) = Self.packed(Self.absolute(negativeSpans, negativeDeltas), index)
        schema = target
    }

    /// Buckets with their index and own count.
    private static func absolute(_ spans: [BucketSpan], _ deltas: [Int64]) -> [(index: Int32, count: Int64)] {
        var current: Int64 = 0
        return BucketPositions(spans, count: deltas.count).map { index, position in
            current = current &+ deltas[position]
            return (index, current)
        }
    }

    /// Spans and differences of `buckets`, those that `map` sends to one index added up.
    private static func packed(
        _ buckets: [(index: Int32, count: Int64)], _ map: (Int32) -> Int32
    ) -> (spans: [BucketSpan], deltas: [Int64]) {
        var spans: [BucketSpan] = []
        var counts: [Int64] = []
        var nextIndex: Int32 = 0
        for (origin, count) in buckets {
            let index = map(origin)
            if let last = counts.indices.last, index == nextIndex &- 1 {
                counts[last] = counts[last] &+ count
                continue
            }
            if let last = spans.indices.last, index == nextIndex {
                spans[last].length &+= 1
            } else {
                spans.append(BucketSpan(offset: spans.isEmpty ? index : index &- nextIndex, length: 1))
            }
            nextIndex = index &+ 1
            counts.append(count)
        }
        var previous: Int64 = 0
        let deltas = counts.map { count in
            defer { previous = count }
            return count &- previous
        }
        return (spans, deltas)
    }

    private static func compacted(
        _ spans: [BucketSpan], _ deltas: [Int64], _ maximumEmpty: Int
    ) -> (spans: [BucketSpan], deltas: [Int64]) {
        var filled: [(index: Int32, count: Int64)] = []
        for bucket in absolute(spans, deltas) where bucket.count != 0 {
            if let last = filled.last?.index {
                let gap = Int(bucket.index) - Int(last) - 1
                if gap > 0 && gap <= min(maximumEmpty, 1 << 20) {
                    for step in 1...gap { filled.append((last &+ Int32(truncatingIfNeeded: step), 0)) }
                }
            }
            filled.append(bucket)
        }
        return packed(filled) { $0 }
    }
}
