internal import ByteCoding
package import MetricModel

/// Collects the numbers of one classic histogram and makes a native one with custom bucket bounds of them.
///
/// Source: prometheus/prometheus util/convertnhcb, whose tolerance and error texts these are.
package struct ClassicHistogramConverter {
    private var buckets: [(bound: Double, count: Double)] = []
    private var count: Double?
    private var sum = 0.0
    /// Why the numbers make no histogram; the first reason stays.
    private var problem: String?

    /// Starts with nothing.
    package init() {}

    /// Whether nothing was added since the start.
    package var isEmpty: Bool { buckets.isEmpty && count == nil && problem == nil && sum == 0 }

    /// Starts again and keeps the memory.
    package mutating func reset() {
        buckets.removeAll(keepingCapacity: true)
        count = nil
        sum = 0
        problem = nil
    }

    /// Adds the total of observations.
    package mutating func setCount(_ value: Double) {
        guard problem == nil else { return }
        if value < 0 {
            problem = "count must be non-negative: count=\(text(value))"
        } else {
            count = value
        }
    }

    /// Adds the sum of observations.
    package mutating func setSum(_ value: Double) { sum = value }

    /// Adds a bucket: `value` observations were at most `bound`. Of buckets with the same bound the first counts.
    /// - Complexity: O(1) in ascending order, else O(buckets).
    package mutating func setBucket(_ bound: Double, _ value: Double) {
        guard problem == nil else { return }
        if bound.isNaN {
            problem = "bucket boundary must not be NaN"
            return
        }
        if value < 0 {
            problem = "bucket count must be non-negative: le=\(text(bound)), count=\(text(value))"
            return
        }
        var index = buckets.count
        if let last = buckets.last, last.bound >= bound {
            var low = 0
            while low < index {
                let middle = (low + index) / 2
                if buckets[middle].bound >= bound { index = middle } else { low = middle + 1 }
            }
            if buckets[index].bound == bound { return }
        }
        if index > 0, value < buckets[index - 1].count {
            problem = "count is not cumulative: \(text(value)) < \(text(buckets[index - 1].count))"
        } else if index < buckets.count, value > buckets[index].count {
            problem = "count is not cumulative: \(text(value)) > \(text(buckets[index].count))"
        } else {
            buckets.insert((bound, value), at: index)
        }
    }

    private func text(_ value: Double) -> String { FloatText.string(value, .general) }

    /// The histogram: of whole numbers where all counts are whole.
    /// - Throws: ``ParseError/exposition(_:)`` that says what keeps the numbers from being a histogram.
    /// - Complexity: O(buckets).
    package func convert() throws(ParseError) -> HistogramValue.NativePart {
        if let problem { throw .exposition(problem) }
        var buckets = buckets
        let count = count ?? buckets.last?.count ?? 0
        if buckets.last?.bound != .infinity { buckets.append((.infinity, count)) }
        let isWhole = (buckets.map(\.count) + [count]).allSatisfy { Int64(exactly: $0) != nil }
        let last = buckets.last?.count ?? 0
        if count != last {
            let words = isWhole ? "\(GoConversion.uint64(count))" : text(count)
            throw .exposition("count mismatch: count=\(words) != le=+Inf count=\(text(last))")
        }
        let spans = [BucketSpan(offset: 0, length: UInt32(clamping: buckets.count))]
        let bounds = buckets.dropLast().map(\.bound)
        guard isWhole else {
            var histogram = FloatHistogram(
                schema: FloatHistogram.customBucketsSchema, count: count, sum: sum, positiveSpans: spans,
                customValues: bounds)
            var previous = 0.0
            for bucket in buckets {
                histogram.positiveBuckets.append(bucket.count - previous)
                previous = bucket.count
            }
            histogram.compact(maximumEmpty: 0)
            return .float(histogram)
        }
        var histogram = NativeHistogram(
            schema: FloatHistogram.customBucketsSchema, count: GoConversion.uint64(count), sum: sum,
            positiveSpans: spans, customValues: bounds)
        var previousCount: Int64 = 0
        var previousDelta: Int64 = 0
        for bucket in buckets {
            let total = Int64(exactly: bucket.count) ?? 0
            let delta = total &- previousCount
            histogram.positiveDeltas.append(delta &- previousDelta)
            previousCount = total
            previousDelta = delta
        }
        histogram.compact(maximumEmpty: 2)
        return .integer(histogram)
    }
}
