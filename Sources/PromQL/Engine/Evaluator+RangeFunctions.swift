internal import MetricModel

/// Where a range function's samples come from.
enum RangeInput {
    case series([any SelectedSeries])
    /// What a subquery gave, and at which times.
    case rows([StepRow], StepTimes)

    var count: Int {
        switch self {
        case .series(let series): series.count
        case .rows(let rows, _): rows.count
        }
    }
}

/// The windows of a range function: which samples each step sees. Milliseconds.
struct RangeFrame {
    let range: Int64
    let offset: Int64
    let at: Timestamp?
    /// How much further back, and ahead, the windows of `anchored` and `smoothed` reach.
    let before: Int64
    let after: Int64
    let wantsStarts: Bool
    let skipsBuckets: Bool
    let position: PositionRange
    /// Whether samples come from a subquery, where reading them was counted already.
    let isSubquery: Bool
    /// Whether rows may keep their metric names, as who asks for them does not look at them.
    var keepsNames = false

    /// The end of the range that the step at `time` sees.
    @inline(__always)
    func end(_ time: Timestamp) -> Timestamp { (at ?? time) &- offset }
}

extension Evaluator {
    /// Evaluates a function that takes a range vector; the argument at `index` is that vector.
    func evaluateRange(_ plan: CallPlan, argument index: Int) throws -> [StepRow] {
        let held = context.control.held
        let (input, frame) = try rangeInput(plan, index)
        let scalars = try scalarArguments(plan, but: index)
        let rows = try evaluateRange(plan, input, frame, scalars)
        context.control.resetHeld(to: held)
        try context.control.hold(rows.reduce(0) { $0 + $1.sampleCount })
        return try finished(plan, rows)
    }

    /// The arguments but the one at `index`.
    func scalarArguments(_ plan: CallPlan, but index: Int) throws -> [StepRow] {
        var scalars: [StepRow] = []
        for (number, argument) in plan.arguments.enumerated() where number != index {
            scalars.append(try scalar(argument))
        }
        return scalars
    }

    /// What a range function makes of the rows of all series.
    func finished(_ plan: CallPlan, _ rows: [StepRow]) throws -> [StepRow] {
        if plan.function == .absentOverTime { return absent(rows, plan) }
        if context.delaysNameRemoval || plan.function == .lastOverTime || plan.function == .firstOverTime {
            return rows
        }
        return try unique(rows)
    }

    /// `rows`, after checking that no label set is there twice: of a range function, that is an error even if the
    /// series have no step in common.
    private func unique(_ rows: [StepRow]) throws -> [StepRow] {
        if Self.areAscending(rows) { return rows }
        var seen: Set<Labels> = []
        seen.reserveCapacity(rows.count)
        for row in rows where !seen.insert(row.labels).inserted { throw QueryError.sameLabelset }
        return rows
    }

    /// The series or rows that a range function works on, and its windows.
    func rangeInput(_ plan: CallPlan, _ index: Int) throws -> (RangeInput, RangeFrame) {
        let function = plan.function
        let position = plan.argumentPositions[0]
        let wantsStarts =
            context.options.usesStartTimestamps
            && (function == .rate || function == .irate || function == .increase || function == .resets)
        switch plan.arguments[index] {
        case .matrix(let matrix):
            let selector = matrix.selector
            try check(selector.rangeExtension, function)
            let before = selector.rangeExtension == nil ? 0 : context.lookback
            let after = selector.rangeExtension == .smoothed ? context.lookback : 0
            let frame = RangeFrame(
                range: matrix.range, offset: selector.offset, at: selector.at, before: before, after: after,
                wantsStarts: wantsStarts, skipsBuckets: selector.skipsBuckets, position: position, isSubquery: false)
            let first = frame.end(times.start) &- matrix.range &- before
            let last = frame.end(selector.at == nil ? times.time(times.count - 1) : times.start) &+ after
            return (.series(try select(selector, from: first &+ 1, through: last)), frame)
        case .subquery(let subquery):
            let (rows, steps) = try evaluateSubquery(subquery)
            let frame = RangeFrame(
                range: subquery.range, offset: subquery.offset, at: subquery.at, before: 0, after: 0,
                wantsStarts: false, skipsBuckets: false, position: position, isSubquery: true)
            return (.rows(rows, steps), frame)
        default:
            throw QueryError.execution("\(function.rawValue) needs a range vector")
        }
    }

    private func check(_ rangeExtension: RangeExtension?, _ function: Function) throws(QueryError) {
        switch rangeExtension {
        case .anchored:
            guard [.changes, .delta, .increase, .rate, .resets].contains(function) else {
                throw .execution(
                    "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with "
                        + function.rawValue)
            }
        case .smoothed:
            guard [.delta, .increase, .rate].contains(function) else {
                throw .execution(
                    "smoothed modifier can only be used with: delta, increase, rate - not with "
                        + function.rawValue)
            }
        case nil: break
        }
    }

