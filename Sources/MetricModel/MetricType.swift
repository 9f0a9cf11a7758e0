/// What kind of values a metric family holds.
public enum MetricType: UInt8, Sendable, Hashable, CaseIterable {
    /// `untyped` in the text format, `unknown` in OpenMetrics.
    case unknown = 0
    case counter, gauge, histogram, gaugeHistogram, summary, info, stateSet

    /// The word of metadata APIs and of OpenMetrics ("unknown", "gaugehistogram", …).
    public var openMetricsName: String {
        switch self {
        case .unknown: "unknown"
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .gaugeHistogram: "gaugehistogram"
        case .summary: "summary"
        case .info: "info"
        case .stateSet: "stateset"
        }
    }
}
