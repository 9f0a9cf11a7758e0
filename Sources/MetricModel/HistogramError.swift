/// Why a native histogram is refused, in the words that users of Prometheus know.
///
/// Source: prometheus/prometheus model/histogram/generic.go.
public enum HistogramError: Error, Equatable, Sendable {
    /// Fewer observations counted than found in the buckets, though some may be NaN.
    case countNotBigEnough(inBuckets: UInt64, count: UInt64)
    /// Observations counted and found in the buckets differ.
    case countMismatch(inBuckets: UInt64, count: UInt64)
    /// The count of observations is negative.
    case negativeCount(String)
    /// A bucket's count is negative: `site` says which bucket.
    case negativeBucketCount(site: String)
    /// A span other than the first goes backwards.
    case negativeSpanOffset(span: Int, offset: Int32)
    /// Spans and buckets do not tell the same number of buckets.
    case spansBucketsMismatch(String)
    /// More buckets than custom bounds.
    case customBoundsTooFew(bounds: Int, spanLength: Int)
    /// Custom bounds do not ascend.
    case customBoundsInvalid(previous: String, current: String)
    /// +Inf is given as a custom bound.
    case customBoundsInfinite
    /// A custom bound is NaN.
    case customBoundsNaN
    /// Exponential and custom buckets do not mix.
    case incompatibleSchemas
    /// A histogram with custom buckets has a zero bucket.
    case customBucketsZeroCount
    /// A histogram with custom buckets has a zero threshold.
    case customBucketsZeroThreshold
    /// A histogram with custom buckets has negative spans.
    case customBucketsNegativeSpans
    /// A histogram with custom buckets has negative buckets.
    case customBucketsNegativeBuckets
    /// A histogram with exponential buckets has custom bounds.
    case exponentialWithCustomBounds
    /// No such schema.
    case invalidSchema(Int32)
    /// The resolution cannot be reduced to the schema asked for.
    case cannotReduceResolution(from: Int32, to: Int32)
    /// `inner` happened on the side that `side` names ("positive side", "negative side", "custom buckets").
    indirect case at(side: String, inner: HistogramError)
}

extension HistogramError: CustomStringConvertible {
    /// The sentence that Prometheus prints.
    public var description: String {
        switch self {
        case .countNotBigEnough(let found, let count):
            return "\(found) observations found in buckets, but the Count field is \(count): histogram's observation "
                + "count should be at least the number of observations found in the buckets"
        case .countMismatch(let found, let count):
            return "\(found) observations found in buckets, but the Count field is \(count): histogram's observation "
                + "count should equal the number of observations found in the buckets (in absence of NaN)"
        case .negativeCount(let count):
            return "observation count is  \(count): histogram's observation count is negative"
        case .negativeBucketCount(let site):
            return "\(site): histogram has a bucket whose observation count is negative"
        case .negativeSpanOffset(let span, let offset):
            return "span number \(span) with offset \(offset): histogram has a span whose offset is negative"
        case .spansBucketsMismatch(let numbers):
            return "\(numbers): histogram spans specify different number of buckets than provided"
        case .customBoundsTooFew(let bounds, let length):
            return "only \(bounds) custom bounds defined which is insufficient to cover total span length of "
                + "\(length): histogram custom bounds are too few"
        case .customBoundsInvalid(let previous, let current):
            return "previous bound is \(previous) and current is \(current): histogram custom bounds must be in "
                + "strictly increasing order"
        case .customBoundsInfinite:
            return "last +Inf bound must not be explicitly defined: histogram custom bounds must be finite"
        case .customBoundsNaN: return "histogram custom bounds must not be NaN"
        case .incompatibleSchemas:
            return "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
        case .customBucketsZeroCount: return "custom buckets: must have zero count of 0"
        case .customBucketsZeroThreshold: return "custom buckets: must have zero threshold of 0"
        case .customBucketsNegativeSpans: return "custom buckets: must not have negative spans"
        case .customBucketsNegativeBuckets: return "custom buckets: must not have negative buckets"
        case .exponentialWithCustomBounds: return "histogram with exponential schema must not have custom bounds"
        case .invalidSchema(let schema):
            return "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 "
                + "for custom buckets, got schema \(schema)"
        case .cannotReduceResolution(let from, let to):
            return "cannot reduce resolution from schema \(from) to \(to)"
        case .at(let side, let inner): return "\(side): \(inner)"
        }
    }
}
