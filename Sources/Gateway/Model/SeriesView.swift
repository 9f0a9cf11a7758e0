internal import MetricModel

/// A packed series as it lies within other bytes; the layout is that of ``PackedSeries``.
struct SeriesView: Sendable {
    let bytes: [UInt8]
    let start: Int
    let end: Int

    /// The ``GroupingKey/shardHash`` of its group.
    var shardHash: UInt16 { UInt16(bytes[start + 2]) | UInt16(bytes[start + 3]) << 8 }

    /// The type of the family it was pushed in.
    var type: MetricType { MetricType(rawValue: bytes[start] & 0x0F) ?? .unknown }

    /// Whether a scrape may show it at all: the value fits the type, and the labels are valid.
    var isExposable: Bool { bytes[start] & PackedSeries.unexposableFlag == 0 }

    /// What kind of value it has; nil only for bytes that were never checked.
    var kind: PackedValue.Kind? { PackedValue.Kind(rawValue: bytes[start + 1]) }

    /// Where in ``bytes`` the value starts.
    var valueOffset: Int {
        // SAFETY: the range lies within the bytes, and the walk checks every offset.
        start + bytes.withUnsafeBytes { PackedSeries.keyEnd(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }

    /// A reader of the labels: their number, then name and value of each.
    var keyReader: PackedReader { PackedReader(bytes, at: start + PackedSeries.keyOffset, end: end) }

    /// The labels, sorted by name.
    var labels: [LabelPair] {
        var reader = keyReader
        var labels: [LabelPair] = []
        guard let count = try? reader.count() else { return labels }
        labels.reserveCapacity(count)
        for _ in 0..<count {
            guard let name = try? reader.text(), let value = try? reader.text() else { break }
            labels.append(LabelPair(name, value))
        }
        return labels
    }

    /// The value as the model has it.
    var value: MetricValue {
        var reader = PackedReader(bytes, at: valueOffset, end: end)
        guard let kind, let value = try? PackedValue.read(kind, &reader) else { return .untyped(.nan) }
        return value
    }

    /// The metric as the model has it.
    var metric: Metric { Metric(labels: labels, value: value) }

    /// The series alone.
    var series: PackedSeries { PackedSeries(packed: Array(bytes[start..<end])) }
}
