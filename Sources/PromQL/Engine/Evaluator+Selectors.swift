internal import MetricModel

extension Evaluator {
    /// Selects series; what the store warns of becomes an annotation.
    func select(
        _ plan: SelectorPlan, from start: Timestamp, through end: Timestamp
    ) throws -> [any SelectedSeries] {
        try context.control.check()
        do {
            let selection = try context.source.select(plan.matchers, start: start, end: end, hints: plan.hints)
            for warning in selection.warnings { context.annotations.add(.source(warning), at: .zero) }
            return selection.series
        } catch {
            throw QueryError.storage(error)
        }
    }

    /// An instant selector at all steps.
    func evaluate(_ plan: SelectorPlan) throws -> [StepRow] { try rows(of: plan, try selectedSeries(plan)) }

    /// The series of an instant selector.
    func selectedSeries(_ plan: SelectorPlan) throws -> [any SelectedSeries] {
        let lookback = context.lookback
        let first = plan.referenceTime(times.start) &- lookback &+ 1
        let last = plan.referenceTime(times.time(times.count - 1))
        return try select(
            plan, from: first, through: plan.rangeExtension == .smoothed ? last &+ lookback : last)
    }

    /// The rows of some series of an instant selector.
    func rows(of plan: SelectorPlan, _ series: [any SelectedSeries]) throws -> [StepRow] {
        let isSmoothed = plan.rangeExtension == .smoothed
        return try concurrentRows(series.count) { index, worker in
            try worker.read(series[index], self.context.control)
            let labels = series[index].labels
            if isSmoothed {
                var notes = RangeNotes(metric: labels.name, position: plan.position, control: self.context.control)
                worker.samples.load(&worker.columns, wantsStarts: false, statistics: nil)
                let row = self.smooth(worker.samples, plan, labels, &notes)
                worker.annotations.merge(notes.annotations)
                return row
            }
            let row = self.lastSamples(worker.columns, plan, labels, &worker.counter)
            worker.held += row?.sampleCount ?? 0
            return row
        }
    }

    /// For each step the last sample before it, if that is no staleness marker nor older than the lookback.
    private func lastSamples(
        _ columns: borrowing SampleColumns, _ plan: SelectorPlan, _ labels: Labels, _ counter: inout SampleCounter
    ) -> StepRow? {
        let count = min(columns.timestamps.count, columns.values.count)
        guard count > 0 else { return nil }
        let lookback = context.lookback
        var firstStep = 0
        var endStep = times.count
        if plan.at == nil {
            firstStep = times.firstStep(from: columns.timestamps[0] &+ plan.offset)
            endStep = times.firstStep(from: columns.timestamps[count - 1] &+ lookback &+ plan.offset)
        }
        guard firstStep < endStep else { return nil }
        var builder = RowBuilder(capacity: endStep - firstStep)
        let reference = plan.referenceTime(times.start)
        let visits = HistogramVisits(
            start: reference &- lookback &+ 1, firstEnd: reference, interval: times.interval, range: lookback &- 1)
        var histograms = HistogramLookup(columns, statistics: plan.skipsBuckets ? visits : nil)
        let times = times
        columns.timestamps.withUnsafeBufferPointer { timestamps in
            columns.values.withUnsafeBufferPointer { values in
                // SAFETY: `index` stays below `count`, which is not beyond either column.
                var index = -1
                for step in firstStep..<endStep {
                    let reference = plan.referenceTime(times.time(step))
                    while index &+ 1 < count && timestamps[index &+ 1] <= reference { index &+= 1 }
                    guard index >= 0, timestamps[index] > reference &- lookback else { continue }
                    let value = values[index]
                    if SampleValue.isStale(value) { continue }
                    if let histogram = histograms.histogram(at: index) {
                        let size = histogram.value.sampleSize
                        counter.count(size, read: size, step: step)
                        builder.append(step, histogram)
                    } else {
                        counter.count(1, read: 1, step: step)
                        builder.append(step, value)
                    }
                }
            }
        }
        return builder.row(labels)
    }

    /// For each step, of `timestamp()`: when the last sample was, or with `wantsStart` its start timestamp, in seconds.
    /// - Parameter refusesHistograms: Whether the samples are those of an info metric, which must be numbers.
    func sampleTimes(
        _ plan: SelectorPlan, wantsStart: Bool, refusesHistograms: Bool = false
    ) throws -> [StepRow] {
        let lookback = context.lookback
        let first = plan.referenceTime(times.start) &- lookback &+ 1
        let last = plan.referenceTime(times.time(times.count - 1))
        let series = try select(plan, from: first, through: last)
        // Without start timestamps the samples are looked at all the same.
        let givesNothing = wantsStart && !context.options.usesStartTimestamps
        let times = times
        return try concurrentRows(series.count) { index, worker in
            try worker.read(series[index], self.context.control)
            let columns = worker.columns
            let hasStarts = columns.startTimestamps.count == columns.timestamps.count
            var builder = RowBuilder(capacity: times.count)
            var sample = -1
            for step in 0..<times.count {
                let reference = plan.referenceTime(times.time(step))
                // With `@`, upstream's `timestamp()` looks at that moment itself, though only at samples that were
                // selected with the offset.
                let moment = refusesHistograms ? reference : plan.at ?? reference
                while sample + 1 < columns.count && columns.timestamps[sample + 1] <= min(moment, reference) {
                    sample += 1
                }
                guard sample >= 0, columns.timestamps[sample] > max(moment, reference) &- lookback,
                    !SampleValue.isStale(columns.values[sample])
                else { continue }
                if refusesHistograms, columns.histograms.contains(where: { $0.index == sample }) {
                    throw QueryError.execution(
                        "this should be an info metric, with float samples: \(series[index].labels)")
                }
                worker.counter.count(1, read: 1, step: step)
                let time = wantsStart ? (hasStarts ? columns.startTimestamps[sample] : 0) : columns.timestamps[sample]
                builder.append(step, Double(time) / 1000)
            }
            if givesNothing { return nil }
            let row = builder.row(series[index].labels)
            worker.held += row?.sampleCount ?? 0
            return row
        }
    }

