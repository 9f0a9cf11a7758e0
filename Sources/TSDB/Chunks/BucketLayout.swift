internal import MetricModel

/// Arithmetic on the spans that say which buckets of a native histogram are stored.
///
/// Source: prometheus/prometheus tsdb/chunkenc/histogram_meta.go and histogram.go (`expandIntSpansAndBuckets`) for
/// what counts as a reset and when a chunk is recoded.
enum BucketLayout {
    /// Number of buckets that `spans` announce; saturates.
    static func count(_ spans: [BucketSpan]) -> Int {
        var total = 0
        for span in spans { total &+= Int(span.length) }
        return total
    }

    /// The index of each bucket, in order. The caller has checked that there are that many bucket values.
    /// - Complexity: O(buckets).
    static func indices(_ spans: [BucketSpan]) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(count(spans))
        var next = 0
        for span in spans {
            next += Int(span.offset)
            for _ in 0..<span.length {
                result.append(next)
                next += 1
            }
        }
        return result
    }

    /// Spans for ascending `indices`, neighbours in one span.
    static func spans(_ indices: [Int]) -> [BucketSpan] {
        var result: [BucketSpan] = []
        var next = 0
        for index in indices {
            if index == next, !result.isEmpty {
                result[result.count - 1].length += 1
            } else {
                result.append(BucketSpan(offset: Int32(clamping: index - next), length: 1))
            }
            next = index + 1
        }
        return result
    }

    /// The buckets of both, ascending. Duplicates within one side (spans with negative offsets) are merged.
    static func union(_ a: [Int], _ b: [Int]) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(max(a.count, b.count))
        var i = 0
        var j = 0
        while i < a.count || j < b.count {
            if j == b.count || (i < a.count && a[i] < b[j]) {
                result.append(a[i])
                i += 1
            } else if i == a.count || b[j] < a[i] {
                result.append(b[j])
                j += 1
            } else {
                result.append(a[i])
                i += 1
                j += 1
            }
        }
        return result
    }

    /// `values` of the buckets at `old`, moved to the places of those buckets in `new`; buckets that are only in
    /// `new` get `zero`.
    static func spread<Value>(_ values: [Value], from old: [Int], to new: [Int], zero: Value) -> [Value] {
        var result: [Value] = []
        result.reserveCapacity(new.count)
        var next = 0
        for index in new {
            if next < old.count, next < values.count, old[next] == index {
                result.append(values[next])
                next += 1
            } else {
                result.append(zero)
            }
        }
        return result
    }

    /// Whether a counter with buckets `a` can have become `b`: no count shrank, and no used bucket is gone.
    static func continues<Value: Comparable>(
        _ a: [Value], at aIndices: [Int], into b: [Value], at bIndices: [Int], zero: Value
    ) -> Bool {
        var i = 0
        var j = 0
        while i < aIndices.count {
            if j < bIndices.count, bIndices[j] < aIndices[i] {
                j += 1
            } else if j < bIndices.count, bIndices[j] == aIndices[i] {
                if a[i] > b[j] { return false }
                i += 1
                j += 1
            } else {
                if a[i] != zero { return false }
                i += 1
            }
        }
        return true
    }
}

