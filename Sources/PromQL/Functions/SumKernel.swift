internal import MetricModel

/// `sum_over_time` and `avg_over_time`.
///
/// Where windows overlap, sums come from sums over all samples before, kept with twice the digits, as long as that
/// gives what adding up the window would give: always for whole numbers, and for sums where the difference is not
/// much smaller than what it is taken from. Averages of other numbers are added up, as their last digit depends on
/// the order; only large windows go without.
///
/// Source: prometheus/prometheus promql/functions.go (`funcSumOverTime`, `funcAvgOverTime`).
struct SumKernel: RangeKernel {
    let isAverage: Bool
    /// Whether windows of successive steps share most of their samples.
    let overlaps: Bool

    private var prefix = PrefixSums()
    private var usesPrefix = false
    /// Windows of so many numbers are averaged by prefix sums even where the last digit may differ.
    private static let largeWindow = 128

    init(isAverage: Bool, overlaps: Bool) {
        self.isAverage = isAverage
        self.overlaps = overlaps
    }

    mutating func prepare(_ window: SampleWindow) {
        usesPrefix = overlaps && window.values.count > 8 && prefix.load(window.values)
    }

    func cell(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> RangeCell {
        if window.histogramCount > 0 {
            guard window.count == 0 else {
                notes.add(.mixedFloatsHistograms(metric: notes.metric))
                return .none
            }
            let sum = try isAverage ? HistogramSum.average(window, &notes) : HistogramSum.total(window, &notes)
            return sum.map { .histogram(SharedHistogram($0)) } ?? .none
        }
        let count = window.count
        if usesPrefix, prefix.isExact || !isAverage || count >= Self.largeWindow,
            let sum = prefix.sum(window.low, window.high)
        {
            guard isAverage else { return .float(sum.high + sum.low) }
            return .float(sum.high / Double(count) + sum.low / Double(count))
        }
        let values = UnsafeBufferPointer(rebasing: window.values[window.low..<window.high])
        return .float(isAverage ? Self.average(values) : Self.sum(values))
    }

    /// The sum by Kahan's summation.
    static func sum(_ values: UnsafeBufferPointer<Double>) -> Double {
        var sum = KahanSum()
        for value in values { sum.add(value) }
        return sum.value
    }

    /// The mean: sum by count, or step by step where the sum would overflow.
    static func average(_ values: UnsafeBufferPointer<Double>) -> Double {
        var mean = RunningMean(values[0])
        var index = 1
        while index < values.count {
            mean.add(values[index])
            index &+= 1
        }
        return mean.value
    }
}

/// A mean by Kahan's summation, which changes from adding up to adjusting the mean once the sum would overflow.
struct RunningMean {
    private var sum: KahanSum
    private var count = 1.0
    private var isIncremental = false

    @inline(__always)
    init(_ first: Double) { sum = KahanSum(first) }

    @inline(__always)
    mutating func add(_ value: Double) {
        count += 1
        if !isIncremental {
            var next = sum
            next.add(value)
            if !next.sum.isInfinite {
                sum = next
                return
            }
            isIncremental = true
            sum = KahanSum(sum.sum / (count - 1), compensation: sum.compensation / (count - 1))
        }
        let share = (count - 1) / count
        sum = KahanSum(share * sum.sum, compensation: share * sum.compensation)
        sum.add(value / count)
    }

    /// Goes on from a sum of `count` numbers, of which one more would overflow.
    mutating func restart(_ sum: KahanSum, _ count: Double) {
        self.sum = sum
        self.count = count
        isIncremental = false
    }

    @inline(__always)
    var value: Double {
        isIncremental ? sum.sum + sum.compensation : sum.sum / count + sum.compensation / count
    }
}

/// For each number of a series, the sum of all before it, with 106 binary digits.
struct PrefixSums {
    private var high: [Double] = [0]
    private var low: [Double] = [0]
    /// Whether all numbers are whole and no sum needs more than 53 binary digits: sums are then exact in any order.
    private(set) var isExact = false

    /// Computes the sums; false if there is a number among them that no other sum can be had with.
    mutating func load(_ values: UnsafeBufferPointer<Double>) -> Bool {
        high.removeAll(keepingCapacity: true)
        low.removeAll(keepingCapacity: true)
        high.reserveCapacity(values.count + 1)
        low.reserveCapacity(values.count + 1)
        high.append(0)
        low.append(0)
        var sum = 0.0
        var rest = 0.0
        var magnitude = 0.0
        var isWhole = true
        for value in values {
            magnitude += value.magnitude
            // Negative zero would be lost in a difference of sums.
            if value != value.rounded(.towardZero) || (value == 0 && value.sign == .minus) { isWhole = false }
            let total = sum + value
            let part = total - sum
            rest += (sum - (total - part)) + (value - part)
            sum = total + rest
            rest -= sum - total
            high.append(sum)
            low.append(rest)
        }
        isExact = isWhole && magnitude < 9_007_199_254_740_992
        return magnitude <= 1e300
    }

