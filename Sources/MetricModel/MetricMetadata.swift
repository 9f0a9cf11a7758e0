/// What an exposition says of a metric.
package struct MetricMetadata: Sendable, Hashable {
    /// Counter, gauge, …
    package var type: MetricType
    /// `seconds`, `bytes`, …; empty if unknown.
    package var unit: ByteString
    /// What the metric means, for people; empty if unknown.
    package var help: ByteString

    /// Metadata; what is left out is unknown.
    package init(type: MetricType = .unknown, unit: ByteString = "", help: ByteString = "") {
        self.type = type
        self.unit = unit
        self.help = help
    }

    /// The names of ``labels``: the label of the type, then that of the unit.
    package static let labelNames: [ByteString] = ["__type__", "__unit__"]

    /// What tells the type and unit in a series' labels (feature `type-and-unit-labels`): only what is known.
    ///
    /// Source: prometheus/prometheus schema/labels.go (`AddToLabels`).
    package var labels: [(name: ByteString, value: ByteString)] {
        var labels: [(name: ByteString, value: ByteString)] = []
        if type != .unknown { labels.append((Self.labelNames[0], ByteString(type.openMetricsName))) }
        if !unit.isEmpty { labels.append((Self.labelNames[1], unit)) }
        return labels
    }
}
