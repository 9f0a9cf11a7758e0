internal import MetricModel

/// `rate`, `increase` and `delta`: the difference over the range, extrapolated to its ends.
///
/// Counter resets are found once for a series; a step adds up those in its window, so that it costs as much as there
/// are resets, and the result is that of the sum over all samples.
///
/// Source: prometheus/prometheus promql/functions.go (`extrapolatedRate`).
struct RateKernel: RangeKernel {
    let isCounter: Bool
    let isRate: Bool
    /// The range in seconds.
    let rangeSeconds: Double

    /// Indices of numbers at which the counter had been reset.
    private var resets: [Int] = []
    private var firstReset = 0
    /// Indices of numbers whose start timestamp lies before the sample before.
    private var overlaps: [Int] = []
    /// How far the last window was stretched.
    private var stretch = Stretch()
    /// Whether there are only numbers, without start timestamps.
    private var isPlain = false

    init(isCounter: Bool, isRate: Bool, rangeMilliseconds: Int64) {
        self.isCounter = isCounter
        self.isRate = isRate
        rangeSeconds = QueryDuration(milliseconds: rangeMilliseconds).seconds
    }

    mutating func prepare(_ window: SampleWindow) {
        resets.removeAll(keepingCapacity: true)
        overlaps.removeAll(keepingCapacity: true)
        firstReset = 0
        isPlain = window.histogramTimes.isEmpty && window.starts.isEmpty
        guard isCounter else { return }
        let values = window.values
        let starts = window.starts
        var index = 1
        while index < values.count {
            if values[index] < values[index &- 1] {
                resets.append(index)
            } else if !starts.isEmpty,
                StartTime.isReset(
                    previousStart: starts[index &- 1], previous: window.times[index &- 1], start: starts[index],
                    time: window.times[index])
            {
                resets.append(index)
            }
            if !starts.isEmpty,
                StartTime.overlaps(
                    previousStart: starts[index &- 1], previous: window.times[index &- 1], start: starts[index])
            {
                overlaps.append(index)
            }
            index &+= 1
        }
    }

    @inline(__always)
    mutating func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        if !isPlain, let cell = try specialCell(window, &notes) { return cell }
        let last = window.high &- 1
        if last == window.low { return .none }
        var difference = window.values[last] - window.values[window.low]
        if isCounter && firstReset < resets.count { addResets(&difference, window) }
        let first = window.values[window.low]
        stretch.update(window, last, rangeSeconds: isRate ? rangeSeconds : nil)
        if isCounter && difference > 0 && first >= 0 {
            let toZero = stretch.sampled * (first / difference)
            if toZero < stretch.toStart { return .float(difference * stretch.factor(toStart: toZero)) }
        }
        return .float(difference * stretch.factor)
    }

    private mutating func addResets(_ difference: inout Double, _ window: SampleWindow) {
        while firstReset < resets.count && resets[firstReset] <= window.low { firstReset &+= 1 }
        var reset = firstReset
        while reset < resets.count && resets[reset] < window.high {
            difference += window.values[resets[reset] &- 1]
            reset &+= 1
        }
    }

    /// The cell where there are histograms, or a series that began within the window; nil where it is that of numbers.
    private mutating func specialCell(
        _ window: SampleWindow, _ notes: inout RangeNotes
    ) throws(QueryError) -> RangeCell? {
        if window.histogramCount > 0 {
            guard window.count == 0 else {
                notes.add(.mixedFloatsHistograms(metric: notes.metric))
                return RangeCell.none
            }
            return try histogramCell(window, &notes)
        }
        guard isCounter && !window.starts.isEmpty else { return nil }
        if overlaps.contains(where: { $0 > window.low && $0 < window.high }) {
            notes.add(.startTimeOverlap(metric: notes.metric))
        }
        let last = window.high &- 1
        var extrapolation = Extrapolation(
            first: window.times[window.low], last: window.times[last], gaps: last &- window.low, window: window)
        guard extrapolation.startsWithin(window, window.starts[window.low]) else { return nil }
        var difference = window.values[last] - window.values[window.low]
        addResets(&difference, window)
        return .float(
            (difference + window.values[window.low])
                * (isRate ? extrapolation.factor / rangeSeconds : extrapolation.factor))
    }

    private func histogramCell(
        _ window: SampleWindow, _ notes: inout RangeNotes
    ) throws(QueryError) -> RangeCell {
        let low = window.histogramLow
        let last = window.histogramHigh &- 1
        var result: FloatHistogram?
        if last > low {
            result = try HistogramDifference.rate(window, isCounter: isCounter, &notes)
            if result == nil { return .none }
        }
        let start = isCounter && !window.histogramStarts.isEmpty ? window.histogramStarts[low] : 0
        var extrapolation = Extrapolation(
            first: window.histogramTimes[low], last: window.histogramTimes[last], gaps: last - low, window: window)
        let first = window.histograms[low].value
        if extrapolation.startsWithin(window, start) {
            if result == nil {
                result = first
            } else if !notes.combine(&result, first, .addition) {
                return .none
            }
        } else if last == low {
            return .none
        } else {
            let count = result?.count ?? 0
            extrapolation.limitToStart(zero: isCounter && count > 0 && first.count >= 0 ? first.count / count : nil)
        }
        guard var result else { return .none }
        var factor = extrapolation.factor
        if isRate { factor /= rangeSeconds }
        result.multiply(by: factor)
        return .histogram(SharedHistogram(result))
    }
}

