internal import MetricModel

/// One group of an aggregation at all steps, as columns: rows are added one after the other, in the order in which
/// upstream adds their samples at each step.
///
/// Source: prometheus/prometheus promql/engine.go (`aggregation`).
struct GroupState {
    private let operation: AggregateOperator
    private let steps: Int
    /// The step of the first cell of the columns, which only cover the steps of the rows so far: there may be many
    /// groups of short-lived series.
    private var base = 0
    /// How many samples were taken in at each step.
    private var counts: [Double]
    /// Sums, extremes, or sums of squared distances.
    private var values: [Double]
    /// What rounding lost of sums; the means of variances.
    private var seconds: [Double]
    /// Steps whose sum would have overflowed: the mean is then adjusted from sample to sample.
    private var incremental: [Int: RunningMean] = [:]
    /// Steps with histograms, of sums and averages.
    private var histograms: [Int: HistogramState] = [:]
    /// Whether a step has a number, of sums and averages, where histograms came up.
    private var floats: [Bool] = []
    private var dropName = false
    private var ignoredHistogram = false
    /// Whether rows marked for losing their metric names count as if they had lost them.
    private let dropsNamesAtOnce: Bool

    init(_ operation: AggregateOperator, steps: Int, dropsNamesAtOnce: Bool) {
        self.operation = operation
        self.steps = steps
        self.dropsNamesAtOnce = dropsNamesAtOnce
        counts = []
        values = []
        seconds = []
    }

    private var needsSeconds: Bool {
        operation == .sum || operation == .avg || operation == .stddev || operation == .stdvar
    }

    /// Makes the columns cover the steps of `row`.
    private mutating func cover(_ row: StepRow) {
        let first = max(0, row.first)
        let end = min(steps, row.end)
        guard first < end else { return }
        if counts.isEmpty { base = first }
        if first < base {
            let missing = base - first
            counts.insert(contentsOf: repeatElement(0, count: missing), at: 0)
            values.insert(contentsOf: repeatElement(0, count: missing), at: 0)
            if needsSeconds { seconds.insert(contentsOf: repeatElement(0, count: missing), at: 0) }
            if !floats.isEmpty { floats.insert(contentsOf: repeatElement(false, count: missing), at: 0) }
            base = first
        }
        let missing = end - base - counts.count
        guard missing > 0 else { return }
        counts.append(contentsOf: repeatElement(0, count: missing))
        values.append(contentsOf: repeatElement(0, count: missing))
        if needsSeconds { seconds.append(contentsOf: repeatElement(0, count: missing)) }
        if !floats.isEmpty { floats.append(contentsOf: repeatElement(false, count: missing)) }
    }

    /// Takes in a row.
    mutating func add(_ row: StepRow) {
        if row.dropName { dropName = true }
        cover(row)
        if row.hasHistograms || !floats.isEmpty {
            addMixed(row)
        } else if row.kinds.isEmpty {
            addFloats(row, row.first, row.values[...])
        } else {
            // Runs of numbers between gaps.
            var cell = 0
            while cell < row.kinds.count {
                guard row.kinds[cell] == CellKind.float else {
                    cell += 1
                    continue
                }
                var end = cell
                while end < row.kinds.count && row.kinds[end] == CellKind.float { end += 1 }
                addFloats(row, row.first + cell, row.values[cell..<end])
                cell = end
            }
        }
    }

    private mutating func addFloats(_ row: StepRow, _ first: Int, _ new: ArraySlice<Double>) {
        let first = first - base
        guard first >= 0, first + new.count <= counts.count else { return }
        switch operation {
        case .sum: addSums(first, new)
        case .avg: addMeans(first, new)
        case .count, .group:
            for step in first..<(first + new.count) { counts[step] += 1 }
        case .min, .max: addExtremes(first, new, wantsMaximum: operation == .max)
        default: addVariances(first, new)
        }
    }

