internal import ByteCoding
package import MetricModel

/// The text format 0.0.4, family by family or in pieces that can be kept and put together later.
///
/// A family is its header (``appendHeader(name:help:type:escaping:to:)``), then its metrics' lines in any number of
/// pieces (``appendMetric(_:of:type:escaping:to:)``). Nothing is sorted or checked here.
/// Source: prometheus/common expfmt/text_create.go.
package enum TextEncoder {
    /// Appends the HELP line, where there is a help text, and the TYPE line.
    package static func appendHeader(
        name: ByteString, help: ByteString?, type: MetricType, escaping: NameEscaping, to output: inout [UInt8]
    ) {
        let name = escaping.exposed(name)
        if let help {
            output.append(contentsOf: "# HELP ".utf8)
            appendName(name, to: &output)
            output.append(UInt8(ascii: " "))
            appendEscaped(help, quotes: false, to: &output)
            output.append(UInt8(ascii: "\n"))
        }
        output.append(contentsOf: "# TYPE ".utf8)
        appendName(name, to: &output)
        output.append(contentsOf: typeWord(type).utf8)
    }

    /// The word of a TYPE line, with blank and line feed. Types that the format does not know become what they are
    /// made of: numbers.
    private static func typeWord(_ type: MetricType) -> StaticString {
        switch type {
        case .counter: " counter\n"
        case .gauge, .info, .stateSet: " gauge\n"
        case .summary: " summary\n"
        case .unknown: " untyped\n"
        case .histogram, .gaugeHistogram: " histogram\n"
        }
    }

    /// Appends the lines of one metric, its labels in the order they have.
    /// - Returns: false, with nothing appended, if the metric's value is not of the family's type.
    @discardableResult
    package static func appendMetric(
        _ metric: Metric, of name: ByteString, type: MetricType, escaping: NameEscaping = .standard,
        to output: inout [UInt8]
    ) -> Bool {
        var writer = SampleLineWriter(name: escaping.exposed(name), labels: metric.labels, escaping: escaping)
        writer.timestamp = metric.timestamp
        switch (type, metric.value) {
        case (.counter, .counter(let counter)): writer.append("", counter.value, to: &output)
        case (.gauge, .gauge(let value)), (.unknown, .untyped(let value)): writer.append("", value, to: &output)
        case (.info, .gauge(let value)), (.stateSet, .gauge(let value)): writer.append("", value, to: &output)
        case (.summary, .summary(let summary)):
            for pair in summary.quantiles {
                writer.append("", pair.value, "quantile", pair.quantile, to: &output)
            }
            writer.append("_sum", summary.sum ?? 0, to: &output)
            writer.append("_count", summary.count ?? 0, to: &output)
        case (.histogram, .histogram(let histogram)), (.gaugeHistogram, .histogram(let histogram)):
            var hasInfinity = false
            for bucket in histogram.buckets {
                writer.append("_bucket", bucket.count, "le", bucket.upperBound, to: &output)
                if bucket.upperBound == .infinity { hasInfinity = true }
            }
            if !hasInfinity { writer.append("_bucket", histogram.count ?? 0, "le", .infinity, to: &output) }
            writer.append("_sum", histogram.sum ?? 0, to: &output)
            writer.append("_count", histogram.count ?? 0, to: &output)
        default: return false
        }
        return true
    }

    /// Appends a whole family.
    package static func append(_ family: MetricFamily, escaping: NameEscaping = .standard, to output: inout [UInt8]) {
        guard !family.metrics.isEmpty, !family.name.isEmpty else { return }
        appendHeader(name: family.name, help: family.help, type: family.type, escaping: escaping, to: &output)
        for metric in family.metrics {
            appendMetric(metric, of: family.name, type: family.type, escaping: escaping, to: &output)
        }
    }

    /// Appends a name, in quotes if it has other than legacy characters.
    package static func appendName(_ name: ByteString, to output: inout [UInt8]) {
        if isLegacyMetricName(name) {
            output.append(contentsOf: name.bytes)
        } else {
            output.append(UInt8(ascii: "\""))
            appendEscaped(name, quotes: true, to: &output)
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Appends a help text, or, with `quotes`, what stands between quotes: backslashes and line feeds escaped.
    package static func appendEscaped(_ text: ByteString, quotes: Bool, to output: inout [UInt8]) {
        // SAFETY: the buffer is only read within the call, at indices below its count.
        text.bytes.withUnsafeBufferPointer { bytes in
            var plain = 0
            for index in 0..<bytes.count {
                let byte = bytes[index]
                let escape: UInt8
                switch byte {
                case UInt8(ascii: "\\"): escape = UInt8(ascii: "\\")
                case UInt8(ascii: "\n"): escape = UInt8(ascii: "n")
                case UInt8(ascii: "\""):
                    if !quotes { continue }
                    escape = UInt8(ascii: "\"")
                default: continue
                }
                output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[plain..<index]))
                output.append(UInt8(ascii: "\\"))
                output.append(escape)
                plain = index &+ 1
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[plain...]))
        }
    }
}

