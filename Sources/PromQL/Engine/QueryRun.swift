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
        _ expression: Expression, _ statistics: QueryStatistics, _ clock: ContinuousClock
    ) throws -> QueryResult {
        var statistics = statistics
        let planning = clock.now
        let (start, end, step) = range
        let plan = try Planner(start: start, end: end, step: step).plan(expression)
        let lookback = settings.lookbackDelta ?? options.lookbackDelta
        let context = EvaluationContext(
            source: source, control: control, lookback: lookback > 0 ? lookback : options.lookbackDelta,
            options: options, tracksSteps: settings.countsSteps, workers: options.workers)
        let times = StepTimes(start: start, end: end, interval: step)
        let evaluator = Evaluator(context: context, times: times)
        let evaluating = clock.now
        statistics.preparationTime = Engine.seconds(evaluating - planning)
        let value = try value(of: plan, type: expression.type, evaluator)
        let sorting = clock.now
        statistics.evaluationTime = Engine.seconds(sorting - evaluating)
        let sorted = Self.sorted(value)
        statistics.sortTime = Engine.seconds(clock.now - sorting)
        statistics.totalSamples = evaluator.counter.total
        statistics.samplesRead = evaluator.counter.read
        statistics.samplesPerStep = evaluator.counter.perStep.enumerated().map { (times.time($0.offset), $0.element) }
        return QueryResult(value: sorted, annotations: context.annotations, statistics: statistics)
    }

    private func value(of plan: PlanNode, type: ValueType, _ evaluator: Evaluator) throws -> QueryResult.Value {
        let (start, _, _) = range
        guard case .instant = time else {
            let rows = try evaluator.finished(try evaluator.evaluate(plan))
            return .matrix(rows.compactMap { Self.series($0, evaluator.times) })
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
            return .vector(
                start,
                rows.compactMap { row in
                    switch row.kind(0) {
                    case CellKind.float: (row.labels, .float(row.value(0)))
                    case CellKind.histogram: row.histogram(0).map { (row.labels, .histogram($0.value)) }
                    default: nil
                    }
                })
        }
    }

    private static func series(_ row: StepRow, _ times: StepTimes) -> ResultSeries? {
        var series = ResultSeries(labels: row.labels)
        series.floats.reserveCapacity(row.values.count)
        for step in row.first..<row.end {
            switch row.kind(step) {
            case CellKind.float: series.floats.append((times.time(step), row.value(step)))
            case CellKind.histogram:
                if let histogram = row.histogram(step) { series.histograms.append((times.time(step), histogram)) }
            default: break
            }
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
                    if row.kind(step) == CellKind.float {
                        series.floats.append((steps.time(step), row.value(step)))
                    } else if let histogram = row.histogram(step) {
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
        var result: [ResultSeries] = []
        var worker = SeriesWorker(counter: counter)
        for selected in try select(plan.selector, from: start &+ 1, through: end) {
            try context.control.check()
            worker.columns.removeAll()
            do { try selected.read(into: &worker.columns) } catch { throw QueryError.storage(error) }
            worker.samples.load(&worker.columns, wantsStarts: false, skipsBuckets: plan.selector.skipsBuckets)
            var series = ResultSeries(labels: selected.labels)
            for (time, value) in zip(worker.samples.times, worker.samples.values) where time > start && time <= end {
                series.floats.append((time, value))
            }
            for (time, value) in zip(worker.samples.histogramTimes, worker.samples.histograms)
            where time > start && time <= end {
                series.histograms.append((time, value))
            }
            let size = series.floats.count + series.histograms.reduce(0) { $0 + $1.value.value.sampleSize }
            if size == 0 { continue }
            counter.count(size, read: size, step: 0)
            try context.control.hold(size)
            result.append(series)
        }
        return result
    }
}
