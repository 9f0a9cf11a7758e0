internal import ByteCoding
internal import MetricModel

/// Which group each row belongs to: small numbers instead of label sets.
struct Grouping {
    /// The group of each of the rows that were given at once.
    private(set) var groupOfRow: [Int] = []
    private var subsets: LabelSubsets

    /// No rows yet.
    init(_ plan: AggregatePlan) {
        subsets = LabelSubsets(
            of: plan.isWithout ? Self.withName(plan.grouping) : plan.grouping, keeping: !plan.isWithout)
        groupsAll = !plan.isWithout && plan.grouping.isEmpty
    }

    /// The groups of `rows`.
    init(_ rows: [StepRow], _ plan: AggregatePlan) {
        self.init(plan)
        groupOfRow.reserveCapacity(rows.count)
        for row in rows { groupOfRow.append(number(of: row)) }
    }

    /// Whether all rows are one group.
    private let groupsAll: Bool
    private var hasRows = false

    /// The group of a row.
    mutating func number(of row: StepRow) -> Int {
        hasRows = true
        return groupsAll ? 0 : subsets.number(of: row.labels)
    }

    /// The labels of each group, in the order of first appearance.
    var labels: [Labels] { groupsAll ? (hasRows ? [.empty] : []) : subsets.subsets }

    /// `without` always takes away the metric name.
    static func withName(_ names: [ByteString]) -> [ByteString] {
        names.contains(Labels.metricName) ? names : (names + [Labels.metricName]).sorted()
    }
}

extension Evaluator {
    /// Evaluates an aggregation.
    func evaluate(_ plan: AggregatePlan) throws -> [StepRow] {
        let held = context.control.held
        let result: [StepRow]
        switch plan.operation {
        case .countValues: result = try countValues(plan)
        case .topk, .bottomk, .limitk, .limitRatio:
            let parameter = try scalar(plan.parameter ?? .number(.nan))
            result = try select(plan, parameter)
        case .quantile:
            let parameter = try scalar(plan.parameter ?? .number(.nan))
            result = try quantile(plan, try evaluate(plan.node), parameter)
        case .sum, .avg, .count, .group, .min, .max, .stddev, .stdvar:
            result = try reduce(plan)
        }
        context.control.resetHeld(to: held)
        try context.control.hold(result.reduce(0) { $0 + $1.sampleCount })
        return result
    }

    /// Aggregations that take in one row after the other.
    private func reduce(_ plan: AggregatePlan) throws -> [StepRow] {
        var grouping = Grouping(plan)
        var states: [GroupState] = []
        let ignoresNames = !plan.isWithout && !plan.grouping.contains { LabelNames.metadata.contains($0) }
        try forEachBatch(plan.node, ignoresNames: ignoresNames) { rows in
            for (index, row) in rows.enumerated() {
                if index & 63 == 0 || times.count > 4096 { try context.control.check() }
                let group = grouping.number(of: row)
                if group == states.count {
                    states.append(
                        GroupState(
                            plan.operation, steps: times.count, dropsNamesAtOnce: !context.delaysNameRemoval))
                }
                states[group].add(row)
            }
        }
        var result: [StepRow] = []
        result.reserveCapacity(states.count)
        let labels = grouping.labels
        for group in states.indices {
            if let row = states[group].row(labels[group], plan, &context.annotations) { result.append(row) }
        }
        return result
    }

