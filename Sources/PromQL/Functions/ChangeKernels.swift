internal import MetricModel

/// `changes` and `resets`: how often the value changed, or a counter was reset, within the range.
///
/// Whether each sample differs from the one before is found once for a series; a step counts those in its window.
///
/// Source: prometheus/prometheus promql/functions.go (`funcChanges`, `funcResets`, `pickFirstSampleIndices`).
struct ChangeKernel: RangeKernel {
    let countsResets: Bool
    let isAnchored: Bool

    /// For each number and one beyond: how many numbers before it are events, against the number before them.
    private var before: [Int] = []

    init(countsResets: Bool, isAnchored: Bool) {
        self.countsResets = countsResets
        self.isAnchored = isAnchored
    }

    mutating func prepare(_ window: SampleWindow) {
        before.removeAll(keepingCapacity: true)
        before.reserveCapacity(window.values.count + 1)
        var events = 0
        for index in window.values.indices {
            before.append(events)
            if index > 0 && isEvent(window, index) { events &+= 1 }
        }
        before.append(events)
    }

    private func isEvent(_ window: SampleWindow, _ index: Int) -> Bool {
        let (previous, current) = (window.values[index - 1], window.values[index])
        if !countsResets { return current != previous && !(current.isNaN && previous.isNaN) }
        if current < previous { return true }
        return !window.starts.isEmpty
            && StartTime.isReset(
                previousStart: window.starts[index - 1], previous: window.times[index - 1],
                start: window.starts[index], time: window.times[index])
    }

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        var first = window.low
        var firstHistogram = window.histogramLow
        if isAnchored {
            let start = window.rangeStart
            let floats = WindowEdges.search(window.times, window.low, window.high) { $0 > start }
            let histograms = WindowEdges.search(
                window.histogramTimes, window.histogramLow, window.histogramHigh
            ) { $0 > start }
            if floats >= window.high && histograms >= window.histogramHigh { return .none }
            first = floats
            firstHistogram = histograms
            // The one sample before the range that counts is the latest, of whichever kind.
            let hasFloat = floats > window.low
            let hasHistogram = histograms > window.histogramLow
            if hasFloat, !hasHistogram || window.times[floats - 1] >= window.histogramTimes[histograms - 1] {
                first -= 1
            } else if hasHistogram {
                firstHistogram -= 1
            }
        }
        if firstHistogram == window.histogramHigh {
            // Event `i` belongs to the pair of `i - 1` and `i`.
            return .float(Double(before[window.high] - before[min(first + 1, window.high)]))
        }
        return .float(Double(try mixedEvents(window, first, firstHistogram, notes)))
    }

    private func mixedEvents(
        _ window: SampleWindow, _ first: Int, _ firstHistogram: Int, _ notes: RangeNotes
    ) throws(QueryError) -> Int {
        var events = 0
        var float = first
        var histogram = firstHistogram
        /// 0 before the first sample, 1 after a number, 2 after a histogram.
        var previous = 0
        while float < window.high || histogram < window.histogramHigh {
            let isFloat =
                histogram >= window.histogramHigh
                || float < window.high && window.times[float] < window.histogramTimes[histogram]
            if histogram & 127 == 0 { try notes.checkQuery() }
            switch (previous, isFloat) {
            case (0, _): break
            case (1, true): if isEvent(window, float) { events += 1 }
            case (2, false): if isHistogramEvent(window, histogram) { events += 1 }
            default: events += 1
            }
            previous = isFloat ? 1 : 2
            if isFloat { float += 1 } else { histogram += 1 }
        }
        return events
    }

    private func isHistogramEvent(_ window: SampleWindow, _ index: Int) -> Bool {
        let (previous, current) = (window.histograms[index - 1].value, window.histograms[index].value)
        if !countsResets { return !current.isSameData(as: previous) }
        return HistogramDifference.startReset(window, index) || current.detectReset(since: previous)
    }
}
