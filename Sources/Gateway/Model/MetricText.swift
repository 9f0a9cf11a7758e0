internal import ByteCoding
internal import MetricModel

/// Metrics as upstream's error texts show them: protobuf's text form on one line.
enum MetricText {
    /// Buckets and quantiles beyond this number are left out, so that no error text grows with its cause.
    private static let maximumParts = 10

    /// `collected metric "x" { label:{…} gauge:{value:1}}`, the start of most refusals.
    static func collected(_ name: ByteString, _ metric: Metric) -> String {
        "collected metric \(Quoting.quote(name)) { \(text(metric))}"
    }

    /// The refusal of a series that is there already.
    static func collectedBefore(_ name: ByteString, _ metric: Metric) -> String {
        collected(name, metric) + " was collected before with the same name and label values"
    }

    /// One error as it is, several as a list, as client_golang's `MultiError` prints them; a long list is cut.
    static func list(_ errors: [String]) -> String {
        guard errors.count != 1 else { return errors.first ?? "" }
        let shown = errors.prefix(20).map { "\n* \($0)" }.joined()
        let rest = errors.count > 20 ? "\n* … (\(errors.count - 20) more)" : ""
        return "\(errors.count) error(s) occurred:" + shown + rest
    }

    private static func text(_ metric: Metric) -> String {
        let labels = metric.labels.map {
            "label:{name:\(Quoting.quote($0.name)) value:\(Quoting.quote($0.value))}"
        }
        return (labels + [text(metric.value)]).joined(separator: " ")
    }

    private static func text(_ value: MetricValue) -> String {
        switch value {
        case .counter(let counter): return "counter:{value:\(number(counter.value))}"
        case .gauge(let value): return "gauge:{value:\(number(value))}"
        case .untyped(let value): return "untyped:{value:\(number(value))}"
        case .summary(let summary):
            var parts: [String] = []
            if let count = summary.count { parts.append("sample_count:\(number(count))") }
            if let sum = summary.sum { parts.append("sample_sum:\(number(sum))") }
            for quantile in summary.quantiles.prefix(maximumParts) {
                parts.append("quantile:{quantile:\(number(quantile.quantile)) value:\(number(quantile.value))}")
            }
            return "summary:{\(parts.joined(separator: " "))}"
        case .histogram(let histogram):
            var parts: [String] = []
            if let count = histogram.count { parts.append("sample_count:\(number(count))") }
            if let sum = histogram.sum { parts.append("sample_sum:\(number(sum))") }
            for bucket in histogram.buckets.prefix(maximumParts) {
                parts.append(
                    "bucket:{cumulative_count:\(number(bucket.count)) upper_bound:\(number(bucket.upperBound))}")
            }
            return "histogram:{\(parts.joined(separator: " "))}"
        }
    }

    private static func number(_ value: Double) -> String { FloatText.string(value, .general) }
}
