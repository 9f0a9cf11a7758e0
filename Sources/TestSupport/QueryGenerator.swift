/// Random PromQL text, valid by construction and well-typed, for property and differential tests.
///
/// The same seed gives the same queries. What it knows of the data (metric and label names, values) is a parameter,
/// so that the queries select something.
package struct QueryGenerator: Sendable {
    /// What the generated queries may use.
    package struct Vocabulary: Sendable {
        /// Metric names of counters and gauges.
        package var metrics = ["up", "http_requests_total", "memory_bytes", "latency_seconds"]
        /// Metric names of classic histograms, with their `_bucket`.
        package var buckets = ["latency_seconds_bucket"]
        package var labels = ["job", "instance", "code", "le"]
        package var values = ["api", "web", "a:1", "b:2", "200", "500", ""]
        /// Whether flags of Prometheus 3 are on: arithmetic with durations, fill modifiers, `anchored`, `smoothed`.
        package var hasExperimentalSyntax = false
        /// Whether selectors may have quoted metric names, and the like of Prometheus 3.
        package var hasUTF8Names = false

        /// A vocabulary of common names.
        package init() {}
    }

    private var random: SeededGenerator
    package let vocabulary: Vocabulary

    /// The generator of `seed`.
    package init(seed: UInt64, vocabulary: Vocabulary = Vocabulary()) {
        random = SeededGenerator(seed: seed)
        self.vocabulary = vocabulary
    }

    // MARK: Entry points

    /// A query whose result is an instant vector or a scalar: what may be asked over a range.
    package mutating func query(depth: Int = 4) -> String {
        chance(0.1) ? scalar(depth) : vector(depth)
    }

    /// A query of any type.
    package mutating func expression(depth: Int = 4) -> String {
        chance(0.1) ? matrix(depth) : query(depth: depth)
    }

    // MARK: Types

    private mutating func vector(_ depth: Int) -> String {
        if depth <= 0 || chance(0.15) { return selector() + instantModifiers() }
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1, 2: return binary(depth)
        case 3, 4: return aggregation(depth)
        case 5, 6, 7: return "\(pick(Self.overTime))(\(matrix(depth - 1)))"
        case 8: return "\(pick(Self.pointwise))(\(vector(depth - 1)))"
        case 9: return special(depth)
        case 10: return "(\(vector(depth - 1)))"
        default: return pick(["-", "+"]) + vector(depth - 1)
        }
    }

    private mutating func matrix(_ depth: Int) -> String {
        if depth <= 0 || chance(0.75) {
            let range = vocabulary.hasExperimentalSyntax && chance(0.2) ? durationExpression() : duration()
            return "\(selector())[\(range)]\(instantModifiers())"
        }
        let step = chance(0.3) ? "" : duration()
        return "(\(vector(depth - 1)))[\(duration()):\(step)]\(timeModifiers())"
    }

    private mutating func scalar(_ depth: Int) -> String {
        if depth <= 0 || chance(0.5) { return number() }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return "time()"
        case 1: return "scalar(\(vector(depth - 1)))"
        case 2: return "(\(scalar(depth - 1)))"
        case 3: return "\(scalar(depth - 1)) \(pick(Self.comparisons)) bool \(scalar(depth - 1))"
        default: return "\(scalar(depth - 1)) \(pick(Self.arithmetic)) \(scalar(depth - 1))"
        }
    }

    // MARK: Operations

    private mutating func binary(_ depth: Int) -> String {
        let left = chance(0.2) ? scalar(depth - 1) : vector(depth - 1)
        if chance(0.25) {
            return "\(vector(depth - 1)) \(pick(["and", "or", "unless"]))\(matching()) \(vector(depth - 1))"
        }
        let operation = chance(0.3) ? pick(Self.comparisons) + (chance(0.4) ? " bool" : "") : pick(Self.arithmetic)
        if chance(0.35) { return "\(left) \(operation) \(operation.hasSuffix("bool") ? vector(0) : vector(depth - 1))" }
        var modifiers = matching()
        if !modifiers.isEmpty, chance(0.3) { modifiers += chance(0.5) ? " group_left ()" : " group_right ()" }
        if vocabulary.hasExperimentalSyntax, chance(0.2) {
            modifiers += pick([" fill (0)", " fill_left (1.5)", " fill_right (-2)", " fill_left (1) fill_right (2)"])
        }
        if modifiers.isEmpty { return "\(vector(depth - 1)) \(operation) \(vector(depth - 1))" }
        // Without parentheses, an operator of the right side might take the modifiers' scalar partner.
        return "(\(vector(depth - 1))) \(operation)\(modifiers) (\(vector(depth - 1)))"
    }

    private mutating func matching() -> String {
        guard chance(0.5) else { return "" }
        return " \(pick(["on", "ignoring"])) (\(labelList()))"
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let grouping = chance(0.6) ? " \(pick(["by", "without"])) (\(labelList())) " : ""
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return "topk\(grouping)(\(Int.random(in: 0...3, using: &random)), \(vector(depth - 1)))"
        case 1: return "bottomk\(grouping)(\(Int.random(in: 0...3, using: &random)), \(vector(depth - 1)))"
        case 2: return "quantile\(grouping)(\(pick(["0", "0.5", "0.9", "1", "-1", "2"])), \(vector(depth - 1)))"
        case 3: return "count_values\(grouping)(\"value\", \(vector(depth - 1)))"
        default: return "\(pick(Self.aggregations))\(grouping)(\(vector(depth - 1)))"
        }
    }

    private mutating func special(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return "label_replace(\(inner), \"new\", \"$1-x\", \"\(pick(vocabulary.labels))\", \"(.*)\")"
        case 1: return "label_join(\(inner), \"new\", \"-\", \"\(pick(vocabulary.labels))\", \"job\")"
        case 2: return "clamp(\(inner), \(number()), \(number()))"
        case 3: return "clamp_max(\(inner), \(scalar(depth - 1)))"
        case 4: return "round(\(inner), \(pick(["1", "0.1", "5", "-2"])))"
        case 5: return "histogram_quantile(\(pick(["0.5", "0.9", "0", "1.5"])), \(pick(vocabulary.buckets)))"
        case 6: return "quantile_over_time(\(pick(["0.5", "0.99", "-1"])), \(matrix(depth - 1)))"
        case 7: return "predict_linear(\(matrix(depth - 1)), \(number()))"
        case 8: return "vector(\(scalar(depth - 1)))"
        default: return "absent(\(inner))"
        }
    }

    // MARK: Leaves

    private mutating func selector() -> String {
        var name = pick(vocabulary.metrics)
        var conditions: [String] = []
        if vocabulary.hasUTF8Names, chance(0.1) {
            conditions.append("\"\(name)\"")
            name = ""
        }
        while chance(0.3), conditions.count < 3 {
            let value = pick(vocabulary.values)
            let operation = pick(["=", "!=", "=~", "!~"])
            let pattern = operation.contains("~") ? pick([value, "\(value)|x", ".*", ".+", "\(value).*"]) : value
            conditions.append("\(pick(vocabulary.labels))\(operation)\"\(pattern)\"")
        }
        return conditions.isEmpty ? name : "\(name){\(conditions.joined(separator: ","))}"
    }

    private mutating func instantModifiers() -> String {
        let modifier = vocabulary.hasExperimentalSyntax && chance(0.1) ? pick([" anchored", " smoothed"]) : ""
        return modifier + timeModifiers()
    }

    private mutating func timeModifiers() -> String {
        var text = ""
        if chance(0.1) { text += pick([" @ start()", " @ end()", " @ 1000", " @ 0"]) }
        if chance(0.15) { text += " offset \(pick(["", "-"]))\(duration())" }
        return text
    }

    private mutating func duration() -> String {
        pick(["15s", "30s", "1m", "90s", "2m", "5m", "10m", "15m", "1h"])
    }

    private mutating func durationExpression() -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: "step() + \(duration())"
        case 1: "max_of(\(duration()), range())"
        case 2: "(\(duration()) + 1m) * 2"
        default: "min_of(\(duration()), \(duration()))"
        }
    }

    private mutating func number() -> String {
        pick(["0", "1", "2", "0.5", "-1", "3.25", "100", "1e3", "1e-3", "NaN", "(Inf)", "(-Inf)", "0x1F"])
    }

    private mutating func labelList() -> String {
        var labels: [String] = []
        while chance(0.5), labels.count < 3 { labels.append(pick(vocabulary.labels)) }
        return labels.joined(separator: ", ")
    }

    private mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }

    private mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < probability
    }

    private static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]
    private static let comparisons = ["==", "!=", "<", "<=", ">", ">="]
    private static let aggregations = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
    private static let overTime = [
        "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "sum_over_time",
        "avg_over_time", "min_over_time", "max_over_time", "count_over_time", "last_over_time", "stddev_over_time",
        "stdvar_over_time", "present_over_time", "absent_over_time",
    ]
    private static let pointwise = [
        "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "cos", "tan", "asin", "acos",
        "atan", "sinh", "cosh", "tanh", "deg", "rad", "hour", "minute", "day_of_week", "day_of_month", "days_in_month",
        "month", "year", "timestamp", "sort", "sort_desc",
    ]
}
