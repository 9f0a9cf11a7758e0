internal import ByteCoding
internal import MetricModel

extension Evaluator {
    /// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, over native and classic histograms.
    ///
    /// Classic buckets are sorted into histograms once a query; a step only collects the counts that are there.
    func histogramInterpolation(_ plan: CallPlan) throws -> [StepRow] {
        let request = try InterpolationRequest(plan, self)
        let rows = try evaluate(request.vector)
        for (quantile, position) in request.quantiles {
            for step in 0..<times.count {
                let q = quantile.value(step)
                if q.isNaN || q < 0 || q > 1 { context.annotations.add(.invalidQuantile(.init(q)), at: position) }
            }
        }
        var groups = ClassicGroups(rows)
        noteBadBuckets(rows, groups, request)
        noteConflicts(rows, &groups, request)
        var result: [StepRow] = []
        var corrections = MonotonicityLog(steps: times.count)
        for index in 0..<max(1, request.quantiles.count) {
            result += try nativeRows(rows, groups, request, index)
            result += try classicRows(rows, groups, request, index, &corrections)
        }
        for annotation in corrections.annotations(at: request.position) { context.annotations.add(annotation) }
        let dropped = try droppingNames(result)
        // Two quantiles that are the same give the same labels; an instant query lets that pass until its end.
        return context.delaysNameRemoval && !times.isInstant ? try joined(dropped) : dropped
    }

    private func noteBadBuckets(_ rows: [StepRow], _ groups: ClassicGroups, _ request: InterpolationRequest) {
        for index in groups.malformed {
            let row = rows[index]
            guard row.kinds.isEmpty || row.kinds.contains(CellKind.float) else { continue }
            context.annotations.add(
                .badBucketLabel(metric: reportedName(row.labels), label: row.labels[LabelNames.bucket] ?? ""),
                at: request.position)
        }
    }

    /// Where a classic and a native histogram with the same labels meet, neither is evaluated.
    private func noteConflicts(_ rows: [StepRow], _ groups: inout ClassicGroups, _ request: InterpolationRequest) {
        for (index, row) in rows.enumerated() where row.hasHistograms {
            guard let group = groups.group(of: row.labels) else { continue }
            for step in row.first..<row.end where row.kind(step) == CellKind.histogram {
                guard groups.isPresent(group, step, rows) else { continue }
                groups.exclude(group, row: index, step: step)
                context.annotations.add(
                    .mixedClassicNativeHistograms(metric: reportedName(row.labels)), at: request.position)
            }
        }
    }

    private func reportedName(_ labels: Labels) -> ByteString { context.delaysNameRemoval ? labels.name : "" }

    private func nativeRows(
        _ rows: [StepRow], _ groups: ClassicGroups, _ request: InterpolationRequest, _ number: Int
    ) throws -> [StepRow] {
        var result: [StepRow] = []
        for (index, row) in rows.enumerated() where row.hasHistograms {
            try context.control.check()
            // With names dropped at once, annotations about quantiles lack the name as well.
            var notes = RangeNotes(
                metric: reportedName(row.labels), position: request.position, control: context.control)
            var builder = RowBuilder(capacity: row.values.count)
            for step in row.first..<row.end {
                guard let histogram = row.histogram(step)?.value, !groups.isExcluded(row: index, step: step) else {
                    continue
                }
                builder.append(step, request.native(histogram, number, step, &notes))
            }
            context.annotations.merge(notes.annotations)
            if let made = builder.row(row.labels) { result += request.labelled(made, number, context) }
        }
        return result
    }