/// How far a difference between two samples is stretched towards the ends of the range.
struct Extrapolation {
    /// Seconds between the first and the last sample.
    private var sampled: Double
    /// Seconds on average between two samples.
    private let average: Double
    private var toStart: Double
    private var toEnd: Double
    private let first: Timestamp
    private let last: Timestamp

    init(first: Timestamp, last: Timestamp, gaps: Int, window: SampleWindow) {
        self.first = first
        self.last = last
        toStart = Double(first &- window.rangeStart) / 1000
        toEnd = Double(window.rangeEnd &- last) / 1000
        sampled = Double(last &- first) / 1000
        average = gaps > 0 ? sampled / Double(gaps) : 0
    }

    /// Whether the series began within the range, by its start timestamp: it then counts from zero at that time.
    mutating func startsWithin(_ window: SampleWindow, _ start: Timestamp) -> Bool {
        guard start != 0, start > window.rangeStart, start < first else { return false }
        toStart = 0
        sampled = Double(last &- start) / 1000
        return true
    }

    /// Assumes that the series begins half a gap before its first sample if that is far from the start of the range,
    /// and not before it was zero: `zero` gaps of the sampled interval ago.
    mutating func limitToStart(zero: Double?) {
        if toStart >= average * 1.1 { toStart = average / 2 }
        if let zero {
            let toZero = sampled * zero
            if toZero < toStart { toStart = toZero }
        }
    }

    /// What to multiply the difference with.
    var factor: Double {
        let end = toEnd >= average * 1.1 ? average / 2 : toEnd
        return sampled == 0 ? 1 : (sampled + toStart + end) / sampled
    }
}

/// How far a window is stretched, kept for the next one: where samples come regularly, it is mostly the same, and
/// divisions are what a step costs most.
struct Stretch {
    private var fromStart: Timestamp = .min
    private var fromEnd: Timestamp = 0
    private var span: Timestamp = 0
    private var gaps = 0
    private var rangeSeconds: Double?
    private var toEnd = 0.0
    /// Seconds between the first and the last sample.
    private(set) var sampled = 0.0
    /// Seconds to extrapolate at the start.
    private(set) var toStart = 0.0
    /// What to multiply the difference with.
    private(set) var factor = 1.0

    /// Measures a window of numbers; a factor of rates is divided by `rangeSeconds`.
    @inline(__always)
    mutating func update(_ window: SampleWindow, _ last: Int, rangeSeconds: Double?) {
        let first = window.times[window.low]
        let end = window.times[last]
        let (fromStart, fromEnd, span) = (first &- window.rangeStart, window.rangeEnd &- end, end &- first)
        let gaps = last &- window.low
        if fromStart == self.fromStart && fromEnd == self.fromEnd && span == self.span && gaps == self.gaps { return }
        measure(fromStart, fromEnd, span, gaps, rangeSeconds)
    }

    private mutating func measure(
        _ fromStart: Timestamp, _ fromEnd: Timestamp, _ span: Timestamp, _ gaps: Int, _ rangeSeconds: Double?
    ) {
        (self.fromStart, self.fromEnd, self.span, self.gaps) = (fromStart, fromEnd, span, gaps)
        self.rangeSeconds = rangeSeconds
        sampled = Double(span) / 1000
        let average = sampled / Double(gaps)
        toStart = Double(fromStart) / 1000
        if toStart >= average * 1.1 { toStart = average / 2 }
        toEnd = Double(fromEnd) / 1000
        if toEnd >= average * 1.1 { toEnd = average / 2 }
        factor = factor(toStart: toStart)
    }

    /// What to multiply the difference with if `toStart` seconds are extrapolated at the start.
    @inline(__always)
    func factor(toStart: Double) -> Double {
        let factor = sampled == 0 ? 1 : (sampled + toStart + toEnd) / sampled
        return rangeSeconds.map { factor / $0 } ?? factor
    }
}

/// What start timestamps tell about a counter.
///
/// Source: prometheus/prometheus promql/functions.go (`isStartTimestampReset`, `checkStartTimeOverlap`).
enum StartTime {
    /// Whether the counter began anew between two samples.
    static func isReset(previousStart: Timestamp, previous: Timestamp, start: Timestamp, time: Timestamp) -> Bool {
        if start == 0 || start >= time || start < previous { return false }
        if start > previous { return true }
        // Equal: so it is with deltas, but also with counters whose start is not known.
        if previousStart > previous { return false }
        return previousStart != 0 && previousStart != previous
    }

    /// Whether a sample says that it began before the one before it ended.
    static func overlaps(previousStart: Timestamp, previous: Timestamp, start: Timestamp) -> Bool {
        start != 0 && start < previous && start != previousStart
    }
}
