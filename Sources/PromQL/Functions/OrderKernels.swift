internal import MetricModel

/// `max_over_time`, `min_over_time`, `ts_of_max_over_time` and `ts_of_min_over_time`.
///
/// A queue holds the candidates for this and later windows, best first: each number enters and leaves it once.
///
/// Source: prometheus/prometheus promql/functions.go (`compareOverTime`).
struct ExtremeKernel: RangeKernel {
    let wantsMaximum: Bool
    /// Whether the time of the (latest) extreme is wanted, instead of its value.
    let wantsTime: Bool

    private var candidates: [Int] = []
    private var head = 0
    private var next = 0

    init(wantsMaximum: Bool, wantsTime: Bool) {
        self.wantsMaximum = wantsMaximum
        self.wantsTime = wantsTime
    }

    mutating func prepare(_ window: SampleWindow) {
        candidates.removeAll(keepingCapacity: true)
        head = 0
        next = 0
    }

    mutating func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count > 0 else { return .none }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        while head < candidates.count && candidates[head] < window.low { head &+= 1 }
        if head == candidates.count {
            candidates.removeAll(keepingCapacity: true)
            head = 0
        }
        var index = max(next, window.low)
        while index < window.high {
            let value = window.values[index]
            if !value.isNaN {
                while candidates.count > head, let last = candidates.last, isBeaten(window.values[last], by: value) {
                    candidates.removeLast()
                }
                candidates.append(index)
            }
            index &+= 1
        }
        next = window.high
        // All are NaN if there is no candidate; the last of them is then the answer.
        let best = head < candidates.count ? candidates[head] : window.high - 1
        return .float(wantsTime ? Double(window.times[best]) / 1000 : window.values[best])
    }

    /// Of equal numbers the earliest gives the value, the latest the time.
    @inline(__always)
    private func isBeaten(_ old: Double, by new: Double) -> Bool {
        if wantsTime { return wantsMaximum ? new >= old : new <= old }
        return wantsMaximum ? new > old : new < old
    }
}

/// `quantile_over_time`: numbers are kept sorted while the window moves.
///
/// Source: prometheus/prometheus promql/functions.go (`funcQuantileOverTime`).
struct QuantileKernel: RangeKernel {
    let quantile: StepRow

    private var sorted: [Double] = []
    private var nans = 0
    private var negativeZeros = 0
    private var low = 0
    private var high = 0

    init(quantile: StepRow) { self.quantile = quantile }

    mutating func prepare(_ window: SampleWindow) {
        sorted.removeAll(keepingCapacity: true)
        nans = 0
        negativeZeros = 0
        low = 0
        high = 0
    }

    mutating func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count > 0 else { return .none }
        let q = quantile.value(window.step)
        if q.isNaN || q < 0 || q > 1 { notes.add(.invalidQuantile(.init(q))) }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        try move(window, notes)
        let result = Quantile.value(q, sorted: sorted, nans: nans)
        // Which of several zeros it is depends on the order that Go's sort leaves them in.
        if result == 0 && negativeZeros > 0 {
            return .float(Quantile.value(q, of: window.values[window.low..<window.high]))
        }
        return .float(result)
    }

    private mutating func count(_ value: Double, _ change: Int) {
        if value.isNaN { nans &+= change }
        if value == 0 && value.sign == .minus { negativeZeros &+= change }
    }

    private mutating func move(_ window: SampleWindow, _ notes: borrowing RangeNotes) throws {
        let moved = (window.low - low) + (window.high - high)
        if window.low >= high || moved * 4 > window.count {
            sorted.removeAll(keepingCapacity: true)
            nans = 0
            negativeZeros = 0
            for index in window.low..<window.high {
                let value = window.values[index]
                count(value, 1)
                if !value.isNaN { sorted.append(value) }
            }
            try PatientSort.sort(&sorted) { try notes.checkQuery() }
        } else {
            for index in low..<window.low {
                let value = window.values[index]
                count(value, -1)
                if !value.isNaN { sorted.remove(at: place(of: value)) }
            }
            for index in high..<window.high {
                let value = window.values[index]
                count(value, 1)
                if !value.isNaN { sorted.insert(value, at: place(of: value)) }
            }
        }
        low = window.low
        high = window.high
    }

    /// The first place at which `value` or something greater stands.
    private func place(of value: Double) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low &+ high) / 2
            if sorted[middle] < value { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}

/// `mad_over_time`: the median of the distances from the median.
struct MedianDeviationKernel: RangeKernel {
    private var sorted: [Double] = []

    mutating func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        guard window.count > 0 else { return .none }
        if window.histogramCount > 0 { notes.add(.histogramIgnoredInMixedRange(metric: notes.metric)) }
        sorted.removeAll(keepingCapacity: true)
        for index in window.low..<window.high {
            if window.values[index].isNaN { return .float(.nan) }
            sorted.append(window.values[index])
        }
        try PatientSort.sort(&sorted) { try notes.checkQuery() }
        let median = Quantile.value(0.5, sorted: sorted, nans: 0)
        var nans = 0
        for index in sorted.indices {
            sorted[index] = (sorted[index] - median).magnitude
            if sorted[index].isNaN { nans += 1 }
        }
        if nans > 0 { sorted.removeAll { $0.isNaN } }
        try PatientSort.sort(&sorted) { try notes.checkQuery() }
        return .float(Quantile.value(0.5, sorted: sorted, nans: nans))
    }
}

/// Quantiles of numbers.
enum Quantile {
    /// The quantile `q`, between two numbers on the line from one to the other. NaNs count as the least numbers.
    ///
    /// Source: prometheus/prometheus promql/quantile.go (`quantile`).
    /// - Parameters:
    ///   - sorted: Ascending, without NaN.
    ///   - nans: How many NaNs there are besides.
    static func value(_ q: Double, sorted: [Double], nans: Int) -> Double {
        let count = sorted.count + nans
        if count == 0 || q.isNaN { return .nan }
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        let rank = q * Double(count - 1)
        let lower = max(0, Int(rank.rounded(.down)))
        let upper = min(count - 1, lower + 1)
        let weight = rank - rank.rounded(.down)
        let low = lower < nans ? Double.nan : sorted[lower - nans]
        let high = upper < nans ? Double.nan : sorted[upper - nans]
        return low * (1 - weight) + high * weight
    }

    /// The same of numbers as they come.
    static func value(_ q: Double, of values: some Sequence<Double>) -> Double {
        let sorted = GoSort.sorted(Array(values)) { SampleHeap<Void>.less($0, $1, isReversed: false) }
        let numbers = sorted.filter { !$0.isNaN }
        return value(q, sorted: numbers, nans: sorted.count - numbers.count)
    }
}
