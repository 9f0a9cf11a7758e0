internal import ByteCoding
internal import Matching
internal import MetricModel

/// What all evaluations of one query share.
final class EvaluationContext {
    let source: any SeriesSource
    let control: QueryControl
    /// Milliseconds.
    let lookback: Int64
    let options: EngineOptions
    let tracksSteps: Bool
    /// Cores to use.
    let workers: Int
    var annotations = Annotations()

    init(
        source: any SeriesSource, control: QueryControl, lookback: Int64, options: EngineOptions, tracksSteps: Bool,
        workers: Int
    ) {
        self.source = source
        self.control = control
        self.lookback = lookback
        self.options = options
        self.tracksSteps = tracksSteps
        self.workers = max(1, workers)
    }

    /// Whether metric names stay until the end of the query.
    var delaysNameRemoval: Bool { options.delayedNameRemoval }
}

/// Evaluates a plan at the steps of one time range; subqueries and step-invariant parts have evaluators of their own.
///
/// Every node gives rows: one series each, with a value for each step. Label sets are built once for a row, never for
/// a step. Rows are computed on several cores, and always come in the same order.
///
/// Source of the behaviour: prometheus/prometheus promql/engine.go.
final class Evaluator {
    let context: EvaluationContext
    let times: StepTimes
    var counter: SampleCounter

    init(context: EvaluationContext, times: StepTimes, tracksSteps: Bool? = nil) {
        self.context = context
        self.times = times
        self.counter = SampleCounter(steps: times.count, tracksSteps: tracksSteps ?? context.tracksSteps)
    }

    /// The rows of a vector or scalar expression; a scalar is one row without labels.
    func evaluate(_ node: PlanNode) throws -> [StepRow] {
        try context.control.check()
        guard times.count > 0 else { return [] }
        try context.control.checkCells(times.count)
        switch node {
        case .number(let value):
            try context.control.hold(times.count)
            return [constant(value)]
        case .string: return []
        case .selector(let plan): return try evaluate(plan)
        case .matrix, .subquery:
            throw QueryError.execution("a range vector cannot be evaluated at several steps")
        case .call(let plan): return try evaluate(plan)
        case .aggregate(let plan): return try evaluate(plan)
        case .binary(let plan): return try evaluate(plan)
        case .negate(let inner): return try negate(inner)
        case .stepInvariant(let inner): return try evaluateOnce(inner)
        }
    }

    /// A scalar expression's row.
    func scalar(_ node: PlanNode) throws -> StepRow {
        let rows = try evaluate(node)
        return rows.first ?? constant(.nan)
    }

    /// A row with the same number at each step.
    func constant(_ value: Double) -> StepRow {
        StepRow(labels: .empty, first: 0, values: [Double](repeating: value, count: times.count))
    }

    // MARK: Step-invariant parts

    private func evaluateOnce(_ node: PlanNode) throws -> [StepRow] {
        // Numbers and texts cost less than a second evaluator.
        if case .number = node { return try evaluate(node) }
        let held = context.control.held
        let once = Evaluator(context: context, times: StepTimes(at: times.start, interval: times.interval))
        var rows = try once.evaluate(node)
        for step in 0..<times.count { counter.count(once.counter.total, read: 0, step: step) }
        counter.count(0, read: once.counter.read, step: 0)
        for index in rows.indices {
            try context.control.check()
            let row = rows[index]
            try context.control.hold(max(0, row.sampleCount * times.count - row.sampleCount))
            rows[index].first = 0
            switch row.kind(0) {
            case CellKind.float:
                rows[index].values = [Double](repeating: row.value(0), count: times.count)
                rows[index].kinds = []
                rows[index].histograms = []
            case CellKind.histogram:
                rows[index].values = [Double](repeating: 0, count: times.count)
                rows[index].kinds = [UInt8](repeating: CellKind.histogram, count: times.count)
                rows[index].histograms = [SharedHistogram?](repeating: row.histogram(0), count: times.count)
            default: break
            }
        }
        _ = held
        return rows
    }

