internal import Matching
internal import MetricModel

/// What `info()` is asked for: which info metrics, and which of their labels.
private struct InfoRequest {
    /// Conditions on the names of info metrics.
    let names: [Matcher]
    /// Conditions on their other labels.
    let data: [Matcher]

    /// Source: prometheus/prometheus promql/info.go (`effectiveInfoNameMatchers`).
    init(_ matchers: [Matcher]) {
        let names = matchers.filter { $0.name == Labels.metricName }
        data = matchers.filter { $0.name != Labels.metricName }
        if names.contains(where: { $0.operation == .equal || $0.operation == .matches }) {
            self.names = names
        } else if !names.isEmpty, let info = try? Matcher(Labels.metricName, .matches, ".+_info") {
            self.names = [info] + names
        } else {
            self.names = [Matcher(Labels.metricName, equals: "target_info")]
        }
    }

    /// Whether a label of an info metric is wanted.
    func wants(_ name: ByteString) -> Bool { data.isEmpty || data.contains { $0.name == name } }

    /// Whether series without any info metric stay.
    var allowsNone: Bool { data.allSatisfy { $0.matchesEmpty } }
}

/// The labels that say which info metric belongs to which series. Sorted.
private let identifyingLabels: [ByteString] = ["instance", "job"]

extension Evaluator {
    /// `info()`: adds labels of info metrics to series.
    ///
    /// Source: prometheus/prometheus promql/info.go.
    func info(_ plan: CallPlan) throws -> [StepRow] {
        var matchers: [Matcher] = []
        if plan.arguments.count > 1 {
            var argument = plan.arguments[1]
            while case .stepInvariant(let inner) = argument { argument = inner }
            if case .selector(let selector) = argument { matchers = selector.matchers }
        }
        let request = InfoRequest(matchers)
        let base = try evaluate(plan.arguments[0])
        let isInfo = base.map { row in request.names.allSatisfy { $0.matches(row.labels.name) } }
        let enriched = base.indices.filter { !isInfo[$0] }
        let infos = try infoRows(enriched.map { base[$0].labels }, request, plan)
        let groups = InfoGroups(infos)
        try groups.checkAmbiguity(base, steps: times.count)
        var result = base.indices.filter { isInfo[$0] }.map { base[$0] }
        for index in enriched {
            try context.control.check()
            try groups.enrich(base[index], request, into: &result)
        }
        return try joined(result)
    }

    /// The info series that may belong to series with `labels`; values are the times of samples, in seconds.
    private func infoRows(_ labels: [Labels], _ request: InfoRequest, _ plan: CallPlan) throws -> [StepRow] {
        var conditions: [Matcher] = []
        for name in identifyingLabels {
            let values = Set(labels.compactMap { $0[name] }).sorted()
            if values.isEmpty { continue }
            let pattern = values.map { Self.quoted($0) }.joined(separator: [UInt8(ascii: "|")])
            do throws(RegularExpression.CompileError) {
                conditions.append(try Matcher(name, .matches, ByteString(Array(pattern))))
            } catch {
                throw QueryError.execution("too many different values of \(name) for info(): \(error)")
            }
        }
        if conditions.isEmpty { return [] }
        let place = plan.arguments.first.flatMap { Self.firstSelector($0) }
        var hints = SelectHints()
        hints.step = times.interval
        hints.function = "info"
        let selector = SelectorPlan(
            matchers: conditions + request.data + request.names, offset: place?.offset ?? 0, at: place?.at,
            rangeExtension: nil, position: plan.position, skipsBuckets: false, hints: hints)
        return try sampleTimes(selector, wantsStart: false, refusesHistograms: true)
    }

    /// Where in time the first selector of an expression looks: the innermost `@` and the offsets up to it.
    private static func firstSelector(_ node: PlanNode) -> (offset: Int64, at: Timestamp?)? {
        switch node {
        case .number, .string: return nil
        case .selector(let plan): return (plan.offset, plan.at)
        case .matrix(let plan): return (plan.selector.offset, plan.selector.at)
        case .subquery(let plan):
            return firstSelector(plan.node).map { inner in
                inner.at == nil ? (inner.offset &+ plan.offset, plan.at) : inner
            }
        case .call(let plan): return plan.arguments.lazy.compactMap { firstSelector($0) }.first
        case .aggregate(let plan):
            return firstSelector(plan.node) ?? plan.parameter.flatMap { firstSelector($0) }
        case .binary(let plan): return firstSelector(plan.left) ?? firstSelector(plan.right)
        case .negate(let inner), .stepInvariant(let inner): return firstSelector(inner)
        }
    }

