internal import MetricModel

extension Evaluator {
    /// Series that are evaluated at a time where their rows are not needed all at once.
    private static let batchSize = 512

    /// Rows that can be computed some series at a time.
    private struct Batches {
        let series: [any SelectedSeries]
        /// Whether the rows need to be looked at as a whole, and all series are one batch.
        var isWhole = false
        /// Whether rows cannot come out alike if they lose their metric names.
        let staysApart: Bool
        let rows: ([any SelectedSeries]) throws -> [StepRow]
        /// To be called when all rows are there.
        var finish: () -> Void = {}
    }

    /// Calls `body` with the rows of `node`, some at a time and in order: an aggregation then holds the rows of one batch
    /// and its groups, not those of all series. The samples count towards the limit as if they were all held, as they do
    /// upstream.
    /// - Parameter ignoresNames: Whether `body` looks at no metric name, type or unit: they need not be taken off then.
    func forEachBatch(
        _ node: PlanNode, ignoresNames: Bool = false, _ body: ([StepRow]) throws -> Void
    ) throws {
        try context.control.check()
        try context.control.checkCells(times.count)
        guard let batches = try batches(of: node, ignoresNames) else { return try body(try evaluate(node)) }
        if batches.isWhole {
            try body(try batches.rows(batches.series))
        } else {
            try Self.forEachPart(batches.series) { try body(try batches.rows($0)) }
        }
        batches.finish()
    }

    /// The batches of a node; nil if its rows only come all at once.
    private func batches(of node: PlanNode, _ ignoresNames: Bool) throws -> Batches? {
        switch node {
        case .selector(let plan):
            let series = try selectedSeries(plan)
            return Batches(series: series, staysApart: hasOneName(plan, series)) { try self.rows(of: plan, $0) }
        case .call(let plan): return try batches(of: plan, ignoresNames)
        case .binary(let plan): return try batches(of: plan)
        default: return nil
        }
    }

    private func batches(of plan: CallPlan, _ ignoresNames: Bool) throws -> Batches? {
        guard let index = plan.rangeArgument, case .matrix(let matrix) = plan.arguments[index],
            plan.function != .absentOverTime
        else { return nil }
        var (input, frame) = try rangeInput(plan, index)
        let scalars = try scalarArguments(plan, but: index)
        guard case .series(let series) = input else { return nil }
        let keepsName = plan.function == .lastOverTime || plan.function == .firstOverTime
        let hasOneName = hasOneName(matrix.selector, series)
        if context.delaysNameRemoval || keepsName || hasOneName {
            frame.keepsNames = ignoresNames
            return Batches(series: series, staysApart: hasOneName || (!keepsName && !context.delaysNameRemoval)) {
                try self.evaluateRange(plan, .series($0), frame, scalars)
            }
        }
        return Batches(series: series, isWhole: true, staysApart: true) {
            try self.finished(plan, try self.evaluateRange(plan, .series($0), frame, scalars))
        }
    }

    /// An operation with a number that is the same at each step.
    private func batches(of plan: BinaryPlan) throws -> Batches? {
        let number: StepRow
        let inner: PlanNode
        switch (plan.left.constant, plan.right.constant) {
        case (let left?, nil) where !plan.rightIsScalar: (number, inner) = (constant(left), plan.right)
        case (nil, let right?) where !plan.leftIsScalar: (number, inner) = (constant(right), plan.left)
        default: return nil
        }
        guard let batches = try batches(of: inner, false) else { return nil }
        let notes = SharedStepNotes()
        let scalarIsLeft = plan.leftIsScalar
        let dropsNames = ElementOperation(operation: plan.operation).changesMeaning || plan.returnsBool
        let convert = { (series: [any SelectedSeries]) throws -> [StepRow] in
            try self.withScalar(plan, try batches.rows(series), number, scalarIsLeft: scalarIsLeft, &notes.notes)
        }
        let finish = {
            batches.finish()
            for note in notes.notes.inOrder { self.context.annotations.add(note, at: plan.position) }
        }
        let mayMeet = dropsNames && !context.delaysNameRemoval && !batches.staysApart
        return Batches(
            series: batches.series, isWhole: batches.isWhole || mayMeet, staysApart: dropsNames || batches.staysApart,
            rows: convert, finish: finish)
    }

    private static func forEachPart(
        _ series: [any SelectedSeries], _ body: ([any SelectedSeries]) throws -> Void
    ) throws {
        if series.count <= batchSize { return try body(series) }
        for start in stride(from: 0, to: series.count, by: batchSize) {
            try body(Array(series[start..<min(series.count, start + batchSize)]))
        }
    }

    /// Whether series differ in more than their metric names, types and units: they cannot come out alike then.
    private func hasOneName(_ selector: SelectorPlan, _ series: [any SelectedSeries]) -> Bool {
        let isNamed = selector.matchers.contains {
            $0.name == Labels.metricName && $0.operation == .equal && !$0.value.isEmpty
        }
        return isNamed
            && series.allSatisfy { !$0.labels.contains(LabelNames.type) && !$0.labels.contains(LabelNames.unit) }
    }
}

/// What there is to say of an operation whose rows come in batches.
private final class SharedStepNotes {
    var notes = StepNotes()
}