    private func classicRows(
        _ rows: [StepRow], _ groups: ClassicGroups, _ request: InterpolationRequest, _ number: Int,
        _ corrections: inout MonotonicityLog
    ) throws -> [StepRow] {
        var result: [StepRow] = []
        var buckets = ClassicBuckets()
        for (index, group) in groups.all.enumerated() {
            try context.control.check()
            var builder = RowBuilder(capacity: times.count)
            let first = group.members.map { rows[$0.row].first }.min() ?? 0
            let end = group.members.map { rows[$0.row].end }.max() ?? 0
            for step in first..<max(first, end) where !groups.isExcluded(group: index, step: step) {
                buckets.removeAll()
                for member in group.members where rows[member.row].kind(step) == CellKind.float {
                    buckets.append(member.bound, rows[member.row].value(step))
                }
                guard !buckets.bounds.isEmpty else { continue }
                builder.append(step, value(of: &buckets, group.labels, request, number, step, &corrections))
            }
            if let made = builder.row(group.labels) { result += request.labelled(made, number, context) }
        }
        return result
    }

    private func value(
        of buckets: inout ClassicBuckets, _ labels: Labels, _ request: InterpolationRequest, _ number: Int, _ step: Int,
        _ corrections: inout MonotonicityLog
    ) -> Double {
        if let (lower, upper) = request.bounds { return buckets.fraction(lower.value(step), upper.value(step)) }
        let (value, correction) = buckets.quantile(request.quantiles[number].quantile.value(step))
        // Upstream corrects the counts once for all quantiles.
        let isFirst = !request.quantiles[..<number].contains { (0...1).contains($0.quantile.value(step)) }
        if isFirst, let correction { corrections.add(correction, reportedName(labels), step, times.time(step)) }
        return value
    }
}

/// Collects where counts of classic buckets had to be made ascending, by the metric name that annotations tell.
private struct MonotonicityLog {
    private let steps: Int
    private var entries: [ByteString: (monotonicity: Annotation.Monotonicity, counts: [Int])] = [:]

    init(steps: Int) { self.steps = steps }

    mutating func add(_ correction: ClassicBuckets.Correction, _ metric: ByteString, _ step: Int, _ time: Timestamp) {
        let new = Annotation.Monotonicity(
            earliest: time, latest: time, lowestBucket: correction.lowest, highestBucket: correction.highest,
            maximumDifference: correction.difference)
        var entry = entries.removeValue(forKey: metric) ?? (new, [Int](repeating: 0, count: steps))
        entry.monotonicity.merge(new)
        entry.counts[step] += 1
        entries[metric] = entry
    }

    func annotations(at position: PositionRange) -> [Annotation] {
        entries.sorted { $0.key < $1.key }.map { metric, entry in
            var annotation = Annotation(.forcedMonotonicity(metric: metric), at: position)
            annotation.monotonicity = entry.monotonicity
            annotation.monotonicity?.count = Self.reportedCount(entry.counts)
            return annotation
        }
    }

    /// How many corrections upstream says there were: from the second step on that adds to them, or follows one, it
    /// merges its annotation with itself, which doubles the number.
    private static func reportedCount(_ counts: [Int]) -> Int {
        var total = 0
        var hasBegun = false
        for count in counts {
            total = hasBegun ? (total &+ count) &* 2 : count
            hasBegun = hasBegun || count > 0
        }
        return total
    }
}

/// What is wanted of the histograms.
struct InterpolationRequest {
    let function: Function
    let vector: PlanNode
    /// Where annotations about the histograms point.
    let position: PositionRange
    private(set) var quantiles: [(quantile: StepRow, position: PositionRange)] = []
    /// The limits of `histogram_fraction`.
    private(set) var bounds: (lower: StepRow, upper: StepRow)?
    /// The label that tells the quantile, of `histogram_quantiles`.
    private(set) var label: ByteString?

    init(_ plan: CallPlan, _ evaluator: Evaluator) throws {
        function = plan.function
        switch plan.function {
        case .histogramFraction:
            vector = plan.arguments[2]
            position = plan.argumentPositions[2]
            bounds = (try evaluator.scalar(plan.arguments[0]), try evaluator.scalar(plan.arguments[1]))
        case .histogramQuantiles:
            vector = plan.arguments[0]
            position = plan.argumentPositions[0]
            if case .string(let name) = plan.arguments[1] { label = name }
            for index in 2..<max(2, plan.arguments.count) {
                quantiles.append((try evaluator.scalar(plan.arguments[index]), plan.argumentPositions[index]))
            }
        default:
            vector = plan.arguments[1]
            position = plan.argumentPositions[1]
            quantiles = [(try evaluator.scalar(plan.arguments[0]), plan.argumentPositions[0])]
        }
    }

