internal import Exposition
internal import MetricModel

/// Writes the series of one chunk after the other in one format; its memory serves all of them.
final class ChunkEncoder {
    private let lines = TextLines()
    private var bytes: [UInt8] = []
    private let filter: ScrapeFilter

    /// - Parameter filter: Series that do not pass are left out.
    init(filter: ScrapeFilter) { self.filter = filter }

    /// Calls `use` once with what the shown series of `chunk` are in the format of `key`; the bytes must not be used
    /// after the call.
    func encode(
        _ chunk: SeriesChunk, of family: FamilyView, _ key: EncodingKey, _ use: (UnsafeRawBufferPointer) -> Void
    ) {
        guard key.kind == .text, family.hasOnlyLegacyNames, filter.isEmpty else {
            bytes.removeAll(keepingCapacity: true)
            chunk.all.forEach { series in
                guard family.shows(series), filter.includes(series, of: family.name) else { return }
                append(series.metric, of: family, key)
            }
            return bytes.withUnsafeBytes(use)
        }
        lines.begin(name: family.name)
        chunk.forEach { series in
            if family.shows(packed: series) { lines.append(series) }
        }
        lines.withBytes(use)
    }

    private func append(_ metric: Metric, of family: FamilyView, _ key: EncodingKey) {
        switch key.kind {
        case .protobufDelimited: ProtobufEncoder.appendMetric(metric, escaping: key.escaping, to: &bytes)
        case .openMetrics001, .openMetrics100:
            OpenMetricsEncoder.appendMetric(
                metric, of: family.name, type: family.type, escaping: key.escaping, to: &bytes)
        case .text, .protobufText, .protobufCompactText:
            TextEncoder.appendMetric(metric, of: family.name, type: family.type, escaping: key.escaping, to: &bytes)
        }
    }
}

extension FamilyView {
    /// Whether a series of the family is shown.
    func shows(_ series: SeriesView) -> Bool { series.isExposable && series.type == type }

    /// Whether a series of the family is shown, by its bytes.
    func shows(packed series: UnsafeRawBufferPointer) -> Bool {
        guard let head = series.first else { return false }
        return head & (PackedSeries.unexposableFlag | 0x0F) == type.rawValue
    }
}
