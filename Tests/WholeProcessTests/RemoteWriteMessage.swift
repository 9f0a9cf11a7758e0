/// A remote write request of version 1, as bytes.
///
/// Source: prometheus/prometheus prompb/types.proto, remote.proto.
struct RemoteWriteMessage {
    /// A native histogram with positive buckets only.
    struct Histogram {
        var schema: Int64 = 1
        /// Counts of the buckets from index 0 on.
        var counts: [UInt64]
        var isFloat = false
        var isGauge = false
        /// The staleness marker, or the sum.
        var sum: Double
    }

    private var message: [UInt8] = []

    /// Adds a series; `labels` are sorted.
    mutating func add(
        _ labels: [(String, String)], samples: [(Int64, Double)] = [], histograms: [(Int64, Histogram)] = [],
        exemplars: [(Int64, Double, String)] = []
    ) {
        var series: [UInt8] = []
        for label in labels { Self.field(1, Self.label(label.0, label.1), to: &series) }
        for (time, value) in samples {
            var sample: [UInt8] = []
            Self.double(1, value, to: &sample)
            Self.varint(2, UInt64(bitPattern: time), to: &sample)
            Self.field(2, sample, to: &series)
        }
        for (time, value, trace) in exemplars {
            var exemplar: [UInt8] = []
            Self.field(1, Self.label("trace_id", trace), to: &exemplar)
            Self.double(2, value, to: &exemplar)
            Self.varint(3, UInt64(bitPattern: time), to: &exemplar)
            Self.field(3, exemplar, to: &series)
        }
        for (time, histogram) in histograms { Self.field(4, Self.bytes(histogram, time), to: &series) }
        Self.field(1, series, to: &message)
    }

    private static func label(_ name: String, _ value: String) -> [UInt8] {
        var label: [UInt8] = []
        field(1, Array(name.utf8), to: &label)
        field(2, Array(value.utf8), to: &label)
        return label
    }

    private static func bytes(_ histogram: Histogram, _ time: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        let total = histogram.counts.reduce(0, +)
        if histogram.isFloat { double(2, Double(total), to: &bytes) } else { varint(1, total, to: &bytes) }
        double(3, histogram.sum, to: &bytes)
        varint(4, zigzag(histogram.schema), to: &bytes)
        double(5, 0.001, to: &bytes)
        if histogram.isFloat { double(7, 0, to: &bytes) } else { varint(6, 0, to: &bytes) }
        if !histogram.counts.isEmpty {
            var span: [UInt8] = []
            varint(1, 0, to: &span)
            varint(2, UInt64(histogram.counts.count), to: &span)
            field(11, span, to: &bytes)
            var packed: [UInt8] = []
            var last: Int64 = 0
            for count in histogram.counts {
                if histogram.isFloat {
                    packed += word(Double(count))
                } else {
                    append(zigzag(Int64(count) - last), to: &packed)
                    last = Int64(count)
                }
            }
            field(histogram.isFloat ? 13 : 12, packed, to: &bytes)
        }
        if histogram.isGauge { varint(14, 3, to: &bytes) }
        varint(15, UInt64(bitPattern: time), to: &bytes)
        return bytes
    }

    /// Compressed with snappy, as literals only.
    var compressed: [UInt8] {
        var result: [UInt8] = []
        Self.append(UInt64(message.count), to: &result)
        var start = 0
        while start < message.count {
            let end = min(message.count, start + 60_000)
            let length = end - start - 1
            result += [61 << 2, UInt8(length & 0xFF), UInt8(length >> 8)]
            result += message[start..<end]
            start = end
        }
        return result
    }

    static let headers = ["Content-Encoding: snappy", "Content-Type: application/x-protobuf"]

    // MARK: Wire format

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    private static func varint(_ number: UInt64, _ value: UInt64, to bytes: inout [UInt8]) {
        append(number << 3, to: &bytes)
        append(value, to: &bytes)
    }

    private static func word(_ value: Double) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }

    private static func double(_ number: UInt64, _ value: Double, to bytes: inout [UInt8]) {
        append(number << 3 | 1, to: &bytes)
        bytes += word(value)
    }

    private static func field(_ number: UInt64, _ content: [UInt8], to bytes: inout [UInt8]) {
        append(number << 3 | 2, to: &bytes)
        append(UInt64(content.count), to: &bytes)
        bytes += content
    }
}
