extension FloatHistogram {
    /// What the zero bucket would hold if its threshold were `largerThreshold`, moved up to the end of the populated
    /// bucket it lies in. With `compensation`, what Kahan's summation lost is added and returned as well.
    ///
    /// Source: prometheus/prometheus model/histogram (`zeroCountForLargerThreshold`).
    /// - Precondition: `largerThreshold` is not below ``zeroThreshold``; a smaller one is returned as it is.
    func zeroCount(
        forThreshold largerThreshold: Double, compensation: FloatHistogram?
    ) -> (zero: KahanSum, threshold: Double) {
        let start = KahanSum(zeroCount, compensation: compensation?.zeroCount ?? 0)
        guard largerThreshold > zeroThreshold else { return (start, largerThreshold) }
        var threshold = largerThreshold
        // Each repetition moves the threshold up by at least a bucket.
        for _ in 0...(positiveBuckets.count + negativeBuckets.count) {
            var zero = start
            var position = 0
            forEachPositiveBucket { bucket in
                if bucket.lower >= threshold { return false }
                zero.add(bucket.count)
                if let lost = compensation, position < lost.positiveBuckets.count {
                    zero.add(lost.positiveBuckets[position])
                }
                if bucket.upper > threshold {
                    if bucket.count != 0 { threshold = bucket.upper }
                    return false
                }
                position += 1
                return true
            }
            var again = false
            position = 0
            forEachNegativeBucket { bucket in
                if bucket.upper <= -threshold { return false }
                zero.add(bucket.count)
                if let lost = compensation, position < lost.negativeBuckets.count {
                    zero.add(lost.negativeBuckets[position])
                }
                if bucket.lower < -threshold {
                    if bucket.count != 0 {
                        threshold = -bucket.lower
                        again = true
                    }
                    return false
                }
                position += 1
                return true
            }
            if !again { return (zero, threshold) }
        }
        return (start, threshold)
    }

    /// Widens this histogram's zero bucket so that it includes that of `other`, and returns the count that the zero
    /// bucket of `other` would have if it were widened likewise.
    ///
    /// Source: prometheus/prometheus model/histogram (`reconcileZeroBuckets`).
    mutating func reconcileZeroBuckets(
        _ other: FloatHistogram, compensation: inout FloatHistogram?
    ) -> (count: Double, compensation: Double) {
        var zero = KahanSum(other.zeroCount)
        var otherThreshold = other.zeroThreshold
        // NaN thresholds would never agree; each round else moves one threshold up by a bucket.
        var rounds = 4 + positiveBuckets.count + negativeBuckets.count + other.positiveBuckets.count
        rounds += other.negativeBuckets.count
        while otherThreshold != zeroThreshold && rounds > 0 {
            rounds -= 1
            if zeroThreshold > otherThreshold {
                (zero, otherThreshold) = other.zeroCount(forThreshold: zeroThreshold, compensation: nil)
            }
            if otherThreshold > zeroThreshold {
                let mine = zeroCount(forThreshold: otherThreshold, compensation: compensation)
                zeroCount = mine.zero.sum
                zeroThreshold = mine.threshold
                compensation?.zeroCount = mine.zero.compensation
                trimBucketsInZeroBucket(&compensation)
            }
        }
        return (zero.sum, zero.compensation)
    }

    /// Removes the buckets that lie within the zero bucket, which already counts what is in them.
    private mutating func trimBucketsInZeroBucket(_ compensation: inout FloatHistogram?) {
        var up = BucketSide(
            spans: positiveSpans, counts: positiveBuckets, compensations: compensation?.positiveBuckets ?? [])
        var down = BucketSide(
            spans: negativeSpans, counts: negativeBuckets, compensations: compensation?.negativeBuckets ?? [])
        for (index, position) in BucketPositions(positiveSpans, count: positiveBuckets.count) {
            guard Self.exponentialBound(index &- 1, schema: schema) < zeroThreshold else { break }
            up.counts[position] = 0
            if !up.compensations.isEmpty { up.compensations[position] = 0 }
        }
        for (index, position) in BucketPositions(negativeSpans, count: negativeBuckets.count) {
            guard Self.exponentialBound(index &- 1, schema: schema) < zeroThreshold else { break }
            down.counts[position] = 0
            if !down.compensations.isEmpty { down.compensations[position] = 0 }
        }
        up = up.compacted(maximumEmpty: 0)
        down = down.compacted(maximumEmpty: 0)
        positive = up
        negative = down
        compensation?.positiveBuckets = up.compensations
        compensation?.negativeBuckets = down.compensations
        compensation?.positiveSpans = up.spans
        compensation?.negativeSpans = down.spans
    }
}
