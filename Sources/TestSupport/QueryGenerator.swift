/// Random PromQL text from the whole grammar of Prometheus 3.14, for property and differential tests.
///
/// The same seed gives the same queries. What it knows of the data (metric and label names, values) is a parameter,
/// so that the queries select something.
package struct QueryGenerator: Sendable {
    /// What the generated queries may use.
    package struct Vocabulary: Sendable {
        /// Metric names of any kind.
        package var metrics = ["up", "http_requests_total", "memory_bytes", "latency_seconds"]
        /// Metric names of classic histograms, with their `_bucket`.
        package var buckets = ["latency_seconds_bucket"]
        /// Metric names of native histograms.
        package var histograms = ["latency_seconds"]
        /// Metric names that `info()` may ask for.
        package var infoMetrics: [String] = []
        /// Label names that queries mention.
        package var labels = ["job", "instance", "code", "le"]
        /// Label values that they mention.
        package var values = ["api", "web", "a:1", "b:2", "200", "500", ""]
        /// Moments for `@`, in seconds.
        package var moments = ["1000", "0", "-60", "600.5"]
        /// Whether flags of Prometheus 3 are on: arithmetic with durations, fill modifiers, `anchored`, `smoothed`,
        /// experimental functions.
        package var hasExperimentalSyntax = false
        /// Whether selectors may have quoted metric names, and the like of Prometheus 3.
        package var hasUTF8Names = false
        /// How likely an argument is of any type instead of the right one.
        package var typeErrorChance = 0.0
        /// Functions and words that are not generated.
        package var excluded: Set<String> = []

        /// A vocabulary of common names.
        package init() {}
    }

    var random: SeededGenerator
    /// What queries are made of.
    package let vocabulary: Vocabulary
    private let calls: [Signature]

    /// The generator of `seed`.
    package init(seed: UInt64, vocabulary: Vocabulary = Vocabulary()) {
        random = SeededGenerator(seed: seed)
        self.vocabulary = vocabulary
        calls = Self.signatures.filter {
            !vocabulary.excluded.contains($0.name) && (vocabulary.hasExperimentalSyntax || !$0.isExperimental)
        }
    }

    // MARK: Entry points

    /// A query whose result is an instant vector or a scalar: what may be asked over a range.
    package mutating func query(depth: Int = 4) -> String {
        chance(0.1) ? scalar(depth) : vector(depth)
    }

    /// A query of any type.
    package mutating func expression(depth: Int = 4) -> String {
        if chance(0.02) { return string() }
        return chance(0.1) ? matrix(depth) : query(depth: depth)
    }

    // MARK: Types

    mutating func vector(_ depth: Int) -> String {
        if depth <= 0 || chance(0.12) { return selector() + instantModifiers() }
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1, 2, 3: return binary(depth)
        case 4, 5, 6: return aggregation(depth)
        case 7, 8, 9, 10, 11, 12, 13: return call(returning: "v", depth)
        case 14, 15: return histogramCall(depth)
        case 16: return pick(["-", "+"]) + vector(depth - 1)
        case 17: return labelCall(depth)
        case 18 where vocabulary.hasExperimentalSyntax && !vocabulary.infoMetrics.isEmpty: return info(depth)
        default: return "(\(vector(depth - 1)))"
        }
    }

    mutating func matrix(_ depth: Int) -> String {
        if depth <= 0 || chance(0.75) {
            return "\(selector())[\(range())]\(edgeModifier(0.15))\(timeModifiers())"
        }
        let step =
            chance(0.3) ? "" : vocabulary.hasExperimentalSyntax && chance(0.1) ? durationExpression() : duration()
        return "(\(vector(depth - 1)))[\(range()):\(step)]\(timeModifiers())"
    }

    mutating func scalar(_ depth: Int) -> String {
        if depth <= 0 || chance(0.5) { return number() }
        switch Int.random(in: 0..<7, using: &random) {
        case 0: return call(returning: "s", depth)
        case 1: return "scalar(\(vector(depth - 1)))"
        case 2: return "(\(scalar(depth - 1)))"
        case 3: return "(\(scalar(depth - 1)) \(pick(Self.comparisons)) bool \(scalar(depth - 1)))"
        case 4: return "-\(scalar(depth - 1))"
        default: return "(\(scalar(depth - 1)) \(pick(Self.arithmetic)) \(scalar(depth - 1)))"
        }
    }

    mutating func string() -> String {
        pick(
            [#""value""#, #""new""#, #"'single'"#, #"`raw\n`"#, #""""#, #""é\u00e9\n""#]
                + vocabulary.labels.map { "\"\($0)\"" })
    }

    // MARK: Operations

    private mutating func binary(_ depth: Int) -> String {
        if chance(0.25) {
            return "(\(vector(depth - 1)) \(pick(["and", "or", "unless"]))\(matching()) \(vector(depth - 1)))"
        }
        var operation = chance(0.3) ? pick(Self.comparisons) + (chance(0.4) ? " bool" : "") : pick(Self.arithmetic)
        if chance(0.06) && !vocabulary.excluded.contains("</") { operation = pick(["</", ">/"]) }
        if chance(0.35) {
            return chance(0.5)
                ? "(\(scalar(depth - 1)) \(operation) \(vector(depth - 1)))"
                : "(\(vector(depth - 1)) \(operation) \(scalar(depth - 1)))"
        }
        var modifiers = matching()
        if !modifiers.isEmpty, chance(0.4) {
            modifiers += " \(pick(["group_left", "group_right"]))" + " (\(labelList(notIn: modifiers)))"
        }
        if vocabulary.hasExperimentalSyntax, chance(0.15) {
            modifiers += pick([" fill (0)", " fill_left (1.5)", " fill_right (-2)", " fill_left (1) fill_right (NaN)"])
        }
        return "((\(vector(depth - 1))) \(operation)\(modifiers) (\(vector(depth - 1))))"
    }

    private mutating func matching() -> String {
        guard chance(0.6) else { return "" }
        return " \(pick(["on", "on", "ignoring"])) (\(labelList()))"
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let grouping = chance(0.6) ? " \(pick(["by", "without"])) (\(labelList())) " : ""
        let inner = mistyped(depth) ?? vector(depth - 1)
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return "\(pick(["topk", "bottomk"]))\(grouping)(\(count(depth)), \(inner))"
        case 1: return "quantile\(grouping)(\(quantile(depth)), \(inner))"
        case 2: return "count_values\(grouping)(\(pick(["\"value\"", "\"job\"", "\"a b\"", "\"\""])), \(inner))"
        case 3 where vocabulary.hasExperimentalSyntax: return "limitk\(grouping)(\(count(depth)), \(inner))"
        case 4 where vocabulary.hasExperimentalSyntax:
            let ratio = pick(["0.5", "-0.5", "0", "1", "-1", "1.5", "-2", "NaN", "0.1", scalar(depth - 1)])
            return "limit_ratio\(grouping)(\(ratio), \(inner))"
        default: return "\(pick(Self.aggregations))\(grouping)(\(inner))"
        }
    }

    private mutating func count(_ depth: Int) -> String {
        pick(["0", "1", "2", "3", "2.7", "-1", "NaN", "Inf", "1e20", scalar(depth - 1)])
    }

    private mutating func quantile(_ depth: Int) -> String {
        pick(["0", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN", "0.1", scalar(depth - 1)])
    }

    // MARK: Calls

    private mutating func call(returning type: Character, _ depth: Int) -> String {
        let choices = calls.filter { $0.result == type }
        guard let signature = choices.randomElement(using: &random) else { return number() }
        var types = Array(signature.arguments)
        if signature.optional > 0 {
            types.removeLast(Int.random(in: 0...signature.optional, using: &random))
        }
        if vocabulary.typeErrorChance > 0, chance(vocabulary.typeErrorChance) {
            if chance(0.5), !types.isEmpty { types.removeLast() } else { types.append("s") }
        }
        let arguments = types.map { argument(of: $0, depth, signature.name) }
        return "\(signature.name)(\(arguments.joined(separator: ", ")))"
    }

    private mutating func argument(of type: Character, _ depth: Int, _ function: String) -> String {
        if let other = mistyped(depth) { return other }
        switch type {
        case "m": return matrix(depth - 1)
        case "s": return function.hasPrefix("quantile") ? quantile(depth) : scalar(depth - 1)
        case "t": return string()
        default: return vector(depth - 1)
        }
    }

    private mutating func mistyped(_ depth: Int) -> String? {
        guard vocabulary.typeErrorChance > 0, chance(vocabulary.typeErrorChance) else { return nil }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return matrix(depth - 1)
        case 1: return scalar(depth - 1)
        case 2: return string()
        default: return vector(depth - 1)
        }
    }

    private mutating func histogramCall(_ depth: Int) -> String {
        var inner = pick(vocabulary.buckets + vocabulary.histograms + vocabulary.histograms)
        if chance(0.5) { inner = "\(pick(["rate", "increase", "sum_over_time", "delta"]))(\(inner)[\(range())])" }
        if chance(0.3) { inner = "sum by (le\(chance(0.5) ? ", job" : "")) (\(inner))" }
        if chance(0.1) { inner = vector(depth - 1) }
        let unary = ["histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar"]
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2: return "histogram_quantile(\(quantile(depth)), \(inner))"
        case 3, 4: return "histogram_fraction(\(scalar(1)), \(scalar(1)), \(inner))"
        case 5 where vocabulary.hasExperimentalSyntax:
            let quantiles = (0..<Int.random(in: 1...3, using: &random)).map { _ in quantile(depth) }
            return "histogram_quantiles(\(inner), \"q\", \(quantiles.joined(separator: ", ")))"
        default: return "\(pick(unary))(\(inner))"
        }
    }

    private mutating func labelCall(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        let target = pick(["\"new\"", "\"__name__\"", "\"job\"", "\"é\""])
        if chance(0.4) {
            let sources = (0..<Int.random(in: 0...3, using: &random)).map { _ in ", \"\(pick(vocabulary.labels))\"" }
            return "label_join(\(inner), \(target), \"\(pick(["-", "", ", "]))\"\(sources.joined()))"
        }
        let replacement = pick(["$1-x", "${1}", "", "$0", "$name", "$$1", "v$2", "$1$1"])
        let pattern = pick(["(.*)", "(.)(.*)", "", "(?P<name>.+)", "a|b", "[a-z]+(\\\\d)?", "(", "x*"])
        return #"label_replace(\#(inner), \#(target), "\#(replacement)", "\#(pick(vocabulary.labels))", "\#(pattern)")"#
    }

    private mutating func info(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        switch Int.random(in: 0..<9, using: &random) {
        case 6: return "info(\(inner), {\(pick(["version", "env"]))\(pick(["!=", "=", "!~"]))\"\(pick(["v1", ""]))\"})"
        case 7: return "info(\(inner), {__name__!=\"\(pick(vocabulary.infoMetrics))\"})"
        case 8: return "info(\(inner), {__name__=~\"target.*\", __name__!~\"build.*\", env=~\".*\"})"
        case 0: return "info(\(inner))"
        case 1: return "info(\(inner), {__name__=\"\(pick(vocabulary.infoMetrics))\"})"
        case 2: return "info(\(inner), {__name__=~\".*_info\"})"
        case 3: return "info(\(inner), {\(pick(["version", "env"]))=~\".+\"})"
        case 4:
            return "info(\(inner), {__name__=~\".+_info\", \(pick(["version", "env"]))=\"\(pick(["v1", "v2", ""]))\"})"
        default: return "info(\(inner), \(selector()))"
        }
    }

    // MARK: Leaves

    mutating func selector() -> String {
        var name = pick(vocabulary.metrics)
        var conditions: [String] = []
        if vocabulary.hasUTF8Names, chance(0.1) || !Self.isPlain(name) {
            conditions.append("\"\(name)\"")
            name = ""
        }
        if chance(0.06), name.contains("_") {
            conditions.append("__name__=~\"\(name.prefix(4)).*\"")
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

    private static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 == 0x5F || $0 == 0x3A || $0 < 0x3A && $0 > 0x2F
        }
    }

    private mutating func instantModifiers() -> String { edgeModifier(0.02) + timeModifiers() }

    private mutating func edgeModifier(_ probability: Double) -> String {
        vocabulary.hasExperimentalSyntax && chance(probability) ? pick([" anchored", " smoothed"]) : ""
    }

    private mutating func timeModifiers() -> String {
        var parts: [String] = []
        if chance(0.1) { parts.append(" @ \(pick(["start()", "end()"] + vocabulary.moments))") }
        if chance(0.15) {
            let expression = vocabulary.hasExperimentalSyntax && chance(0.2)
            parts.append(" offset \(expression ? "(\(durationExpression()))" : pick(["", "-"]) + duration())")
        }
        return parts.shuffled(using: &random).joined()
    }

    private mutating func range() -> String {
        vocabulary.hasExperimentalSyntax && chance(0.1) ? durationExpression() : duration()
    }

    private mutating func duration() -> String {
        pick(["15s", "30s", "1m", "90s", "2m", "5m", "10m", "15m", "1h", "1m30s", "500ms", "61s", "45s"])
    }

    private mutating func durationExpression() -> String {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: "step() + \(duration())"
        case 1: "max_of(\(duration()), range())"
        case 2: "(\(duration()) + 1m) * 2"
        case 3: "min_of(\(duration()), \(duration()))"
        case 4: "\(duration()) ^ 1.1"
        case 5: "\(duration()) % 50s"
        case 6: "\(duration()) / \(pick(vocabulary.typeErrorChance > 0 ? ["2", "0", "-2"] : ["2", "0.7"]))"
        case 7: "-\(duration()) + 10m"
        default: "\(duration()) - \(duration())"
        }
    }

    mutating func number() -> String {
        pick([
            "0", "1", "2", "0.5", "-1", "3.25", "100", "1e3", "1e-3", "NaN", "(Inf)", "(-Inf)", "0x1F", "10", "0.1",
            "1_000", "5m", "-0.0", "1e300", "7",
        ])
    }

    /// Some labels, each valid beside those that `text` names.
    private mutating func labelList(notIn text: String = "") -> String {
        let choices =
            vocabulary.typeErrorChance > 0 ? vocabulary.labels : vocabulary.labels.filter { !text.contains($0) }
        var labels: [String] = []
        while chance(0.6), labels.count < 3, !choices.isEmpty { labels.append(pick(choices)) }
        return labels.joined(separator: ", ")
    }

    mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }

    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < probability
    }

    private static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]
    private static let comparisons = ["==", "!=", "<", "<=", ">", ">="]
    private static let aggregations = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
}
