internal import ByteCoding
internal import Matching
internal import MetricModel
internal import PromQL
internal import Synchronization
internal import TSDB

/// The newest samples of selected series, for another server to scrape.
///
/// Source: prometheus/prometheus web/federate.go. Always in the text format: native histograms with exponential
/// buckets, which it cannot express, are left out, as upstream does for this format.
extension ServerAPI {
    func federate(_ request: ServerRequest) -> ServerResponse {
        let form = FormValues(request)
        if let fault = form.fault { return .plainError(400, "error parsing form values: \(fault)") }
        var selectors: [[Matcher]] = []
        for text in form.all("match[]") {
            do throws(ParseError) {
                selectors.append(try parser.parseMetricSelector(text))
            } catch {
                return .plainError(400, error.description)
            }
        }
        let now = process.now()
        do {
            let elements = try newest(selectors, from: now &- settings.lookbackDelta, to: now)
            var text: [UInt8] = []
            var writer = FederationWriter(external: process.externalLabels())
            for element in elements { writer.append(element, to: &text) }
            let type = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            return ServerResponse(200, fields: [("Content-Type", type)], body: .bytes(text))
        } catch {
            counters.federationErrors.add(1, ordering: .relaxed)
            return .plainError(500, "\(error)")
        }
    }

    /// The newest sample of each series, by metric name.
    private func newest(
        _ selectors: [[Matcher]], from start: Timestamp, to end: Timestamp
    ) throws -> [QueryAnswer.VectorElement] {
        let querier = try database().querier(from: start, to: end)
        var seen: Set<Labels> = []
        var elements: [QueryAnswer.VectorElement] = []
        var columns = SampleColumns()
        for selector in selectors {
            for series in try querier.select(selector) where selectors.count == 1 || seen.insert(series.labels).inserted
            {
                columns.removeAll()
                try series.read(into: &columns)
                guard let last = columns.timestamps.lastIndex(where: { $0 >= start && $0 <= end }) else { continue }
                let sample: QueryAnswer.Sample
                if let histogram = columns.histograms.last(where: { $0.index == last }) {
                    if histogram.histogram.isStale { continue }
                    sample = .histogram(histogram.histogram)
                } else {
                    if SampleValue.isStale(columns.values[last]) { continue }
                    sample = .float(columns.values[last])
                }
                elements.append(
                    QueryAnswer.VectorElement(
                        labels: series.labels, timestamp: columns.timestamps[last], sample: sample))
            }
        }
        return elements.sorted {
            let (left, right) = ($0.labels.metricName ?? "", $1.labels.metricName ?? "")
            return left != right ? left < right : $0.labels < $1.labels
        }
    }
}

/// Writes federated samples in the text format.
private struct FederationWriter {
    let external: Labels
    private var name: ByteString?
    private var type = ""

    init(external: Labels) {
        self.external = external
    }

    mutating func append(_ element: QueryAnswer.VectorElement, to text: inout [UInt8]) {
        guard let name = element.labels.metricName else { return }
        switch element.sample {
        case .float(let value):
            start(name, "untyped", &text)
            line(name, element, nil, value, &text)
        case .histogram(let histogram) where histogram.usesCustomBuckets:
            start(name, "histogram", &text)
            append(histogram, name, element, &text)
        case .histogram: return
        }
    }

    private mutating func start(_ name: ByteString, _ type: String, _ text: inout [UInt8]) {
        if self.name == name, self.type == type { return }
        self.name = name
        self.type = type
        text += "# TYPE ".utf8
        appendName(name, &text)
        text += " \(type)\n".utf8
    }

    private func append(
        _ histogram: FloatHistogram, _ name: ByteString, _ element: QueryAnswer.VectorElement, _ text: inout [UInt8]
    ) {
        let bucket = ByteString(name.bytes + Array("_bucket".utf8))
        var sum = 0.0
        var hasInfinite = false
        for part in histogram.allBuckets {
            sum += part.count
            hasInfinite = part.upper == .infinity
            line(bucket, element, part.upper, sum, &text)
        }
        if !hasInfinite { line(bucket, element, .infinity, histogram.count, &text) }
        line(ByteString(name.bytes + Array("_sum".utf8)), element, nil, histogram.sum, &text)
        line(ByteString(name.bytes + Array("_count".utf8)), element, nil, histogram.count, &text)
    }

    private func line(
        _ name: ByteString, _ element: QueryAnswer.VectorElement, _ bound: Double?, _ value: Double,
        _ text: inout [UInt8]
    ) {
        let isPlain = LegacyNames.isMetricName(name)
        var pairs = element.labels.pairs.filter { $0.name != Labels.metricName }
        for pair in external.pairs where element.labels[pair.name] == nil { pairs.append(pair) }
        // Without an instance of its own, a series must not get that of this server when it is scraped.
        if element.labels["instance"] == nil, external["instance"] == nil { pairs.append(("instance", "")) }
        if let bound { pairs.append(("le", ByteString(FloatText.string(bound, .general)))) }
        if isPlain { text += name.bytes }
        text.append(UInt8(ascii: "{"))
        if !isPlain { text += Quoting.quote(name).utf8 }
        for (index, pair) in pairs.enumerated() {
            if index > 0 || !isPlain { text.append(UInt8(ascii: ",")) }
            if LegacyNames.isLabelName(pair.name) {
                text += pair.name.bytes
            } else {
                text += Quoting.quote(pair.name).utf8
            }
            text += "=\"".utf8
            for byte in pair.value.bytes {
                switch byte {
                case UInt8(ascii: "\\"): text += #"\\"#.utf8
                case UInt8(ascii: "\""): text += #"\""#.utf8
                case UInt8(ascii: "\n"): text += #"\n"#.utf8
                default: text.append(byte)
                }
            }
            text.append(UInt8(ascii: "\""))
        }
        text += "} ".utf8
        FloatText.append(value, .general, to: &text)
        text += " \(element.timestamp)\n".utf8
    }

    private func appendName(_ name: ByteString, _ text: inout [UInt8]) {
        if LegacyNames.isMetricName(name) { text += name.bytes } else { text += Quoting.quote(name).utf8 }
    }
}
