internal import MetricModel

extension Evaluator {
    /// Series that are evaluated at a time where their rows are not needed all at once.
    private static let batchSize = 512

    /// Calls `body` with the rows of `node`, some at a time and in order: an aggregation then holds the rows of one batch
    /// and its groups, not those of all series. The samples count towards the limit as if they were all held, as they do
    /// upstream.
    func forEachBatch(_ node: PlanNode, _ body: ([StepRow]) throws -> Void) throws {
        try context.control.check()
        switch node {
        case .selector(let plan):
            try context.control.checkCells(times.count)
            let series = try selectedSeries(plan)
            try Self.forEachPart(series) { try body(try rows(of: plan, $0)) }
        case .call(let plan):
            guard let index = plan.rangeArgument, case .matrix(let matrix) = plan.arguments[index],
                plan.function != .absentOverTime
            else { return try body(try evaluate(node)) }
            try context.control.checkCells(times.count)
            let (input, frame) = try rangeInput(plan, index)
            let scalars = try scalarArguments(plan, but: index)
            guard case .series(let series) = input, keepsLabelsApart(plan, matrix.selector, series) else {
                return try body(try finished(plan, try evaluateRange(plan, input, frame, scalars)))
            }
            try Self.forEachPart(series) { try body(try evaluateRange(plan, .series($0), frame, scalars)) }
        default: try body(try evaluate(node))
        }
    }

    private static func forEachPart(
        _ series: [any SelectedSeries], _ body: ([any SelectedSeries]) throws -> Void
    ) throws {
        if series.count <= batchSize { return try body(series) }
        for start in stride(from: 0, to: series.count, by: batchSize) {
            try body(Array(series[start..<min(series.count, start + batchSize)]))
        }
    }

    /// Whether series cannot come out alike, so that nothing needs to be looked at as a whole: names stay, or are the
    /// same one.
    private func keepsLabelsApart(
        _ plan: CallPlan, _ selector: SelectorPlan, _ series: [any SelectedSeries]
    ) -> Bool {
        if context.delaysNameRemoval || plan.function == .lastOverTime || plan.function == .firstOverTime {
            return true
        }
        let isNamed = selector.matchers.contains {
            $0.name == Labels.metricName && $0.operation == .equal && !$0.value.isEmpty
        }
        return isNamed
            && series.allSatisfy { !$0.labels.contains(LabelNames.type) && !$0.labels.contains(LabelNames.unit) }
    }
}
