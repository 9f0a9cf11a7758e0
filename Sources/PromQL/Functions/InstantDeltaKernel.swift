internal import MetricModel

/// `irate` and `idelta`: the difference between the last two samples.
///
/// Source: prometheus/prometheus promql/functions.go (`instantValue`).
struct InstantDeltaKernel: RangeKernel {
    let isRate: Bool

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count + window.histogramCount >= 2 else { return .none }
        // Which of the last two samples are numbers.
        var numbers = 0
        var histograms = 0
        for _ in 0..<2 {
            let number = window.high - 1 - numbers
            let histogram = window.histogramHigh - 1 - histograms
            let hasNumber = number >= window.low
            let hasHistogram = histogram >= window.histogramLow
            if hasNumber, !hasHistogram || window.times[number] >= window.histogramTimes[histogram] {
                numbers += 1
            } else {
                histograms += 1
            }
        }
        if numbers == 2 { return floatCell(window) }
        if histograms == 2 { return histogramCell(window, &notes) }
        let interval = window.times[window.high - 1] &- window.histogramTimes[window.histogramHigh - 1]
        if interval != 0 { notes.add(.mixedFloatsHistograms(metric: notes.metric)) }
        return .none
    }

    private func floatCell(_ window: SampleWindow) -> RangeCell {
        let last = window.high - 1
        let interval = window.times[last] &- window.times[last - 1]
        guard interval != 0 else { return .none }
        var value = window.values[last]
        let previous = window.values[last - 1]
        let isReset =
            isRate
            && (value < previous
                || !window.starts.isEmpty
                    && StartTime.isReset(
                        previousStart: window.starts[last - 1], previous: window.times[last - 1],
                        start: window.starts[last], time: window.times[last]))
        if !isReset { value -= previous }
        if isRate { value /= Double(interval) / 1000 }
        return .float(value)
    }

    private func histogramCell(_ window: SampleWindow, _ notes: inout RangeNotes) -> RangeCell {
        let last = window.histogramHigh - 1
        let interval = window.histogramTimes[last] &- window.histogramTimes[last - 1]
        guard interval != 0 else { return .none }
        let current = window.histograms[last].value
        let previous = window.histograms[last - 1].value
        if isRate && (current.counterResetHint == .gauge || previous.counterResetHint == .gauge) {
            notes.add(.nativeHistogramNotCounter(metric: notes.metric))
        }
        if !isRate && (current.counterResetHint != .gauge || previous.counterResetHint != .gauge) {
            notes.add(.nativeHistogramNotGauge(metric: notes.metric))
        }
        var result: FloatHistogram? = current
        let isReset =
            isRate && (HistogramDifference.startReset(window, last) || current.detectReset(since: previous))
        if !isReset, !notes.combine(&result, previous, .subtraction) { return .none }
        guard var result else { return .none }
        result.counterResetHint = .gauge
        result.compact()
        if isRate { result.divide(by: Double(interval) / 1000) }
        return .histogram(SharedHistogram(result))
    }
}
