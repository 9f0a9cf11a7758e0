internal import ByteCoding
package import MetricModel

/// Length-delimited `io.prometheus.client.MetricFamily` messages, whole or in pieces that can be kept and put together
/// later: a header, then metrics, and before both the length of the two.
///
/// Source: prometheus/client_model io/prometheus/client/metrics.proto.
package enum ProtobufEncoder {
    /// Appends the fields of a family other than its metrics.
    package static func appendHeader(
        name: ByteString, help: ByteString?, type: MetricType, unit: ByteString = "", escaping: NameEscaping,
        to output: inout [UInt8]
    ) {
        output.appendText(1, escaping.exposed(name))
        if let help { output.appendText(2, help) }
        output.appendVarint(3, UInt64(typeNumber(type)))
        if !unit.isEmpty { output.appendText(5, unit) }
    }

    /// Appends one metric as a field of its family.
    /// - Complexity: O(bytes).
    package static func appendMetric(
        _ metric: Metric, escaping: NameEscaping = .standard, to output: inout [UInt8]
    ) {
        output.appendMessage(4) { output in
            for label in metric.labels { append(label, escaping, to: &output) }
            append(metric.value, to: &output)
            if let timestamp = metric.timestamp { output.appendVarint(6, UInt64(bitPattern: timestamp)) }
        }
    }

    /// Appends the length that stands before a message of `count` bytes.
    package static func appendLength(_ count: Int, to output: inout [UInt8]) {
        Varint.append(UInt64(count), to: &output)
    }

    /// Appends a whole family with its length.
    package static func append(
        _ family: MetricFamily, escaping: NameEscaping = .standard, to output: inout [UInt8]
    ) {
        var body: [UInt8] = []
        appendHeader(
            name: family.name, help: family.help, type: family.type, unit: family.unit, escaping: escaping, to: &body)
        for metric in family.metrics { appendMetric(metric, escaping: escaping, to: &body) }
        appendLength(body.count, to: &output)
        output.append(contentsOf: body)
    }

    /// The number of `MetricType`; what it does not know becomes GAUGE or UNTYPED.
    static func typeNumber(_ type: MetricType) -> UInt8 {
        switch type {
        case .counter: 0
        case .gauge, .info, .stateSet: 1
        case .summary: 2
        case .unknown: 3
        case .histogram: 4
        case .gaugeHistogram: 5
        }
    }

    private static func append(_ label: LabelPair, _ escaping: NameEscaping, to output: inout [UInt8]) {
        output.appendMessage(1) { output in
            output.appendText(1, escaping.exposed(label.name))
            output.appendText(2, label.value)
        }
    }

    private static func append(_ value: MetricValue, to output: inout [UInt8]) {
        switch value {
        case .gauge(let value): output.appendMessage(2) { $0.appendDouble(1, value) }
        case .untyped(let value): output.appendMessage(5) { $0.appendDouble(1, value) }
        case .counter(let counter):
            output.appendMessage(3) { output in
                output.appendDouble(1, counter.value)
                if let exemplar = counter.exemplar { append(exemplar, field: 2, to: &output) }
                if let created = counter.created { output.appendTime(3, nanoseconds: created) }
            }
        case .summary(let summary):
            output.appendMessage(4) { output in
                if let count = summary.count { output.appendVarint(1, GoConversion.uint64(count)) }
                if let sum = summary.sum { output.appendDouble(2, sum) }
                for pair in summary.quantiles {
                    output.appendMessage(3) {
                        $0.appendDouble(1, pair.quantile)
                        $0.appendDouble(2, pair.value)
                    }
                }
                if let created = summary.created { output.appendTime(4, nanoseconds: created) }
            }
        case .histogram(let histogram): output.appendMessage(7) { append(histogram, to: &$0) }
        }
    }

    private static func append(_ histogram: HistogramValue, to output: inout [UInt8]) {
        // In the order of the field numbers, as Go writes them.
        if let count = histogram.count, !histogram.hasFloatCounts {
            if case .integer(let native) = histogram.native {
                output.appendVarint(1, native.count)  // exact beyond 2^53
            } else {
                output.appendVarint(1, GoConversion.uint64(count))
            }
        }
        if let sum = histogram.sum { output.appendDouble(2, sum) }
        for bucket in histogram.buckets {
            output.appendMessage(3) { output in
                if !histogram.hasFloatCounts { output.appendVarint(1, GoConversion.uint64(bucket.count)) }
                output.appendDouble(2, bucket.upperBound)
                if let exemplar = bucket.exemplar { append(exemplar, field: 3, to: &output) }
                if histogram.hasFloatCounts { output.appendDouble(4, bucket.count) }
            }
        }
        if let count = histogram.count, histogram.hasFloatCounts { output.appendDouble(4, count) }
        switch histogram.native {
        case .integer(let native): append(native, to: &output)
        case .float(let native): append(native, to: &output)
        case nil: break
        }
        if let created = histogram.created { output.appendTime(15, nanoseconds: created) }
        for exemplar in histogram.exemplars { append(exemplar, field: 16, to: &output) }
    }

    private static func append(_ native: NativeHistogram, to output: inout [UInt8]) {
        output.appendVarint(5, Varint.zigzag(Int64(native.schema)))
        output.appendDouble(6, native.zeroThreshold)
        output.appendVarint(7, native.zeroCount)
        append(native.negativeSpans, field: 9, to: &output)
        for delta in native.negativeDeltas { output.appendVarint(10, Varint.zigzag(delta)) }
        append(native.positiveSpans, field: 12, to: &output)
        for delta in native.positiveDeltas { output.appendVarint(13, Varint.zigzag(delta)) }
    }

    private static func append(_ native: FloatHistogram, to output: inout [UInt8]) {
        output.appendVarint(5, Varint.zigzag(Int64(native.schema)))
        output.appendDouble(6, native.zeroThreshold)
        output.appendDouble(8, native.zeroCount)
        append(native.negativeSpans, field: 9, to: &output)
        for count in native.negativeBuckets { output.appendDouble(11, count) }
        append(native.positiveSpans, field: 12, to: &output)
        for count in native.positiveBuckets { output.appendDouble(14, count) }
    }

    private static func append(_ spans: [BucketSpan], field: UInt64, to output: inout [UInt8]) {
        for span in spans {
            output.appendMessage(field) {
                $0.appendVarint(1, Varint.zigzag(Int64(span.offset)))
                $0.appendVarint(2, UInt64(span.length))
            }
        }
    }

    private static func append(_ exemplar: Exemplar, field: UInt64, to output: inout [UInt8]) {
        output.appendMessage(field) { output in
            for pair in exemplar.labels.pairs {
                append(LabelPair(pair.name, pair.value), .allowUTF8, to: &output)
            }
            output.appendDouble(2, exemplar.value)
            if let timestamp = exemplar.timestamp {
                let nanoseconds = timestamp.multipliedReportingOverflow(by: 1_000_000)
                if !nanoseconds.overflow { output.appendTime(3, nanoseconds: nanoseconds.partialValue) }
            }
        }
    }
}

/// Fields of the model's own types.
extension [UInt8] {
    mutating func appendText(_ field: UInt64, _ text: ByteString) { appendField(field, text.bytes) }

    /// A `google.protobuf.Timestamp`.
    mutating func appendTime(_ field: UInt64, nanoseconds: Int64) {
        appendMessage(field) { output in
            var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            if rest < 0 {
                rest += 1_000_000_000
                seconds -= 1
            }
            if seconds != 0 { output.appendVarint(1, UInt64(bitPattern: seconds)) }
            if rest != 0 { output.appendVarint(2, UInt64(rest)) }
        }
    }
}
