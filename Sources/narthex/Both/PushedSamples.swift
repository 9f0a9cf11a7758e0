import ByteCoding
import Gateway
import MetricModel
import TSDB

/// A group's metrics as the samples that a scrape of them would give.
struct PushedSamples {
    private let group: GroupView

    init(_ group: GroupView) { self.group = group }

    /// Appends all samples; those that the store refuses (a repeated time, a full series limit) are left out, as in a
    /// scrape.
    /// - Complexity: O(samples).
    mutating func append(to appender: Appender, at timestamp: Timestamp) {
        for family in group.families {
            for metric in family.metrics { append(family.name, metric, to: appender, timestamp) }
        }
        let labels = group.key.labels
        add("push_time_seconds", labels, Double(group.pushTime) / 1e9, to: appender, timestamp)
        add("push_failure_time_seconds", labels, Double(group.failureTime) / 1e9, to: appender, timestamp)
    }

    private func append(_ name: ByteString, _ metric: Metric, to appender: Appender, _ timestamp: Timestamp) {
        switch metric.value {
        case .counter(let counter): add(name, metric.labels, counter.value, to: appender, timestamp)
        case .gauge(let value), .untyped(let value): add(name, metric.labels, value, to: appender, timestamp)
        case .summary(let summary):
            for quantile in summary.quantiles {
                let bound = LabelPair("quantile", Self.text(quantile.quantile))
                add(name, metric.labels + [bound], quantile.value, to: appender, timestamp)
            }
            addTotals(name, metric.labels, summary.sum, summary.count, to: appender, timestamp)
        case .histogram(let histogram):
            switch histogram.native {
            case .integer(let native):
                _ = try? appender.append(
                    .none, labels: series(name, metric.labels), timestamp: timestamp, histogram: native)
            case .float(let native):
                _ = try? appender.append(
                    .none, labels: series(name, metric.labels), timestamp: timestamp, floatHistogram: native)
            case nil: addBuckets(name, metric.labels, histogram, to: appender, timestamp)
            }
        }
    }

    private func addBuckets(
        _ name: ByteString, _ labels: [LabelPair], _ histogram: HistogramValue, to appender: Appender,
        _ timestamp: Timestamp
    ) {
        let bucket = Self.joined(name, "_bucket")
        for one in histogram.buckets {
            add(bucket, labels + [LabelPair("le", Self.text(one.upperBound))], one.count, to: appender, timestamp)
        }
        if !histogram.buckets.contains(where: { $0.upperBound == .infinity }) {
            add(bucket, labels + [LabelPair("le", "+Inf")], histogram.count ?? 0, to: appender, timestamp)
        }
        addTotals(name, labels, histogram.sum, histogram.count, to: appender, timestamp)
    }

    private func addTotals(
        _ name: ByteString, _ labels: [LabelPair], _ sum: Double?, _ count: Double?, to appender: Appender,
        _ timestamp: Timestamp
    ) {
        add(Self.joined(name, "_sum"), labels, sum ?? 0, to: appender, timestamp)
        add(Self.joined(name, "_count"), labels, count ?? 0, to: appender, timestamp)
    }

    private func add(
        _ name: ByteString, _ labels: [LabelPair], _ value: Double, to appender: Appender, _ timestamp: Timestamp
    ) {
        _ = try? appender.append(.none, labels: series(name, labels), timestamp: timestamp, value: value)
    }

    /// Empty labels are missing ones, so that `instance=""` leaves the series without an instance.
    private func series(_ name: ByteString, _ labels: [LabelPair]) -> Labels {
        Labels([(name: Labels.metricName, value: name)] + labels.map { (name: $0.name, value: $0.value) })
    }

    private static func joined(_ name: ByteString, _ suffix: String) -> ByteString {
        ByteString(name.bytes + Array(suffix.utf8))
    }

    /// Bounds as a server writes them into labels: `1.0`, `0.5`, `+Inf`.
    private static func text(_ bound: Double) -> ByteString { ByteString(FloatText.string(bound, .openMetrics)) }
}
