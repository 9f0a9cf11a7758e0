internal import MetricModel

/// One query on its way from the tree to the result.
struct QueryRun {
    let options: EngineOptions
    let control: QueryControl
    let source: any SeriesSource
    let settings: Engine.Settings
    let time: Engine.Time

    private var range: (start: Timestamp, end: Timestamp, step: Int64) {
        switch time {
        case .instant(let time): (time, time, 0)
        case .range(let start, let end, let step): (start, end, step)
        }
    }

    func evaluate(
        _ expression: Expression, _ statistics: inout QueryStatistics, _ clock: ContinuousClock
    ) throws -> QueryResult {
        let planning = clock.now
        let (start, end, step) = range
        let plan = try Planner(start: start, end: end, step: step).plan(expression)
        let lookback = settings.lookbackDelta ?? options.lookbackDelta
        let context = EvaluationContext(
            source: source, control: control, lookback: lookback > 0 ? lookback : options.lookbackDelta,
            options: options, tracksSteps: settings.countsSteps && options.reportsStepStatistics,
            workers: options.workers)
        let times = StepTimes(start: start, end: end, interval: step)
        let evaluator = Evaluator(context: context, times: times)
        let evaluating = clock.now
        statistics.preparationTime = Engine.seconds(evaluating - planning)
        let type = expression.type
        defer { Self.note(evaluator.counter, times, &statistics) }
        let value: QueryResult.Value
        do {
            defer { statistics.evaluationTime = Engine.seconds(clock.now - evaluating) }
            value = try DeepStack.run(depth: plan.depth) { () throws -> QueryResult.Value in
                try self.value(of: plan, type: type, evaluator)
            }
        }
        let sorting = clock.now
        let sorted = Self.sorted(value)
        statistics.sortTime = Engine.seconds(clock.now - sorting)
        return QueryResult(value: sorted, annotations: context.annotations, statistics: statistics)
    }

    private static func note(_ counter: SampleCounter, _ times: StepTimes, _ statistics: inout QueryStatistics) {
        statistics.totalSamples = counter.total
        statistics.samplesRead = counter.read
        statistics.samplesPerStep = counter.perStep.enumerated().map { (times.time($0.offset), $0.element) }
        statistics.samplesReadPerStep = counter.readPerStep.enumerated().map { (times.time($0.offset), $0.element) }
    }

    private func value(of plan: PlanNode, type: ValueType, _ evaluator: Evaluator) throws -> QueryResult.Value {
        let (start, _, _) = range
        guard case .instant = time else {
            var rows = try evaluator.finished(try evaluator.evaluate(plan))
            var series: [ResultSeries] = []
            series.reserveCapacity(rows.count)
            for index in rows.indices {
                if let one = Self.series(rows[index], evaluator.times) { series.append(one) }
                // The same numbers need not be there twice.
                rows[index] = StepRow(labels: .empty, first: 0, values: [])
            }
            return .matrix(series)
        }
        switch type {
        case .string:
            if case .string(let text) = plan { return .string(start, text) }
            return .string(start, "")
        case .scalar:
            let row = try evaluator.scalar(plan)
            return .scalar(start, row.values.first ?? .nan)
        case .matrix: return .matrix(try evaluator.rangeVector(plan))
        default:
            let rows = try evaluator.finished(try evaluator.evaluate(plan))
            var samples: [(labels: Labels, value: ResultValue)] = []
            samples.reserveCapacity(rows.count)
            for row in rows where row.kind(0) != CellKind.none {
                let histogram = row.histogram(0)
                samples.append((row.labels, histogram.map { .histogram($0.value) } ?? .float(row.value(0))))
            }
            return .vector(start, samples)
        }
    }

    private static func series(_ row: StepRow, _ times: StepTimes) -> ResultSeries? {
        var series = ResultSeries(labels: row.labels)
        series.floats.reserveCapacity(row.values.count)
        for step in row.first..<row.end {
            let kind = row.kind(step)
            if kind == CellKind.none { continue }
            if kind == CellKind.float { series.floats.append((times.time(step), row.value(step))) }
            if let histogram = row.histogram(step) { series.histograms.append((times.time(step), histogram)) }
        }
        return series.floats.isEmpty && series.histograms.isEmpty ? nil : series
    }

