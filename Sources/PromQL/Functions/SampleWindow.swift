internal import MetricModel

/// The samples of one series that a range function sees at one step: a part of each of the series' columns.
///
/// The buffers are those of a ``SeriesSamples``, borrowed for the time in which all steps are computed.
struct SampleWindow {
    // SAFETY: the buffers live as long as the call in which ``SeriesSamples/withWindow(_:)`` makes the window, and
    // `low..<high` always lies within them.
    let times: UnsafeBufferPointer<Timestamp>
    let values: UnsafeBufferPointer<Double>
    /// As long as ``times``, or empty.
    let starts: UnsafeBufferPointer<Timestamp>
    let histogramTimes: UnsafeBufferPointer<Timestamp>
    let histograms: UnsafeBufferPointer<SharedHistogram>
    /// As long as ``histogramTimes``, or empty.
    let histogramStarts: UnsafeBufferPointer<Timestamp>

    /// The first number of the window, and one beyond the last.
    var low = 0
    var high = 0
    /// The first histogram of the window, and one beyond the last.
    var histogramLow = 0
    var histogramHigh = 0

    /// The step.
    var step = 0
    /// The step's time.
    var time: Timestamp = 0
    /// The range asked for: beyond the first, up to the second. With `anchored` and `smoothed`, the window has samples
    /// around it as well.
    var rangeStart: Timestamp = 0
    var rangeEnd: Timestamp = 0

    /// How many numbers there are.
    @inline(__always)
    var count: Int { high &- low }

    /// How many histograms there are.
    @inline(__always)
    var histogramCount: Int { histogramHigh &- histogramLow }
}

extension SeriesSamples {
    /// Calls `body` with a window on the samples.
    func withWindow<Result>(_ body: (inout SampleWindow) throws -> Result) rethrows -> Result {
        try times.withUnsafeBufferPointer { times in
            try values.withUnsafeBufferPointer { values in
                try starts.withUnsafeBufferPointer { starts in
                    try histogramTimes.withUnsafeBufferPointer { histogramTimes in
                        try histograms.withUnsafeBufferPointer { histograms in
                            try histogramStarts.withUnsafeBufferPointer { histogramStarts in
                                var window = SampleWindow(
                                    times: times, values: values, starts: starts, histogramTimes: histogramTimes,
                                    histograms: histograms, histogramStarts: histogramStarts)
                                return try body(&window)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One end of a window on its way through a series: where samples come regularly, it moves by the same number of them
/// from step to step, so that two looks tell where it is.
struct WindowEdge {
    private var stride = 0

    /// The first index from `index` on whose time is after `bound`; there is none before `index`.
    @inline(__always)
    mutating func move(_ index: Int, in times: UnsafeBufferPointer<Timestamp>, beyond bound: Timestamp) -> Int {
        let guess = index &+ stride
        if guess < times.count, times[guess] > bound, guess == index || times[guess &- 1] <= bound { return guess }
        return search(index, in: times, beyond: bound)
    }

    private mutating func search(
        _ index: Int, in times: UnsafeBufferPointer<Timestamp>, beyond bound: Timestamp
    ) -> Int {
        var low = index
        var step = 1
        // Doubling steps, then halving: the first window may begin far into the series.
        while low &+ step < times.count, times[low &+ step] <= bound {
            low &+= step
            step &*= 2
        }
        var high = min(low &+ step, times.count)
        while low < high {
            let middle = (low &+ high) / 2
            if times[middle] <= bound { low = middle &+ 1 } else { high = middle }
        }
        stride = low &- index
        return low
    }
}

/// What a range function gives at a step.
enum RangeCell {
    case none
    case float(Double)
    case histogram(SharedHistogram)
}

/// A range function over one series, called for one step after the other; windows only move forwards.
protocol RangeKernel {
    /// Gets ready for a series, before its first step.
    mutating func prepare(_ window: SampleWindow)

    /// The value at a step whose window is not empty.
    mutating func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell
}

extension RangeKernel {
    mutating func prepare(_ window: SampleWindow) {}
}

/// Annotations of a range function about one series; the same one is only passed on once.
struct RangeNotes {
    /// The series' metric name.
    let metric: ByteString
    /// Where annotations point.
    let position: PositionRange
    private let control: QueryControl
    private(set) var annotations = Annotations()
    private var last: Annotation.Kind?

    init(metric: ByteString, position: PositionRange, control: QueryControl) {
        self.metric = metric
        self.position = position
        self.control = control
    }

    /// Throws if the query is to end: to be asked now and then while a long window is worked on.
    func checkQuery() throws(QueryError) { try control.check() }

    /// Adds an annotation.
    mutating func add(_ kind: Annotation.Kind) {
        if let last, last == kind {
            guard case .startTimeOverlap = kind else { return }
        }
        last = kind
        annotations.add(kind, at: position)
    }
}
