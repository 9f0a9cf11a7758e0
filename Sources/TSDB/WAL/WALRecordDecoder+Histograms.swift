internal import MetricModel

/// The histograms within records.
///
/// Source: prometheus/prometheus tsdb/record/record.go (`DecodeHistogram`, `DecodeFloatHistogram`).
extension WALRecordDecoder {
    /// Reads a histogram with integer counts; nil if its schema is unknown. Whether the bytes held one, the cursor tells.
    static func integerHistogram(_ cursor: inout WireCursor) -> HistogramSample? {
        var histogram = NativeHistogram()
        histogram.counterResetHint = CounterResetHint(rawValue: cursor.byte()) ?? .unknown
        let schema = cursor.varint()
        histogram.zeroThreshold = cursor.double()
        histogram.zeroCount = cursor.uvarint()
        histogram.count = cursor.uvarint()
        histogram.sum = cursor.double()
        histogram.positiveSpans = spans(&cursor)
        histogram.negativeSpans = spans(&cursor)
        histogram.positiveDeltas = deltas(&cursor)
        histogram.negativeDeltas = deltas(&cursor)
        if schema == Int64(FloatHistogram.customBucketsSchema) { histogram.customValues = doubles(&cursor) }
        return stored(histogram, schema: schema).map { .integer($0) }
    }

    /// The same with floating-point counts.
    static func floatHistogram(_ cursor: inout WireCursor) -> HistogramSample? {
        var histogram = FloatHistogram()
        histogram.counterResetHint = CounterResetHint(rawValue: cursor.byte()) ?? .unknown
        let schema = cursor.varint()
        histogram.zeroThreshold = cursor.double()
        histogram.zeroCount = cursor.double()
        histogram.count = cursor.double()
        histogram.sum = cursor.double()
        histogram.positiveSpans = spans(&cursor)
        histogram.negativeSpans = spans(&cursor)
        histogram.positiveBuckets = doubles(&cursor)
        histogram.negativeBuckets = doubles(&cursor)
        if schema == Int64(FloatHistogram.customBucketsSchema) { histogram.customValues = doubles(&cursor) }
        return stored(histogram, schema: schema).map { .float($0) }
    }

    /// The histogram in a resolution that the store keeps: a finer one is lowered. Nil for a schema that upstream does
    /// not know; it knows those it writes, those it reserves for finer resolutions, and custom buckets.
    private static func stored<Histogram: ChunkHistogram>(_ histogram: Histogram, schema: Int64) -> Histogram? {
        guard (-9...52).contains(schema) || schema == Int64(FloatHistogram.customBucketsSchema) else { return nil }
        var histogram = histogram
        histogram.schema = Int32(schema)
        let finest = FloatHistogram.exponentialSchemas.upperBound
        guard histogram.schema > finest else { return histogram }
        do throws(HistogramError) { try histogram.reduceResolution(to: finest) } catch { return nil }
        return histogram
    }

    private static func spans(_ cursor: inout WireCursor) -> [BucketSpan] {
        let number = cursor.count(minimumSize: 2)
        var spans: [BucketSpan] = []
        spans.reserveCapacity(number)
        for _ in 0..<number {
            spans.append(
                BucketSpan(
                    offset: Int32(truncatingIfNeeded: cursor.varint()),
                    length: UInt32(truncatingIfNeeded: cursor.uvarint())))
        }
        return spans
    }

    private static func deltas(_ cursor: inout WireCursor) -> [Int64] {
        let number = cursor.count(minimumSize: 1)
        var values: [Int64] = []
        values.reserveCapacity(number)
        for _ in 0..<number { values.append(cursor.varint()) }
        return values
    }

    private static func doubles(_ cursor: inout WireCursor) -> [Double] {
        let number = cursor.count(minimumSize: 8)
        var values: [Double] = []
        values.reserveCapacity(number)
        for _ in 0..<number { values.append(cursor.double()) }
        return values
    }
}
