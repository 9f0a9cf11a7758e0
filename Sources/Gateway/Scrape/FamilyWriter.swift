internal import Exposition
internal import MetricModel

/// Writes families in one format, one after the other.
struct FamilyWriter {
    private let format: ExpositionFormat
    private var assembler: BodyAssembler

    init(_ format: ExpositionFormat, isGzipped: Bool) {
        self.format = format
        assembler = BodyAssembler(isGzipped: isGzipped)
    }

    /// Adds a stored family; what its chunks have encoded before is reused.
    mutating func append(_ family: FamilyView) {
        guard family.shownCount > 0 else { return }
        let key = EncodingKey(
            kind: format.kind, escaping: family.hasOnlyLegacyNames ? .allowUTF8 : format.escaping, type: family.type,
            isDeflated: false)
        switch format.kind {
        case .protobufText, .protobufCompactText: append(family.family)
        case .protobufDelimited:
            // The length stands first: the chunks must be encoded before their family begins.
            var length = 0
            for entry in family.entries {
                length += entry.chunk.encoding(key) { EncodedPart(FamilyWriter.encode($0, family, key)) }.plainCount
            }
            assembler.append(messageStart(family, metricsLength: length))
            appendChunks(family, key)
        case .text, .openMetrics001, .openMetrics100:
            assembler.append(textHeader(family))
            appendChunks(family, key)
        }
    }

    /// Adds the part of a stored family that passes a filter; nothing is kept of it.
    mutating func append(_ family: FamilyView, filteredBy filter: ScrapeFilter) {
        let series = family.shownSeries(filteredBy: filter)
        guard !series.isEmpty else { return }
        append(
            MetricFamily(
                name: family.name, help: family.help, type: family.type, unit: family.unit,
                metrics: series.map(\.metric)))
    }

    private mutating func appendChunks(_ family: FamilyView, _ key: EncodingKey) {
        for entry in family.entries {
            assembler.append(entry.chunk, key) { FamilyWriter.encode($0, family, key) }
        }
    }

    private func textHeader(_ family: FamilyView) -> [UInt8] {
        var bytes: [UInt8] = []
        if format.isOpenMetrics {
            OpenMetricsEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, unit: family.unit,
                escaping: format.escaping, to: &bytes)
        } else {
            TextEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, escaping: format.escaping, to: &bytes)
        }
        return bytes
    }

    private func messageStart(_ family: FamilyView, metricsLength: Int) -> [UInt8] {
        var header: [UInt8] = []
        ProtobufEncoder.appendHeader(
            name: family.name, help: family.help, type: family.type, unit: family.unit, escaping: format.escaping,
            to: &header)
        var bytes: [UInt8] = []
        ProtobufEncoder.appendLength(header.count + metricsLength, to: &bytes)
        return bytes + header
    }

    private static func encode(_ series: SeriesList, _ family: FamilyView, _ key: EncodingKey) -> [UInt8] {
        if key.kind == .text && family.hasOnlyLegacyNames {
            var lines = TextLines(name: family.name)
            series.forEach { one in
                if family.shows(one) { lines.append(one) }
            }
            return lines.bytes
        }
        var bytes: [UInt8] = []
        series.forEach { one in
            guard family.shows(one) else { return }
            switch key.kind {
            case .protobufDelimited:
                ProtobufEncoder.appendMetric(one.metric, escaping: key.escaping, to: &bytes)
            case .openMetrics001, .openMetrics100:
                OpenMetricsEncoder.appendMetric(
                    one.metric, of: family.name, type: family.type, escaping: key.escaping, to: &bytes)
            case .text, .protobufText, .protobufCompactText:
                TextEncoder.appendMetric(
                    one.metric, of: family.name, type: family.type, escaping: key.escaping, to: &bytes)
            }
        }
        return bytes
    }

    /// Adds a family that nobody keeps.
    mutating func append(_ family: MetricFamily) {
        var bytes: [UInt8] = []
        switch format.kind {
        case .text: TextEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .openMetrics001, .openMetrics100:
            OpenMetricsEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .protobufDelimited: ProtobufEncoder.append(family, escaping: format.escaping, to: &bytes)
        case .protobufText, .protobufCompactText:
            ProtobufTextEncoder.append(
                family, isCompact: format.kind == .protobufCompactText, escaping: format.escaping, to: &bytes)
        }
        assembler.append(bytes)
    }

    mutating func finish(leftOutCount: Int) -> ScrapeBody {
        if format.isOpenMetrics {
            var end: [UInt8] = []
            OpenMetricsEncoder.appendEnd(to: &end)
            assembler.append(end)
        }
        return assembler.finish(leftOutCount: leftOutCount)
    }
}