    /// The value of a native histogram.
    func native(_ histogram: FloatHistogram, _ number: Int, _ step: Int, _ notes: inout RangeNotes) -> Double {
        if let bounds {
            return HistogramStatistics.fraction(
                bounds.lower.value(step), bounds.upper.value(step), histogram, &notes)
        }
        return HistogramStatistics.quantile(quantiles[number].quantile.value(step), histogram, &notes)
    }

    /// A result with the quantile among its labels where asked for: a row for each that its steps have.
    func labelled(_ row: StepRow, _ number: Int, _ context: EvaluationContext) -> [StepRow] {
        guard let label else { return [row] }
        let quantile = quantiles[number].quantile
        let base = context.delaysNameRemoval ? row.labels : row.labels.withoutMetadata
        var builders: [(text: ByteString, builder: RowBuilder)] = []
        var places: [UInt64: Int] = [:]
        for step in row.first..<row.end where row.kind(step) == CellKind.float {
            let value = quantile.value(step)
            let place = places[value.bitPattern] ?? builders.count
            if place == builders.count {
                places[value.bitPattern] = place
                let text = ByteString(FloatText.string(value, .openMetrics))
                builders.append((text, RowBuilder(capacity: row.values.count)))
            }
            builders[place].builder.append(step, row.value(step))
        }
        return builders.compactMap { $0.builder.row(base.setting(label, $0.text)) }
    }
}

/// The classic histograms among rows: which rows are buckets of the same one, in the order of their bounds.
struct ClassicGroups {
    struct Group {
        let labels: Labels
        var members: [(bound: Double, row: Int)] = []
        /// Steps at which a native histogram is in the way.
        var excluded: Set<Int> = []
    }

    private(set) var all: [Group] = []
    /// Rows whose `le` is missing or no number.
    private(set) var malformed: [Int] = []
    /// The labels without `le`.
    private var subsets = LabelSubsets(of: [LabelNames.bucket], keeping: false)
    private var excludedRows: [Int: Set<Int>] = [:]

    init(_ rows: [StepRow]) {
        for (index, row) in rows.enumerated() {
            guard row.kinds.isEmpty || row.kinds.contains(CellKind.float) else { continue }
            guard let text = row.labels[LabelNames.bucket], let bound = FloatText.parse(text.bytes, .go) else {
                malformed.append(index)
                continue
            }
            let place = subsets.number(of: row.labels)
            if place == all.count { all.append(Group(labels: subsets.subsets[place])) }
            all[place].members.append((bound, index))
        }
        for index in all.indices { all[index].members.sort { $0.bound < $1.bound } }
    }

    /// The classic histogram that a native one with these labels collides with.
    mutating func group(of labels: Labels) -> Int? {
        guard !all.isEmpty, !labels.contains(LabelNames.bucket) else { return nil }
        let place = subsets.number(of: labels)
        return place < all.count ? place : nil
    }

    /// Whether the classic histogram has a bucket at `step`.
    func isPresent(_ group: Int, _ step: Int, _ rows: [StepRow]) -> Bool {
        all[group].members.contains { rows[$0.row].kind(step) == CellKind.float }
    }

    /// Leaves out both the classic histogram and the native one of `row` at `step`.
    mutating func exclude(_ group: Int, row: Int, step: Int) {
        all[group].excluded.insert(step)
        excludedRows[row, default: []].insert(step)
    }

    func isExcluded(group: Int, step: Int) -> Bool {
        !all[group].excluded.isEmpty && all[group].excluded.contains(step)
    }

    func isExcluded(row: Int, step: Int) -> Bool { excludedRows[row]?.contains(step) ?? false }
}
