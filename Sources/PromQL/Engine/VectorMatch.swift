internal import MetricModel

/// Two vectors whose series were told by signature which of the other side they belong to.
///
/// Source of the rules: prometheus/prometheus promql/engine.go (`signatureFunc`, `resultMetric`).
struct VectorMatch {
    let left: [StepRow]
    let right: [StepRow]
    let matching: VectorMatching
    /// The signature of each row, as a small number.
    let leftSignatures: [Int]
    let rightSignatures: [Int]
    /// The labels of each signature.
    let signatures: [Labels]

    init(_ left: [StepRow], _ right: [StepRow], _ matching: VectorMatching) {
        self.left = left
        self.right = right
        self.matching = matching
        var names = matching.labels
        if !matching.isOn { names.append(Labels.metricName) }
        var sorted: [ByteString] = []
        for name in names.sorted() where sorted.last != name { sorted.append(name) }
        var subsets = LabelSubsets(of: sorted, keeping: matching.isOn, capacity: min(left.count, right.count))
        leftSignatures = left.map { subsets.number(of: $0.labels) }
        rightSignatures = right.map { subsets.number(of: $0.labels) }
        signatures = subsets.subsets
    }

    /// The same with the sides exchanged.
    var swapped: VectorMatch {
        VectorMatch(
            left: right, right: left, matching: matching, leftSignatures: rightSignatures,
            rightSignatures: leftSignatures, signatures: signatures)
    }

    private init(
        left: [StepRow], right: [StepRow], matching: VectorMatching, leftSignatures: [Int], rightSignatures: [Int],
        signatures: [Labels]
    ) {
        self.left = left
        self.right = right
        self.matching = matching
        self.leftSignatures = leftSignatures
        self.rightSignatures = rightSignatures
        self.signatures = signatures
    }

    /// For each signature, the rows that have it.
    func members(_ rowSignatures: [Int]) -> [[Int]] {
        var members = [[Int]](repeating: [], count: signatures.count)
        for (row, signature) in rowSignatures.enumerated() { members[signature].append(row) }
        return members
    }
}

extension Evaluator {
    /// `and`, `or` and `unless`.
    func combineSets(_ operation: BinaryOperator, _ match: VectorMatch) -> [StepRow] {
        switch operation {
        case .and:
            let present = Presence(match.right, match.rightSignatures, match.signatures.count, times.count)
            return match.left.indices.compactMap {
                present.filtered(match.left[$0], match.leftSignatures[$0], keepsPresent: true)
            }
        case .unless:
            let present = Presence(match.right, match.rightSignatures, match.signatures.count, times.count)
            return match.left.indices.compactMap {
                present.filtered(match.left[$0], match.leftSignatures[$0], keepsPresent: false)
            }
        default:
            let present = Presence(match.left, match.leftSignatures, match.signatures.count, times.count)
            let others = match.right.indices.compactMap {
                present.filtered(match.right[$0], match.rightSignatures[$0], keepsPresent: false)
            }
            return match.left + others
        }
    }
}

/// At which steps there is a sample of a signature.
struct Presence {
    private enum Steps {
        case never
        /// A single row has the signature.
        case row(StepRow)
        case some([Bool])
    }

    private var steps: [Steps]

    init(_ rows: [StepRow], _ signatures: [Int], _ count: Int, _ stepCount: Int) {
        steps = [Steps](repeating: .never, count: count)
        for (index, row) in rows.enumerated() {
            let signature = signatures[index]
            switch steps[signature] {
            case .never: steps[signature] = .row(row)
            case .row(let other):
                var present = [Bool](repeating: false, count: stepCount)
                Self.mark(other, &present)
                Self.mark(row, &present)
                steps[signature] = .some(present)
            case .some(var present):
                steps[signature] = .never  // so that the array is not copied
                Self.mark(row, &present)
                steps[signature] = .some(present)
            }
        }
    }

    private static func mark(_ row: StepRow, _ present: inout [Bool]) {
        for step in row.first..<row.end where row.kind(step) != CellKind.none { present[step] = true }
    }

    func contains(_ signature: Int, _ step: Int) -> Bool {
        switch steps[signature] {
        case .never: false
        case .row(let row): row.kind(step) != CellKind.none
        case .some(let present): present[step]
        }
    }

    /// The cells of `row` at steps where the signature is, or is not, there.
    func filtered(_ row: StepRow, _ signature: Int, keepsPresent: Bool) -> StepRow? {
        if case .never = steps[signature] { return keepsPresent ? nil : row }
        var builder = RowBuilder(capacity: row.values.count)
        for step in row.first..<row.end {
            let kind = row.kind(step)
            guard kind != CellKind.none, contains(signature, step) == keepsPresent else { continue }
            if let histogram = row.histogram(step) {
                builder.append(step, histogram)
            } else {
                builder.append(step, row.value(step))
            }
        }
        return builder.row(row.labels, dropName: row.dropName)
    }
}
