extension FloatHistogram {
    /// Whether a counter was reset between `previous` and this histogram: a hint that says so, a count that went
    /// down, a populated bucket that is gone, a finer schema or a narrower zero bucket.
    ///
    /// A hint that says otherwise is believed. `previous` is brought to this histogram's schema and zero threshold
    /// for the comparison.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`DetectReset`).
    /// - Complexity: O(buckets); no allocation where the schemas agree.
    public func detectReset(since previous: FloatHistogram) -> Bool {
        if counterResetHint == .reset { return true }
        if counterResetHint == .notReset { return false }
        if count < previous.count { return true }
        if usesCustomBuckets {
            if !previous.usesCustomBuckets { return true }
            if customValues != previous.customValues { return detectResetWithOtherBounds(previous) }
        }
        if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        let (zero, threshold) = previous.zeroCount(forThreshold: zeroThreshold, compensation: nil)
        if threshold != zeroThreshold || zeroCount < zero.sum { return true }
        return detectReset(positive, since: previous.positive, previous.schema)
            || detectReset(negative, since: previous.negative, previous.schema)
    }

    private func detectReset(_ current: BucketSide, since previous: BucketSide, _ previousSchema: Int32) -> Bool {
        let previous = previousSchema == schema ? previous : previous.reduced(from: previousSchema, to: schema)
        if current.spans == previous.spans && current.counts.count == previous.counts.count && zeroThreshold == 0 {
            for position in current.counts.indices where current.counts[position] < previous.counts[position] {
                return true
            }
            return false
        }
        var candidates = BucketPositions(current.spans, count: current.counts.count)
        var candidate = candidates.next()
        var pastThreshold = zeroThreshold == 0 || usesCustomBuckets
        for (index, position) in BucketPositions(previous.spans, count: previous.counts.count) {
            if !pastThreshold {
                if Self.exponentialBound(index, schema: schema) <= zeroThreshold { continue }
                pastThreshold = true
            }
            while let (mine, _) = candidate, mine < index { candidate = candidates.next() }
            if let (mine, at) = candidate, mine == index {
                if current.counts[at] < previous.counts[position] { return true }
            } else if previous.counts[position] != 0 {
                return true
            }
        }
        return false
    }

    /// Compares cumulative counts between the bounds that both histograms have.
    private func detectResetWithOtherBounds(_ previous: FloatHistogram) -> Bool {
        let shared = Self.intersection(customValues, previous.customValues)
        let mine = rolledUp(to: shared)
        let theirs = previous.rolledUp(to: shared)
        for (current, before) in zip(mine, theirs) where current < before { return true }
        return false
    }

    private func rolledUp(to shared: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: shared.count + 1)
        var target = 0
        forEachPositiveBucket { bucket in
            while target < shared.count && shared[target] < bucket.upper { target += 1 }
            sums[target] += bucket.count
            return true
        }
        return sums
    }

    /// Whether both hold the same data: counts and sums bit by bit, spans by the layout they describe.
    ///
    /// Unlike `==`, it sees equal NaNs as equal, ignores the counter reset hint and how spans of length zero are
    /// written, and does not look at custom bounds of exponential histograms.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`Equals`).
    public func isSameData(as other: FloatHistogram) -> Bool {
        guard schema == other.schema, count.bitPattern == other.count.bitPattern,
            sum.bitPattern == other.sum.bitPattern, !usesCustomBuckets || customValues == other.customValues,
            zeroThreshold == other.zeroThreshold, zeroCount.bitPattern == other.zeroCount.bitPattern
        else { return false }
        return Self.sameLayout(negativeSpans, other.negativeSpans)
            && Self.sameBits(negativeBuckets, other.negativeBuckets)
            && Self.sameLayout(positiveSpans, other.positiveSpans)
            && Self.sameBits(positiveBuckets, other.positiveBuckets)
    }

    private static func sameBits(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0.bitPattern == $1.bitPattern }
    }

    private static func sameLayout(_ left: [BucketSpan], _ right: [BucketSpan]) -> Bool {
        left == right || withoutEmptySpans(left) == withoutEmptySpans(right)
    }

    private static func withoutEmptySpans(_ spans: [BucketSpan]) -> [BucketSpan] {
        var result: [BucketSpan] = []
        var offset: Int32 = 0
        for span in spans {
            offset = offset &+ span.offset
            guard span.length > 0 else { continue }
            result.append(BucketSpan(offset: offset, length: span.length))
            offset = 0
        }
        return result
    }
}
