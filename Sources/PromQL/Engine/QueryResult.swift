package import MetricModel

/// A number or a histogram.
package enum ResultValue: Sendable {
    case float(Double)
    // Apart, so that numbers do not take the room of histograms.
    indirect case histogram(FloatHistogram)
}

/// One series of a range vector: numbers and histograms apart, each in time order.
package struct ResultSeries: Sendable {
    package var labels: Labels
    package var floats: [(timestamp: Timestamp, value: Double)] = []
    package var histograms: [(timestamp: Timestamp, value: SharedHistogram)] = []
}

/// What a query gave.
package struct QueryResult: Sendable {
    /// The value, by type.
    package enum Value: Sendable {
        case scalar(Timestamp, Double)
        case string(Timestamp, ByteString)
        case vector(Timestamp, [(labels: Labels, value: ResultValue)])
        case matrix([ResultSeries])
    }

    package var value: Value
    package var annotations: Annotations
    package var statistics: QueryStatistics
}
