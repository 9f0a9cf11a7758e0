internal import ByteCoding
package import MetricModel

/// `MetricFamily` messages in protobuf's text form, for people.
///
/// Source: prometheus/common expfmt/encode.go; google.golang.org/protobuf encoding/prototext, without the blanks it
/// adds at random.
package enum ProtobufTextEncoder {
    /// Appends a whole family.
    /// - Parameter isCompact: One line, instead of a line for each field and an empty one at the end.
    package static func append(
        _ family: MetricFamily, isCompact: Bool, escaping: NameEscaping = .standard, to output: inout [UInt8]
    ) {
        var writer = FieldWriter(isCompact: isCompact)
        writer.text("name", escaping.exposed(family.name))
        if let help = family.help { writer.text("help", help) }
        writer.word("type", typeWord(family.type))
        for metric in family.metrics {
            writer.message("metric") { append(metric, escaping, to: &$0) }
        }
        if !family.unit.isEmpty { writer.text("unit", family.unit) }
        output.append(contentsOf: writer.output)
        output.append(UInt8(ascii: "\n"))
    }

    /// A metric alone, on one line, as error texts show it.
    /// - Complexity: O(length of the text).
    package static func line(_ metric: Metric) -> [UInt8] {
        var writer = FieldWriter(isCompact: true)
        append(metric, .allowUTF8, to: &writer)
        return writer.output
    }

    private static func typeWord(_ type: MetricType) -> StaticString {
        switch type {
        case .counter: "COUNTER"
        case .gauge, .info, .stateSet: "GAUGE"
        case .summary: "SUMMARY"
        case .unknown: "UNTYPED"
        case .histogram: "HISTOGRAM"
        case .gaugeHistogram: "GAUGE_HISTOGRAM"
        }
    }

    private static func append(_ metric: Metric, _ escaping: NameEscaping, to writer: inout FieldWriter) {
        for label in metric.labels { append(label, escaping, to: &writer) }
        switch metric.value {
        case .gauge(let value): writer.message("gauge") { $0.number("value", value) }
        case .untyped(let value): writer.message("untyped") { $0.number("value", value) }
        case .counter(let counter):
            writer.message("counter") { writer in
                writer.number("value", counter.value)
                if let exemplar = counter.exemplar { append(exemplar, "exemplar", to: &writer) }
                if let created = counter.created { writer.time("created_timestamp", nanoseconds: created) }
            }
        case .summary(let summary):
            writer.message("summary") { writer in
                if let count = summary.count { writer.whole("sample_count", Int128(GoConversion.uint64(count))) }
                if let sum = summary.sum { writer.number("sample_sum", sum) }
                for pair in summary.quantiles {
                    writer.message("quantile") {
                        $0.number("quantile", pair.quantile)
                        $0.number("value", pair.value)
                    }
                }
                if let created = summary.created { writer.time("created_timestamp", nanoseconds: created) }
            }
        case .histogram(let histogram): writer.message("histogram") { append(histogram, to: &$0) }
        }
        if let timestamp = metric.timestamp { writer.whole("timestamp_ms", Int128(timestamp)) }
    }

    private static func append(_ label: LabelPair, _ escaping: NameEscaping, to writer: inout FieldWriter) {
        writer.message("label") {
            $0.text("name", escaping.exposed(label.name))
            $0.text("value", label.value)
        }
    }

    private static func append(_ histogram: HistogramValue, to writer: inout FieldWriter) {
        if let count = histogram.count {
            if histogram.hasFloatCounts {
                writer.number("sample_count_float", count)
            } else {
                writer.whole("sample_count", Int128(GoConversion.uint64(count)))
            }
        }
        if let sum = histogram.sum { writer.number("sample_sum", sum) }
        for bucket in histogram.buckets {
            writer.message("bucket") { writer in
                if histogram.hasFloatCounts {
                    writer.number("cumulative_count_float", bucket.count)
                } else {
                    writer.whole("cumulative_count", Int128(GoConversion.uint64(bucket.count)))
                }
                writer.number("upper_bound", bucket.upperBound)
                if let exemplar = bucket.exemplar { append(exemplar, "exemplar", to: &writer) }
            }
        }
        if let created = histogram.created { writer.time("created_timestamp", nanoseconds: created) }
        switch histogram.native {
        case .integer(let native):
            writer.whole("schema", Int128(native.schema))
            writer.number("zero_threshold", native.zeroThreshold)
            writer.whole("zero_count", Int128(native.zeroCount))
            append(native.negativeSpans, "negative_span", to: &writer)
            for delta in native.negativeDeltas { writer.whole("negative_delta", Int128(delta)) }
            append(native.positiveSpans, "positive_span", to: &writer)
            for delta in native.positiveDeltas { writer.whole("positive_delta", Int128(delta)) }
        case .float(let native):
            writer.whole("schema", Int128(native.schema))
            writer.number("zero_threshold", native.zeroThreshold)
            writer.number("zero_count_float", native.zeroCount)
            append(native.negativeSpans, "negative_span", to: &writer)
            for count in native.negativeBuckets { writer.number("negative_count", count) }
            append(native.positiveSpans, "positive_span", to: &writer)
            for count in native.positiveBuckets { writer.number("positive_count", count) }
        case nil: break
        }
        for exemplar in histogram.exemplars { append(exemplar, "exemplars", to: &writer) }
    }

    private static func append(_ spans: [BucketSpan], _ field: StaticString, to writer: inout FieldWriter) {
        for span in spans {
            writer.message(field) {
                $0.whole("offset", Int128(span.offset))
                $0.whole("length", Int128(span.length))
            }
        }
    }

    private static func append(_ exemplar: Exemplar, _ field: StaticString, to writer: inout FieldWriter) {
        writer.message(field) { writer in
            for pair in exemplar.labels.pairs {
                append(LabelPair(pair.name, pair.value), .allowUTF8, to: &writer)
            }
            writer.number("value", exemplar.value)
            if let timestamp = exemplar.timestamp {
                let nanoseconds = timestamp.multipliedReportingOverflow(by: 1_000_000)
                if !nanoseconds.overflow { writer.time("timestamp", nanoseconds: nanoseconds.partialValue) }
            }
        }
    }
}