/// Writes the lines of one metric; its labels are laid out once and copied for each line.
struct SampleLineWriter {
    /// Name without suffix: as it stands before the braces, or quoted, for inside.
    private let name: ByteString
    private let isNameInside: Bool
    /// `a="b",c="d"`.
    private var labels: [UInt8] = []
    var timestamp: Timestamp?
    private let numbers: FloatText.Style

    init(
        name: ByteString, labels pairs: [LabelPair], escaping: NameEscaping, numbers: FloatText.Style = .exposition
    ) {
        self.name = name
        self.numbers = numbers
        isNameInside = !name.isEmpty && !isLegacyMetricName(name)
        labels.reserveCapacity(pairs.reduce(0) { $0 &+ $1.name.count &+ $1.value.count &+ 4 })
        for pair in pairs {
            if !labels.isEmpty { labels.append(UInt8(ascii: ",")) }
            TextEncoder.appendName(escaping.exposed(pair.name), to: &labels)
            labels.append(UInt8(ascii: "="))
            labels.append(UInt8(ascii: "\""))
            TextEncoder.appendEscaped(pair.value, quotes: true, to: &labels)
            labels.append(UInt8(ascii: "\""))
        }
    }

    /// A line with a number, and perhaps a bound.
    func append(
        _ suffix: StaticString, _ value: Double, _ boundName: StaticString = "", _ bound: Double = 0,
        to output: inout [UInt8]
    ) {
        appendNameAndLabels(suffix, boundName, bound, to: &output)
        output.append(UInt8(ascii: " "))
        FloatText.append(value, numbers, to: &output)
        if let timestamp {
            output.append(UInt8(ascii: " "))
            IntegerText.append(timestamp, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// `name_suffix{a="b",le="1"}`.
    func appendNameAndLabels(
        _ suffix: StaticString, _ boundName: StaticString, _ bound: Double, to output: inout [UInt8]
    ) {
        var separator = UInt8(ascii: "{")
        if isNameInside {
            output.append(separator)
            separator = UInt8(ascii: ",")
            var full = name
            full.bytes.append(contentsOf: suffix.utf8)
            TextEncoder.appendName(full, to: &output)
        } else {
            output.append(contentsOf: name.bytes)
            output.append(contentsOf: suffix.utf8)
        }
        if !labels.isEmpty {
            output.append(separator)
            separator = UInt8(ascii: ",")
            output.append(contentsOf: labels)
        }
        if boundName.utf8CodeUnitCount > 0 {
            output.append(separator)
            separator = UInt8(ascii: ",")
            output.append(contentsOf: boundName.utf8)
            output.append(UInt8(ascii: "="))
            output.append(UInt8(ascii: "\""))
            FloatText.append(bound, numbers, to: &output)
            output.append(UInt8(ascii: "\""))
        }
        if separator == UInt8(ascii: ",") { output.append(UInt8(ascii: "}")) }
    }
}

extension StaticString {
    /// The bytes of a literal.
    var utf8: UnsafeBufferPointer<UInt8> {
        // SAFETY: a literal's bytes live as long as the program.
        UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
