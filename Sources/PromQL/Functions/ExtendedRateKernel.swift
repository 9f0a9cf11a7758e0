internal import MetricModel

/// `rate`, `increase` and `delta` over `anchored` and `smoothed` ranges: nothing is extrapolated, but the value at the
/// ends of the range is taken from the samples around it.
///
/// Source: prometheus/prometheus promql/functions.go (`extendedRate`, `extendedHistogramRate`).
struct ExtendedRateKernel: RangeKernel {
    let isCounter: Bool
    let isRate: Bool
    let isSmoothed: Bool
    let rangeSeconds: Double

    init(isCounter: Bool, isRate: Bool, isSmoothed: Bool, rangeMilliseconds: Int64) {
        self.isCounter = isCounter
        self.isRate = isRate
        self.isSmoothed = isSmoothed
        rangeSeconds = QueryDuration(milliseconds: rangeMilliseconds).seconds
    }

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        if window.count > 0 && window.histogramCount > 0 {
            notes.add(.mixedFloatsHistograms(metric: notes.metric))
            return .none
        }
        return window.histogramCount > 0 ? try histogramCell(window, &notes) : try floatCell(window, notes)
    }

    private func floatCell(_ window: SampleWindow, _ notes: RangeNotes) throws(QueryError) -> RangeCell {
        let edges = WindowEdges(
            window.times, window.low, window.high, window.rangeStart, window.rangeEnd, isSmoothed)
        guard let edges else { return .none }
        let left = Self.left(window, edges, isSmoothed, isCounter)
        let right = Self.right(window, edges, isSmoothed, isCounter)
        var result = right - left
        if isCounter {
            var first = edges.first
            var last = edges.last
            if window.times[first] <= window.rangeStart { first += 1 }
            if window.times[last] >= window.rangeEnd { last -= 1 }
            var correction = 0.0
            var previous = left
            if first <= last {
                for index in first...last {
                    if index & 0xFFFF == 0 { try notes.checkQuery() }
                    if window.values[index] < previous { correction += previous }
                    previous = window.values[index]
                }
            }
            if right < previous { correction += previous }
            result += correction
        }
        if isRate { result /= rangeSeconds }
        return .float(result)
    }

    /// The value at the start of the range.
    static func left(
        _ window: SampleWindow, _ edges: WindowEdges, _ isSmoothed: Bool, _ isCounter: Bool
    ) -> Double {
        let first = edges.first
        if isSmoothed && window.times[first] < window.rangeStart && first + 1 < window.high {
            return interpolate(window, first, at: window.rangeStart, isCounter)
        }
        return window.values[first]
    }

    /// The value at the end of the range.
    static func right(
        _ window: SampleWindow, _ edges: WindowEdges, _ isSmoothed: Bool, _ isCounter: Bool
    ) -> Double {
        let last = edges.last
        if isSmoothed && last > window.low && window.times[last] > window.rangeEnd {
            return interpolate(window, last - 1, at: window.rangeEnd, isCounter)
        }
        return window.values[last]
    }

    /// The value at `time`, on the line from sample `index` to the next; a counter that was reset rises from zero.
    private static func interpolate(
        _ window: SampleWindow, _ index: Int, at time: Timestamp, _ isCounter: Bool
    ) -> Double {
        FloatInterpolation.value(
            window.values[index], window.times[index], window.values[index + 1], window.times[index + 1], at: time,
            isCounter: isCounter)
    }

    private func histogramCell(
        _ window: SampleWindow, _ notes: inout RangeNotes
    ) throws(QueryError) -> RangeCell {
        let edges = WindowEdges(
            window.histogramTimes, window.histogramLow, window.histogramHigh, window.rangeStart, window.rangeEnd,
            isSmoothed)
        guard let edges, try validate(window, edges, &notes),
            let left = edgeHistogram(window, edges, isLeft: true, &notes),
            let right = edgeHistogram(window, edges, isLeft: false, &notes)
        else { return .none }
        if !isCounter && (left.counterResetHint != .gauge || right.counterResetHint != .gauge) {
            notes.add(.nativeHistogramNotGauge(metric: notes.metric))
        }
        var result: FloatHistogram? = right
        guard notes.combine(&result, left, .subtraction) else { return .none }
        if isCounter {
            var correction: FloatHistogram?
            guard try correct(window, edges, left, right, &correction, &notes) else { return .none }
            if let correction, !notes.combine(&result, correction, .addition) { return .none }
        }
        guard var result else { return .none }
        if isRate { result.divide(by: rangeSeconds) }
        result.counterResetHint = .gauge
        result.compact()
        return .histogram(SharedHistogram(result))
    }

    private func validate(
        _ window: SampleWindow, _ edges: WindowEdges, _ notes: inout RangeNotes
    ) throws(QueryError) -> Bool {
        let custom = window.histograms[edges.first].value.usesCustomBuckets
        guard edges.first <= edges.last else { return true }
        for index in edges.first...edges.last {
            if index & 1023 == 0 { try notes.checkQuery() }
            let histogram = window.histograms[index].value
            if histogram.usesCustomBuckets != custom {
                notes.add(.mixedExponentialCustomHistograms(metric: notes.metric))
                return false
            }
            if isCounter && histogram.counterResetHint == .gauge {
                notes.add(.nativeHistogramNotCounter(metric: notes.metric))
            }
        }
        return true
    }

    private func edgeHistogram(
        _ window: SampleWindow, _ edges: WindowEdges, isLeft: Bool, _ notes: inout RangeNotes
    ) -> FloatHistogram? {
        let index = isLeft ? edges.first : edges.last
        let time = isLeft ? window.rangeStart : window.rangeEnd
        let from = isLeft ? index : index - 1
        let outside =
            isLeft
            ? window.histogramTimes[index] < time : index > window.histogramLow && window.histogramTimes[index] > time
        guard isSmoothed, outside, from + 1 < window.histogramHigh else { return window.histograms[index].value }
        return HistogramInterpolation.value(
            window.histograms[from].value, window.histogramTimes[from], window.histograms[from + 1].value,
            window.histogramTimes[from + 1], at: time, isCounter: isCounter, &notes)
    }

    /// Sums up what was lost by counter resets between the edges; false if histograms do not fit.
    private func correct(
        _ window: SampleWindow, _ edges: WindowEdges, _ left: FloatHistogram, _ right: FloatHistogram,
        _ correction: inout FloatHistogram?, _ notes: inout RangeNotes
    ) throws(QueryError) -> Bool {
        var first = edges.first + 1
        var previous = left
        if isSmoothed && window.histogramTimes[edges.first] < window.rangeStart && first < window.histogramHigh
            && window.histograms[first].value.detectReset(since: window.histograms[edges.first].value)
        {
            // The value at the left edge already accounts for this reset.
            previous = window.histograms[first].value
            first += 1
        }
        // The last sample is `right` itself, or `right` lies before it.
        guard first <= edges.last else { return true }
        for index in first..<edges.last {
            if index & 127 == 0 { try notes.checkQuery() }
            let current = window.histograms[index].value
            if current.detectReset(since: previous), !notes.combine(&correction, previous, .addition) { return false }
            previous = current
        }
        if right.detectReset(since: previous), !notes.combine(&correction, previous, .addition) { return false }
        return true
    }
}