    private mutating func addSums(_ first: Int, _ new: ArraySlice<Double>) {
        let cells = counts.count
        new.withUnsafeBufferPointer { new in
            counts.withUnsafeMutableBufferPointer { counts in
                values.withUnsafeMutableBufferPointer { values in
                    seconds.withUnsafeMutableBufferPointer { seconds in
                        // SAFETY: `first + new.count` is at most `cells`, the length of all three columns.
                        precondition(values.count == cells && seconds.count == cells && first &+ new.count <= cells)
                        var index = 0
                        while index < new.count {
                            let step = first &+ index
                            if counts[step] == 0 {
                                values[step] = new[index]
                            } else {
                                var sum = KahanSum(values[step], compensation: seconds[step])
                                sum.add(new[index])
                                values[step] = sum.sum
                                seconds[step] = sum.compensation
                            }
                            counts[step] += 1
                            index &+= 1
                        }
                    }
                }
            }
        }
    }

    private mutating func addMeans(_ first: Int, _ new: ArraySlice<Double>) {
        for (offset, value) in new.enumerated() {
            let step = first + offset  // from `base`
            counts[step] += 1
            if counts[step] == 1 {
                values[step] = value
                continue
            }
            if incremental.isEmpty || incremental[base + step] == nil {
                var sum = KahanSum(values[step], compensation: seconds[step])
                sum.add(value)
                if !sum.sum.isInfinite {
                    values[step] = sum.sum
                    seconds[step] = sum.compensation
                    continue
                }
                incremental[base + step] = RunningMean(
                    sum: KahanSum(values[step], compensation: seconds[step]), count: counts[step] - 1)
            }
            incremental[base + step]?.add(value)
        }
    }

    private mutating func addExtremes(_ first: Int, _ new: ArraySlice<Double>, wantsMaximum: Bool) {
        for (offset, value) in new.enumerated() {
            let step = first + offset
            let old = values[step]
            if counts[step] == 0 || (wantsMaximum ? old < value : old > value) || old.isNaN { values[step] = value }
            counts[step] += 1
        }
    }

    private mutating func addVariances(_ first: Int, _ new: ArraySlice<Double>) {
        for (offset, value) in new.enumerated() {
            let step = first + offset
            counts[step] += 1
            if counts[step] == 1 {
                seconds[step] = value
                values[step] = value.isFinite ? 0 : .nan
                continue
            }
            let delta = value - seconds[step]
            seconds[step] += delta / counts[step]
            values[step] += delta * (value - seconds[step])
        }
    }

    /// Rows with histograms, and all rows after one.
    private mutating func addMixed(_ row: StepRow) {
        if floats.isEmpty { floats = counts.map { $0 > 0 } }
        for step in max(0, row.first)..<max(max(0, row.first), min(steps, row.end)) {
            let cell = step - base
            switch row.kind(step) {
            case CellKind.float:
                if histograms[step]?.isIncompatible == true { continue }
                // A histogram as the first sample counts, but no number was added to yet.
                let seen = counts[cell]
                if (operation == .sum || operation == .avg) && !floats[cell] && seen > 0 {
                    counts[cell] += 1
                } else {
                    addFloats(row, step, row.values[(step - row.first)..<(step - row.first + 1)])
                }
                floats[cell] = true
            case CellKind.histogram:
                guard let histogram = row.histogram(step)?.value else { continue }
                add(histogram, row, at: step)
            default: break
            }
        }
    }

    private mutating func add(_ histogram: FloatHistogram, _ row: StepRow, at step: Int) {
        let cell = step - base
        switch operation {
        case .count, .group: counts[cell] += 1
        case .sum, .avg:
            if histograms[step]?.isIncompatible == true { return }
            counts[cell] += 1
            if histograms[step] != nil {
                let isNameless = row.dropName && dropsNamesAtOnce
                histograms[step]?.add(histogram, isNameless ? "" : row.labels.name)
            } else {
                histograms[step] = HistogramState(
                    histogram, isAverage: operation == .avg, comesFirst: counts[cell] == 1)
            }
        default: ignoredHistogram = true
        }
    }

