internal import ByteCoding
internal import MetricModel

/// Writes messages of prompb; fields that are zero or empty are left out, as in version 3 of protobuf's language.
///
/// Source: prometheus/prometheus prompb/types.proto and remote.proto.
struct RemoteMessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ number: UInt64, _ value: UInt64) { if value != 0 { bytes.appendVarint(number, value) } }

    mutating func integer(_ number: UInt64, _ value: Int64) { varint(number, UInt64(bitPattern: value)) }

    mutating func signed(_ number: UInt64, _ value: Int64) { varint(number, Varint.zigzag(value)) }

    mutating func double(_ number: UInt64, _ value: Double) {
        if value.bitPattern != 0 { bytes.appendDouble(number, value) }
    }

    mutating func field(_ number: UInt64, _ content: some Collection<UInt8>) { bytes.appendField(number, content) }

    mutating func doubles(_ number: UInt64, _ values: [Double]) {
        if values.isEmpty { return }
        var packed: [UInt8] = []
        packed.reserveCapacity(values.count * 8)
        for value in values {
            // SAFETY: the value's own bytes.
            withUnsafeBytes(of: value.bitPattern.littleEndian) { packed.append(contentsOf: $0) }
        }
        field(number, packed)
    }

    /// Signed numbers, zigzag coded and packed.
    mutating func signeds(_ number: UInt64, _ values: [Int64]) {
        if values.isEmpty { return }
        var packed: [UInt8] = []
        for value in values { Varint.append(Varint.zigzag(value), to: &packed) }
        field(number, packed)
    }

    // MARK: Messages

    mutating func labels(_ number: UInt64, _ labels: Labels) {
        let packed = labels.packedBytes
        labels.forEachRange { name, value in
            var pair = RemoteMessageWriter()
            pair.field(1, packed[name])
            pair.field(2, packed[value])
            field(number, pair.bytes)
        }
    }

    mutating func sample(_ number: UInt64, _ timestamp: Timestamp, _ value: Double) {
        var sample = RemoteMessageWriter()
        sample.double(1, value)
        sample.integer(2, timestamp)
        field(number, sample.bytes)
    }

    mutating func histogram(_ number: UInt64, _ timestamp: Timestamp, _ histogram: FloatHistogram) {
        var message = RemoteMessageWriter()
        // A member of a `oneof` is written even where it is zero.
        message.bytes.appendDouble(2, histogram.count)
        message.double(3, histogram.sum)
        message.signed(4, Int64(histogram.schema))
        message.double(5, histogram.zeroThreshold)
        message.bytes.appendDouble(7, histogram.zeroCount)
        for span in histogram.negativeSpans { message.span(8, span) }
        message.doubles(10, histogram.negativeBuckets)
        for span in histogram.positiveSpans { message.span(11, span) }
        message.doubles(13, histogram.positiveBuckets)
        message.varint(14, UInt64(histogram.counterResetHint.rawValue))
        message.integer(15, timestamp)
        message.doubles(16, histogram.customValues)
        field(number, message.bytes)
    }

    mutating func histogram(_ number: UInt64, _ timestamp: Timestamp, _ histogram: NativeHistogram) {
        var message = RemoteMessageWriter()
        // As above.
        message.bytes.appendVarint(1, histogram.count)
        message.double(3, histogram.sum)
        message.signed(4, Int64(histogram.schema))
        message.double(5, histogram.zeroThreshold)
        message.bytes.appendVarint(6, histogram.zeroCount)
        for span in histogram.negativeSpans { message.span(8, span) }
        message.signeds(9, histogram.negativeDeltas)
        for span in histogram.positiveSpans { message.span(11, span) }
        message.signeds(12, histogram.positiveDeltas)
        message.varint(14, UInt64(histogram.counterResetHint.rawValue))
        message.integer(15, timestamp)
        message.doubles(16, histogram.customValues)
        field(number, message.bytes)
    }

    private mutating func span(_ number: UInt64, _ span: BucketSpan) {
        var message = RemoteMessageWriter()
        message.signed(1, Int64(span.offset))
        message.varint(2, UInt64(span.length))
        field(number, message.bytes)
    }
}