/// Writes `name: value` fields and nested messages.
private struct FieldWriter {
    var output: [UInt8] = []
    private let isCompact: Bool
    private var depth = 0

    init(isCompact: Bool) { self.isCompact = isCompact }

    private mutating func start(_ field: StaticString) {
        if isCompact {
            if let last = output.last, last != UInt8(ascii: "{") { output.append(UInt8(ascii: " ")) }
        } else {
            for _ in 0..<depth { output.append(contentsOf: "  ".utf8) }
        }
        output.append(contentsOf: field.utf8)
        output.append(UInt8(ascii: ":"))
        if !isCompact { output.append(UInt8(ascii: " ")) }
    }

    private mutating func end() {
        if !isCompact { output.append(UInt8(ascii: "\n")) }
    }

    mutating func message(_ field: StaticString, _ body: (inout FieldWriter) -> Void) {
        start(field)
        output.append(UInt8(ascii: "{"))
        end()
        depth += 1
        body(&self)
        depth -= 1
        if !isCompact {
            for _ in 0..<depth { output.append(contentsOf: "  ".utf8) }
        }
        output.append(UInt8(ascii: "}"))
        end()
    }

    mutating func word(_ field: StaticString, _ word: StaticString) {
        start(field)
        output.append(contentsOf: word.utf8)
        end()
    }

    mutating func whole(_ field: StaticString, _ value: Int128) {
        start(field)
        output.append(contentsOf: String(value).utf8)
        end()
    }

    mutating func number(_ field: StaticString, _ value: Double) {
        start(field)
        if value.isFinite {
            FloatText.append(value, .general, to: &output)
        } else {
            output.append(contentsOf: (value.isNaN ? "nan" : value < 0 ? "-inf" : "inf").utf8)
        }
        end()
    }

    mutating func time(_ field: StaticString, nanoseconds: Int64) {
        message(field) { writer in
            var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            if rest < 0 {
                rest += 1_000_000_000
                seconds -= 1
            }
            if seconds != 0 { writer.whole("seconds", Int128(seconds)) }
            if rest != 0 { writer.whole("nanos", Int128(rest)) }
        }
    }

    mutating func text(_ field: StaticString, _ text: ByteString) {
        start(field)
        output.append(UInt8(ascii: "\""))
        for scalar in String(decoding: text.bytes, as: UTF8.self).unicodeScalars { append(scalar) }
        output.append(UInt8(ascii: "\""))
        end()
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": output.append(contentsOf: "\\\"".utf8)
        case "\\": output.append(contentsOf: "\\\\".utf8)
        case "\n": output.append(contentsOf: "\\n".utf8)
        case "\r": output.append(contentsOf: "\\r".utf8)
        case "\t": output.append(contentsOf: "\\t".utf8)
        default:
            let value = scalar.value
            if value < 0x20 || value == 0x7F {
                output.append(contentsOf: (value < 16 ? "\\x0" : "\\x").utf8)
                output.append(contentsOf: String(value, radix: 16).utf8)
            } else if value >= 0x80 && value <= 0x9F {
                output.append(contentsOf: "\\u00\(String(value, radix: 16))".utf8)
            } else {
                output.append(contentsOf: String(Character(scalar)).utf8)
            }
        }
    }
}