    /// Chooses the kernel.
    func evaluateRange(
        _ plan: CallPlan, _ input: RangeInput, _ frame: RangeFrame, _ scalars: [StepRow]
    ) throws -> [StepRow] {
        let overlaps = frame.range / 4 >= times.interval && times.count > 4
        let nothing = constant(.nan)
        let first = scalars.first ?? nothing
        switch plan.function {
        case .rate, .increase, .delta:
            let isCounter = plan.function != .delta
            let isRate = plan.function == .rate
            if frame.before > 0 {
                return try run(
                    ExtendedRateKernel(
                        isCounter: isCounter, isRate: isRate, isSmoothed: frame.after > 0,
                        rangeMilliseconds: frame.range), plan, input, frame)
            }
            return try run(
                RateKernel(isCounter: isCounter, isRate: isRate, rangeMilliseconds: frame.range), plan, input, frame)
        case .irate, .idelta:
            return try run(InstantDeltaKernel(isRate: plan.function == .irate), plan, input, frame)
        case .changes, .resets:
            return try run(
                ChangeKernel(countsResets: plan.function == .resets, isAnchored: frame.before > 0), plan, input, frame)
        case .sumOverTime, .avgOverTime:
            return try run(
                SumKernel(isAverage: plan.function == .avgOverTime, overlaps: overlaps), plan, input, frame)
        case .maxOverTime, .minOverTime, .tsOfMaxOverTime, .tsOfMinOverTime:
            return try run(
                ExtremeKernel(
                    wantsMaximum: plan.function == .maxOverTime || plan.function == .tsOfMaxOverTime,
                    wantsTime: plan.function == .tsOfMaxOverTime || plan.function == .tsOfMinOverTime), plan, input,
                frame)
        case .countOverTime: return try run(EdgeKernel(wanted: .count), plan, input, frame)
        case .presentOverTime, .absentOverTime: return try run(EdgeKernel(wanted: .presence), plan, input, frame)
        case .firstOverTime: return try run(EdgeKernel(wanted: .first), plan, input, frame)
        case .lastOverTime: return try run(EdgeKernel(wanted: .last), plan, input, frame)
        case .tsOfFirstOverTime: return try run(EdgeKernel(wanted: .timeOfFirst), plan, input, frame)
        case .tsOfLastOverTime: return try run(EdgeKernel(wanted: .timeOfLast), plan, input, frame)
        case .quantileOverTime: return try run(QuantileKernel(quantile: first), plan, input, frame)
        case .madOverTime: return try run(MedianDeviationKernel(), plan, input, frame)
        case .stddevOverTime, .stdvarOverTime:
            return try run(VarianceKernel(isDeviation: plan.function == .stddevOverTime), plan, input, frame)
        case .deriv: return try run(RegressionKernel(ahead: nil), plan, input, frame)
        case .predictLinear: return try run(RegressionKernel(ahead: first), plan, input, frame)
        case .doubleExponentialSmoothing:
            return try run(
                SmoothingKernel(smoothing: first, trend: scalars.count > 1 ? scalars[1] : nothing), plan, input, frame)
        default:
            throw QueryError.execution("unexpected function \(plan.function.rawValue) over a range vector")
        }
    }

    /// Runs a kernel over all series.
    private func run<Kernel: RangeKernel>(
        _ prototype: Kernel, _ plan: CallPlan, _ input: RangeInput, _ frame: RangeFrame
    ) throws -> [StepRow] {
        let keepsName = plan.function == .lastOverTime || plan.function == .firstOverTime
        let times = times
        return try concurrentRows(input.count) { index, worker in
            var kernel = prototype
            let labels: Labels
            var dropName = !keepsName
            switch input {
            case .series(let series):
                labels = series[index].labels
                try worker.read(series[index], self.context.control)
                let end = frame.end(times.start) &+ frame.after
                let reach = frame.range &+ frame.before &+ frame.after
                let visits = HistogramVisits(
                    start: end &- reach &+ 1, firstEnd: end, interval: times.interval, range: reach)
                worker.samples.load(
                    &worker.columns, wantsStarts: frame.wantsStarts,
                    statistics: frame.skipsBuckets ? visits : nil)
            case .rows(let rows, let steps):
                labels = rows[index].labels
                dropName = dropName || rows[index].dropName
                worker.samples.load(rows[index], steps)
            }
            var notes = RangeNotes(metric: labels.name, position: frame.position, control: self.context.control)
            let cells = try self.run(&kernel, worker.samples, frame, &notes, &worker.counter)
            if let cells { self.noteNonCounter(plan, labels, cells, &notes) }
            worker.annotations.merge(notes.annotations)
            guard var row = cells else { return nil }
            worker.held += row.sampleCount
            let dropsNow = dropName && !self.context.delaysNameRemoval && !frame.keepsNames
            row.labels = dropsNow ? labels.withoutMetadata : labels
            row.dropName = dropName
            return row
        }
    }

