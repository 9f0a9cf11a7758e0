import Gateway
import MetricModel

/// The gateway's rules written down as plainly as possible: everything is looked at for every push and every scrape.
struct NaiveGateway {
    struct Group {
        var families: [ByteString: MetricFamily] = [:]
        var pushTime: Int64 = 0
        var failureTime: Int64 = 0
    }

    struct Series: Hashable {
        let family: ByteString
        let labels: [LabelPair]
    }

    private(set) var groups: [GroupingKey: Group] = [:]

    /// - Returns: Whether the command was taken.
    mutating func apply(_ command: Command) -> Bool {
        switch command {
        case .wipe: groups = [:]
        case .delete(let key): groups[key] = nil
        case .push(let push): return apply(push)
        case .deleteAll, .batch, .once, .expire, .scraped: return false
        }
        return true
    }

    private mutating func apply(_ push: Push) -> Bool {
        var next = self
        next.take(push)
        let last = Dictionary(push.families.map { ($0.name, $0) }) { $1 }.values
        let isTimed = last.contains { $0.metrics.contains { $0.timestamp != nil } }
        if isTimed || (push.check == .consistency && !next.isConsistent(asked: push.group)) {
            var failed = self
            failed.groups[push.group, default: Group()].failureTime = push.time
            // A group that could only be marked at the cost of a conflict is not made.
            if push.check == .none || failed.areTimesUnique { self = failed }
            return push.check == .none
        }
        self = next
        return true
    }

    private mutating func take(_ push: Push) {
        var group = groups[push.group] ?? Group()
        if push.mode == .replaceGroup { group.families = [:] }
        for family in push.families {
            var family = family
            family.metrics = family.metrics.map { metric in
                var labels: [ByteString: ByteString] = ["instance": ""]
                for label in metric.labels { labels[label.name] = label.value }
                for label in push.group.labels { labels[label.name] = label.value }
                let sorted = labels.sorted { $0.key < $1.key }.map { LabelPair($0.key, $0.value) }
                return Metric(labels: sorted, value: metric.value)
            }
            group.families[family.name] = family
        }
        group.pushTime = push.time
        groups[push.group] = group
    }

    private var areTimesUnique: Bool {
        var seen: Set<[LabelPair]> = []
        return groups.keys.allSatisfy { seen.insert(NaiveGateway.withInstance($0)).inserted }
    }

    private static func withInstance(_ key: GroupingKey) -> [LabelPair] {
        key["instance"] == nil ? (key.labels + [LabelPair("instance", "")]).sorted { $0.name < $1.name } : key.labels
    }

    private func isConsistent(asked: GroupingKey) -> Bool {
        guard areTimesUnique else { return false }
        var types: [ByteString: MetricType] = [:]
        var seen: Set<Series> = []
        for group in groups.values {
            for family in group.families.values {
                if let type = types[family.name], type != family.type { return false }
                types[family.name] = family.type
                for metric in family.metrics
                where !seen.insert(Series(family: family.name, labels: metric.labels)).inserted || !fits(metric) {
                    return false
                }
            }
        }
        return !types.keys.contains { NaiveGateway.isShadowed($0, types) }
    }

    private func fits(_ metric: Metric) -> Bool {
        guard case .summary = metric.value else { return true }
        return !metric.labels.contains { $0.name == "quantile" }
    }

    private static func isShadowed(_ name: ByteString, _ types: [ByteString: MetricType]) -> Bool {
        for suffix in ["_sum", "_count", "_bucket"] where name.string.hasSuffix(suffix) {
            switch types[ByteString(String(name.string.dropLast(suffix.count)))] {
            case .histogram: return true
            case .summary: return suffix != "_bucket"
            default: continue
            }
        }
        return false
    }

    // MARK: What a scrape shows

    /// The scrape, without the times of pushes, in order.
    var exposition: [String] {
        var names: Set<ByteString> = []
        for group in groups.values { names.formUnion(group.families.keys) }
        var types: [ByteString: MetricType] = [:]
        for name in names { types[name] = type(of: name) }
        return names.sorted().filter { !NaiveGateway.isShadowed($0, types) }.flatMap {
            lines($0, types[$0] ?? .unknown)
        }
    }

    private func members(_ name: ByteString) -> [(key: GroupingKey, family: MetricFamily)] {
        groups.keys.sorted().compactMap { key in groups[key]?.families[name].map { (key, $0) } }
    }

    private func type(of name: ByteString) -> MetricType {
        let types = members(name).map(\.family.type)
        return MetricType.allCases.max { a, b in
            types.filter { $0 == a }.count < types.filter { $0 == b }.count
        }.map { best in
            let votes = types.filter { $0 == best }.count
            return MetricType.allCases.first { type in types.filter { $0 == type }.count == votes } ?? best
        } ?? .unknown
    }

    private func lines(_ name: ByteString, _ type: MetricType) -> [String] {
        var seen: Set<[LabelPair]> = []
        var shown: [Metric] = []
        for member in members(name) {
            for metric in member.family.metrics where seen.insert(metric.labels).inserted {
                if member.family.type == type { shown.append(metric) }
            }
        }
        guard !shown.isEmpty else { return [] }
        shown.sort(by: NaiveGateway.precedes)
        return head(name, type) + shown.flatMap { NaiveGateway.lines(name, $0) }
    }

    private func head(_ name: ByteString, _ type: MetricType) -> [String] {
        var votes: [ByteString: Int] = [:]
        for member in members(name) {
            if let help = member.family.help { votes[help, default: 0] += 1 }
        }
        let winner = votes.max { ($0.value, $1.key) < ($1.value, $0.key) }
        let word = type == .unknown ? "untyped" : type.openMetricsName
        return (winner.map { ["# HELP \(name) \($0.key)"] } ?? []) + ["# TYPE \(name) \(word)"]
    }

    private static func precedes(_ left: Metric, _ right: Metric) -> Bool {
        if left.labels.count != right.labels.count { return left.labels.count < right.labels.count }
        for (a, b) in zip(left.labels, right.labels) where a.value != b.value { return a.value < b.value }
        for (a, b) in zip(left.labels, right.labels) where a.name != b.name { return a.name < b.name }
        return false
    }

    private static func lines(_ name: ByteString, _ metric: Metric) -> [String] {
        func line(_ suffix: String, _ extra: String?, _ value: Double) -> String {
            let labels = metric.labels.map { "\($0.name)=\"\($0.value)\"" } + (extra.map { [$0] } ?? [])
            return "\(name)\(suffix){\(labels.joined(separator: ","))} \(Int(value))"
        }
        switch metric.value {
        case .counter(let counter): return [line("", nil, counter.value)]
        case .gauge(let value), .untyped(let value): return [line("", nil, value)]
        case .summary(let summary):
            return summary.quantiles.map { line("", "quantile=\"\($0.quantile)\"", $0.value) }
                + [line("_sum", nil, summary.sum ?? 0), line("_count", nil, summary.count ?? 0)]
        case .histogram(let histogram):
            return histogram.buckets.map { line("_bucket", "le=\"\(Int($0.upperBound))\"", $0.count) }
                + [
                    line("_bucket", "le=\"+Inf\"", histogram.count ?? 0), line("_sum", nil, histogram.sum ?? 0),
                    line("_count", nil, histogram.count ?? 0),
                ]
        }
    }
}
