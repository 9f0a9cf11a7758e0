internal import MetricModel

#if canImport(Glibc)
internal import Glibc
#endif

/// The buckets of a native histogram: bounds grow by a factor, and only buckets that were hit take memory. When there are
/// too many, neighbours are joined two by two, which halves the resolution.
///
/// Source: prometheus/client_golang prometheus/histogram.go (`findBucket`, `doubleBucketWidth`).
struct NativeBuckets {
    private static let zeroThreshold = 0x1p-128

    private(set) var schema: Int32
    private let maximum: Int
    private var zeroCount: UInt64 = 0
    private var positive: [Int32: UInt64] = [:]
    private var negative: [Int32: UInt64] = [:]

    /// - Parameters:
    ///   - schema: Bounds grow by 2 to the power of 2 to the power of minus this; -4 to 8.
    ///   - maximum: Most buckets, at least 1.
    init(schema: Int32, maximum: Int) {
        self.schema = min(max(schema, -4), 8)
        self.maximum = max(1, maximum)
    }

    /// Counts an observation. NaN falls into no bucket.
    mutating func observe(_ value: Double) {
        if value.isNaN { return }
        if value.magnitude <= Self.zeroThreshold {
            zeroCount &+= 1
            return
        }
        let index = Self.index(of: value.magnitude, schema: schema)
        if value > 0 { positive[index, default: 0] &+= 1 } else { negative[index, default: 0] &+= 1 }
        while positive.count + negative.count > maximum, schema > -4 {
            schema -= 1
            positive = Self.halved(positive)
            negative = Self.halved(negative)
        }
    }

    /// The bucket of a positive number: its bound is the lowest that is not below the number.
    static func index(of value: Double, schema: Int32) -> Int32 {
        let finite = min(value, .greatestFiniteMagnitude)
        let scale = Double(sign: .plus, exponent: Int(schema), significand: 1)
        // The logarithm is a little off at most; the bounds themselves decide.
        var index = Int32((log2(finite) * scale).rounded(.up))
        while FloatHistogram.exponentialBound(index - 1, schema: schema) >= finite { index -= 1 }
        while FloatHistogram.exponentialBound(index, schema: schema) < finite { index += 1 }
        return value.isInfinite ? index + 1 : index
    }

    private static func halved(_ buckets: [Int32: UInt64]) -> [Int32: UInt64] {
        Dictionary(buckets.map { (($0.key - 1) >> 1 + 1, $0.value) }, uniquingKeysWith: &+)
    }

    /// The histogram with `count` observations that add up to `sum`.
    func histogram(count: UInt64, sum: Double) -> NativeHistogram {
        let (positiveSpans, positiveDeltas) = Self.spans(positive)
        let (negativeSpans, negativeDeltas) = Self.spans(negative)
        return NativeHistogram(
            schema: schema, zeroThreshold: Self.zeroThreshold, zeroCount: zeroCount, count: count, sum: sum,
            positiveSpans: positiveSpans, positiveDeltas: positiveDeltas, negativeSpans: negativeSpans,
            negativeDeltas: negativeDeltas)
    }

    private static func spans(_ buckets: [Int32: UInt64]) -> (spans: [BucketSpan], deltas: [Int64]) {
        var spans: [BucketSpan] = []
        var deltas: [Int64] = []
        var next: Int32 = 0
        var last: Int64 = 0
        for (index, count) in buckets.sorted(by: { $0.key < $1.key }) {
            if !spans.isEmpty, index == next {
                spans[spans.count - 1].length += 1
            } else {
                spans.append(BucketSpan(offset: index - next, length: 1))
            }
            next = index + 1
            let count = Int64(clamping: count)
            deltas.append(count - last)
            last = count
        }
        return (spans, deltas)
    }
}
