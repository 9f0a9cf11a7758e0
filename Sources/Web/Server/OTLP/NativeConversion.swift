internal import MetricModel

/// Makes native histograms of OTLP's.
///
/// Source of the behaviour: prometheus/prometheus storage/remote/otlptranslator/prometheusremotewrite/histograms.go.
enum NativeConversion {
    private static let zeroThreshold = 1e-128
    private static let schemas: ClosedRange<Int32> = -4...8
    /// An empty run of up to so many buckets is written as zeros; a longer one begins a new span.
    private static let longestGap = 2

    static func exponential(
        _ point: OTLPMessage.ExponentialPoint, isDelta: Bool
    ) throws(OTLPFault) -> NativeHistogram {
        guard point.scale >= schemas.lowerBound else {
            throw OTLPFault(
                message: "cannot convert exponential to native histogram. Scale must be >= \(schemas.lowerBound), was "
                    + "\(point.scale)")
        }
        let shift = max(0, Int(point.scale) - Int(schemas.upperBound))
        var histogram = NativeHistogram(
            counterResetHint: isDelta ? .gauge : .unknown, schema: min(point.scale, schemas.upperBound),
            zeroThreshold: zeroThreshold)
        histogram.zeroCount = point.zeroCount
        (histogram.positiveSpans, histogram.positiveDeltas) = layout(merged(point.positive, by: shift))
        (histogram.negativeSpans, histogram.negativeDeltas) = layout(merged(point.negative, by: shift))
        histogram.sum = point.sum ?? 0
        histogram.count = point.count
        return histogram
    }

    static func customBuckets(_ point: OTLPMessage.HistogramPoint, isDelta: Bool) -> NativeHistogram {
        var histogram = NativeHistogram(
            counterResetHint: isDelta ? .gauge : .unknown, schema: FloatHistogram.customBucketsSchema,
            customValues: point.bounds)
        let empty = point.counts.prefix { $0 == 0 }.count
        let counts = point.counts.dropFirst(empty).enumerated().map { (Int64(empty + $0.offset), $0.element) }
        (histogram.positiveSpans, histogram.positiveDeltas) = layout(counts)
        histogram.sum = point.sum ?? 0
        histogram.count = point.count
        return histogram
    }

    /// Buckets by their native index, 2^`shift` of them made one. Bucket 0 of OTLP begins where native bucket 1 does.
    private static func merged(
        _ buckets: OTLPMessage.ExponentialPoint.Buckets, by shift: Int
    ) -> [(index: Int64, count: UInt64)] {
        var result: [(index: Int64, count: UInt64)] = []
        for (place, count) in buckets.counts.enumerated() {
            let index = (Int64(buckets.offset) + Int64(place)) >> Int64(min(shift, 62)) + 1
            if result.last?.index == index {
                result[result.count - 1].count &+= count
            } else {
                result.append((index, count))
            }
        }
        return result
    }

    private static func layout(_ buckets: [(index: Int64, count: UInt64)]) -> (spans: [BucketSpan], deltas: [Int64]) {
        var spans: [BucketSpan] = []
        var deltas: [Int64] = []
        var previous: Int64 = 0
        var next: Int64 = 0
        func add(_ count: Int64) {
            spans[spans.count - 1].length += 1
            deltas.append(count &- previous)
            previous = count
        }
        for bucket in buckets where bucket.count > 0 {
            guard let offset = Int32(exactly: bucket.index - next) else { break }
            if spans.isEmpty || Int(offset) > longestGap {
                spans.append(BucketSpan(offset: offset, length: 0))
            } else {
                for _ in 0..<max(0, offset) { add(0) }
            }
            add(Int64(truncatingIfNeeded: bucket.count))
            next = bucket.index + 1
        }
        return (spans, deltas)
    }
}
