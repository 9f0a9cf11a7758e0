internal import ByteCoding
internal import MetricModel
internal import PromQL

/// Turns the series of classic histograms into native histograms with custom buckets.
///
/// Source: prometheus/prometheus util/convertnhcb.
struct ClassicHistogramConversion {
    /// A classic histogram at one moment.
    private struct Moment {
        var buckets: [(bound: Double, count: Double)] = []
        var count: Double?
        var sum = 0.0
    }

    private var histograms: [Labels: [Timestamp: Moment]] = [:]
    /// In the order in which they came up.
    private var order: [Labels] = []

    /// Takes in a series; what belongs to no histogram is passed over.
    /// - Throws: If the series of a bucket does not say which one it is.
    mutating func add(_ series: LoadCommand.Series) throws {
        guard let name = series.labels.metricName else { return }
        if name.hasSuffix("_bucket") {
            guard let text = series.labels["le"] else {
                throw Refusal(description: "expected bucket label in metric \(series.labels)")
            }
            guard let bound = FloatText.parse(text.bytes, .go), !bound.isNaN else { return }
            add(series, name, suffix: 7) { $0.buckets.append((bound, $1)) }
        } else if name.hasSuffix("_count") {
            add(series, name, suffix: 6) { $0.count = $1 }
        } else if name.hasSuffix("_sum") {
            add(series, name, suffix: 4) { $0.sum = $1 }
        }
    }

    private mutating func add(
        _ series: LoadCommand.Series, _ name: ByteString, suffix: Int, _ update: (inout Moment, Double) -> Void
    ) {
        let labels = series.labels.setting(Labels.metricName, ByteString(name.bytes.dropLast(suffix))).removing("le")
        if histograms[labels] == nil { order.append(labels) }
        for sample in series.samples {
            guard case .float(let value) = sample.value else { continue }
            update(&histograms[labels, default: [:]][sample.timestamp, default: Moment()], value)
        }
    }

    /// The native histograms.
    /// - Throws: What keeps one from being converted.
    func series() throws -> [LoadCommand.Series] {
        var result: [LoadCommand.Series] = []
        for labels in order {
            let moments = histograms[labels] ?? [:]
            let samples = try moments.keys.sorted().compactMap { timestamp in
                try moments[timestamp].map { moment in
                    LoadCommand.Sample(timestamp: timestamp, value: .histogram(try Self.convert(moment)))
                }
            }
            result.append(LoadCommand.Series(labels: labels, samples: samples))
        }
        return result
    }

    private static func convert(_ moment: Moment) throws -> FloatHistogram {
        var buckets: [(bound: Double, count: Double)] = []
        if let count = moment.count, count < 0 {
            throw Refusal(description: "count must be non-negative: count=\(count)")
        }
        for bucket in moment.buckets.sorted(by: { $0.bound < $1.bound }) where buckets.last?.bound != bucket.bound {
            if bucket.count < 0 {
                throw Refusal(
                    description: "bucket count must be non-negative: le=\(bucket.bound), count=\(bucket.count)")
            }
            if let last = buckets.last, bucket.count < last.count {
                throw Refusal(description: "count is not cumulative: \(bucket.count) < \(last.count)")
            }
            buckets.append(bucket)
        }
        let count = moment.count ?? buckets.last?.count ?? 0
        if buckets.last?.bound != .infinity { buckets.append((.infinity, count)) }
        guard let last = buckets.last, last.count == count else {
            throw Refusal(description: "count mismatch: count=\(count) != le=+Inf")
        }
        var histogram = FloatHistogram(schema: FloatHistogram.customBucketsSchema, count: count, sum: moment.sum)
        histogram.positiveSpans = [BucketSpan(offset: 0, length: UInt32(buckets.count))]
        var previous = 0.0
        for bucket in buckets {
            histogram.positiveBuckets.append(bucket.count - previous)
            previous = bucket.count
            if bucket.bound != .infinity { histogram.customValues.append(bucket.bound) }
        }
        let isInteger = buckets.allSatisfy { $0.count.rounded(.toNearestOrAwayFromZero) == $0.count }
        return histogram.compacted(maximumEmpty: isInteger ? 2 : 0)
    }

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }
}
