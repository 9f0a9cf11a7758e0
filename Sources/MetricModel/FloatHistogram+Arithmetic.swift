/// What is to be reported about an addition or subtraction of histograms that worked.
public struct HistogramReconciliation: Sendable, Equatable {
    /// One histogram says that there was a counter reset, the other that there was none.
    public var counterResetCollision = false
    /// The custom bounds differ; the result has those that both have.
    public var boundsReconciled = false
}

extension FloatHistogram {
    /// Multiplies all counts and the sum; a negative factor makes a gauge.
    public mutating func multiply(by factor: Double) {
        if usesCustomBuckets { zeroCount = 0 }
        zeroCount *= factor
        count *= factor
        sum *= factor
        for index in positiveBuckets.indices { positiveBuckets[index] *= factor }
        for index in negativeBuckets.indices { negativeBuckets[index] *= factor }
        if factor < 0 { counterResetHint = .gauge }
    }

    /// Divides all counts and the sum; division by zero removes all buckets, a negative divisor makes a gauge.
    public mutating func divide(by divisor: Double) {
        if usesCustomBuckets { zeroCount = 0 }
        zeroCount /= divisor
        count /= divisor
        sum /= divisor
        guard divisor != 0 else {
            positive = .empty
            negative = .empty
            return
        }
        for index in positiveBuckets.indices { positiveBuckets[index] /= divisor }
        for index in negativeBuckets.indices { negativeBuckets[index] /= divisor }
        if divisor < 0 { counterResetHint = .gauge }
    }

    /// The histogram multiplied by `factor`.
    public func multiplied(by factor: Double) -> FloatHistogram {
        var copy = self
        copy.multiply(by: factor)
        return copy
    }

    /// The histogram divided by `divisor`.
    public func divided(by divisor: Double) -> FloatHistogram {
        var copy = self
        copy.divide(by: divisor)
        return copy
    }

    /// Adds `other`: schemas, zero buckets and custom bounds that differ are reconciled. Empty buckets may remain;
    /// ``compact(maximumEmpty:)`` removes them.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`Add`).
    /// - Throws: ``HistogramError/incompatibleSchemas`` for exponential and custom buckets; nothing is changed then.
    /// - Complexity: O(buckets).
    @discardableResult
    public mutating func add(_ other: FloatHistogram) throws(HistogramError) -> HistogramReconciliation {
        try combine(other, negative: false)
    }

    /// Subtracts `other`; see ``add(_:)``.
    @discardableResult
    public mutating func subtract(_ other: FloatHistogram) throws(HistogramError) -> HistogramReconciliation {
        try combine(other, negative: true)
    }

    private mutating func combine(
        _ other: FloatHistogram, negative isNegative: Bool
    ) throws(HistogramError) -> HistogramReconciliation {
        guard usesCustomBuckets == other.usesCustomBuckets else { throw .incompatibleSchemas }
        var result = HistogramReconciliation(counterResetCollision: adjustCounterReset(other))
        let sign: Double = isNegative ? -1 : 1
        if !usesCustomBuckets {
            var nothing: FloatHistogram?
            zeroCount += sign * reconcileZeroBuckets(other, compensation: &nothing).count
        }
        count += sign * other.count
        sum += sign * other.sum
        if usesCustomBuckets {
            var side = positive
            if customValues == other.customValues {
                side.add(other.positive, schema: schema, threshold: 0, negative: isNegative, keeping: false)
            } else {
                result.boundsReconciled = true
                let shared = Self.intersection(customValues, other.customValues)
                side.add(
                    other.positive, bounds: customValues, otherBounds: other.customValues, shared: shared,
                    negative: isNegative, keeping: false)
                customValues = shared
            }
            positive = side
            return result
        }
        var (up, down) = (positive, negative)
        var (otherUp, otherDown) = (other.positive, other.negative)
        if other.schema < schema {
            up = up.reduced(from: schema, to: other.schema)
            down = down.reduced(from: schema, to: other.schema)
            schema = other.schema
        } else if other.schema > schema {
            otherUp = otherUp.reduced(from: other.schema, to: schema)
            otherDown = otherDown.reduced(from: other.schema, to: schema)
        }
        up.add(otherUp, schema: schema, threshold: zeroThreshold, negative: isNegative, keeping: false)
        down.add(otherDown, schema: schema, threshold: zeroThreshold, negative: isNegative, keeping: false)
        positive = up
        negative = down
        return result
    }

