internal import ByteCoding
internal import MetricModel

/// A group as `/api/v1/metrics` shows it.
///
/// Source: prometheus/pushgateway api/v1/api.go (`metrics`, `makeEncodableMetrics`).
struct GroupJSON {
    var bytes: [UInt8] = []

    /// Appends one group as a JSON object, keys sorted; a family called like one of the fixed keys replaces it.
    mutating func append(_ group: GroupView) {
        var fields: [(key: ByteString, write: (inout GroupJSON) -> Void)] = []
        let labels: ByteString = "labels"
        let success: ByteString = "last_push_successful"
        let names = Set(group.families.map(\.name))
        if !names.contains(labels) { fields.append((labels, { $0.append(labels: group.key.labels) })) }
        if !names.contains(success) {
            fields.append((success, { $0.append(group.lastPushSuccessful ? "true" : "false") }))
        }
        for family in group.families { fields.append((family.name, { $0.append(family) })) }
        var times = [
            (PushTimes.pushTimeName, PushTimes.pushTimeHelp, group.pushTime, group.pushTimeChanged),
            (PushTimes.failureTimeName, PushTimes.failureTimeHelp, group.failureTime, group.failureTimeChanged),
        ]
        if let end = group.lifetime.end {
            times.append((PushTimes.expiryTimeName, PushTimes.expiryTimeHelp, end, group.pushTimeChanged))
        }
        for (name, help, value, time) in times {
            let series = PackedSeries(
                labels: SeriesRules.withInstance(group.key.labels), value: .gauge(Double(value) / 1e9), type: .gauge,
                isExposable: true)
            let family = GroupView.Family(
                name: name, help: help, type: .gauge, unit: "", time: time, series: [series])
            fields.append((name, { $0.append(family) }))
        }
        list("{", "}", fields.sorted { $0.key < $1.key }) { json, field in
            json.key(field.key)
            field.write(&json)
        }
    }

    private mutating func append(_ family: GroupView.Family) {
        append("{\"time_stamp\":")
        JSONText.append(time: family.time, to: &bytes)
        append(",\"type\":")
        JSONText.append(family.type.upstreamName, shortControls: true, to: &bytes)
        if let help = family.help, !help.isEmpty {
            append(",\"help\":")
            JSONText.append(help, shortControls: true, to: &bytes)
        }
        append(",\"metrics\":")
        list("[", "]", family.metrics) { json, metric in json.append(metric, family.type) }
        append("}")
    }

    private mutating func append(_ metric: Metric, _ type: MetricType) {
        switch (type, metric.value) {
        // Of a gauge histogram upstream shows the number that it does not have.
        case (.histogram, .histogram(let histogram)):
            append("{\"buckets\":")
            let count = appendBuckets(histogram)
            append(",\"count\":")
            JSONText.append(count: count, to: &bytes)
            append(",\"labels\":")
            append(labels: metric.labels)
            append(",\"sum\":")
            JSONText.append(number: histogram.sum ?? 0, to: &bytes)
        case (.summary, .summary(let summary)):
            append("{\"count\":")
            JSONText.append(count: summary.count ?? 0, to: &bytes)
            append(",\"labels\":")
            append(labels: metric.labels)
            append(",\"quantiles\":")
            appendMap(summary.quantiles.map { ($0.quantile, $0.value) }) { JSONText.append(number: $0, to: &$1) }
            append(",\"sum\":")
            JSONText.append(number: summary.sum ?? 0, to: &bytes)
        default:
            append("{\"labels\":")
            append(labels: metric.labels)
            append(",\"value\":")
            JSONText.append(number: metric.value.number, to: &bytes)
        }
        append("}")
    }

    private mutating func append(labels: [LabelPair]) {
        var last: [LabelPair] = []
        for label in labels.sorted(by: { $0.name < $1.name }) {
            if last.last?.name == label.name { last.removeLast() }
            last.append(label)
        }
        list("{", "}", last) { json, label in
            json.key(label.name)
            JSONText.append(label.value, shortControls: true, to: &json.bytes)
        }
    }