    /// Runs a kernel over one series; the row has no labels yet.
    private func run<Kernel: RangeKernel>(
        _ kernel: inout Kernel, _ samples: SeriesSamples, _ frame: RangeFrame, _ notes: inout RangeNotes,
        _ counter: inout SampleCounter
    ) throws -> StepRow? {
        guard let firstTime = samples.firstTime, let lastTime = samples.lastTime else { return nil }
        // Only steps whose window can hold a sample: those that end at or after the first one, and begin before the
        // last one.
        var firstStep = 0
        var endStep = times.count
        if frame.at == nil {
            firstStep = times.firstStep(from: firstTime &- frame.after &+ frame.offset)
            endStep = times.firstStep(from: lastTime &+ frame.range &+ frame.before &+ frame.offset)
        }
        guard firstStep < endStep else { return nil }
        var builder = RowBuilder(capacity: endStep - firstStep)
        let times = times
        let hasHistograms = !samples.histograms.isEmpty
        let control = context.control
        var unchecked = 0
        try samples.withWindow { window in
            kernel.prepare(window)
            var readUpTo = (numbers: 0, histograms: 0)
            var low = WindowEdge()
            var high = WindowEdge()
            for step in firstStep..<endStep {
                let time = times.time(step)
                let end = frame.end(time)
                let start = end &- frame.range
                let windowEnd = end &+ frame.after
                let windowStart = start &- frame.before
                window.high = high.move(window.high, in: window.times, beyond: windowEnd)
                window.low = low.move(window.low, in: window.times, beyond: windowStart)
                var size = window.count
                if hasHistograms { size &+= Self.moveHistograms(&window, windowStart, windowEnd, samples) }
                if window.count &+ window.histogramCount == 0 { continue }
                var read = max(0, window.high &- max(window.low, readUpTo.numbers))
                if hasHistograms {
                    let first = min(max(window.histogramLow, readUpTo.histograms), window.histogramHigh)
                    read &+= samples.histogramSizes[window.histogramHigh] &- samples.histogramSizes[first]
                }
                readUpTo = (window.high, window.histogramHigh)
                counter.count(size, read: frame.isSubquery ? 0 : read, step: step)
                // One series may have more samples than others have series.
                unchecked &+= size
                if unchecked > 1 << 18 {
                    unchecked = 0
                    try control.check()
                }
                window.step = step
                window.time = time
                window.rangeStart = start
                window.rangeEnd = end
                switch try kernel.cell(window, &notes) {
                case .float(let value): builder.append(step, value)
                case .histogram(let histogram): builder.append(step, histogram)
                case .none: break
                }
            }
        }
        return builder.row(.empty)
    }

    /// Moves the histograms of the window, and returns how many samples they count for.
    private static func moveHistograms(
        _ window: inout SampleWindow, _ start: Timestamp, _ end: Timestamp, _ samples: borrowing SeriesSamples
    ) -> Int {
        while window.histogramHigh < window.histogramTimes.count && window.histogramTimes[window.histogramHigh] <= end {
            window.histogramHigh &+= 1
        }
        while window.histogramLow < window.histogramHigh && window.histogramTimes[window.histogramLow] <= start {
            window.histogramLow &+= 1
        }
        return samples.histogramSizes[window.histogramHigh] - samples.histogramSizes[window.histogramLow]
    }

    /// Hints that what is treated as a counter may be none.
    private func noteNonCounter(_ plan: CallPlan, _ labels: Labels, _ row: StepRow, _ notes: inout RangeNotes) {
        guard plan.function == .rate || plan.function == .increase, !notes.metric.isEmpty else { return }
        guard row.kinds.isEmpty || row.kinds.contains(CellKind.float) else { return }
        if context.options.usesTypeAndUnitLabels {
            let type = labels[LabelNames.type] ?? ""
            if type != "counter" && type != "histogram" {
                notes.add(.possibleNonCounterLabel(metric: notes.metric, type: type))
            }
        } else if !notes.metric.hasSuffix("_total") && !notes.metric.hasSuffix("_sum")
            && !notes.metric.hasSuffix("_count") && !notes.metric.hasSuffix("_bucket")
        {
            notes.add(.possibleNonCounter(metric: notes.metric))
        }
    }

    /// `absent_over_time`: 1 at the steps at which no series has a sample.
    private func absent(_ rows: [StepRow], _ plan: CallPlan) -> [StepRow] {
        var builder = RowBuilder(capacity: times.count)
        for step in absentSteps(rows) { builder.append(step, 1) }
        return builder.row(plan.absentLabels, dropName: true).map { [$0] } ?? []
    }

    /// The steps at which no row has a value.
    func absentSteps(_ rows: [StepRow]) -> [Int] {
        var present = [Bool](repeating: false, count: times.count)
        for row in rows {
            for step in row.first..<row.end where row.kind(step) != CellKind.none { present[step] = true }
        }
        return present.indices.filter { !present[$0] }
    }
}