    /// The hint of a sum or difference; true if the hints contradict each other.
    private mutating func adjustCounterReset(_ other: FloatHistogram) -> Bool {
        switch (counterResetHint, other.counterResetHint) {
        case let (mine, theirs) where mine == theirs: return false
        case (.gauge, _): return false
        case (_, .gauge):
            counterResetHint = .gauge
            return false
        case (.unknown, _): return false
        case (_, .unknown):
            counterResetHint = .unknown
            return false
        default:
            counterResetHint = .unknown
            return true
        }
    }

    /// A histogram of the same layout with nothing in it, for what rounding loses.
    private var emptyCompensation: FloatHistogram {
        var result = self
        result.zeroCount = 0
        result.count = 0
        result.sum = 0
        result.positiveBuckets = [Double](repeating: 0, count: positiveBuckets.count)
        result.negativeBuckets = [Double](repeating: 0, count: negativeBuckets.count)
        return result
    }

    /// Adds `other` by Kahan's summation: `compensation` (nil at first) collects what rounding loses and is to be
    /// added at the end.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`KahanAdd`).
    /// - Throws: ``HistogramError/incompatibleSchemas``; nothing is changed then.
    @discardableResult
    public mutating func add(
        _ other: FloatHistogram, compensation: inout FloatHistogram?
    ) throws(HistogramError) -> HistogramReconciliation {
        guard usesCustomBuckets == other.usesCustomBuckets else { throw .incompatibleSchemas }
        var result = HistogramReconciliation(counterResetCollision: adjustCounterReset(other))
        var lost: FloatHistogram? = compensation ?? emptyCompensation
        if !usesCustomBuckets {
            let zero = reconcileZeroBuckets(other, compensation: &lost)
            var sum = KahanSum(zeroCount, compensation: lost?.zeroCount ?? 0)
            sum.add(zero.count)
            sum.add(zero.compensation)
            zeroCount = sum.sum
            lost?.zeroCount = sum.compensation
        }
        guard var lost else { return result }
        (count, lost.count) = Self.kahan(other.count, count, lost.count)
        (sum, lost.sum) = Self.kahan(other.sum, sum, lost.sum)
        var up = BucketSide(spans: positiveSpans, counts: positiveBuckets, compensations: lost.positiveBuckets)
        if usesCustomBuckets {
            if customValues == other.customValues {
                up.add(other.positive, schema: schema, threshold: 0, negative: false, keeping: true)
            } else {
                result.boundsReconciled = true
                let shared = Self.intersection(customValues, other.customValues)
                up.add(
                    other.positive, bounds: customValues, otherBounds: other.customValues, shared: shared,
                    negative: false, keeping: true)
                customValues = shared
            }
        } else {
            var down = BucketSide(spans: negativeSpans, counts: negativeBuckets, compensations: lost.negativeBuckets)
            var (otherUp, otherDown) = (other.positive, other.negative)
            if other.schema < schema {
                up = up.reduced(from: schema, to: other.schema)
                down = down.reduced(from: schema, to: other.schema)
                schema = other.schema
            } else if other.schema > schema {
                otherUp.compensations = [Double](repeating: 0, count: otherUp.counts.count)
                otherDown.compensations = [Double](repeating: 0, count: otherDown.counts.count)
                otherUp = otherUp.reduced(from: other.schema, to: schema)
                otherDown = otherDown.reduced(from: other.schema, to: schema)
            }
            up.add(otherUp, schema: schema, threshold: zeroThreshold, negative: false, keeping: true)
            down.add(otherDown, schema: schema, threshold: zeroThreshold, negative: false, keeping: true)
            negative = down
            lost.negativeBuckets = down.compensations
        }
        positive = up
        lost.positiveBuckets = up.compensations
        lost.schema = schema
        lost.zeroThreshold = zeroThreshold
        lost.customValues = customValues
        lost.positiveSpans = positiveSpans
        lost.negativeSpans = negativeSpans
        compensation = lost
        return result
    }

    private static func kahan(_ term: Double, _ sum: Double, _ lost: Double) -> (Double, Double) {
        var kahan = KahanSum(sum, compensation: lost)
        kahan.add(term)
        return (kahan.sum, kahan.compensation)
    }
}
