package import MetricModel

/// The times at which an expression is evaluated.
struct StepTimes: Sendable, Equatable {
    let start: Timestamp
    let end: Timestamp
    /// Milliseconds from step to step; more than 0.
    let interval: Int64
    /// How many steps there are; 0 if the end is before the start.
    let count: Int

    init(start: Timestamp, end: Timestamp, interval: Int64) {
        self.start = start
        self.end = end
        self.interval = max(1, interval)
        let (span, overflow) = end.subtractingReportingOverflow(start)
        count = end < start ? 0 : overflow ? .max : Int(span / self.interval) &+ 1
    }

    /// A single moment.
    init(at time: Timestamp, interval: Int64 = 1) { self.init(start: time, end: time, interval: interval) }

    /// When step `step` is.
    @inline(__always)
    func time(_ step: Int) -> Timestamp { start &+ Int64(truncatingIfNeeded: step) &* interval }

    /// The first step at or after `time`, at most ``count``.
    func firstStep(from time: Timestamp) -> Int {
        if time <= start { return 0 }
        let (distance, overflow) = time.subtractingReportingOverflow(start)
        if overflow { return count }
        let steps = distance / interval + (distance % interval == 0 ? 0 : 1)
        return Int(min(Int64(count), steps))
    }

    /// Whether there is only one step, as in an instant query.
    var isInstant: Bool { start == end }
}

/// A histogram that several steps and rows share.
package final class SharedHistogram: Sendable {
    /// The histogram.
    package let value: FloatHistogram

    init(_ value: FloatHistogram) { self.value = value }
}

/// What a cell of a row holds.
enum CellKind {
    static let none: UInt8 = 0
    static let float: UInt8 = 1
    static let histogram: UInt8 = 2
}

/// One series evaluated over the steps: a value for each step from ``first`` on.
struct StepRow: Sendable {
    var labels: Labels
    /// Whether the metric name is to be removed at the end of the query; only with delayed name removal.
    var dropName = false
    /// The step of the first cell.
    var first: Int
    /// A number for each cell; 0 where there is none.
    var values: [Double]
    /// A ``CellKind`` for each cell; empty if all cells are numbers.
    var kinds: [UInt8] = []
    /// A histogram for each cell; empty if there is none at all. A cell that is a number may have one besides, where
    /// series of either kind were given the same labels: results show both, all else takes the number.
    var histograms: [SharedHistogram?] = []

    /// One beyond the step of the last cell.
    var end: Int { first + values.count }

    /// What there is at `step`.
    @inline(__always)
    func kind(_ step: Int) -> UInt8 {
        let index = step &- first
        guard index >= 0 && index < values.count else { return CellKind.none }
        return kinds.isEmpty ? CellKind.float : kinds[index]
    }

    /// The number at `step`, which must be one.
    @inline(__always)
    func value(_ step: Int) -> Double { values[step &- first] }

    /// The histogram at `step`, if there is one.
    @inline(__always)
    func histogram(_ step: Int) -> SharedHistogram? {
        let index = step &- first
        guard index >= 0 && index < histograms.count else { return nil }
        return histograms[index]
    }

    /// Whether no cell holds anything.
    var isEmpty: Bool { values.isEmpty || (!kinds.isEmpty && !kinds.contains { $0 != CellKind.none }) }

    /// How many samples the row counts for; a histogram counts by its size.
    var sampleCount: Int {
        if kinds.isEmpty { return values.count }
        var count = 0
        for kind in kinds where kind == CellKind.float { count += 1 }
        for histogram in histograms { count += histogram?.value.sampleSize ?? 0 }
        return count
    }

    /// Whether any cell holds a histogram.
    var hasHistograms: Bool { !histograms.isEmpty }
}

/// Fills a row from step to step.
struct RowBuilder {
    private var first = 0
    private var values: [Double] = []
    private var kinds: [UInt8] = []
    private var histograms: [SharedHistogram?] = []
    private let capacity: Int
    /// The step after the last one while there are only numbers and no gaps: all that a number then takes is a place.
    private var next = Int.min

    /// A row with room for `capacity` cells.
    init(capacity: Int) { self.capacity = capacity }

    /// Sets the number at `step`, which must be beyond the last one set.
    @inline(__always)
    mutating func append(_ step: Int, _ value: Double) {
        if step == next {
            values.append(value)
            next &+= 1
        } else {
            appendElsewhere(step, value)
        }
    }

    /// The first number, one after a gap, or one in a row with histograms.
    private mutating func appendElsewhere(_ step: Int, _ value: Double) {
        skip(to: step)
        values.append(value)
        if !kinds.isEmpty { kinds.append(CellKind.float) }
        if !histograms.isEmpty { histograms.append(nil) }
        next = kinds.isEmpty && histograms.isEmpty ? step + 1 : .min
    }

    /// Sets the histogram at `step`, which must be beyond the last one set.
    mutating func append(_ step: Int, _ histogram: SharedHistogram) {
        skip(to: step)
        explicitKinds()
        if histograms.isEmpty { histograms = [SharedHistogram?](repeating: nil, count: values.count) }
        values.append(0)
        kinds.append(CellKind.histogram)
        histograms.append(histogram)
        next = .min
    }

    /// Sets number and histogram at `step`, likewise.
    mutating func append(_ step: Int, _ value: Double, _ histogram: SharedHistogram) {
        append(step, histogram)
        values[values.count - 1] = value
        kinds[kinds.count - 1] = CellKind.float
    }

    private mutating func skip(to step: Int) {
        if values.isEmpty {
            first = step
            values.reserveCapacity(capacity)
        } else if first &+ values.count != step {
            fill(to: step)
        }
    }

    private mutating func fill(to step: Int) {
        explicitKinds()
        while first + values.count < step {
            values.append(0)
            kinds.append(CellKind.none)
            if !histograms.isEmpty { histograms.append(nil) }
        }
    }

    private mutating func explicitKinds() {
        if kinds.isEmpty && !values.isEmpty {
            kinds.reserveCapacity(capacity)
            kinds = [UInt8](repeating: CellKind.float, count: values.count)
        }
    }

    /// The row, or nil if nothing was set.
    func row(_ labels: Labels, dropName: Bool = false) -> StepRow? {
        guard !values.isEmpty else { return nil }
        return StepRow(
            labels: labels, dropName: dropName, first: first, values: values, kinds: kinds, histograms: histograms)
    }
}

extension FloatHistogram {
    /// How many samples a histogram counts for in limits and statistics: its size in memory, in samples of 16 bytes.
    ///
    /// Source: prometheus/prometheus promql/value.go (`HPoint.size`), model/histogram (`Size`).
    var sampleSize: Int {
        let parts =
            positiveSpans.count + negativeSpans.count + positiveBuckets.count + negativeBuckets.count
            + customValues.count
        return (168 + 8 * parts + 8) / 16
    }
}
