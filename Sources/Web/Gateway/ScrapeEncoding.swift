internal import Exposition
internal import Gateway
internal import MetricModel

/// The body of a scrape in whatever format was negotiated.
///
/// The text that Prometheus asks for by default comes out of the store's caches; the rest is encoded for each scrape.
enum ScrapeEncoding {
    static func body(
        _ scrape: Scrape, own: [MetricFamily], format: ExpositionFormat, coding: Negotiation.ContentCoding,
        mayHaveUTF8Names: Bool
    ) -> [[UInt8]] {
        if format.kind == .text, !mayHaveUTF8Names {
            return scrape.text(own: own, coding: coding == .gzip ? .gzip : .identity).parts
        }
        var segments: [[UInt8]] = []
        var segment: [UInt8] = []
        for family in merged(own, scrape.families.lazy.map(\.family)) where !family.metrics.isEmpty {
            append(family, format, to: &segment)
            if segment.count > 256 << 10 {
                segments.append(segment)
                segment = []
            }
        }
        if format.isOpenMetrics { OpenMetricsEncoder.appendEnd(to: &segment) }
        segments.append(segment)
        return segments
    }

    private static func append(_ family: MetricFamily, _ format: ExpositionFormat, to output: inout [UInt8]) {
        switch format.kind {
        case .text: TextEncoder.append(family, escaping: format.escaping, to: &output)
        case .openMetrics001, .openMetrics100: OpenMetricsEncoder.append(family, escaping: format.escaping, to: &output)
        case .protobufDelimited: ProtobufEncoder.append(family, escaping: format.escaping, to: &output)
        case .protobufText: ProtobufTextEncoder.append(family, isCompact: false, escaping: format.escaping, to: &output)
        case .protobufCompactText:
            ProtobufTextEncoder.append(family, isCompact: true, escaping: format.escaping, to: &output)
        }
    }

    /// Both, by name; pushed series join our families.
    private static func merged(_ own: [MetricFamily], _ pushed: some Sequence<MetricFamily>) -> [MetricFamily] {
        var byName: [ByteString: MetricFamily] = [:]
        for family in own { byName[family.name] = family }
        for family in pushed {
            if let known = byName[family.name] {
                byName[family.name]?.metrics = known.metrics + family.metrics
            } else {
                byName[family.name] = family
            }
        }
        return byName.values.sorted { $0.name < $1.name }
    }
}
