internal import Exposition
package import MetricModel

/// What `check metrics` says about an exposition: names, types and helps that go against the customs.
///
/// Source: the rules and sentences of prometheus/client_golang prometheus/testutil/promlint.
package enum MetricsLint {
    /// A custom that a metric does not keep.
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The family.
        package var metric: ByteString
        /// What it does against the custom, in promlint's words.
        package var text: String

        package var description: String { "\(metric) \(text)" }
    }

    /// How many series a metric has.
    package struct Cardinality: Sendable, Hashable {
        /// The family.
        package var metric: ByteString
        /// Lines that it has in the text format.
        package var series: Int
    }

    /// Reads text format 0.0.4 and checks each family.
    /// - Returns: problems sorted by metric and text, and the families' sizes, the largest first.
    /// - Throws: `ScrapeFailure` if the text cannot be read.
    package static func check(
        _ text: [UInt8]
    ) throws(ScrapeFailure) -> (problems: [Problem], cardinalities: [Cardinality]) {
        let families: [MetricFamily]
        do throws(ParseError) {
            families = try TextParser.parse(text, names: .utf8)
        } catch {
            throw ScrapeFailure(error.description)
        }
        var problems: [Problem] = []
        for family in families {
            for text in self.problems(family) { problems.append(Problem(metric: family.name, text: text)) }
        }
        problems.sort { ($0.metric, $0.text) < ($1.metric, $1.text) }
        let cardinalities = families.map { Cardinality(metric: $0.name, series: series($0)) }
        return (problems, cardinalities.sorted { ($1.series, $0.metric) < ($0.series, $1.metric) })
    }

    private static func series(_ family: MetricFamily) -> Int {
        family.metrics.reduce(0) { sum, metric in
            switch metric.value {
            case .counter, .gauge, .untyped: sum + 1
            case .summary(let summary): sum + summary.quantiles.count + 2
            case .histogram(let histogram):
                sum + histogram.buckets.count + 2 + (histogram.buckets.contains { $0.upperBound == .infinity } ? 0 : 1)
            }
        }
    }

    private static func problems(_ family: MetricFamily) -> [String] {
        var problems: [String] = []
        let name = family.name.string
        if family.help == nil { problems.append("no help text") }
        if let (unit, base) = unit(in: name), unit != base {
            problems.append("use base unit \"\(base)\" instead of \"\(unit)\"")
        }
        if name.contains(":") { problems.append("metric names should not contain ':'") }
        problems += abbreviations(name.lowercased())
        problems += typeProblems(family.type, name)
        if isCamelCase(family.name) {
            problems.append("metric names should be written in 'snake_case' not 'camelCase'")
        }
        var seen: Set<[LabelPair]> = []
        var repeated: Set<[LabelPair]> = []
        for metric in family.metrics {
            for label in metric.labels {
                if isCamelCase(label.name) {
                    problems.append("label names should be written in 'snake_case' not 'camelCase'")
                }
                if family.type != .unknown, family.type != .histogram, label.name == "le" {
                    problems.append("non-histogram metrics should not have \"le\" label")
                }
                if family.type != .unknown, family.type != .summary, label.name == "quantile" {
                    problems.append("non-summary metrics should not have \"quantile\" label")
                }
            }
            if !seen.insert(metric.labels).inserted, repeated.insert(metric.labels).inserted {
                problems.append("metric not unique")
            }
        }
        return problems
    }

    private static func typeProblems(_ type: MetricType, _ name: String) -> [String] {
        var problems: [String] = []
        if type == .counter, !name.hasSuffix("_total") {
            problems.append("counter metrics should have \"_total\" suffix")
        }
        guard type != .unknown else { return problems }
        if type != .counter, name.hasSuffix("_total") {
            problems.append("non-counter metrics should not have \"_total\" suffix")
        }
        let word = type.openMetricsName
        let lower = name.lowercased()
        if lower.contains("_\(word)_") || lower.hasSuffix("_\(word)") {
            problems.append("metric name should not include type '\(word)'")
        }
        if type != .histogram, name.hasSuffix("_bucket") {
            problems.append("non-histogram metrics should not have \"_bucket\" suffix")
        }
        if type != .histogram, type != .summary {
            for suffix in ["_count", "_sum"] where name.hasSuffix(suffix) {
                problems.append("non-histogram and non-summary metrics should not have \"\(suffix)\" suffix")
            }
        }
        return problems
    }

    private static func abbreviations(_ name: String) -> [String] {
        let found = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"].filter {
            name.contains("_\($0)_") || name.hasSuffix("_\($0)")
        }
        return found.map { _ in "metric names should not contain abbreviated units" }
    }

    private static func isCamelCase(_ name: ByteString) -> Bool {
        zip(name.bytes, name.bytes.dropFirst()).contains { first, second in
            first >= 0x61 && first <= 0x7A && second >= 0x41 && second <= 0x5A
        }
    }

    private static let bases: [String: String] = [
        "amperes": "amperes", "bytes": "bytes", "celsius": "celsius", "grams": "grams", "joules": "joules",
        "kelvin": "kelvin", "meters": "meters", "metres": "metres", "seconds": "seconds", "volts": "volts",
        "minutes": "seconds", "hours": "seconds", "days": "seconds", "weeks": "seconds", "kelvins": "kelvin",
        "fahrenheit": "celsius", "rankine": "celsius", "inches": "meters", "yards": "meters", "miles": "meters",
        "bits": "bytes", "calories": "joules", "pounds": "grams", "ounces": "grams",
    ]
    private static let prefixes = [
        "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "mibi", "giga",
        "gibi", "tera", "tebi", "peta", "pebi",
    ]

    private static func unit(in name: String) -> (unit: String, base: String)? {
        for word in name.split(separator: "_").map(String.init) {
            if let base = bases[word] { return (word, base) }
            for prefix in prefixes where word.hasPrefix(prefix) {
                if let base = bases[String(word.dropFirst(prefix.count))] { return (word, base) }
            }
        }
        return nil
    }
}
