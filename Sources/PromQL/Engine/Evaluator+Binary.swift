internal import MetricModel

extension Evaluator {
    /// Evaluates a binary operation.
    func evaluate(_ plan: BinaryPlan) throws -> [StepRow] {
        let held = context.control.held
        let result: [StepRow]
        switch (plan.leftIsScalar, plan.rightIsScalar) {
        case (true, true): result = [try scalars(plan)]
        case (false, true):
            result = try withScalar(
                plan, try evaluate(plan.left), try scalar(plan.right), scalarIsLeft: false)
        case (true, false):
            let number = try scalar(plan.left)
            result = try withScalar(plan, try evaluate(plan.right), number, scalarIsLeft: true)
        case (false, false):
            let left = try evaluate(plan.left)
            let right = try evaluate(plan.right)
            let matching = plan.matching ?? VectorMatching()
            let match = VectorMatch(left, right, matching)
            if plan.operation.isSet {
                result = try joined(combineSets(plan.operation, match))
            } else {
                result = try joined(try combine(plan, match))
            }
        }
        context.control.resetHeld(to: held)
        try context.control.hold(result.reduce(0) { $0 + $1.sampleCount })
        return result
    }

    private func scalars(_ plan: BinaryPlan) throws -> StepRow {
        let left = try scalar(plan.left)
        let right = try scalar(plan.right)
        let operation = ElementOperation(operation: plan.operation)
        if let arithmetic = operation.arithmetic() {
            return StepRow(labels: .empty, first: 0, values: zip(left.values, right.values).map { arithmetic($0, $1) })
        }
        guard let comparison = operation.comparison() else {
            throw QueryError.execution("operator \"\(plan.operation.rawValue)\" not allowed for Scalar operations")
        }
        let values = zip(left.values, right.values).map { comparison($0, $1) ? 1.0 : 0.0 }
        return StepRow(labels: .empty, first: 0, values: values)
    }

    // MARK: A vector and a scalar

    private func withScalar(
        _ plan: BinaryPlan, _ rows: [StepRow], _ number: StepRow, scalarIsLeft: Bool
    ) throws -> [StepRow] {
        var notes = StepNotes()
        let result = try withScalar(plan, rows, number, scalarIsLeft: scalarIsLeft, &notes)
        for note in notes.inOrder { context.annotations.add(note, at: plan.position) }
        return result
    }

    /// The same, with what there is to say about it left in `notes`.
    func withScalar(
        _ plan: BinaryPlan, _ rows: [StepRow], _ number: StepRow, scalarIsLeft: Bool, _ notes: inout StepNotes
    ) throws -> [StepRow] {
        let operation = ElementOperation(operation: plan.operation)
        var result: [StepRow] = []
        result.reserveCapacity(rows.count)
        let arithmetic = operation.arithmetic()
        let comparison = operation.comparison()
        for row in rows {
            try context.control.check()
            if !row.hasHistograms, let arithmetic {
                result.append(Self.calculated(row, number, scalarIsLeft, arithmetic))
            } else if !row.hasHistograms, let comparison {
                if let row = Self.compared(row, number, scalarIsLeft, plan.returnsBool, comparison) {
                    result.append(row)
                }
            } else if let row = Self.mixed(row, number, scalarIsLeft, plan, operation, &notes) {
                result.append(row)
            }
        }
        guard operation.changesMeaning || plan.returnsBool else { return result }
        return try droppingNames(result)
    }

    private static func calculated(
        _ row: StepRow, _ number: StepRow, _ scalarIsLeft: Bool, _ body: (Double, Double) -> Double
    ) -> StepRow {
        var row = row
        let first = row.first
        for cell in row.values.indices {
            let other = number.values[first + cell]
            row.values[cell] = scalarIsLeft ? body(other, row.values[cell]) : body(row.values[cell], other)
        }
        return row
    }

    private static func compared(
        _ row: StepRow, _ number: StepRow, _ scalarIsLeft: Bool, _ returnsBool: Bool, _ body: (Double, Double) -> Bool
    ) -> StepRow? {
        var builder = RowBuilder(capacity: row.values.count)
        for step in row.first..<row.end where row.kind(step) == CellKind.float {
            let (value, other) = (row.value(step), number.values[step])
            let holds = scalarIsLeft ? body(other, value) : body(value, other)
            if returnsBool {
                builder.append(step, holds ? 1 : 0)
            } else if holds {
                builder.append(step, value)
            }
        }
        return builder.row(row.labels, dropName: row.dropName)
    }

    /// A row with histograms, or an operation that only histograms have.
    private static func mixed(
        _ row: StepRow, _ number: StepRow, _ scalarIsLeft: Bool, _ plan: BinaryPlan, _ operation: ElementOperation,
        _ notes: inout StepNotes
    ) -> StepRow? {
        var builder = RowBuilder(capacity: row.values.count)
        let pair = PairOperation(operation: operation, returnsBool: plan.returnsBool)
        for step in row.first..<row.end {
            let kind = row.kind(step)
            if kind == CellKind.none { continue }
            let own = ElementOperation.Side(
                number: kind == CellKind.float ? row.value(step) : 0, histogram: row.histogram(step))
            let other = ElementOperation.Side(number: number.values[step], histogram: nil)
            var note: Annotation.Kind?
            let outcome =
                scalarIsLeft
                ? pair.apply(other, own, keptIsRight: true, &note) : pair.apply(own, other, keptIsRight: false, &note)
            if let note { notes.set(note, step) }
            outcome?.append(to: &builder, step)
        }
        return builder.row(row.labels, dropName: row.dropName)
    }
}

/// What an operation between two samples leaves.
enum PairOutcome {
    case float(Double)
    case histogram(SharedHistogram)

    func append(to builder: inout RowBuilder, _ step: Int) {
        switch self {
        case .float(let value): builder.append(step, value)
        case .histogram(let histogram): builder.append(step, histogram)
        }
    }
}

/// An operation between two samples of any kind, comparisons and `bool` included.
struct PairOperation {
    let operation: ElementOperation
    let returnsBool: Bool

    /// The result; nil if there is none.
    /// - Parameter keptIsRight: Whether a comparison without `bool` keeps the right side.
    func apply(
        _ left: ElementOperation.Side, _ right: ElementOperation.Side, keptIsRight: Bool,
        _ note: inout Annotation.Kind?
    ) -> PairOutcome? {
        if left.histogram == nil && right.histogram == nil {
            if let arithmetic = operation.arithmetic() { return .float(arithmetic(left.number, right.number)) }
            if let comparison = operation.comparison() {
                let holds = comparison(left.number, right.number)
                if returnsBool { return .float(holds ? 1 : 0) }
                return holds ? .float(keptIsRight ? right.number : left.number) : nil
            }
        }
        switch operation.histograms(left, right, &note) {
        case .nothing: return nil
        case .value(let histogram, let keep):
            if returnsBool { return .float(keep ? 1 : 0) }
            return keep ? .histogram(histogram) : nil
        }
    }
}

/// The last thing there is to say about each step, as upstream keeps only that.
struct StepNotes {
    private var notes: [Int: Annotation.Kind] = [:]

    mutating func set(_ note: Annotation.Kind, _ step: Int) { notes[step] = note }

    /// By step.
    var inOrder: [Annotation.Kind] { notes.sorted { $0.key < $1.key }.map(\.value) }
}
