internal import ByteCoding
internal import MetricModel

/// Writes protobuf messages; fields that are zero or empty are left out, as in version 3 of the language.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ number: UInt64, _ value: UInt64) {
        if value == 0 { return }
        Varint.append(number << 3, to: &bytes)
        Varint.append(value, to: &bytes)
    }

    mutating func integer(_ number: UInt64, _ value: Int64) { varint(number, UInt64(bitPattern: value)) }

    mutating func signed(_ number: UInt64, _ value: Int64) { varint(number, Varint.zigzag(value)) }

    mutating func double(_ number: UInt64, _ value: Double, always: Bool = false) {
        if value.bitPattern == 0, !always { return }
        Varint.append(number << 3 | 1, to: &bytes)
        append(value)
    }

    private mutating func append(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func field(_ number: UInt64, _ content: some Collection<UInt8>) {
        Varint.append(number << 3 | 2, to: &bytes)
        Varint.append(UInt64(content.count), to: &bytes)
        bytes.append(contentsOf: content)
    }

    mutating func doubles(_ number: UInt64, _ values: [Double]) {
        if values.isEmpty { return }
        Varint.append(number << 3 | 2, to: &bytes)
        Varint.append(UInt64(values.count * 8), to: &bytes)
        for value in values { append(value) }
    }

    /// Signed numbers, zigzag coded and packed.
    mutating func signeds(_ number: UInt64, _ values: [Int64]) {
        if values.isEmpty { return }
        var packed: [UInt8] = []
        for value in values { Varint.append(Varint.zigzag(value), to: &packed) }
        field(number, packed)
    }

    /// A member of a `oneof`, which is written even where it is zero.
    private mutating func member(_ number: UInt64, _ value: UInt64) {
        Varint.append(number << 3, to: &bytes)
        Varint.append(value, to: &bytes)
    }

    // MARK: Messages of prompb

    mutating func labels(_ number: UInt64, _ labels: Labels) {
        let packed = labels.packedBytes
        labels.forEachRange { name, value in
            var pair = WireWriter()
            pair.field(1, packed[name])
            pair.field(2, packed[value])
            field(number, pair.bytes)
        }
    }

    mutating func sample(_ number: UInt64, _ timestamp: Timestamp, _ value: Double) {
        var sample = WireWriter()
        sample.double(1, value)
        sample.integer(2, timestamp)
        field(number, sample.bytes)
    }

    mutating func histogram(_ number: UInt64, _ timestamp: Timestamp, _ histogram: FloatHistogram) {
        var message = WireWriter()
        // A member of a `oneof` is written even where it is zero.
        message.double(2, histogram.count, always: true)
        message.double(3, histogram.sum)
        message.signed(4, Int64(histogram.schema))
        message.double(5, histogram.zeroThreshold)
        message.double(7, histogram.zeroCount, always: true)
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
        var message = WireWriter()
        message.member(1, histogram.count)
        message.double(3, histogram.sum)
        message.signed(4, Int64(histogram.schema))
        message.double(5, histogram.zeroThreshold)
        message.member(6, histogram.zeroCount)
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
        var message = WireWriter()
        message.signed(1, Int64(span.offset))
        message.varint(2, UInt64(span.length))
        field(number, message.bytes)
    }
}