    /// The result; nil if there is none at any step.
    mutating func row(_ labels: Labels, _ plan: AggregatePlan, _ annotations: inout Annotations) -> StepRow? {
        if ignoredHistogram {
            annotations.add(.histogramIgnored(aggregation: operation.rawValue), at: plan.nodePosition)
        }
        guard !counts.isEmpty else { return nil }
        if histograms.isEmpty, !counts.contains(0) {
            finishFloats()
            return StepRow(labels: labels, dropName: dropName, first: base, values: values)
        }
        let present = counts
        finishFloats()
        var builder = RowBuilder(capacity: counts.count)
        for cell in present.indices where present[cell] > 0 {
            let step = base + cell
            guard let state = histograms[step] else {
                builder.append(step, values[cell])
                continue
            }
            state.note(plan, &annotations)
            if floats[cell] {
                annotations.add(.mixedFloatsHistogramsAggregation, at: plan.nodePosition)
            } else if !state.isIncompatible, let result = state.result() {
                if state.hints.collide {
                    annotations.add(.counterResetCollision(.aggregation), at: plan.nodePosition)
                }
                builder.append(step, SharedHistogram(result))
            }
        }
        return builder.row(labels, dropName: dropName)
    }

    /// Turns what was collected into results.
    private mutating func finishFloats() {
        switch operation {
        case .sum:
            for step in values.indices { values[step] += seconds[step] }
        case .avg:
            for step in values.indices {
                let count = counts[step]
                values[step] = values[step] / count + seconds[step] / count
            }
            for (step, mean) in incremental { values[step - base] = mean.value }
        case .count: values = counts
        case .group: values = [Double](repeating: 1, count: counts.count)
        case .stdvar:
            for step in values.indices { values[step] /= counts[step] }
        case .stddev:
            for step in values.indices { values[step] = (values[step] / counts[step]).squareRoot() }
        default: break
        }
    }
}

/// The histograms of a group at one step.
struct HistogramState {
    private let isAverage: Bool
    /// Whether no number came before the first histogram.
    private let comesFirst: Bool
    private var sum: FloatHistogram
    private var lost: FloatHistogram?
    private var mean: HistogramMean
    private(set) var hints = HintsSeen()
    private(set) var isIncompatible = false
    private var reconciled = false
    /// The metric at which histograms turned out not to fit.
    private var misfit: ByteString?

    init(_ first: FloatHistogram, isAverage: Bool, comesFirst: Bool) {
        self.isAverage = isAverage
        self.comesFirst = comesFirst
        sum = first
        mean = HistogramMean(first)
        if comesFirst { hints.see(first) }
    }

    mutating func add(_ histogram: FloatHistogram, _ metric: @autoclosure () -> ByteString) {
        guard comesFirst, !isIncompatible else { return }
        hints.see(histogram)
        do throws(HistogramError) {
            if isAverage {
                try mean.add(histogram)
            } else if try sum.add(histogram, compensation: &lost).boundsReconciled {
                reconciled = true
            }
        } catch {
            isIncompatible = true
            misfit = metric()
        }
    }

    /// Notes what there is to say.
    func note(_ plan: AggregatePlan, _ annotations: inout Annotations) {
        if let misfit {
            annotations.add(.mixedExponentialCustomHistograms(metric: misfit), at: plan.nodePosition)
        }
        if reconciled || mean.reconciled {
            annotations.add(.mismatchedCustomBuckets(.aggregation), at: plan.nodePosition)
        }
    }

    /// The sum or mean.
    func result() -> FloatHistogram? {
        do throws(HistogramError) {
            var result = sum
            if isAverage {
                result = try mean.value()
            } else if let lost {
                try result.add(lost)
            }
            result.compact()
            return result
        } catch {
            return nil
        }
    }
}

extension RunningMean {
    /// The mean after a sum of `count` numbers, from which on it is adjusted.
    init(sum: KahanSum, count: Double) {
        self.init(0)
        restart(sum, count)
    }
}
