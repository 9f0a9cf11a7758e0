internal import MetricModel

extension Evaluator {
    /// `topk`, `bottomk`, `limitk` and `limit_ratio`: some of the rows of each group, at each step.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`aggregationK`).
    func select(_ plan: AggregatePlan, _ parameter: StepRow) throws -> [StepRow] {
        if !plan.isWithout && plan.grouping.isEmpty { return try selectFromAll(plan, parameter) }
        let rows = try evaluate(plan.node)
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

    /// The same where all rows are one group: they are taken in some at a time, and only what is chosen is kept.
    private func selectFromAll(_ plan: AggregatePlan, _ parameter: StepRow) throws -> [StepRow] {
        // What is wrong with the parameter is told only if the rows can be computed.
        let check = Result { try checkParameter(plan, parameter.values) }
        let isWanted = (try? check.get()) ?? false
        let isReversed = plan.operation == .bottomk
        var heaps = [SampleHeap<Candidate>](repeating: SampleHeap(isReversed: isReversed), count: times.count)
        var origins: [(labels: Labels, dropName: Bool)] = []
        try forEachBatch(plan.node) { rows in
            guard isWanted else { return }
            for row in rows {
                try context.control.check()
                let number = origins.count
                origins.append((row.labels, row.dropName))
                if plan.operation == .limitRatio {
                    offerRatio(row, number, parameter, &heaps)
                } else {
                    offer(plan, row, number, parameter, &heaps)
                }
            }
        }
        guard try check.get() else { return [] }
        var order: [Int] = []
        var builders: [Int: RowBuilder] = [:]
        let isSorted = plan.operation == .topk || plan.operation == .bottomk
        for step in heaps.indices {
            if step & 63 == 0 { try context.control.check() }
            for (value, candidate) in isSorted ? heaps[step].sortedFromBottom() : heaps[step].items {
                if builders[candidate.number] == nil { order.append(candidate.number) }
                candidate.append(to: &builders[candidate.number, default: RowBuilder(capacity: 0)], step, value)
            }
            heaps[step] = SampleHeap(isReversed: isReversed)
        }
        if !times.isInstant { order.sort() }
        return order.compactMap { builders[$0]?.row(origins[$0].labels, dropName: origins[$0].dropName) }
    }

    /// Puts what a row has at each step into that step's heap, where it is among the best so far.
    private func offer(
        _ plan: AggregatePlan, _ row: StepRow, _ number: Int, _ parameter: StepRow,
        _ heaps: inout [SampleHeap<Candidate>]
    ) {
        let isLimit = plan.operation == .limitk
        for step in row.first..<row.end {
            let kind = row.kind(step)
            let limit = GoMath.int64(parameter.value(step))
            if kind == CellKind.none || limit < 1 { continue }
            if kind == CellKind.histogram && !isLimit {
                context.annotations.add(.histogramIgnored(aggregation: plan.operation.rawValue), at: plan.position)
                continue
            }
            let value = kind == CellKind.float ? row.value(step) : 0
            if limit > heaps[step].items.count {
                heaps[step].push((value, Candidate(number: number, histogram: row.histogram(step))))
            } else if !isLimit, let top = heaps[step].items.first?.value {
                let isBetter = heaps[step].isReversed ? top > value : top < value
                if isBetter || (top.isNaN && !value.isNaN) {
                    heaps[step].replaceTop((value, Candidate(number: number, histogram: nil)))
                }
            }
        }
    }

    private func offerRatio(
        _ row: StepRow, _ number: Int, _ parameter: StepRow, _ heaps: inout [SampleHeap<Candidate>]
    ) {
        let offset = Self.ratioOffset(row)
        for step in row.first..<row.end where row.kind(step) != CellKind.none {
            guard Self.isWithin(parameter.value(step), offset) else { continue }
            let value = row.kind(step) == CellKind.float ? row.value(step) : 0
            heaps[step].push((value, Candidate(number: number, histogram: row.histogram(step))))
        }
    }

    /// Where a row stands among all, from 0 to 1, for `limit_ratio`.
    private static func ratioOffset(_ row: StepRow) -> Double { Double(row.labels.hash64) / Double(UInt64.max) }

    private static func isWithin(_ parameter: Double, _ offset: Double) -> Bool {
        if parameter == 0 { return false }
        let ratio = max(-1, min(1, parameter))
        return ratio >= 0 ? offset < ratio : offset >= 1 + ratio
    }

    /// False if nothing is to be chosen at any step.
    private func checkParameter(_ plan: AggregatePlan, _ values: [Double]) throws(QueryError) -> Bool {
        let (least, greatest, hasNaN) = Self.extremes(values)
        if plan.operation == .limitRatio {
            if greatest == 0 && least == 0 { return false }
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
        var heap = SampleHeap<Int>(isReversed: false)
        for index in group where rows[index].kind(step) != CellKind.none {
            guard Self.isWithin(parameter, Self.ratioOffset(rows[index])) else { continue }
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

/// A sample that may be chosen: the number of its row, and itself if it is a histogram.
private struct Candidate {
    let number: Int
    let histogram: SharedHistogram?

    func append(to builder: inout RowBuilder, _ step: Int, _ value: Double) {
        if let histogram { builder.append(step, histogram) } else { builder.append(step, value) }
    }
}