    // MARK: Signs

    private func negate(_ node: PlanNode) throws -> [StepRow] {
        var rows = try evaluate(node)
        for index in rows.indices {
            for cell in rows[index].values.indices { rows[index].values[cell] = -rows[index].values[cell] }
            for cell in rows[index].histograms.indices {
                guard let histogram = rows[index].histograms[cell] else { continue }
                rows[index].histograms[cell] = SharedHistogram(histogram.value.multiplied(by: -1))
            }
        }
        return try droppingNames(rows, mayMix: true)
    }

    // MARK: Labels of results

    /// The rows without metric name, type and unit; with delayed name removal, only marked for it. Rows that are then
    /// alike are joined.
    /// - Parameter mayMix: Whether a step may have a number in one and a histogram in another.
    func droppingNames(_ rows: [StepRow], onlyName: Bool = false, mayMix: Bool = false) throws -> [StepRow] {
        var rows = rows
        let delayed = context.delaysNameRemoval
        for index in rows.indices {
            rows[index].dropName = true
            if !delayed {
                rows[index].labels =
                    onlyName ? rows[index].labels.withoutMetricName : rows[index].labels.withoutMetadata
            }
        }
        return delayed ? rows : try joined(rows, mayMix: mayMix)
    }

    /// Rows with the same labels made one; each step may have a value in one of them only.
    /// - Parameter mayMix: Whether a step may have a number in one and a histogram in another.
    func joined(_ rows: [StepRow], mayMix: Bool = false) throws -> [StepRow] {
        if Self.areAscending(rows) { return rows }
        var places: [Labels: Int] = [:]
        places.reserveCapacity(rows.count)
        var result: [StepRow] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            if let place = places[row.labels] {
                result[place] = try Self.join(result[place], row, steps: times.count, mayMix: mayMix)
            } else {
                places[row.labels] = result.count
                result.append(row)
            }
        }
        return result
    }

    /// Whether labels ascend from row to row, as those of selected series do: no two are then alike.
    static func areAscending(_ rows: [StepRow]) -> Bool {
        for index in 1..<max(1, rows.count) where !(rows[index - 1].labels < rows[index].labels) { return false }
        return true
    }

    private static func join(
        _ left: StepRow, _ right: StepRow, steps: Int, mayMix: Bool
    ) throws(QueryError) -> StepRow {
        var builder = RowBuilder(capacity: steps)
        // Whether the name goes is what the earliest sample says.
        var dropName: Bool?
        for step in min(left.first, right.first)..<max(left.end, right.end) {
            let (a, b) = (left.kind(step), right.kind(step))
            if a != CellKind.none && b != CellKind.none {
                let (float, other) = a == CellKind.float ? (left, right) : (right, left)
                // A cell that has both already has no room for either.
                guard mayMix, a != b, float.histogram(step) == nil, let histogram = other.histogram(step) else {
                    throw .sameLabelset
                }
                if dropName == nil { dropName = left.dropName }
                builder.append(step, float.value(step), histogram)
                continue
            }
            if a == CellKind.none && b == CellKind.none { continue }
            let row = a != CellKind.none ? left : right
            if dropName == nil { dropName = row.dropName }
            switch row.kind(step) {
            case CellKind.float:
                if let histogram = row.histogram(step) {
                    builder.append(step, row.value(step), histogram)
                } else {
                    builder.append(step, row.value(step))
                }
            case CellKind.histogram:
                if let histogram = row.histogram(step) { builder.append(step, histogram) }
            default: break
            }
        }
        return builder.row(left.labels, dropName: dropName ?? left.dropName) ?? left
    }

    /// The result of the whole query: names dropped that were kept until here.
    func finished(_ rows: [StepRow]) throws -> [StepRow] {
        guard context.delaysNameRemoval else { return rows }
        var rows = rows
        for index in rows.indices where rows[index].dropName {
            rows[index].labels = rows[index].labels.withoutMetadata
        }
        return try joined(rows, mayMix: true)
    }
}
