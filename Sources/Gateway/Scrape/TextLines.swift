internal import ByteCoding
internal import MetricModel

/// Writes packed series as lines of the text format 0.0.4, for names that need neither quotes nor escaping.
///
/// Source: prometheus/common expfmt/text_create.go (`MetricFamilyToText`), format 0.0.4.
struct TextLines {
    private(set) var bytes: [UInt8] = []
    private let name: [UInt8]

    init(name: ByteString) { self.name = name.bytes }

    /// Adds the lines of one series.
    mutating func append(_ series: SeriesView) {
        switch series.kind {
        case .counter, .gauge, .untyped, .detailedCounter, .meanGauge:
            let valueOffset = series.valueOffset
            guard valueOffset + 8 <= series.end else { return }
            // SAFETY: eight bytes from `valueOffset` lie within the array, as was just checked.
            let pattern = series.bytes.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: valueOffset, as: UInt64.self)
            }
            line(series, "", nil, Double(bitPattern: UInt64(littleEndian: pattern)))
        case .summary, .histogram:
            switch series.value {
            case .summary(let summary): append(series, summary)
            case .histogram(let histogram): append(series, histogram)
            default: break
            }
        case nil: break
        }
    }

    private mutating func append(_ series: SeriesView, _ summary: SummaryValue) {
        for quantile in summary.quantiles { line(series, "", ("quantile", quantile.quantile), quantile.value) }
        line(series, "_sum", nil, summary.sum ?? 0)
        line(series, "_count", nil, summary.count ?? 0)
    }

    private mutating func append(_ series: SeriesView, _ histogram: HistogramValue) {
        var hasInfinity = false
        for bucket in histogram.buckets {
            line(series, "_bucket", ("le", bucket.upperBound), bucket.count)
            if bucket.upperBound == .infinity { hasInfinity = true }
        }
        if !hasInfinity { line(series, "_bucket", ("le", .infinity), histogram.count ?? 0) }
        line(series, "_sum", nil, histogram.sum ?? 0)
        line(series, "_count", nil, histogram.count ?? 0)
    }

    private mutating func line(
        _ series: SeriesView, _ suffix: StaticString, _ extra: (name: StaticString, value: Double)?, _ value: Double
    ) {
        bytes.append(contentsOf: name)
        append(suffix)
        appendLabels(series, extra)
        bytes.append(TextLines.space)
        FloatText.append(value, .exposition, to: &bytes)
        bytes.append(TextLines.newline)
    }

    private mutating func appendLabels(_ series: SeriesView, _ extra: (name: StaticString, value: Double)?) {
        var reader = series.keyReader
        var separator = UInt8(ascii: "{")
        // A packed series was checked when it was made.
        let count = (try? reader.count()) ?? 0
        for _ in 0..<count {
            guard let name = try? reader.textRange(), let value = try? reader.textRange() else { break }
            bytes.append(separator)
            separator = UInt8(ascii: ",")
            bytes.append(contentsOf: series.bytes[name])
            bytes.append(UInt8(ascii: "="))
            bytes.append(UInt8(ascii: "\""))
            appendEscaped(series.bytes[value])
            bytes.append(UInt8(ascii: "\""))
        }
        if let extra {
            bytes.append(separator)
            separator = UInt8(ascii: ",")
            append(extra.name)
            bytes.append(UInt8(ascii: "="))
            bytes.append(UInt8(ascii: "\""))
            FloatText.append(extra.value, .exposition, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        if separator == UInt8(ascii: ",") { bytes.append(UInt8(ascii: "}")) }
    }

    private mutating func appendEscaped(_ value: ArraySlice<UInt8>) {
        var needsEscape = false
        for byte in value where byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") || byte == TextLines.newline {
            needsEscape = true
        }
        guard needsEscape else { return bytes.append(contentsOf: value) }
        for byte in value {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case TextLines.newline:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(ascii: "n"))
            default: bytes.append(byte)
            }
        }
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private static let space = UInt8(ascii: " ")
    private static let newline = UInt8(ascii: "\n")
}
