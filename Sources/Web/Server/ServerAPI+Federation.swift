internal import Exposition
internal import Matching
internal import MetricModel
internal import PromQL
internal import Synchronization
internal import TSDB

/// The newest samples of selected series, for another server to scrape.
///
/// Source: prometheus/prometheus web/federate.go. Native histograms with exponential buckets are left out of the text
/// format, which cannot express them.
extension ServerAPI {
    func federate(_ request: ServerRequest) -> ServerResponse {
        let form = FormValues(request)
        if let fault = form.fault { return .plainError(400, "error parsing form values: \(fault)") }
        var selectors: [[Matcher]] = []
        for text in form.all("match[]") {
            do throws(PromQL.ParseError) {
                selectors.append(try parser.parseMetricSelector(text))
            } catch {
                return .plainError(400, error.description)
            }
        }
        let now = process.now()
        do {
            let elements = try newest(selectors, from: now &- settings.lookbackDelta, to: now)
            let format = Negotiation.format(accept: request.fields["accept"])
            var families = FederatedFamilies(external: process.externalLabels(), hasNative: format.kind != .text)
            for element in elements { families.append(element) }
            var body: [UInt8] = []
            for family in families.finish() {
                switch format.kind {
                case .text, .openMetrics001, .openMetrics100:
                    TextEncoder.append(family, escaping: format.escaping, to: &body)
                case .protobufDelimited: ProtobufEncoder.append(family, escaping: format.escaping, to: &body)
                case .protobufText:
                    ProtobufTextEncoder.append(family, isCompact: false, escaping: format.escaping, to: &body)
                case .protobufCompactText:
                    ProtobufTextEncoder.append(family, isCompact: true, escaping: format.escaping, to: &body)
                }
            }
            return ServerResponse(
                200, fields: [("Content-Type", format.contentType), ("Vary", "Accept-Encoding")], body: .bytes(body))
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
        // A selector without matchers selects nothing here.
        for selector in selectors where !selector.isEmpty {
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

/// Gathers samples in families: one for each run of samples of one name and kind.
private struct FederatedFamilies {
    /// Sorted; an empty instance keeps that of this server away when it is scraped.
    private let external: [(name: ByteString, value: ByteString)]
    /// Whether the format can express native histograms.
    private let hasNative: Bool
    private var families: [MetricFamily] = []

    init(external: Labels, hasNative: Bool) {
        var pairs = external.pairs
        if external["instance"] == nil { pairs.append(("instance", "")) }
        self.external = pairs.sorted { $0.name < $1.name }
        self.hasNative = hasNative
    }

    func finish() -> [MetricFamily] { families }

    mutating func append(_ element: QueryAnswer.VectorElement) {
        guard let name = element.labels.metricName else { return }
        let type: MetricType
        let value: MetricValue
        switch element.sample {
        case .float(let number): (type, value) = (.unknown, .untyped(number))
        case .histogram(let histogram):
            guard hasNative || histogram.usesCustomBuckets else { return }
            type = histogram.counterResetHint == .gauge ? .gaugeHistogram : .histogram
            value = .histogram(histogram.usesCustomBuckets ? Self.classic(histogram) : Self.native(histogram))
        }
        var labels: [LabelPair] = []
        for pair in element.labels.pairs where pair.name != Labels.metricName {
            labels.append(LabelPair(pair.name, pair.value))
        }
        for pair in external where !element.labels.contains(pair.name) {
            labels.append(LabelPair(pair.name, pair.value))
        }
        if families.last?.name != name || families.last?.type != type {
            families.append(MetricFamily(name: name, type: type))
        }
        families[families.count - 1].metrics.append(Metric(labels: labels, value: value, timestamp: element.timestamp))
    }

    private static func native(_ histogram: FloatHistogram) -> HistogramValue {
        HistogramValue(count: histogram.count, sum: histogram.sum, hasFloatCounts: true, native: .float(histogram))
    }

    private static func classic(_ histogram: FloatHistogram) -> HistogramValue {
        var total = 0.0
        var buckets: [HistogramValue.Bucket] = []
        for bucket in histogram.allBuckets {
            total += bucket.count
            buckets.append(HistogramValue.Bucket(upperBound: bucket.upper, count: total))
        }
        return HistogramValue(count: histogram.count, sum: histogram.sum, buckets: buckets, hasFloatCounts: true)
    }
}
