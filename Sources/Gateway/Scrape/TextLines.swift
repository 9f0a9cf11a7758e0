internal import ByteCoding
internal import MetricModel

/// Writes packed series as lines of the text format 0.0.4, for names that need neither quotes nor escaping.
///
/// Large scrapes are encoded anew each time, so this is made to be fast: nothing is allocated for a series, and labels
/// are escaped once for all its lines.
///
/// Source: prometheus/common expfmt/text_create.go (`MetricFamilyToText`), format 0.0.4.
final class TextLines {
    /// The most that a line has beside names and labels: suffix, a further label with its number, the value.
    private static let lineOverhead = 128

    private var text = RawText(capacity: 1 << 14)
    /// Of the current series, without the last brace; nothing if it has none.
    private var labels = RawText(capacity: 1 << 10)
    private var name: [UInt8] = []

    /// Calls `body` with what was written since ``begin(name:)``.
    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { body(text.bytes) }

    /// Starts anew, for series of the family `name`.
    func begin(name: ByteString) {
        text.removeAll()
        self.name = name.bytes
    }

    /// Adds the lines of one series, of which `series` is what ``PackedSeries`` holds.
    func append(_ series: UnsafeRawBufferPointer) {
        guard series.count > PackedSeries.keyOffset, let kind = PackedValue.Kind(rawValue: series[1]) else { return }
        var cursor = PackedCursor(series, at: PackedSeries.keyOffset)
        readLabels(&cursor, size: series.count)
        switch kind {
        case .counter, .gauge, .untyped, .detailedCounter, .meanGauge: line("", cursor.double())
        case .summary: appendSummary(&cursor)
        case .histogram: appendHistogram(&cursor)
        }
    }

    private func appendSummary(_ cursor: inout PackedCursor) {
        let count = cursor.optionalDouble() ?? 0
        let sum = cursor.optionalDouble() ?? 0
        cursor.skipOptionalVarint()
        for _ in 0..<cursor.count() {
            let quantile = cursor.double()
            line("", "quantile", quantile, cursor.double())
        }
        line("_sum", sum)
        line("_count", count)
    }

    private func appendHistogram(_ cursor: inout PackedCursor) {
        _ = cursor.byte()
        let count = cursor.optionalDouble() ?? 0
        let sum = cursor.optionalDouble() ?? 0
        cursor.skipOptionalVarint()
        var hasInfinity = false
        for _ in 0..<cursor.count() {
            let bound = cursor.double()
            line("_bucket", "le", bound, cursor.double())
            cursor.skipExemplar()
            if bound == .infinity { hasInfinity = true }
        }
        if !hasInfinity { line("_bucket", "le", .infinity, count) }
        line("_sum", sum)
        line("_count", count)
    }

    private func readLabels(_ cursor: inout PackedCursor, size: Int) {
        labels.removeAll()
        // Each byte may be escaped; a label takes two more than in its packed form, which has at least two.
        labels.makeRoom(size * 4)
        var separator = UInt8(ascii: "{")
        for _ in 0..<cursor.count() {
            labels.put(separator)
            separator = UInt8(ascii: ",")
            labels.put(cursor.text())
            labels.put(UInt8(ascii: "="))
            labels.put(UInt8(ascii: "\""))
            labels.putEscaped(cursor.text())
            labels.put(UInt8(ascii: "\""))
        }
    }

    private func line(_ suffix: StaticString, _ value: Double) {
        startLine(suffix)
        if labels.count > 0 { text.put(UInt8(ascii: "}")) }
        endLine(value)
    }

    private func line(_ suffix: StaticString, _ label: StaticString, _ bound: Double, _ value: Double) {
        startLine(suffix)
        text.put(labels.count > 0 ? UInt8(ascii: ",") : UInt8(ascii: "{"))
        text.put(label)
        text.put(UInt8(ascii: "="))
        text.put(UInt8(ascii: "\""))
        text.put(bound)
        text.put(UInt8(ascii: "\""))
        text.put(UInt8(ascii: "}"))
        endLine(value)
    }

    private func startLine(_ suffix: StaticString) {
        text.makeRoom(name.count + labels.count + TextLines.lineOverhead)
        name.withUnsafeBytes { text.put($0) }
        text.put(suffix)
        text.put(labels.bytes)
    }

    private func endLine(_ value: Double) {
        text.put(UInt8(ascii: " "))
        text.put(value)
        text.put(UInt8(ascii: "\n"))
    }
}
