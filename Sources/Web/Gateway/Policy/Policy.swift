package import Gateway
package import Matching
internal import MetricModel

/// What the gateway does about pushes of some groups, whatever their clients ask for.
package struct Policy: Sendable {
    /// Limits on all groups that a policy selects, together.
    package struct Limits: Sendable, Hashable {
        /// Most groups; nil for no limit.
        package var groups: Int?
        /// Most series of all these groups.
        package var series: Int?
        /// Most pushes a second, on average over a few seconds.
        package var pushesPerSecond: Double?

        /// No limits.
        package init() {}
    }

    /// The groups that it is for, as it was written.
    package let match: String
    /// The line of the file where it begins.
    package let line: Int
    /// The same, compiled.
    package let selector: GroupSelector
    /// Where a push does not say one itself.
    package var lifetime: Lifetime?
    /// Whether `PUT` and `POST` add to what is stored, as `PATCH` does.
    package var accumulates = false
    /// For gauges of accumulating pushes that do not say a rule themselves.
    package var gaugeRule: GaugeRule?
    /// For gauges whose name matches instead, in the order of the file.
    package var namedGaugeRules: [(name: RegularExpression, rule: GaugeRule)] = []
    /// Of the groups it is for, together.
    package var limits = Limits()

    /// A policy for groups that `selector` selects; it changes nothing until something is set.
    package init(match: String, selector: GroupSelector, line: Int) {
        self.match = match
        self.selector = selector
        self.line = line
    }

    /// Its selector, and what it does, in a few words each: lifetime, pushes, gauges, limits.
    package var summary: [String] {
        var gauges = gaugeRule.map { [$0.text] } ?? []
        gauges += namedGaugeRules.map { "\($0.name.pattern): \($0.rule.text)" }
        var limit: [String] = []
        if let groups = limits.groups { limit.append("\(groups) groups") }
        if let series = limits.series { limit.append("\(series) series") }
        if let rate = limits.pushesPerSecond { limit.append("\(rate) pushes/s") }
        return [
            match, lifetime?.text ?? "-", accumulates ? "accumulate" : "replace",
            gauges.isEmpty ? "-" : gauges.joined(separator: ", "), limit.isEmpty ? "-" : limit.joined(separator: ", "),
        ]
    }

    /// The rules for those gauges of a push that have a rule of their own.
    func gaugeRules(for families: [MetricFamily]) -> [ByteString: GaugeRule] {
        guard !namedGaugeRules.isEmpty else { return [:] }
        var rules: [ByteString: GaugeRule] = [:]
        for family in families where family.type == .gauge {
            rules[family.name] = namedGaugeRules.first { $0.name.matches(family.name) }?.rule
        }
        return rules
    }
}