    // MARK: Histograms

    /// Appends the buckets, a map for classic histograms, a list for native ones.
    /// - Returns: The number of observations that upstream shows beside them.
    private mutating func appendBuckets(_ histogram: HistogramValue) -> Double {
        switch histogram.native {
        case .integer(let native) where !native.positiveSpans.isEmpty || !native.negativeSpans.isEmpty:
            append(buckets: native.float)
            return Double(native.count)
        case .float(let native) where !native.positiveSpans.isEmpty || !native.negativeSpans.isEmpty:
            append(buckets: native)
            return native.count
        default:
            appendMap(histogram.buckets.map { ($0.upperBound, $0.count) }) { JSONText.append(count: $0, to: &$1) }
            return histogram.count ?? 0
        }
    }

    private mutating func append(buckets native: FloatHistogram) {
        var negative: [HistogramBucket] = []
        native.forEachNegativeBucket {
            negative.append($0)
            return true
        }
        var buckets = Array(negative.reversed())
        buckets.append(native.zeroBucket)
        native.forEachPositiveBucket {
            buckets.append($0)
            return true
        }
        list("[", "]", buckets.filter { $0.count != 0 }) { json, bucket in
            let boundaries = bucket.upperInclusive ? (bucket.lowerInclusive ? 3 : 0) : (bucket.lowerInclusive ? 1 : 2)
            json.append("[\(boundaries),")
            JSONText.append(number: bucket.lower, to: &json.bytes)
            json.append(",")
            JSONText.append(number: bucket.upper, to: &json.bytes)
            json.append(",")
            JSONText.append(count: bucket.count, to: &json.bytes)
            json.append("]")
        }
    }

    /// A map from numbers as text, sorted by that text; of a repeated key the last wins.
    private mutating func appendMap(_ pairs: [(Double, Double)], _ value: @escaping (Double, inout [UInt8]) -> Void) {
        var last: [ByteString: Double] = [:]
        for (key, value) in pairs {
            var text: [UInt8] = []
            JSONText.append(number: key, to: &text)
            last[ByteString(text.dropFirst().dropLast())] = value
        }
        list("{", "}", last.sorted { $0.key < $1.key }) { json, pair in
            json.key(pair.key)
            value(pair.value, &json.bytes)
        }
    }

    // MARK: Syntax

    mutating func append(_ text: String) { bytes += Array(text.utf8) }

    private mutating func key(_ name: ByteString) {
        JSONText.append(name, shortControls: true, to: &bytes)
        append(":")
    }

    private mutating func list<Element>(
        _ open: String, _ close: String, _ elements: [Element], _ body: (inout GroupJSON, Element) -> Void
    ) {
        append(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { append(",") }
            body(&self, element)
        }
        append(close)
    }
}

extension MetricValue {
    /// The number of a counter, gauge or untyped metric; 0 of others.
    var number: Double {
        switch self {
        case .counter(let counter): counter.value
        case .gauge(let value), .untyped(let value): value
        case .summary, .histogram: 0
        }
    }
}

extension GatewayStore {
    /// The answer of `GET /api/v1/metrics`: all groups, by their keys.
    /// - Returns: The JSON in parts of about 64 KiB.
    package func metricsJSON() -> [[UInt8]] {
        var body: [[UInt8]] = []
        var json = GroupJSON(bytes: Array("{\"status\":\"success\",\"data\":[".utf8))
        for (index, group) in groups().enumerated() {
            if index > 0 { json.append(",") }
            json.append(group)
            if json.bytes.count >= 64 * 1024 {
                body.append(json.bytes)
                json = GroupJSON()
            }
        }
        json.append("]}")
        body.append(json.bytes)
        return body
    }
}