    /// Range vectors come sorted by labels; the order of instant vectors is that of the operation.
    private static func sorted(_ value: QueryResult.Value) -> QueryResult.Value {
        guard case .matrix(let series) = value else { return value }
        return .matrix(series.sorted { $0.labels < $1.labels })
    }
}

extension Evaluator {
    /// A range vector as the whole query: the samples themselves.
    func rangeVector(_ plan: PlanNode) throws -> [ResultSeries] {
        switch plan {
        case .stepInvariant(let inner): return try rangeVector(inner)
        case .matrix(let matrix): return try rangeVector(matrix)
        case .subquery(let subquery):
            let (rows, steps) = try evaluateOuterSubquery(subquery)
            return try finished(rows).compactMap { row in
                var series = ResultSeries(labels: row.labels)
                for step in row.first..<row.end {
                    if row.kind(step) == CellKind.float { series.floats.append((steps.time(step), row.value(step))) }
                    if let histogram = row.histogram(step) {
                        series.histograms.append((steps.time(step), histogram))
                    }
                }
                return series.floats.isEmpty && series.histograms.isEmpty ? nil : series
            }
        default: throw QueryError.execution("unexpected range vector")
        }
    }

    private func rangeVector(_ plan: MatrixPlan) throws -> [ResultSeries] {
        let end = plan.selector.referenceTime(times.start)
        let start = end &- plan.range
        let edges = plan.selector.rangeExtension
        let before = edges == nil ? 0 : context.lookback
        let after = edges == .smoothed ? context.lookback : 0
        let (first, last) = (start &- before, end &+ after)
        var result: [ResultSeries] = []
        var worker = SeriesWorker(counter: counter)
        for selected in try select(plan.selector, from: first &+ 1, through: last) {
            try context.control.check()
            try worker.read(selected, context.control)
            worker.samples.load(&worker.columns, wantsStarts: false, statistics: nil)
            var series = ResultSeries(labels: selected.labels)
            for (time, value) in zip(worker.samples.times, worker.samples.values) where time > first && time <= last {
                series.floats.append((time, value))
            }
            for (time, value) in zip(worker.samples.histogramTimes, worker.samples.histograms)
            where time > first && time <= last {
                series.histograms.append((time, value))
            }
            if let edges {
                if !series.histograms.isEmpty {
                    throw QueryError.execution("\(edges.rawValue) modifier is not supported with histograms")
                }
                series.floats = Self.withEdges(series.floats, start, end, isSmoothed: edges == .smoothed)
            }
            let size = series.floats.count + series.histograms.reduce(0) { $0 + $1.value.value.sampleSize }
            if size == 0 { continue }
            counter.count(size, read: size, step: 0)
            try context.control.hold(size)
            result.append(series)
        }
        return result
    }

    /// The samples of an `anchored` or `smoothed` range: in place of those around it, samples at both of its ends.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`extendFloats`).
    private static func withEdges(
        _ floats: [(timestamp: Timestamp, value: Double)], _ start: Timestamp, _ end: Timestamp, isSmoothed: Bool
    ) -> [(timestamp: Timestamp, value: Double)] {
        var samples = SeriesSamples()
        samples.times = floats.map(\.timestamp)
        samples.values = floats.map(\.value)
        return samples.withWindow { window in
            window.high = window.times.count
            window.rangeStart = start
            window.rangeEnd = end
            guard
                let edges = WindowEdges(window.times, 0, window.high, start, end, isSmoothed, acceptsLater: true)
            else { return [] }
            let left = ExtendedRateKernel.left(window, edges, isSmoothed, false)
            let right = ExtendedRateKernel.right(window, edges, isSmoothed, false)
            let first = window.times[edges.first] <= start ? edges.first + 1 : edges.first
            let last = window.times[edges.last] >= end ? edges.last - 1 : edges.last
            let within = first <= last ? Array(floats[first...last]) : []
            return [(start, left)] + within + [(end, right)]
        }
    }
}
