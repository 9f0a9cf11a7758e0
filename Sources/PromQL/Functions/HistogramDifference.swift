internal import MetricModel

extension RangeNotes {
    /// Notes what there is to say about an operation between histograms.
    mutating func add(_ reconciliation: HistogramReconciliation, _ operation: Annotation.HistogramOperation) {
        if reconciliation.boundsReconciled { add(.mismatchedCustomBuckets(operation)) }
    }

    /// Adds `other` to `base` or takes it away, notes what there is to say, and returns whether it was possible.
    mutating func combine(
        _ base: inout FloatHistogram?, _ other: FloatHistogram, _ operation: Annotation.HistogramOperation
    ) -> Bool {
        guard var sum = base else {
            base = other
            return true
        }
        do throws(HistogramError) {
            add(operation == .subtraction ? try sum.subtract(other) : try sum.add(other), operation)
            base = sum
            return true
        } catch {
            if error == .incompatibleSchemas { add(.mixedExponentialCustomHistograms(metric: metric)) }
            return false
        }
    }
}

/// Differences between native histograms over a window.
enum HistogramDifference {
    /// The increase from the first to the last histogram of a window of at least two; nil if they do not fit.
    ///
    /// Source: prometheus/prometheus promql/functions.go (`histogramRate`).
    static func rate(
        _ window: SampleWindow, isCounter: Bool, _ notes: inout RangeNotes
    ) throws(QueryError) -> FloatHistogram? {
        let low = window.histogramLow
        let end = window.histogramHigh
        let metric = notes.metric
        var previous = window.histograms[low].value
        let last = window.histograms[end - 1].value
        if isCounter && (previous.counterResetHint == .gauge || last.counterResetHint == .gauge) {
            notes.add(.nativeHistogramNotCounter(metric: metric))
        }
        var custom = previous.usesCustomBuckets
        if isCounter {
            let second = window.histograms[low + 1].value
            if startReset(window, low + 1) || second.detectReset(since: previous) {
                // The first one is not looked at, so its buckets need not fit.
                previous = FloatHistogram(schema: second.schema, customValues: second.customValues)
                custom = second.usesCustomBuckets
            }
        }
        guard last.usesCustomBuckets == custom else {
            notes.add(.mixedExponentialCustomHistograms(metric: metric))
            return nil
        }
        var schema = min(last.schema, previous.schema)
        if isCounter && end - low > 2 {
            for index in (low + 1)..<(end - 1) {
                let current = window.histograms[index].value
                if current.counterResetHint == .gauge { notes.add(.nativeHistogramNotCounter(metric: metric)) }
                schema = min(schema, current.schema)
                if current.usesCustomBuckets != custom {
                    notes.add(.mixedExponentialCustomHistograms(metric: metric))
                    return nil
                }
            }
        }
        var result: FloatHistogram? = last.copied(toSchema: schema)
        guard notes.combine(&result, previous, .subtraction) else { return nil }
        if isCounter {
            var overlapSeen = false
            for index in (low + 1)..<end {
                if index & 127 == 0 { try notes.checkQuery() }
                if !overlapSeen && startOverlaps(window, index) {
                    overlapSeen = true
                    notes.add(.startTimeOverlap(metric: metric))
                }
                let current = window.histograms[index].value
                if startReset(window, index) || current.detectReset(since: previous) {
                    guard notes.combine(&result, previous, .addition) else { return nil }
                }
                previous = current
            }
        } else if window.histograms[low].value.counterResetHint != .gauge || last.counterResetHint != .gauge {
            notes.add(.nativeHistogramNotGauge(metric: metric))
        }
        result?.counterResetHint = .gauge
        result?.compact()
        return result
    }

    /// Whether start timestamps tell of a reset between the histogram at `index` and the one before.
    static func startReset(_ window: SampleWindow, _ index: Int) -> Bool {
        guard !window.histogramStarts.isEmpty else { return false }
        return StartTime.isReset(
            previousStart: window.histogramStarts[index - 1], previous: window.histogramTimes[index - 1],
            start: window.histogramStarts[index], time: window.histogramTimes[index])
    }

    private static func startOverlaps(_ window: SampleWindow, _ index: Int) -> Bool {
        guard !window.histogramStarts.isEmpty else { return false }
        return StartTime.overlaps(
            previousStart: window.histogramStarts[index - 1], previous: window.histogramTimes[index - 1],
            start: window.histogramStarts[index])
    }
}

/// A histogram between two samples.
enum HistogramInterpolation {
    /// The histogram at `time`, on the line from one sample to the next; a counter that was reset between them rises
    /// from zero.
    ///
    /// Source: prometheus/prometheus promql/functions.go (`interpolateHistograms`).
    /// - Returns: nil if the histograms do not fit; that is noted.
    static func value(
        _ left: FloatHistogram, _ leftTime: Timestamp, _ right: FloatHistogram, _ rightTime: Timestamp,
        at time: Timestamp, isCounter: Bool, _ notes: inout RangeNotes
    ) -> FloatHistogram? {
        if time == leftTime { return left }
        if time == rightTime { return right }
        let fraction = Double(time &- leftTime) / Double(rightTime &- leftTime)
        if isCounter && right.detectReset(since: left) { return right.multiplied(by: fraction) }
        var result: FloatHistogram? = right
        guard notes.combine(&result, left, .subtraction) else { return nil }
        result?.multiply(by: fraction)
        guard notes.combine(&result, left, .addition) else { return nil }
        return result
    }
}
