internal import MetricModel

extension Evaluator {
    /// An arithmetic operation or comparison between two vectors.
    ///
    /// Source: prometheus/prometheus promql/engine.go (`VectorBinop`).
    func combine(_ plan: BinaryPlan, _ given: VectorMatch) throws -> [StepRow] {
        // From here on the right side is the one of which a signature may have only one sample at a step.
        let isSwapped = given.matching.cardinality == .oneToMany
        let match = isSwapped ? given.swapped : given
        let matching = match.matching
        // The parser writes fills by side, and exchanges nothing for `group_right`.
        let fillForRight = matching.rightFill
        let fillForLeft = matching.leftFill
        if match.left.isEmpty && match.right.isEmpty { return [] }
        if (match.left.isEmpty || match.right.isEmpty) && fillForRight == nil && fillForLeft == nil { return [] }
        var combination = Combination(
            plan: plan, match: match, isSwapped: isSwapped, steps: times.count,
            dropsName: plan.returnsBool && !context.delaysNameRemoval)
        try combination.checkSteps(context)
        var result: [StepRow] = []
        for index in match.left.indices {
            if index & 15 == 0 { try context.control.check() }
            combination.combine(left: index, fill: fillForRight, into: &result)
        }
        if let fillForLeft {
            for index in match.right.indices {
                if index & 15 == 0 { try context.control.check() }
                combination.combineUnmatched(right: index, fill: fillForLeft, into: &result)
            }
        }
        for note in combination.notes.inOrder { context.annotations.add(note, at: plan.position) }
        return result
    }
}

/// Computes an operation pair by pair.
private struct Combination {
    let plan: BinaryPlan
    let match: VectorMatch
    let isSwapped: Bool
    let steps: Int
    let dropsName: Bool
    let operation: PairOperation
    var notes = StepNotes()
    private let leftMembers: [[Int]]
    private let rightMembers: [[Int]]
    private let leftPresence: Presence?

    init(plan: BinaryPlan, match: VectorMatch, isSwapped: Bool, steps: Int, dropsName: Bool) {
        self.plan = plan
        self.match = match
        self.isSwapped = isSwapped
        self.steps = steps
        self.dropsName = dropsName
        operation = PairOperation(
            operation: ElementOperation(operation: plan.operation), returnsBool: plan.returnsBool)
        leftMembers = match.members(match.leftSignatures)
        rightMembers = match.members(match.rightSignatures)
        leftPresence =
            match.matching.leftFill == nil
            ? nil : Presence(match.left, match.leftSignatures, match.signatures.count, steps)
    }

    // MARK: Pairs

    /// A row of the left side with its partners; where none is there, with `fill`.
    mutating func combine(left index: Int, fill: Double?, into result: inout [StepRow]) {
        let row = match.left[index]
        let signature = match.leftSignatures[index]
        let partners = rightMembers[signature]
        for partner in partners {
            let other = match.right[partner]
            let labels = labels(row.labels, other.labels)
            let first = max(row.first, other.first)
            let end = min(row.end, other.end)
            guard first < end else { continue }
            if !row.hasHistograms && !other.hasHistograms, let built = fast(row, other, first..<end, labels) {
                if let built = built.row { result.append(built) }
                continue
            }
            var builder = RowBuilder(capacity: end - first)
            for step in first..<end where row.kind(step) != CellKind.none && other.kind(step) != CellKind.none {
                apply(Self.side(row, step), Self.side(other, step), step, &builder)
            }
            if let built = builder.row(labels, dropName: plan.returnsBool) { result.append(built) }
        }
        guard let fill else { return }
        let filled = ElementOperation.Side(number: fill, histogram: nil)
        var builder = RowBuilder(capacity: row.values.count)
        for step in row.first..<row.end where row.kind(step) != CellKind.none {
            if partners.contains(where: { match.right[$0].kind(step) != CellKind.none }) { continue }
            apply(Self.side(row, step), filled, step, &builder)
        }
        let labels = labels(row.labels, match.signatures[signature])
        if let built = builder.row(labels, dropName: plan.returnsBool) { result.append(built) }
    }