    /// A text as a regular expression for just that text.
    private static func quoted(_ text: ByteString) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text.bytes {
            if "\\.+*?()|[]{}^$".utf8.contains(byte) { result.append(UInt8(ascii: "\\")) }
            result.append(byte)
        }
        return result
    }
}

/// Info series by name and identifying labels.
private struct InfoGroups {
    private let rows: [StepRow]
    /// By ``key(_:_:)``.
    private var members: [Labels: [Int]] = [:]
    /// Names of info metrics, sorted.
    private let names: [ByteString]

    init(_ rows: [StepRow]) {
        self.rows = rows
        names = Set(rows.map { $0.labels.name }).sorted()
        for (index, row) in rows.enumerated() {
            members[Self.key(row.labels, row.labels.name), default: []].append(index)
        }
    }

    private static func key(_ labels: Labels, _ name: ByteString) -> Labels {
        labels.including(identifyingLabels).setting(Labels.metricName, name)
    }

    /// Throws if two info series of one key have samples of the same time where a result is wanted.
    func checkAmbiguity(_ base: [StepRow], steps: Int) throws {
        for group in members.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            for step in 0..<steps where base.contains(where: { $0.kind(step) != CellKind.none }) {
                var newest: Int?
                for index in group where rows[index].kind(step) != CellKind.none {
                    guard let known = newest else {
                        newest = index
                        continue
                    }
                    let (old, new) = (rows[known].value(step), rows[index].value(step))
                    if old == new {
                        throw QueryError.execution(
                            "found duplicate series for info metric: existing \(rows[known].labels) @ "
                                + "\(GoMath.int64(old * 1000)), new \(rows[index].labels) @ \(GoMath.int64(new * 1000))"
                        )
                    }
                    if new > old { newest = index }
                }
            }
        }
    }

    /// Appends `row` with the labels of its info series; a row for each combination that was there at some time.
    func enrich(_ row: StepRow, _ request: InfoRequest, into result: inout [StepRow]) throws {
        let groups = names.map { members[Self.key(row.labels, $0)] ?? [] }
        var builders: [(labels: Labels, builder: RowBuilder)] = []
        var places: [[Int]: Int?] = [:]
        for step in row.first..<row.end where row.kind(step) != CellKind.none {
            let chosen = groups.map { newest($0, step) }
            let place: Int?
            if let known = places[chosen] {
                place = known
            } else {
                if chosen.allSatisfy({ $0 < 0 }) && !request.allowsNone {
                    place = nil
                } else {
                    builders.append((try labels(row.labels, chosen, request), RowBuilder(capacity: row.values.count)))
                    place = builders.count - 1
                }
                places[chosen] = place
            }
            guard let place else { continue }
            if let histogram = row.histogram(step) {
                builders[place].builder.append(step, histogram)
            } else {
                builders[place].builder.append(step, row.value(step))
            }
        }
        result += builders.compactMap { $0.builder.row($0.labels, dropName: row.dropName) }
    }

    /// The row with the newest sample at a step; -1 if there is none.
    private func newest(_ group: [Int], _ step: Int) -> Int {
        var best = -1
        for index in group where rows[index].kind(step) != CellKind.none {
            if best < 0 || rows[index].value(step) > rows[best].value(step) { best = index }
        }
        return best
    }

    private func labels(_ base: Labels, _ chosen: [Int], _ request: InfoRequest) throws -> Labels {
        var added: [ByteString: ByteString] = [:]
        for index in chosen where index >= 0 {
            for (name, value) in rows[index].labels.pairs where name != Labels.metricName && request.wants(name) {
                if let known = added[name], known != value { throw QueryError.execution("conflicting label: \(name)") }
                if !base.contains(name) { added[name] = value }
            }
        }
        var builder = LabelsBuilder(base)
        for (name, value) in added { builder.set(name, value) }
        return builder.labels()
    }
}
