internal import ByteCoding
internal import Exposition
internal import Matching
internal import MetricModel

/// The server's own metrics: for scrapes, and as JSON.
extension ServerAPI {
    func ownMetrics(_ request: ServerRequest) -> ServerResponse {
        counters.ownScrapes.add(1, ordering: .relaxed)
        defer { counters.ownScrapes.subtract(1, ordering: .relaxed) }
        var text: [UInt8] = []
        for family in process.metrics() { TextEncoder.append(family, to: &text) }
        let type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        return ServerResponse(200, fields: [("Content-Type", type)], body: .bytes(text))
    }

    /// `/api/v1/status/self_metrics`: as protobuf's JSON mapping writes the families.
    func selfMetrics(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        var pattern: RegularExpression?
        let text = form.first("metric_name_pattern")
        if !text.isEmpty {
            do throws(RegularExpression.CompileError) {
                pattern = try RegularExpression(text)
            } catch {
                throw APIError(.badData, "invalid metric_name_pattern: \(error.message)")
            }
        }
        let families = process.metrics().filter { pattern?.matches($0.name) ?? true }
        return Self.success(Self.json(.list(families.map(\.protobufJSON))))
    }
}

extension MetricFamily {
    fileprivate var protobufJSON: JSONField {
        var fields: [(String, JSONField)] = [("name", .bytes(name))]
        if let help { fields.append(("help", .bytes(help))) }
        fields.append(("type", .text(type.protobufName)))
        fields.append(("metric", .list(metrics.map(\.protobufJSON))))
        return .object(fields)
    }
}

extension MetricType {
    fileprivate var protobufName: String {
        switch self {
        case .counter: "COUNTER"
        case .gauge, .info, .stateSet: "GAUGE"
        case .summary: "SUMMARY"
        case .histogram: "HISTOGRAM"
        case .gaugeHistogram: "GAUGE_HISTOGRAM"
        case .unknown: "UNTYPED"
        }
    }
}

extension Metric {
    fileprivate var protobufJSON: JSONField {
        var fields: [(String, JSONField)] = []
        if !labels.isEmpty {
            fields.append(
                ("label", .list(labels.map { .object([("name", .bytes($0.name)), ("value", .bytes($0.value))]) })))
        }
        switch value {
        case .counter(let counter): fields.append(("counter", .object([("value", .number(counter.value))])))
        case .gauge(let number): fields.append(("gauge", .object([("value", .number(number))])))
        case .untyped(let number): fields.append(("untyped", .object([("value", .number(number))])))
        case .summary(let summary):
            let quantiles = summary.quantiles.map { quantile in
                JSONField.object([("quantile", .number(quantile.quantile)), ("value", .number(quantile.value))])
            }
            fields.append(
                (
                    "summary",
                    .object([
                        ("sampleCount", .count(summary.count)), ("sampleSum", .number(summary.sum ?? 0)),
                        ("quantile", .list(quantiles)),
                    ])
                ))
        case .histogram(let histogram):
            let buckets = histogram.buckets.map { bucket in
                JSONField.object([
                    ("cumulativeCount", .count(bucket.count)), ("upperBound", .number(bucket.upperBound)),
                ])
            }
            fields.append(
                (
                    "histogram",
                    .object([
                        ("sampleCount", .count(histogram.count)), ("sampleSum", .number(histogram.sum ?? 0)),
                        ("bucket", .list(buckets)),
                    ])
                ))
        }
        return .object(fields)
    }
}

extension JSONField {
    /// A `double` in protobuf's JSON: what JSON has no number for is text.
    fileprivate static func number(_ value: Double) -> JSONField {
        if value.isNaN { return .text("NaN") }
        if value.isInfinite { return .text(value > 0 ? "Infinity" : "-Infinity") }
        return .raw(FloatText.string(value, .json))
    }

    /// A 64-bit number in protobuf's JSON, which is text.
    fileprivate static func count(_ value: Double?) -> JSONField {
        .text("\(UInt64(exactly: (value ?? 0).rounded()) ?? 0)")
    }
}