    /// A row of the right side at the steps at which it has no partner.
    mutating func combineUnmatched(right index: Int, fill: Double, into result: inout [StepRow]) {
        let row = match.right[index]
        let signature = match.rightSignatures[index]
        let filled = ElementOperation.Side(number: fill, histogram: nil)
        var builder = RowBuilder(capacity: row.values.count)
        for step in row.first..<row.end where row.kind(step) != CellKind.none {
            if isMatched(right: index, step) { continue }
            apply(filled, Self.side(row, step), step, &builder)
        }
        let labels = labels(match.signatures[signature], row.labels)
        if let built = builder.row(labels, dropName: plan.returnsBool) { result.append(built) }
    }

    /// Whether the row of the right side has a partner with which the operation can be done.
    private func isMatched(right index: Int, _ step: Int) -> Bool {
        let signature = match.rightSignatures[index]
        guard leftPresence?.contains(signature, step) ?? false else { return false }
        return leftMembers[signature].contains {
            match.left[$0].kind(step) != CellKind.none && gives($0, index, step)
        }
    }

    private static func side(_ row: StepRow, _ step: Int) -> ElementOperation.Side {
        let histogram = row.histogram(step)
        return ElementOperation.Side(number: histogram == nil ? row.value(step) : 0, histogram: histogram)
    }

    private mutating func apply(
        _ left: ElementOperation.Side, _ right: ElementOperation.Side, _ step: Int, _ builder: inout RowBuilder
    ) {
        var note: Annotation.Kind?
        let outcome =
            isSwapped
            ? operation.apply(right, left, keptIsRight: false, &note)
            : operation.apply(left, right, keptIsRight: false, &note)
        if let note { notes.set(note, step) }
        outcome?.append(to: &builder, step)
    }

    /// Two rows without histograms or gaps, in one pass; nil where that does not do.
    private func fast(
        _ left: StepRow, _ right: StepRow, _ range: Range<Int>, _ labels: Labels
    ) -> (row: StepRow?, done: Void)? {
        guard left.kinds.isEmpty, right.kinds.isEmpty else { return nil }
        let (a, b) = isSwapped ? (right, left) : (left, right)
        let (i, j) = (range.lowerBound - a.first, range.lowerBound - b.first)
        if let arithmetic = operation.operation.arithmetic() {
            var values = [Double](repeating: 0, count: range.count)
            for cell in values.indices { values[cell] = arithmetic(a.values[i + cell], b.values[j + cell]) }
            return (StepRow(labels: labels, dropName: plan.returnsBool, first: range.lowerBound, values: values), ())
        }
        guard let comparison = operation.operation.comparison() else { return nil }
        var builder = RowBuilder(capacity: range.count)
        for cell in 0..<range.count {
            let holds = comparison(a.values[i + cell], b.values[j + cell])
            if plan.returnsBool {
                builder.append(range.lowerBound + cell, holds ? 1 : 0)
            } else if holds {
                builder.append(range.lowerBound + cell, a.values[i + cell])
            }
        }
        return (builder.row(labels, dropName: plan.returnsBool), ())
    }

    /// The labels of a result.
    private func labels(_ left: Labels, _ right: Labels) -> Labels {
        var labels = left
        if dropsName || operation.operation.changesMeaning { labels = labels.withoutMetadata }
        let matching = match.matching
        if matching.cardinality == .oneToOne {
            var names: [ByteString] = []
            for name in matching.labels.sorted() where names.last != name { names.append(name) }
            labels = matching.isOn ? labels.including(names) : labels.excluding(names)
        }
        for name in matching.include { labels = labels.setting(name, right[name] ?? "") }
        return labels
    }

    // MARK: Ambiguity

