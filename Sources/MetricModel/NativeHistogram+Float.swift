extension NativeHistogram {
    /// The same histogram with whole counts; nil if a count is not whole, or if their sum is so large (2^53) that a
    /// number of floating point may not be what was counted.
    /// - Complexity: O(buckets); two allocations.
    package init?(_ float: FloatHistogram) {
        guard let count = UInt64(exactly: float.count), count < 1 << 53,
            let zeroCount = UInt64(exactly: float.zeroCount),
            let positive = Self.deltas(float.positiveBuckets), let negative = Self.deltas(float.negativeBuckets)
        else { return nil }
        self.init(
            counterResetHint: float.counterResetHint, schema: float.schema, zeroThreshold: float.zeroThreshold,
            zeroCount: zeroCount, count: count, sum: float.sum, positiveSpans: float.positiveSpans,
            positiveDeltas: positive, negativeSpans: float.negativeSpans, negativeDeltas: negative,
            customValues: float.customValues)
    }

    private static func deltas(_ counts: [Double]) -> [Int64]? {
        var deltas: [Int64] = []
        deltas.reserveCapacity(counts.count)
        var previous: Int64 = 0
        for count in counts {
            guard let whole = Int64(exactly: count) else { return nil }
            deltas.append(whole &- previous)
            previous = whole
        }
        return deltas
    }
}
