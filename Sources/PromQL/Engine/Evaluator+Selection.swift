internal import MetricModel

extension Evaluator {
    /// `topk`, `bottomk`, `limitk` and `limit_ratio`: some of the rows of each group, at each step.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`aggregationK`).
    func select(_ plan: AggregatePlan, _ rows: [StepRow], _ parameter: StepRow) throws -> [StepRow] {
        guard try checkParameter(plan, parameter.values) else { return [] }
        let grouping = Grouping(rows, plan)
        var members = [[Int]](repeating: [], count: grouping.labels.count)
        for index in rows.indices { members[grouping.groupOfRow[index]].append(index) }
        // For each row, the steps at which it is chosen.
        var chosen = [[Int]](repeating: [], count: rows.count)
        var order: [Int] = []
        for step in 0..<times.count {
            if step & 15 == 0 { try context.control.check() }
            for group in members {
                let picked =
                    plan.operation == .limitRatio
                    ? pickRatio(rows, group, step, parameter.value(step))
                    : pick(plan, rows, group, step, parameter.value(step))
                for row in picked {
                    chosen[row].append(step)
                    if times.isInstant { order.append(row) }
                }
            }
        }
        if !times.isInstant { order = rows.indices.filter { !chosen[$0].isEmpty } }
        return order.compactMap { Self.picked(rows[$0], chosen[$0]) }
    }

    /// False if nothing is to be chosen at any step.
    private func checkParameter(_ plan: AggregatePlan, _ values: [Double]) throws(QueryError) -> Bool {
        let hasNaN = values.contains { $0.isNaN }
        let numbers = values.filter { !$0.isNaN }
        let greatest = numbers.max() ?? .nan
        let least = numbers.min() ?? .nan
        if plan.operation == .limitRatio {
            if greatest == 0 && least == 0 && !hasNaN { return false }
            if hasNaN { throw .execution("Ratio value is NaN") }
            if greatest > 1 {
                context.annotations.add(.invalidRatio(.init(greatest), capped: .init(1)), at: plan.parameterPosition)
            }
            if least < -1 {
                context.annotations.add(.invalidRatio(.init(least), capped: .init(-1)), at: plan.parameterPosition)
            }
            return true
        }
        if greatest < 1 { return false }
        if hasNaN { throw .execution("Parameter value is NaN") }
        if least <= -9_223_372_036_854_775_808 {
            throw .execution("Scalar value \(GoText.general(least)) underflows int64")
        }
        if greatest >= 9_223_372_036_854_774_784 {
            throw .execution("Scalar value \(GoText.general(greatest)) overflows int64")
        }
        return true
    }

    /// The rows that `topk`, `bottomk` or `limitk` choose at a step, best first.
    private func pick(
        _ plan: AggregatePlan, _ rows: [StepRow], _ group: [Int], _ step: Int, _ parameter: Double
    ) -> [Int] {
        let limit = min(Int(GoMath.int64(parameter)), rows.count)
        guard limit >= 1 else { return [] }
        let isLimit = plan.operation == .limitk
        var heap = SampleHeap<Int>(isReversed: plan.operation == .bottomk)
        for index in group {
            let row = rows[index]
            let kind = row.kind(step)
            if kind == CellKind.none { continue }
            if kind == CellKind.histogram && !isLimit {
                context.annotations.add(.histogramIgnored(aggregation: plan.operation.rawValue), at: plan.position)
                continue
            }
            let value = kind == CellKind.float ? row.value(step) : 0
            if heap.items.count < limit {
                heap.push((value, index))
            } else if isLimit {
                break
            } else {
                let top = heap.items[0].value
                let isBetter = heap.isReversed ? top > value : top < value
                if isBetter || (top.isNaN && !value.isNaN) { heap.replaceTop((value, index)) }
            }
        }
        return (isLimit ? heap.items : heap.sortedFromBottom()).map(\.payload)
    }

    private func pickRatio(_ rows: [StepRow], _ group: [Int], _ step: Int, _ parameter: Double) -> [Int] {
        if parameter == 0 { return [] }
        let ratio = max(-1, min(1, parameter))
        var heap = SampleHeap<Int>(isReversed: false)
        for index in group where rows[index].kind(step) != CellKind.none {
            let offset = Double(rows[index].labels.hash64) / Double(UInt64.max)
            guard ratio >= 0 ? offset < ratio : offset >= 1 + ratio else { continue }
            heap.push((rows[index].kind(step) == CellKind.float ? rows[index].value(step) : 0, index))
        }
        return heap.items.map(\.payload)
    }

    /// The row at the steps at which it was chosen.
    private static func picked(_ row: StepRow, _ steps: [Int]) -> StepRow? {
        var builder = RowBuilder(capacity: steps.count)
        for step in steps {
            if let histogram = row.histogram(step) {
                builder.append(step, histogram)
            } else {
                builder.append(step, row.value(step))
            }
        }
        return builder.row(row.labels, dropName: row.dropName)
    }
}