    /// For each step the value on the line between the samples before and after it.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`smoothSeries`).
    private func smooth(
        _ samples: SeriesSamples, _ plan: SelectorPlan, _ labels: Labels, _ notes: inout RangeNotes
    ) -> StepRow? {
        var builder = RowBuilder(capacity: times.count)
        let lookback = context.lookback
        let times = times
        samples.withWindow { window in
            for step in 0..<times.count {
                let reference = plan.referenceTime(times.time(step))
                let (start, end) = (reference &- lookback, reference &+ lookback)
                while window.high < window.times.count && window.times[window.high] <= end { window.high += 1 }
                while window.low < window.high && window.times[window.low] <= start { window.low += 1 }
                while window.histogramHigh < window.histogramTimes.count
                    && window.histogramTimes[window.histogramHigh] <= end
                { window.histogramHigh += 1 }
                while window.histogramLow < window.histogramHigh
                    && window.histogramTimes[window.histogramLow] <= start
                { window.histogramLow += 1 }
                if window.count > 0 && window.histogramCount > 0 {
                    notes.add(.mixedFloatsHistograms(metric: notes.metric))
                } else if window.count > 0 {
                    if let value = Self.smoothFloat(window, reference) { builder.append(step, value) }
                } else if window.histogramCount > 0 {
                    if let histogram = Self.smoothHistogram(window, reference, &notes) {
                        builder.append(step, SharedHistogram(histogram))
                    }
                }
            }
        }
        return builder.row(labels)
    }

    private static func smoothFloat(_ window: SampleWindow, _ time: Timestamp) -> Double? {
        let next = WindowEdges.search(window.times, window.low, window.high) { $0 >= time }
        if next < window.high && window.times[next] == time { return window.values[next] }
        guard next > window.low else { return nil }
        guard next < window.high else { return window.values[next - 1] }
        return FloatInterpolation.value(
            window.values[next - 1], window.times[next - 1], window.values[next], window.times[next], at: time,
            isCounter: false)
    }

    private static func smoothHistogram(
        _ window: SampleWindow, _ time: Timestamp, _ notes: inout RangeNotes
    ) -> FloatHistogram? {
        let next = WindowEdges.search(window.histogramTimes, window.histogramLow, window.histogramHigh) {
            $0 >= time
        }
        if next < window.histogramHigh && window.histogramTimes[next] == time { return window.histograms[next].value }
        guard next > window.histogramLow else { return nil }
        var previous = window.histograms[next - 1].value
        guard next < window.histogramHigh else {
            previous.counterResetHint = .unknown
            return previous
        }
        let following = window.histograms[next].value
        if previous.usesCustomBuckets != following.usesCustomBuckets {
            notes.add(.mixedExponentialCustomHistograms(metric: notes.metric))
            return nil
        }
        let isCounter = previous.counterResetHint != .gauge || following.counterResetHint != .gauge
        return HistogramInterpolation.value(
            previous, window.histogramTimes[next - 1], following, window.histogramTimes[next], at: time,
            isCounter: isCounter, &notes)
    }
}

/// Finds the histogram of a sample while walking forwards, and shares it between the steps that see it.
struct HistogramLookup {
    private let samples: [SampleColumns.HistogramSample]
    private let timestamps: [Timestamp]
    private let statistics: HistogramVisits?
    private var next = 0
    private var shared: SharedHistogram?

    /// - Parameter statistics: Set if only counts and sums of histograms are needed.
    init(_ columns: borrowing SampleColumns, statistics: HistogramVisits?) {
        samples = columns.histograms
        timestamps = statistics == nil ? [] : columns.timestamps
        self.statistics = statistics
    }

    /// The histogram at `index` of the columns; nil if that is a number.
    @inline(__always)
    mutating func histogram(at index: Int) -> SharedHistogram? {
        samples.isEmpty ? nil : find(index)
    }

    private mutating func find(_ index: Int) -> SharedHistogram? {
        while next < samples.count && samples[next].index < index {
            next += 1
            shared = nil
        }
        guard next < samples.count, samples[next].index == index else { return nil }
        if let shared { return shared }
        let new = SharedHistogram(statistics.map(statisticsOnly) ?? samples[next].histogram)
        shared = new
        return new
    }

    private func statisticsOnly(_ visits: HistogramVisits) -> FloatHistogram {
        let sample = samples[next]
        var previous: FloatHistogram?
        if next > 0, visits.sees(timestamps[samples[next - 1].index], before: timestamps[sample.index]) {
            previous = samples[next - 1].histogram
        }
        return SeriesSamples.statistics(of: sample.histogram, after: previous)
    }
}