/// What the samples of a histogram chunk share.
package struct HistogramLayout: Sendable {
    var schema: Int32 = 0
    var zeroThreshold = 0.0
    var positiveSpans: [BucketSpan] = []
    var negativeSpans: [BucketSpan] = []
    var customValues: [Double] = []

    /// Appends the layout to a chunk that has no sample yet.
    func write(to writer: inout BitWriter) {
        Self.writeThreshold(zeroThreshold, to: &writer)
        writer.writeVarbit(Int64(schema))
        Self.writeSpans(positiveSpans, to: &writer)
        Self.writeSpans(negativeSpans, to: &writer)
        guard schema == FloatHistogram.customBucketsSchema else { return }
        writer.writeVarbitUnsigned(UInt64(customValues.count))
        for value in customValues { Self.writeCustomValue(value, to: &writer) }
    }

    /// The layout of empty histograms.
    init() {}

    /// Reads what ``write(to:)`` wrote.
    /// - Throws: ``ChunkError``, also for a schema that is not known.
    init(from reader: inout BitReader) throws(ChunkError) {
        zeroThreshold = try Self.readThreshold(&reader)
        schema = Int32(truncatingIfNeeded: try reader.readVarbit())
        positiveSpans = try Self.readSpans(&reader)
        negativeSpans = try Self.readSpans(&reader)
        if schema == FloatHistogram.customBucketsSchema {
            let count = try reader.readVarbitUnsigned()
            guard count <= UInt64(reader.remaining) else { throw reader.failure(.truncated) }
            for _ in 0..<count { customValues.append(try Self.readCustomValue(&reader)) }
        } else if schema < -9 || schema > 52 {
            throw reader.failure(.unknownSchema(schema))
        }
    }

    private static func writeSpans(_ spans: [BucketSpan], to writer: inout BitWriter) {
        writer.writeVarbitUnsigned(UInt64(spans.count))
        for span in spans {
            writer.writeVarbitUnsigned(UInt64(span.length))
            writer.writeVarbit(Int64(span.offset))
        }
    }

    private static func readSpans(_ reader: inout BitReader) throws(ChunkError) -> [BucketSpan] {
        let count = try reader.readVarbitUnsigned()
        // A span takes two bits at least: a greater number is damage, and must not become an allocation.
        guard count <= UInt64(reader.remaining / 2) else { throw reader.failure(.truncated) }
        var spans: [BucketSpan] = []
        spans.reserveCapacity(min(Int(count), 64))
        for _ in 0..<count {
            let length = UInt32(truncatingIfNeeded: try reader.readVarbitUnsigned())
            spans.append(BucketSpan(offset: Int32(truncatingIfNeeded: try reader.readVarbit()), length: length))
        }
        return spans
    }

    /// One byte for 0 (0) and for powers of two from 2^-243 to 2^10 (exponent plus 243), else 255 and the number.
    private static func writeThreshold(_ threshold: Double, to writer: inout BitWriter) {
        if threshold == 0 { return writer.write(0, bits: 8) }
        // Upstream counts exponents of 0.5 to 1, hence one more than ours, which are of 1 to 2.
        if threshold.isNormal, threshold > 0, threshold.significand == 1 {
            let exponent = Int(threshold.exponent) + 1
            if exponent >= -242 && exponent <= 11 { return writer.write(UInt64(exponent + 243), bits: 8) }
        }
        writer.write(255, bits: 8)
        writer.write(threshold.bitPattern, bits: 64)
    }

    private static func readThreshold(_ reader: inout BitReader) throws(ChunkError) -> Double {
        let byte = try reader.read(8)
        switch byte {
        case 0: return 0
        case 255: return Double(bitPattern: try reader.read(64))
        default: return Double(sign: .plus, exponent: Int(byte) - 244, significand: 1)
        }
    }

    /// Multiples of 0.001 up to 33,554.430 as a varbit number greater than 0, others as 0 and the number.
    private static func writeCustomValue(_ value: Double, to writer: inout BitWriter) {
        let thousandfold = value * 1000
        if thousandfold >= 0, thousandfold <= 33_554_430 {
            let rounded = thousandfold.rounded(.toNearestOrAwayFromZero)
            if rounded / 1000 == value { return writer.writeVarbitUnsigned(UInt64(rounded) + 1) }
        }
        writer.write(0, bits: 1)
        writer.write(value.bitPattern, bits: 64)
    }

    private static func readCustomValue(_ reader: inout BitReader) throws(ChunkError) -> Double {
        let number = try reader.readVarbitUnsigned()
        return number == 0 ? Double(bitPattern: try reader.read(64)) : Double(number - 1) / 1000
    }
}