    /// Looks for signatures with more than one sample where only one may be, step by step as upstream finds them.
    /// Where no signature could have one, nothing is done.
    /// - Complexity: O(rows), and O(rows × steps) if some signature has several rows.
    func checkSteps(_ context: EvaluationContext) throws {
        let ambiguousRight = rightMembers.indices.filter { rightMembers[$0].count > 1 }
        let ambiguousLeft = leftMembers.indices.filter { leftMembers[$0].count > 1 && mayMatch($0) }
        if ambiguousRight.isEmpty && ambiguousLeft.isEmpty { return }
        let suspects = ambiguousLeft.filter { signature in
            if match.matching.cardinality == .oneToOne { return true }
            // Many to one: only where results come out alike.
            var seen: Set<Labels> = []
            return leftMembers[signature].contains { index in
                let partner =
                    rightMembers[signature].first.map { match.right[$0].labels } ?? match.signatures[signature]
                return !seen.insert(labels(match.left[index].labels, partner)).inserted
            } || rightMembers[signature].count > 1
        }
        if ambiguousRight.isEmpty && suspects.isEmpty { return }
        for step in 0..<steps {
            if step & 15 == 0 { try context.control.check() }
            try checkRight(ambiguousRight, step)
            for signature in suspects { try checkLeft(signature, step) }
        }
    }

    private func mayMatch(_ signature: Int) -> Bool {
        !rightMembers[signature].isEmpty || match.matching.rightFill != nil
    }

    private func checkRight(_ signatures: [Int], _ step: Int) throws {
        if signatures.isEmpty { return }
        let hasFill = match.matching.leftFill != nil || match.matching.rightFill != nil
        guard hasFill || match.left.contains(where: { $0.kind(step) != CellKind.none }) else { return }
        // The first duplicate in the order of the rows.
        var found: (first: Int, second: Int, signature: Int)?
        for signature in signatures {
            let present = rightMembers[signature].filter { match.right[$0].kind(step) != CellKind.none }
            if present.count > 1, found.map({ present[1] < $0.second }) ?? true {
                found = (present[0], present[1], signature)
            }
        }
        guard let found else { return }
        let side = isSwapped ? "left" : "right"
        let texts = [match.right[found.first].labels, match.right[found.second].labels].map {
            ByteString($0.description)
        }.sorted()
        throw QueryError.execution(
            "found duplicate series for the match group \(match.signatures[found.signature]) on the \(side) hand-side of "
                + "the operation: [\(texts[0]), \(texts[1])];many-to-many matching not allowed: matching labels must be "
                + "unique on one side")
    }

    private func checkLeft(_ signature: Int, _ step: Int) throws {
        let partner = rightMembers[signature].first { match.right[$0].kind(step) != CellKind.none }
        if partner == nil && match.matching.rightFill == nil { return }
        let present = leftMembers[signature].filter { match.left[$0].kind(step) != CellKind.none }
        guard present.count > 1 else { return }
        if match.matching.cardinality == .oneToOne {
            // Operations that give nothing leave no trace, so that they cannot be in the way.
            let counted = present.filter { gives($0, partner, step) }
            if counted.count < 2 { return }
            throw QueryError.execution(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        }
        var seen: Set<Labels> = []
        let other = partner.map { match.right[$0].labels } ?? match.signatures[signature]
        for index in present where gives(index, partner, step) {
            if !seen.insert(labels(match.left[index].labels, other)).inserted {
                throw QueryError.execution(
                    "multiple matches for labels: grouping labels must ensure unique matches")
            }
        }
    }

    /// Whether the operation between two samples is one that can be done.
    private func gives(_ left: Int, _ right: Int?, _ step: Int) -> Bool {
        let a = Self.side(match.left[left], step)
        let b =
            right.map { Self.side(match.right[$0], step) }
            ?? ElementOperation.Side(number: match.matching.rightFill ?? 0, histogram: nil)
        if a.histogram == nil && b.histogram == nil {
            return operation.operation.arithmetic() != nil || operation.operation.comparison() != nil
        }
        var note: Annotation.Kind?
        let outcome =
            isSwapped ? operation.operation.histograms(b, a, &note) : operation.operation.histograms(a, b, &note)
        if case .nothing = outcome { return false }
        return true
    }
}
