internal import ByteCoding
internal import MetricModel

/// A native histogram of a remote write message; versions 1 and 2 have the same fields.
///
/// Source: prometheus/prometheus prompb/types.proto and prompb/io/prometheus/write/v2/types.proto.
struct RemoteHistogram {
    /// With integer or with floating-point counts.
    enum Counts {
        case integer(NativeHistogram)
        case float(FloatHistogram)
    }

    var timestamp: Timestamp = 0
    var startTimestamp: Timestamp = 0
    private var integer = NativeHistogram()
    private var float = FloatHistogram()
    private var isFloat = false

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(WireReader.Fault) {
        var reader = WireReader(bytes, range)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: integer.count = UInt64(bitPattern: value.integer)
            case 2:
                float.count = value.double
                isFloat = true
            case 3: (integer.sum, float.sum) = (value.double, value.double)
            case 4:
                let schema = Int32(truncatingIfNeeded: value.signed)
                (integer.schema, float.schema) = (schema, schema)
            case 5: (integer.zeroThreshold, float.zeroThreshold) = (value.double, value.double)
            case 6: integer.zeroCount = UInt64(bitPattern: value.integer)
            case 7: float.zeroCount = value.double
            case 14:
                let hint = CounterResetHint(rawValue: UInt8(truncatingIfNeeded: value.integer)) ?? .unknown
                (integer.counterResetHint, float.counterResetHint) = (hint, hint)
            case 15: timestamp = value.integer
            case 17: startTimestamp = value.integer
            default: try readBuckets(number, value, bytes)
            }
        }
    }

    private mutating func readBuckets(
        _ number: Int, _ value: WireReader.Value, _ bytes: UnsafeRawBufferPointer
    ) throws(WireReader.Fault) {
        let double = { (bits: UInt64) in Double(bitPattern: bits) }
        let delta = { (bits: UInt64) in WireReader.Value.varint(bits).signed }
        switch number {
        case 8: integer.negativeSpans.append(try Self.span(bytes, value.range))
        case 9: try value.append(to: &integer.negativeDeltas, in: bytes, delta)
        case 10: try value.append(to: &float.negativeBuckets, in: bytes, isFixed: true, double)
        case 11: integer.positiveSpans.append(try Self.span(bytes, value.range))
        case 12: try value.append(to: &integer.positiveDeltas, in: bytes, delta)
        case 13: try value.append(to: &float.positiveBuckets, in: bytes, isFixed: true, double)
        case 16: try value.append(to: &integer.customValues, in: bytes, isFixed: true, double)
        default: return
        }
    }

    private static func span(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(WireReader.Fault)
        -> BucketSpan
    {
        var span = BucketSpan(offset: 0, length: 0)
        var reader = WireReader(bytes, range)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: span.offset = Int32(truncatingIfNeeded: value.signed)
            case 2: span.length = UInt32(truncatingIfNeeded: value.integer)
            default: break
            }
        }
        return span
    }

    /// The histogram; resolutions that the store does not know are reduced to the highest that it does.
    /// - Throws: Where the buckets contradict the spans.
    func counts() throws(HistogramError) -> Counts {
        let highest: Int32 = 8
        if isFloat {
            var histogram = float
            histogram.positiveSpans = integer.positiveSpans
            histogram.negativeSpans = integer.negativeSpans
            histogram.customValues = integer.customValues
            if histogram.schema > highest, histogram.schema <= 52 { try histogram.reduceResolution(to: highest) }
            return .float(histogram)
        }
        var histogram = integer
        if histogram.schema > highest, histogram.schema <= 52 { try histogram.reduceResolution(to: highest) }
        return .integer(histogram)
    }
}
