internal import MetricModel

/// `count_over_time`, `present_over_time`, `absent_over_time` (whose result the engine turns round),
/// `first_over_time`, `last_over_time`, `ts_of_first_over_time` and `ts_of_last_over_time`.
struct EdgeKernel: RangeKernel {
    enum Wanted {
        case count
        case presence
        case first
        case last
        case timeOfFirst
        case timeOfLast
    }

    let wanted: Wanted

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        switch wanted {
        case .count: return .float(Double(window.count + window.histogramCount))
        case .presence: return .float(1)
        case .first, .timeOfFirst:
            let isFloat =
                window.histogramCount == 0
                || window.count > 0 && window.times[window.low] < window.histogramTimes[window.histogramLow]
            if wanted == .timeOfFirst {
                let time = isFloat ? window.times[window.low] : window.histogramTimes[window.histogramLow]
                return .float(Double(time) / 1000)
            }
            return isFloat ? .float(window.values[window.low]) : .histogram(window.histograms[window.histogramLow])
        case .last, .timeOfLast:
            let (last, lastHistogram) = (window.high - 1, window.histogramHigh - 1)
            let isFloat =
                window.histogramCount == 0
                || window.count > 0 && window.times[last] > window.histogramTimes[lastHistogram]
            if wanted == .timeOfLast {
                // Times before 1970 count as its beginning, as upstream has it.
                return .float(
                    Double(max(0, isFloat ? window.times[last] : window.histogramTimes[lastHistogram])) / 1000)
            }
            return isFloat ? .float(window.values[last]) : .histogram(window.histograms[lastHistogram])
        }
    }
}

/// `stdvar_over_time` and `stddev_over_time`.
///
/// Source: prometheus/prometheus promql/functions.go (`varianceOverTime`).
struct VarianceKernel: RangeKernel {
    let isDeviation: Bool

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count > 0 else { return .none }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        var count = 0.0
        var mean = KahanSum()
        var squares = KahanSum()
        var index = window.low
        while index < window.high {
            let value = window.values[index]
            count += 1
            let delta = value - (mean.sum + mean.compensation)
            mean.add(delta / count)
            squares.add(delta * (value - (mean.sum + mean.compensation)))
            index &+= 1
        }
        let variance = (squares.sum + squares.compensation) / count
        return .float(isDeviation ? variance.squareRoot() : variance)
    }
}

/// `deriv` and `predict_linear`: a line through the numbers by least squares.
///
/// Source: prometheus/prometheus promql/functions.go (`linearRegression`).
struct RegressionKernel: RangeKernel {
    /// How far ahead to predict, in seconds; nil for the slope.
    let ahead: StepRow?

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count >= 2 else {
            if window.count == 1 && window.histogramCount > 0 {
                notes.add(.histogramIgnoredInMixedRange(metric: notes.metric))
            }
            return .none
        }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        guard let ahead else {
            return .float(Self.line(window, at: window.times[window.low]).slope)
        }
        let line = Self.line(window, at: window.time)
        return .float(line.slope * ahead.value(window.step) + line.intercept)
    }

    /// The line's slope, and its value at `origin`.
    static func line(
        _ window: SampleWindow, at origin: Timestamp
    ) -> (slope: Double, intercept: Double) {
        var sumX = KahanSum()
        var sumY = KahanSum()
        var sumXY = KahanSum()
        var sumX2 = KahanSum()
        let first = window.values[window.low]
        var isConstant = true
        var index = window.low
        while index < window.high {
            let y = window.values[index]
            if isConstant && index > window.low && y != first { isConstant = false }
            let x = Double(window.times[index] &- origin) / 1e3
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumX2.add(x * x)
            index &+= 1
        }
        if isConstant { return first.isInfinite ? (.nan, .nan) : (0, first) }
        let count = Double(window.count)
        let x = sumX.sum + sumX.compensation
        let y = sumY.sum + sumY.compensation
        let covariance = sumXY.sum + sumXY.compensation - x * y / count
        let variance = sumX2.sum + sumX2.compensation - x * x / count
        let slope = covariance / variance
        return (slope, y / count - slope * x / count)
    }
}

/// `double_exponential_smoothing`.
///
/// Source: prometheus/prometheus promql/functions.go (`funcDoubleExponentialSmoothing`).
struct SmoothingKernel: RangeKernel {
    let smoothing: StepRow
    let trend: StepRow

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        let factor = smoothing.value(window.step)
        let trendFactor = trend.value(window.step)
        if factor <= 0 || factor >= 1 {
            throw QueryError.execution(
                "invalid smoothing factor. Expected: 0 < sf < 1, got: \(DecimalText.fixed(factor, digits: 6))")
        }
        if trendFactor <= 0 || trendFactor >= 1 {
            throw QueryError.execution(
                "invalid trend factor. Expected: 0 < tf < 1, got: \(DecimalText.fixed(trendFactor, digits: 6))")
        }
        guard window.count >= 2 else {
            if window.count == 1 && window.histogramCount > 0 {
                notes.add(.histogramIgnoredInMixedRange(metric: notes.metric))
            }
            return .none
        }
        var before = 0.0
        var smoothed = window.values[window.low]
        var slope = window.values[window.low + 1] - smoothed
        for index in (window.low + 1)..<window.high {
            let x = factor * window.values[index]
            if index > window.low + 1 {
                let change = trendFactor * (smoothed - before)
                slope = change + (1 - trendFactor) * slope
            }
            let y = (1 - factor) * (smoothed + slope)
            (before, smoothed) = (smoothed, x + y)
        }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        return .float(smoothed)
    }
}