/// The samples next to the ends of a range.
struct WindowEdges {
    /// The last sample at or before the start of the range, or the first there is.
    let first: Int
    /// The last sample; with `smoothed`, the first one at or beyond the end of the range.
    let last: Int

    /// The edges among the samples `low..<high`; nil if they do not reach into the range.
    /// - Parameter acceptsLater: Whether with `smoothed` samples that all lie beyond the range will do as well.
    init?(
        _ times: UnsafeBufferPointer<Timestamp>, _ low: Int, _ high: Int, _ start: Timestamp, _ end: Timestamp,
        _ isSmoothed: Bool, acceptsLater: Bool = false
    ) {
        guard high > low else { return nil }
        let lastSample = high - 1
        let beyondStart = Self.search(times, low, lastSample) { $0 > start }
        first = max(low, beyondStart - 1)
        last = isSmoothed ? Self.search(times, low, lastSample) { $0 >= end } : lastSample
        if times[last] <= start { return nil }
        if isSmoothed && !acceptsLater && times[first] > end { return nil }
    }

    /// The first of `low..<high` for which `isBeyond` holds, or `high`.
    static func search(
        _ times: UnsafeBufferPointer<Timestamp>, _ low: Int, _ high: Int, _ isBeyond: (Timestamp) -> Bool
    ) -> Int {
        var low = low
        var high = high
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(times[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A number between two samples.
enum FloatInterpolation {
    /// The value at `time`, on the line between two samples; a counter that was reset rises from zero.
    static func value(
        _ left: Double, _ leftTime: Timestamp, _ right: Double, _ rightTime: Timestamp, at time: Timestamp,
        isCounter: Bool
    ) -> Double {
        let start = isCounter && right < left ? 0 : left
        return start + (right - start) * Double(time &- leftTime) / Double(rightTime &- leftTime)
    }
}