    /// The sum of the numbers `start..<end`; nil if too many digits would be lost.
    @inline(__always)
    func sum(_ start: Int, _ end: Int) -> (high: Double, low: Double)? {
        let (a, b) = (high[end], high[start])
        let difference = a - b
        if isExact { return (difference, 0) }
        guard difference.magnitude >= a.magnitude * 0x1p-40, difference.magnitude >= b.magnitude * 0x1p-40 else {
            return nil
        }
        let part = difference - a
        let rest = (a - (difference - part)) - (b + part) + (low[end] - low[start])
        let sum = difference + rest
        return (sum, rest - (sum - difference))
    }
}

/// Sums of histograms over a window.
enum HistogramSum {
    /// The sum; nil if they do not fit.
    static func total(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> FloatHistogram? {
        var hints = HintsSeen()
        var sum = window.histograms[window.histogramLow].value
        var lost: FloatHistogram?
        var reconciled = false
        hints.see(sum)
        do {
            for index in (window.histogramLow + 1)..<max(window.histogramLow + 1, window.histogramHigh) {
                if index & 127 == 0 { try notes.checkQuery() }
                let next = window.histograms[index].value
                hints.see(next)
                if try sum.add(next, compensation: &lost).boundsReconciled { reconciled = true }
            }
            if let lost, try sum.add(lost).boundsReconciled { reconciled = true }
        } catch is HistogramError {
            notes.add(.mixedExponentialCustomHistograms(metric: notes.metric))
            return nil
        }
        hints.note(&notes)
        if reconciled { notes.add(.mismatchedCustomBuckets(.aggregation)) }
        return sum
    }

    /// The mean; nil if they do not fit.
    static func average(_ window: SampleWindow, _ notes: inout RangeNotes) throws -> FloatHistogram? {
        var hints = HintsSeen()
        let first = window.histograms[window.histogramLow].value
        var mean = HistogramMean(first)
        hints.see(first)
        do {
            for index in (window.histogramLow + 1)..<max(window.histogramLow + 1, window.histogramHigh) {
                if index & 127 == 0 { try notes.checkQuery() }
                let next = window.histograms[index].value
                hints.see(next)
                try mean.add(next)
            }
            let result = try mean.value()
            hints.note(&notes)
            if mean.reconciled { notes.add(.mismatchedCustomBuckets(.aggregation)) }
            return result
        } catch is HistogramError {
            notes.add(.mixedExponentialCustomHistograms(metric: notes.metric))
            return nil
        }
    }
}

/// Whether histograms with contradicting hints about counter resets were added up.
struct HintsSeen {
    private var reset = false
    private var notReset = false

    mutating func see(_ histogram: FloatHistogram) {
        switch histogram.counterResetHint {
        case .reset: reset = true
        case .notReset: notReset = true
        case .unknown, .gauge: break
        }
    }

    /// Whether the hints contradict each other.
    var collide: Bool { reset && notReset }

    func note(_ notes: inout RangeNotes) {
        if collide { notes.add(.counterResetCollision(.aggregation)) }
    }
}

/// A mean of histograms, as ``RunningMean`` for numbers.
struct HistogramMean {
    /// The sum, or once it would overflow, the mean so far.
    private var sum: FloatHistogram
    private var lost: FloatHistogram?
    private var count = 1.0
    private var isIncremental = false
    /// Whether custom bounds had to be reconciled.
    private(set) var reconciled = false

    init(_ first: FloatHistogram) { sum = first }

    mutating func add(_ histogram: FloatHistogram) throws(HistogramError) {
        count += 1
        if !isIncremental {
            var next = sum
            var nextLost = lost
            if try next.add(histogram, compensation: &nextLost).boundsReconciled { reconciled = true }
            if !next.hasOverflow {
                (sum, lost) = (next, nextLost)
                return
            }
            isIncremental = true
            sum.divide(by: count - 1)
            lost?.divide(by: count - 1)
        }
        let share = (count - 1) / count
        lost?.multiply(by: share)
        sum.multiply(by: share)
        if try sum.add(histogram.divided(by: count), compensation: &lost).boundsReconciled { reconciled = true }
    }

    /// The mean.
    func value() throws(HistogramError) -> FloatHistogram {
        var result = sum
        var lost = lost
        if !isIncremental {
            result.divide(by: count)
            lost?.divide(by: count)
        }
        if let lost { try result.add(lost) }
        return result
    }
}