    private func quantile(_ plan: AggregatePlan, _ rows: [StepRow], _ parameter: StepRow) throws -> [StepRow] {
        let (least, greatest, hasNaN) = Self.extremes(parameter.values)
        if hasNaN { context.annotations.add(.invalidQuantile(.init(.nan)), at: plan.parameterPosition) }
        if greatest > 1 { context.annotations.add(.invalidQuantile(.init(greatest)), at: plan.parameterPosition) }
        if least < 0 { context.annotations.add(.invalidQuantile(.init(least)), at: plan.parameterPosition) }
        let grouping = Grouping(rows, plan)
        let groupLabels = grouping.labels
        var members = [[Int]](repeating: [], count: groupLabels.count)
        for index in rows.indices { members[grouping.groupOfRow[index]].append(index) }
        var result: [StepRow] = []
        var sorted: [Double] = []
        for (group, indices) in members.enumerated() {
            let first = indices.map { rows[$0].first }.min() ?? 0
            let end = indices.map { rows[$0].end }.max() ?? 0
            var builder = RowBuilder(capacity: max(0, end - first))
            for step in first..<max(first, end) {
                if step & 63 == 0 { try context.control.check() }
                sorted.removeAll(keepingCapacity: true)
                var nans = 0
                var hasNegativeZero = false
                for index in indices {
                    switch rows[index].kind(step) {
                    case CellKind.float:
                        let value = rows[index].value(step)
                        if value.isNaN { nans += 1 } else { sorted.append(value) }
                        if value == 0 && value.sign == .minus { hasNegativeZero = true }
                    case CellKind.histogram:
                        context.annotations.add(.histogramIgnored(aggregation: "quantile"), at: plan.nodePosition)
                    default: break
                    }
                }
                if sorted.isEmpty && nans == 0 { continue }
                if hasNegativeZero {
                    // Which of several zeros it is depends on the order that Go's sort leaves them in.
                    let values = indices.filter { rows[$0].kind(step) == CellKind.float }.map { rows[$0].value(step) }
                    builder.append(step, Quantile.value(parameter.value(step), of: values))
                    continue
                }
                try PatientSort.sort(&sorted) { try context.control.check() }
                builder.append(step, Quantile.value(parameter.value(step), sorted: sorted, nans: nans))
            }
            let dropName = indices.contains { rows[$0].dropName }
            if let row = builder.row(groupLabels[group], dropName: dropName) { result.append(row) }
        }
        return result
    }

    /// The least and the greatest of the values of a parameter, which may change from step to step, as Go's `math.Min`
    /// and `math.Max` find them: NaN if there is one, unless an infinity outdoes it.
    ///
    /// Source: prometheus/prometheus promql/value.go (`newFParams`).
    static func extremes(_ values: [Double]) -> (least: Double, greatest: Double, hasNaN: Bool) {
        guard values.contains(where: \.isNaN) else { return (values.min() ?? 0, values.max() ?? 0, false) }
        return (
            values.contains(-.infinity) ? -.infinity : .nan, values.contains(.infinity) ? .infinity : .nan, true
        )
    }

    private func countValues(_ plan: AggregatePlan) throws -> [StepRow] {
        guard case .string(let label)? = plan.parameter, NameValidation.utf8.isLabelName(label) else {
            var text = ""
            if case .string(let name)? = plan.parameter { text = Quoting.quote(name) }
            throw QueryError.execution("invalid label name \(text)")
        }
        let names: [ByteString]
        if plan.isWithout {
            names = Grouping.withName(plan.grouping)
        } else {
            names = plan.grouping.contains(label) ? plan.grouping : (plan.grouping + [label]).sorted()
        }
        var places: [Labels: Int] = [:]
        var counts: [(labels: Labels, counts: [Double])] = []
        var texts: [ValueKey: Int] = [:]
        func add(_ row: StepRow) throws {
            texts.removeAll(keepingCapacity: true)
            for step in row.first..<row.end {
                guard let key = ValueKey(row, step) else { continue }
                let place: Int
                if let known = texts[key] {
                    place = known
                } else {
                    let labelled = row.labels.setting(label, key.text)
                    let labels = plan.isWithout ? labelled.excluding(names) : labelled.including(names)
                    place = places[labels] ?? counts.count
                    if place == counts.count {
                        places[labels] = place
                        try context.control.hold(times.count)
                        counts.append((labels, [Double](repeating: 0, count: times.count)))
                    }
                    texts[key] = place
                }
                counts[place].counts[step] += 1
            }
        }
        try forEachBatch(plan.node) { rows in
            for row in rows {
                try context.control.check()
                try add(row)
            }
        }
        return counts.compactMap { entry in
            var builder = RowBuilder(capacity: times.count)
            for step in 0..<times.count where entry.counts[step] > 0 { builder.append(step, entry.counts[step]) }
            return builder.row(entry.labels)
        }
    }
}

/// A value as `count_values` tells values apart.
private enum ValueKey: Hashable {
    case number(UInt64)
    case text([UInt8])

    /// The value of a row at a step; nil if there is none.
    init?(_ row: StepRow, _ step: Int) {
        switch row.kind(step) {
        case CellKind.float:
            self = .number(row.value(step).isNaN ? Double.nan.bitPattern : row.value(step).bitPattern)
        case CellKind.histogram:
            guard let histogram = row.histogram(step) else { return nil }
            self = .text(histogram.value.text)
        default: return nil
        }
    }

    var text: ByteString {
        switch self {
        case .number(let bits): ByteString(FloatText.string(Double(bitPattern: bits), .fixed))
        case .text(let text): ByteString(text)
        }
    }
}
