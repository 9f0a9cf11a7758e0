internal import ByteCoding
package import MetricModel

/// OpenMetrics 1.0 text, family by family or in pieces that can be kept and put together later.
///
/// Source: prometheus/common expfmt/openmetrics_create.go. Beyond it, types that came in as OpenMetrics (info,
/// stateset, gaugehistogram) keep their words, and floating-point histogram counts are written instead of failing
/// the scrape.
package enum OpenMetricsEncoder {
    /// The last line of a body.
    package static let end: StaticString = "# EOF\n"

    /// Appends `# EOF`.
    package static func appendEnd(to output: inout [UInt8]) { output.append(contentsOf: end.utf8) }

    /// Appends HELP, TYPE and UNIT.
    package static func appendHeader(
        name: ByteString, help: ByteString?, type: MetricType, unit: ByteString = "", escaping: NameEscaping,
        to output: inout [UInt8]
    ) {
        let exposed = escaping.exposed(name)
        let isTotal = exposed.hasSuffix("_total")
        var family = exposed
        if type == .counter, isTotal { family.bytes.removeLast(6) }
        if type == .info, exposed.hasSuffix("_info") { family.bytes.removeLast(5) }
        if let help { appendLine("# HELP ", family, help, to: &output) }
        output.append(contentsOf: "# TYPE ".utf8)
        TextEncoder.appendName(family, to: &output)
        output.append(UInt8(ascii: " "))
        // A counter without `_total` is none to OpenMetrics.
        let word = type == .counter && !isTotal ? "unknown" : type.openMetricsName
        output.append(contentsOf: word.utf8)
        output.append(UInt8(ascii: "\n"))
        if !unit.isEmpty { appendLine("# UNIT ", family, unit, to: &output) }
    }

    private static func appendLine(
        _ start: StaticString, _ name: ByteString, _ text: ByteString, to output: inout [UInt8]
    ) {
        output.append(contentsOf: start.utf8)
        TextEncoder.appendName(name, to: &output)
        output.append(UInt8(ascii: " "))
        TextEncoder.appendEscaped(text, quotes: true, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    /// Appends the lines of one metric, its labels in the order they have.
    /// - Parameter withCreated: Whether `_created` lines are written where the time is known.
    /// - Returns: false, with nothing appended, if the metric's value is not of the family's type.
    @discardableResult
    package static func appendMetric(
        _ metric: Metric, of name: ByteString, type: MetricType, escaping: NameEscaping = .standard,
        withCreated: Bool = false, to output: inout [UInt8]
    ) -> Bool {
        let exposed = escaping.exposed(name)
        let lines = OpenMetricsLines(
            writer: SampleLineWriter(
                name: exposed, labels: metric.labels, escaping: escaping, numbers: .openMetrics),
            escaping: escaping, timestamp: metric.timestamp)
        switch (type, metric.value) {
        case (.counter, .counter(let counter)):
            lines.append("", .float(counter.value), exemplar: counter.exemplar, to: &output)
            if withCreated, let created = counter.created {
                var stem = exposed
                if stem.hasSuffix("_total") { stem.bytes.removeLast(6) }
                let other = SampleLineWriter(
                    name: stem, labels: metric.labels, escaping: escaping, numbers: .openMetrics)
                OpenMetricsLines(writer: other, escaping: escaping, timestamp: nil).appendCreated(created, to: &output)
            }
        case (.gauge, .gauge(let value)), (.unknown, .untyped(let value)), (.info, .gauge(let value)),
            (.stateSet, .gauge(let value)):
            lines.append("", .float(value), to: &output)
        case (.summary, .summary(let summary)):
            for pair in summary.quantiles {
                lines.append("", .float(pair.value), "quantile", pair.quantile, to: &output)
            }
            lines.append("_sum", .float(summary.sum ?? 0), to: &output)
            lines.append("_count", .count(summary.count ?? 0), to: &output)
            if withCreated, let created = summary.created { lines.appendCreated(created, to: &output) }
        case (.histogram, .histogram(let histogram)), (.gaugeHistogram, .histogram(let histogram)):
            appendHistogram(histogram, lines, withCreated: withCreated, to: &output)
        default: return false
        }
        return true
    }

    private static func appendHistogram(
        _ histogram: HistogramValue, _ lines: OpenMetricsLines, withCreated: Bool, to output: inout [UInt8]
    ) {
        var hasInfinity = false
        for bucket in histogram.buckets {
            lines.append(
                "_bucket", .count(bucket.count), "le", bucket.upperBound, exemplar: bucket.exemplar, to: &output)
            if bucket.upperBound == .infinity { hasInfinity = true }
        }
        if !hasInfinity { lines.append("_bucket", .count(histogram.count ?? 0), "le", .infinity, to: &output) }
        lines.append("_sum", .float(histogram.sum ?? 0), to: &output)
        lines.append("_count", .count(histogram.count ?? 0), to: &output)
        if withCreated, let created = histogram.created { lines.appendCreated(created, to: &output) }
    }

    /// Appends a whole family.
    package static func append(
        _ family: MetricFamily, escaping: NameEscaping = .standard, withCreated: Bool = false,
        to output: inout [UInt8]
    ) {
        guard !family.name.isEmpty else { return }
        appendHeader(
            name: family.name, help: family.help, type: family.type, unit: family.unit, escaping: escaping,
            to: &output)
        for metric in family.metrics {
            appendMetric(
                metric, of: family.name, type: family.type, escaping: escaping, withCreated: withCreated, to: &output)
        }
    }
}

/// The lines of one metric.
private struct OpenMetricsLines {
    enum Number {
        case float(Double)
        /// Without `.0`, where it is whole.
        case count(Double)
    }

    let writer: SampleLineWriter
    let escaping: NameEscaping
    let timestamp: Timestamp?

    func append(
        _ suffix: StaticString, _ number: Number, _ boundName: StaticString = "", _ bound: Double = 0,
        exemplar: Exemplar? = nil, to output: inout [UInt8]
    ) {
        writer.appendNameAndLabels(suffix, boundName, bound, to: &output)
        output.append(UInt8(ascii: " "))
        switch number {
        case .float(let value): FloatText.append(value, .openMetrics, to: &output)
        case .count(let value):
            if let whole = UInt64(exactly: value) {
                IntegerText.append(whole, to: &output)
            } else {
                FloatText.append(value, .openMetrics, to: &output)
            }
        }
        if let timestamp {
            output.append(UInt8(ascii: " "))
            FloatText.append(Double(timestamp) / 1000, .openMetrics, to: &output)
        }
        if let exemplar, !exemplar.labels.isEmpty { append(exemplar, to: &output) }
        output.append(UInt8(ascii: "\n"))
    }

    /// `nanoseconds` since 1970.
    func appendCreated(_ nanoseconds: Int64, to output: inout [UInt8]) {
        writer.appendNameAndLabels("_created", "", 0, to: &output)
        output.append(UInt8(ascii: " "))
        FloatText.append(Double(nanoseconds) / 1e9, .openMetrics, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    private func append(_ exemplar: Exemplar, to output: inout [UInt8]) {
        output.append(contentsOf: " # ".utf8)
        let labels = exemplar.labels.pairs.map { LabelPair($0.name, $0.value) }
        SampleLineWriter(name: "", labels: labels, escaping: .allowUTF8).appendNameAndLabels("", "", 0, to: &output)
        output.append(UInt8(ascii: " "))
        FloatText.append(exemplar.value, .openMetrics, to: &output)
        if let timestamp = exemplar.timestamp {
            output.append(UInt8(ascii: " "))
            FloatText.append(Double(timestamp) / 1000, .openMetrics, to: &output)
        }
    }
}
