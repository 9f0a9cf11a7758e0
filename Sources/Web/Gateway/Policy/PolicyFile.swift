internal import Gateway
internal import Matching
internal import MetricModel
internal import YAML

/// The file behind `--gateway.policy-file`: an ordered list, of which the first that matches a group counts.
///
///     policies:
///       - match: '{job=~"ci-.*"}'
///         lifetime: 1h
///       - match: '{job="function"}'
///         accumulate: true
///         gauges: {default: last, 'peak_.*': max}
///         limits: {groups: 1000, series: 20000, pushes_per_second: 50}
package struct PolicyFile: Sendable {
    /// Why a file cannot be used, with the line.
    package struct Invalid: Error, CustomStringConvertible {
        package let description: String

        /// The reason `description`.
        init(description: String) { self.description = description }
    }

    /// In the order of the file.
    package let policies: [Policy]

    /// Reads a file strictly: unknown and repeated fields are errors.
    /// - Throws: ``Invalid``.
    package init(_ text: [UInt8]) throws(Invalid) {
        do throws(YAMLError) {
            policies = try YAMLDecoder.decode(text, empty: []) { node, decoder throws(YAMLError) in
                try Self.read(node, decoder)
            }
        } catch {
            throw Invalid(description: error.description)
        }
    }

    private static func read(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> [Policy] {
        var policies: [Policy] = []
        try decoder.fields(of: node, type: "policy file") { name, value throws(YAMLError) in
            guard name == "policies" else { return false }
            for item in decoder.items(value, type: "[]policy") {
                policies.append(try readPolicy(item, decoder))
            }
            return true
        }
        return policies
    }

    private static func readPolicy(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Policy {
        // The selector comes first, wherever it stands.
        var match: (text: String, line: Int)?
        var parts = Policy(match: "", selector: GroupSelector([]), line: node.line)
        try decoder.fields(of: node, type: "policy") { name, value throws(YAMLError) in
            switch name {
            case "match": match = (try decoder.string(value), value.line)
            case "lifetime":
                let text = try decoder.string(value)
                parts.lifetime = try wish(value.line) { () throws(InvalidWish) in try Lifetime(text: text) }
            case "accumulate": parts.accumulates = decoder.boolean(value)
            case "gauges": try readGauges(value, decoder, into: &parts)
            case "limits": parts.limits = try readLimits(value, decoder)
            default: return false
            }
            return true
        }
        guard let match else {
            throw .invalid("a policy has no match: say which groups it is for, {} for all", line: node.line)
        }
        let selector = try wish(match.line) { () throws(InvalidWish) in try GroupSelector(text: match.text) }
        var policy = Policy(match: match.text, selector: selector, line: node.line)
        policy.lifetime = parts.lifetime
        policy.accumulates = parts.accumulates
        policy.gaugeRule = parts.gaugeRule
        policy.namedGaugeRules = parts.namedGaugeRules
        policy.limits = parts.limits
        return policy
    }

    /// One rule for all gauges, or rules by regular expressions over names, with `default` for the rest.
    private static func readGauges(
        _ node: YAMLNode, _ decoder: YAMLDecoder, into policy: inout Policy
    ) throws(YAMLError) {
        func rule(_ node: YAMLNode) throws(YAMLError) -> GaugeRule {
            let text = try decoder.string(node)
            return try wish(node.line) { () throws(InvalidWish) in try GaugeRule(text: text) }
        }
        guard case .mapping = node.content else {
            policy.gaugeRule = try rule(node)
            return
        }
        for (name, value) in try decoder.entries(node, type: "gauge rules") {
            if name == "default" {
                policy.gaugeRule = try rule(value)
                continue
            }
            let rule = try rule(value)
            do throws(RegularExpression.CompileError) {
                policy.namedGaugeRules.append((try RegularExpression(name), rule))
            } catch {
                throw .invalid("invalid name of gauges: \(error)", line: value.line)
            }
        }
    }

    private static func readLimits(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Policy.Limits {
        func count(_ node: YAMLNode) throws(YAMLError) -> Int {
            let number = decoder.integer(node)
            guard number >= 0 else { throw .invalid("a limit is 0 or more", line: node.line) }
            return Int(number)
        }
        var limits = Policy.Limits()
        try decoder.fields(of: node, type: "policy limits") { name, value throws(YAMLError) in
            switch name {
            case "groups": limits.groups = try count(value)
            case "series": limits.series = try count(value)
            case "pushes_per_second":
                let rate = decoder.float(value)
                guard rate > 0, rate <= 1e9 else {
                    throw .invalid("pushes_per_second is above 0 and at most 1e9", line: value.line)
                }
                limits.pushesPerSecond = rate
            default: return false
            }
            return true
        }
        return limits
    }

    /// What `read` gives, with the line of a refusal.
    private static func wish<Value>(_ line: Int, _ read: () throws(InvalidWish) -> Value) throws(YAMLError) -> Value {
        do throws(InvalidWish) {
            return try read()
        } catch {
            throw .invalid(error.description, line: line)
        }
    }
}
