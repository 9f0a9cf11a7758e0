internal import MetricModel

extension Labels {
    /// Without the metric name.
    var withoutMetricName: Labels { removing(Labels.metricName) }

    /// Without metric name, type and unit.
    ///
    /// Source: prometheus/prometheus model/schema (`IsMetadataLabel`).
    var withoutMetadata: Labels { excluding(LabelNames.metadata) }

    /// The metric name, or empty.
    var name: ByteString { metricName ?? "" }
}

/// Label names that the engine itself knows.
enum LabelNames {
    /// Sorted.
    static let metadata: [ByteString] = ["__name__", "__type__", "__unit__"]
    static let type: ByteString = "__type__"
    static let unit: ByteString = "__unit__"
    static let bucket: ByteString = "le"
}
