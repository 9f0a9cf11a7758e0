internal import ByteCoding
internal import Exposition
internal import MetricModel

/// The series part of an exposition's line: `name{label="value"}`, or `{"name", label="value"}`.
///
/// Source: the behaviour of prometheus/prometheus model/textparse (promparse.go, openmetricsparse.go).
enum SeriesText {
    /// Where the series that starts at `start` ends; nil if its braces are not closed on the line.
    ///
    /// In text format a blank may stand between name and brace.
    static func end(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, allowsBlanks: Bool) -> Int? {
        var index = start
        while index < bytes.count, isNameByte(bytes[index]) { index &+= 1 }
        let nameEnd = index
        if allowsBlanks { while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index &+= 1 } }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "{") else { return nameEnd }
        index &+= 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "}"): return index + 1
            case UInt8(ascii: "\n"): return nil
            case UInt8(ascii: "\""):
                guard let close = closingQuote(bytes, after: index) else { return nil }
                index = close
            default: break
            }
            index &+= 1
        }
        return nil
    }

    /// Where the quoted text that opens at `open` closes. Line ends may stand within.
    private static func closingQuote(_ bytes: UnsafeBufferPointer<UInt8>, after open: Int) -> Int? {
        var index = open + 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\") {
                index &+= 1
            } else if bytes[index] == UInt8(ascii: "\"") {
                return index
            }
            index &+= 1
        }
        return nil
    }

    /// Letters, digits, `_` and `:`.
    static func isNameByte(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x5F || byte == 0x3A
    }

    /// The labels of a series' text, the metric name among them; bounds and quantiles are normalised. One may be there
    /// more than once: see ``checkUnique(_:)``.
    /// - Parameter isOpenMetrics: whether the text keeps OpenMetrics' rules: no blanks, a comma between labels, no line
    ///   ends in values.
    /// - Throws: `ScrapeFailure` that quotes what is malformed.
    /// - Complexity: O(bytes).
    static func labels(
        _ text: UnsafeBufferPointer<UInt8>, type: MetricType, isOpenMetrics: Bool
    ) throws(ScrapeFailure) -> Labels {
        var parser = Parser(text: text, type: type)
        parser.isStrict = isOpenMetrics
        return try parser.labels()
    }

    /// The labels of an exemplar, between braces.
    static func exemplarLabels(_ text: UnsafeBufferPointer<UInt8>) throws(ScrapeFailure) -> Labels {
        var parser = Parser(text: text, type: .unknown)
        let labels = try parser.exemplarLabels()
        try checkUnique(labels)
        return labels
    }

    /// Refuses labels that ``labels(_:type:isOpenMetrics:)`` found more than once.
    static func checkUnique(_ labels: Labels) throws(ScrapeFailure) {
        var last: ByteString?
        for pair in labels.pairs {
            if pair.name == last {
                throw ScrapeFailure("label name \(Quoting.quote(pair.name)) is not unique: invalid sample")
            }
            last = pair.name
        }
    }

    /// `text` quoted for a message, cut if it is long.
    static func quoted(_ text: some Sequence<UInt8>) -> String {
        let bytes = Array(text.prefix(200))
        return Quoting.quote(ByteString(bytes))
    }

    private struct Parser {
        let text: UnsafeBufferPointer<UInt8>
        let type: MetricType
        /// Whether OpenMetrics' rules hold.
        var isStrict = false
        var index = 0
        var name: ByteString?
        var pairs: [(name: ByteString, value: ByteString)] = []

        init(text: UnsafeBufferPointer<UInt8>, type: MetricType) {
            self.text = text
            self.type = type
        }

        mutating func labels() throws(ScrapeFailure) -> Labels {
            let start = index
            while index < text.count, isNameByte(text[index]) { index += 1 }
            if index > start { name = ByteString(Array(text[start..<index])) }
            skipBlanks()
            if index < text.count {
                try braces()
                guard index == text.count else { throw problem("expected value after metric") }
            }
            guard let name else {
                throw ScrapeFailure("metric name not set while parsing: \(SeriesText.quoted(text))", isSyntax: true)
            }
            pairs.append((Labels.metricName, name))
            return sorted()
        }

        mutating func exemplarLabels() throws(ScrapeFailure) -> Labels {
            try braces()
            guard name == nil else { throw problem("expected label name") }
            pairs.removeAll(where: \.value.isEmpty)
            return sorted()
        }

        private func sorted() -> Labels {
            let ordered = pairs.sorted { $0.name < $1.name }
            // An empty value is kept: with honor_labels it says that the target's label is not wanted.
            return Labels(sorted: ordered)
        }

        private mutating func braces() throws(ScrapeFailure) {
            guard index < text.count, text[index] == UInt8(ascii: "{") else { throw problem("expected label name") }
            index += 1
            while true {
                skipBlanks()
                guard index < text.count else { throw problem("expected label name") }
                if text[index] == UInt8(ascii: "}") {
                    index += 1
                    return
                }
                try member()
                skipBlanks()
                if index < text.count, text[index] == UInt8(ascii: ",") {
                    index += 1
                } else if isStrict, index < text.count, text[index] != UInt8(ascii: "}") {
                    throw problem("expected comma or brace close")
                }
            }
        }

        /// A quoted metric name, or a label.
        private mutating func member() throws(ScrapeFailure) {
            let isQuoted = text[index] == UInt8(ascii: "\"")
            let label: ByteString
            if isQuoted {
                label = try quotedText("expected label name")
            } else {
                let start = index
                while index < text.count, isNameByte(text[index]), text[index] != 0x3A { index += 1 }
                guard index > start, !(text[start] >= 0x30 && text[start] <= 0x39) else {
                    throw problem("expected label name")
                }
                label = ByteString(Array(text[start..<index]))
            }
            skipBlanks()
            if isQuoted, index < text.count, text[index] == UInt8(ascii: ",") || text[index] == UInt8(ascii: "}") {
                guard name == nil else {
                    throw ScrapeFailure(
                        "metric name already set while parsing: \(SeriesText.quoted(text))", isSyntax: true)
                }
                name = label
                return
            }
            guard index < text.count, text[index] == UInt8(ascii: "=") else { throw problem("expected equal") }
            index += 1
            skipBlanks()
            guard index < text.count, text[index] == UInt8(ascii: "\"") else { throw problem("expected label value") }
            let value = try quotedText("expected label value")
            guard value.isValidUTF8 else {
                let quote = UInt8(ascii: "\"")
                throw ScrapeFailure("invalid UTF-8 label value: \(SeriesText.quoted([quote] + value.bytes + [quote]))")
            }
            pairs.append((label, normalised(value, of: label)))
        }

        private mutating func quotedText(_ expected: String) throws(ScrapeFailure) -> ByteString {
            index += 1
            var result: [UInt8] = []
            while index < text.count {
                let byte = text[index]
                index += 1
                if byte == UInt8(ascii: "\"") { return ByteString(result) }
                if isStrict, byte == UInt8(ascii: "\n") { break }
                guard byte == UInt8(ascii: "\\"), index < text.count else {
                    result.append(byte)
                    continue
                }
                let escaped = text[index]
                index += 1
                switch escaped {
                case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): result.append(escaped)
                default:
                    result.append(byte)
                    result.append(escaped)
                }
            }
            throw problem(expected)
        }

        /// `le` and `quantile` as OpenMetrics writes numbers, so that `1` and `1.0` are one bucket.
        private func normalised(_ value: ByteString, of label: ByteString) -> ByteString {
            let isBound = type == .histogram && label == "le" || type == .summary && label == "quantile"
            guard isBound, let number = FloatText.parse(value.bytes, .go) else { return value }
            return ByteString(FloatText.string(number, .openMetrics))
        }

        private mutating func skipBlanks() {
            if isStrict { return }
            while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
        }

        private func problem(_ expected: String) -> ScrapeFailure {
            let end = min(text.count, index + 1)
            return ScrapeFailure(
                "\(expected), got \(SeriesText.quoted(text[min(index, end)..<end])) (\"INVALID\") while parsing:"
                    + " \(SeriesText.quoted(text[..<end]))", isSyntax: true)
        }
    }
}
