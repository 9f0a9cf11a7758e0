internal import MetricModel

/// One group of an aggregation at all steps, as columns: rows are added one after the other, in the order in which
/// upstream adds their samples at each step.
///
/// Source: prometheus/prometheus promql/engine.go (`aggregation`).
struct GroupState {
    private let operation: AggregateOperator
    private let steps: Int
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

    init(_ operation: AggregateOperator, steps: Int) {
        self.operation = operation
        self.steps = steps
        counts = [Double](repeating: 0, count: steps)
        values = [Double](repeating: 0, count: steps)
        let needsSeconds = operation == .sum || operation == .avg || operation == .stddev || operation == .stdvar
        seconds = needsSeconds ? [Double](repeating: 0, count: steps) : []
    }

    /// Takes in a row.
    mutating func add(_ row: StepRow) {
        if row.dropName { dropName = true }
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
        guard first >= 0, first + new.count <= steps else { return }
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
        let steps = steps
        new.withUnsafeBufferPointer { new in
            counts.withUnsafeMutableBufferPointer { counts in
                values.withUnsafeMutableBufferPointer { values in
                    seconds.withUnsafeMutableBufferPointer { seconds in
                        // SAFETY: `first + new.count` is at most `steps`, the length of all three columns.
                        precondition(counts.count == steps && first &+ new.count <= steps)
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
            let step = first + offset
            counts[step] += 1
            if counts[step] == 1 {
                values[step] = value
                continue
            }
            if incremental.isEmpty || incremental[step] == nil {
                var sum = KahanSum(values[step], compensation: seconds[step])
                sum.add(value)
                if !sum.sum.isInfinite {
                    values[step] = sum.sum
                    seconds[step] = sum.compensation
                    continue
                }
                incremental[step] = RunningMean(
                    sum: KahanSum(values[step], compensation: seconds[step]), count: counts[step] - 1)
            }
            incremental[step]?.add(value)
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
        for step in max(0, row.first)..<min(steps, row.end) {
            switch row.kind(step) {
            case CellKind.float:
                if histograms[step]?.isIncompatible == true { continue }
                // A histogram as the first sample counts, but no number was added to yet.
                let seen = counts[step]
                if (operation == .sum || operation == .avg) && !floats[step] && seen > 0 {
                    counts[step] += 1
                } else {
                    addFloats(row, step, row.values[(step - row.first)..<(step - row.first + 1)])
                }
                floats[step] = true
            case CellKind.histogram:
                guard let histogram = row.histogram(step)?.value else { continue }
                add(histogram, row.labels, at: step)
            default: break
            }
        }
    }

    private mutating func add(_ histogram: FloatHistogram, _ labels: Labels, at step: Int) {
        switch operation {
        case .count, .group: counts[step] += 1
        case .sum, .avg:
            if histograms[step]?.isIncompatible == true { return }
            counts[step] += 1
            if histograms[step] != nil {
                histograms[step]?.add(histogram, labels)
            } else {
                histograms[step] = HistogramState(
                    histogram, isAverage: operation == .avg, comesFirst: counts[step] == 1)
            }
        default: ignoredHistogram = true
        }
    }

    /// The result; nil if there is none at any step.
    mutating func row(_ labels: Labels, _ plan: AggregatePlan, _ annotations: inout Annotations) -> StepRow? {
        if ignoredHistogram {
            annotations.add(.histogramIgnored(aggregation: operation.rawValue), at: plan.nodePosition)
        }
        if histograms.isEmpty, !counts.contains(0) {
            finishFloats()
            return StepRow(labels: labels, dropName: dropName, first: 0, values: values)
        }
        let present = counts
        finishFloats()
        var builder = RowBuilder(capacity: steps)
        for step in 0..<steps where present[step] > 0 {
            guard let state = histograms[step] else {
                builder.append(step, values[step])
                continue
            }
            state.note(plan, &annotations)
            if floats[step] {
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
            for (step, mean) in incremental { values[step] = mean.value }
        case .count: values = counts
        case .group: values = [Double](repeating: 1, count: steps)
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

    mutating func add(_ histogram: FloatHistogram, _ labels: Labels) {
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
            misfit = labels.name
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
