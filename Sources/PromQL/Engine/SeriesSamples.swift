internal import MetricModel

/// One series' samples as range functions see them: numbers and histograms apart, staleness markers gone.
struct SeriesSamples {
    var times: [Timestamp] = []
    var values: [Double] = []
    /// Start timestamps of the numbers, or empty.
    var starts: [Timestamp] = []
    var histogramTimes: [Timestamp] = []
    var histograms: [SharedHistogram] = []
    /// Start timestamps of the histograms, or empty.
    var histogramStarts: [Timestamp] = []
    /// How many samples the histograms before each one count for.
    var histogramSizes: [Int] = []

    /// Takes over what `columns` hold; their memory may be exchanged for that of the samples before.
    /// - Parameters:
    ///   - wantsStarts: Whether start timestamps are needed.
    ///   - statistics: Set if only counts and sums of histograms are needed.
    mutating func load(_ columns: inout SampleColumns, wantsStarts: Bool, statistics: HistogramVisits?) {
        removeAll()
        var hasStale = false
        for value in columns.values where SampleValue.isStale(value) { hasStale = true }
        let hasStarts = wantsStarts && columns.startTimestamps.count == columns.timestamps.count
        if !hasStale && columns.histograms.isEmpty && columns.values.count == columns.timestamps.count {
            swap(&times, &columns.timestamps)
            swap(&values, &columns.values)
            if hasStarts { swap(&starts, &columns.startTimestamps) }
            return
        }
        var next = 0
        var previous: (time: Timestamp, histogram: FloatHistogram)?
        for index in 0..<min(columns.timestamps.count, columns.values.count) {
            if next < columns.histograms.count && columns.histograms[next].index == index {
                let sample = columns.histograms[next].histogram
                next += 1
                if sample.isStale { continue }
                let time = columns.timestamps[index]
                if let statistics {
                    let seen = previous.flatMap { statistics.sees($0.time, before: time) ? $0.histogram : nil }
                    append(Self.statistics(of: sample, after: seen), at: time)
                    previous = (time, sample)
                } else {
                    append(sample, at: time)
                }
                if hasStarts { histogramStarts.append(columns.startTimestamps[index]) }
            } else if !SampleValue.isStale(columns.values[index]) {
                times.append(columns.timestamps[index])
                values.append(columns.values[index])
                if hasStarts { starts.append(columns.startTimestamps[index]) }
            }
        }
    }

    /// Takes over what a subquery gave. What it says of counter resets does not hold between the samples it picked.
    mutating func load(_ row: StepRow, _ steps: StepTimes) {
        removeAll()
        for step in row.first..<row.end {
            switch row.kind(step) {
            case CellKind.float:
                times.append(steps.time(step))
                values.append(row.value(step))
            case CellKind.histogram:
                guard let histogram = row.histogram(step) else { continue }
                switch histogram.value.counterResetHint {
                case .reset, .notReset:
                    var value = histogram.value
                    value.counterResetHint = .unknown
                    append(value, at: steps.time(step))
                case .unknown, .gauge:
                    append(histogram, at: steps.time(step))
                }
            default: break
            }
        }
    }

    private mutating func append(_ histogram: FloatHistogram, at time: Timestamp) {
        append(SharedHistogram(histogram), at: time)
    }

    private mutating func append(_ histogram: SharedHistogram, at time: Timestamp) {
        if histogramSizes.isEmpty { histogramSizes.append(0) }
        histogramSizes.append((histogramSizes.last ?? 0) + histogram.value.sampleSize)
        histogramTimes.append(time)
        histograms.append(histogram)
    }

    private mutating func removeAll() {
        times.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        histogramTimes.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        histogramStarts.removeAll(keepingCapacity: true)
        histogramSizes.removeAll(keepingCapacity: true)
    }

    /// A histogram's count, sum and schema, with what its buckets tell about a reset since `previous`.
    ///
    /// Source: prometheus/prometheus promql/histogram_stats_iterator.go.
    static func statistics(of histogram: FloatHistogram, after previous: FloatHistogram?) -> FloatHistogram {
        var hint = histogram.counterResetHint
        if hint == .unknown, let previous {
            hint = histogram.detectReset(since: previous) ? .reset : .notReset
        }
        return FloatHistogram(
            counterResetHint: hint, schema: histogram.schema, count: histogram.count, sum: histogram.sum)
    }

    /// The time of the first sample; nil if there is none.
    var firstTime: Timestamp? {
        guard let number = times.first else { return histogramTimes.first }
        return histogramTimes.first.map { min($0, number) } ?? number
    }

    /// The time of the last sample.
    var lastTime: Timestamp? {
        guard let number = times.last else { return histogramTimes.last }
        return histogramTimes.last.map { max($0, number) } ?? number
    }
}

/// Which samples of a series are visited for the steps of a query: those of each step's window. Milliseconds.
///
/// Where only counts and sums of histograms are decoded, a reset is found by comparing a sample with the one visited
/// before it, while the buckets are still at hand; a sample before the windows is none of these.
/// Source: prometheus/prometheus promql/histogram_stats_iterator.go, storage/buffer.go (`Seek`).
struct HistogramVisits {
    /// The first moment whose samples are seen at all.
    let start: Timestamp
    /// The end of the first step's window.
    let firstEnd: Timestamp
    /// From step to step.
    let interval: Int64
    /// How far a window reaches back.
    let range: Int64

    /// Whether of two samples next to each other the first one was visited when the second one is.
    func sees(_ previous: Timestamp, before time: Timestamp) -> Bool {
        guard previous >= start else { return false }
        let beyond = time &- firstEnd
        if beyond <= 0 || interval <= range { return true }
        // Between two windows nothing is visited but the first sample beyond the earlier one.
        let end = firstEnd &+ (beyond &+ interval &- 1) / interval &* interval
        if previous >= end &- range { return true }
        return previous < end &- interval && previous >= end &- interval &- range
    }
}
