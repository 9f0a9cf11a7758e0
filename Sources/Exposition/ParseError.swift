internal import ByteCoding
internal import MetricModel

/// Why a body could not be read.
package enum ParseError: Error, Hashable, CustomStringConvertible {
    /// The text format is violated in `line`, counted from 1.
    case text(line: Int, message: String)
    /// OpenMetrics or a scraped exposition is violated; the text is complete.
    case exposition(String)
    /// The protobuf stream is broken; the text is complete.
    case protobuf(String)
    /// The body is well formed as far as it was read, and larger than allowed.
    case limit(String)

    /// The sentence that upstream answers, where it has one.
    package var description: String {
        switch self {
        case .text(let line, let message): "text format parsing error in line \(line): \(message)"
        case .exposition(let text), .protobuf(let text), .limit(let text): text
        }
    }

    /// Whether a larger limit would have let the body through.
    package var isLimit: Bool {
        if case .limit = self { true } else { false }
    }
}

/// What one body may hold.
package struct ParseLimits: Sendable, Hashable {
    /// The most samples; a histogram's bucket lines each count.
    package var maximumSamples: Int
    /// Families of a body.
    package var maximumFamilies: Int
    /// Labels of a metric.
    package var maximumLabels: Int
    /// In bytes, of metric and label names.
    package var maximumNameLength: Int
    /// In bytes.
    package var maximumLabelValueLength: Int

    /// Limits; what is left out is bounded by the body alone.
    package init(
        maximumSamples: Int = .max, maximumFamilies: Int = .max, maximumLabels: Int = .max,
        maximumNameLength: Int = Labels.maximumLength, maximumLabelValueLength: Int = Labels.maximumLength
    ) {
        self.maximumSamples = maximumSamples
        self.maximumFamilies = maximumFamilies
        self.maximumLabels = maximumLabels
        self.maximumNameLength = maximumNameLength
        self.maximumLabelValueLength = maximumLabelValueLength
    }

    /// Nothing beyond what the model can hold.
    package static let none = ParseLimits()
}

/// Pieces of input in error texts, as Go's `%q` shows them.
enum Excerpt {
    /// The longest piece shown; longer ones are cut, so that an error stays readable and cheap.
    private static let maximumLength = 256

    static func quoted(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard bytes.count > maximumLength else { return Quoting.quote(ByteString(bytes)) }
        return Quoting.quote(ByteString(bytes.prefix(maximumLength))) + "..."
    }

    static func quoted(_ bytes: [UInt8]) -> String {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBufferPointer { quoted($0) }
    }

    /// A byte as Go's `%q` shows a rune of its value.
    static func quotedCharacter(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): return "'\\''"
        case UInt8(ascii: "\""): return "'\"'"
        default:
            let text = Quoting.quote(ByteString(Array(String(Unicode.Scalar(byte)).utf8)))
            return "'" + text.dropFirst().dropLast() + "'"
        }
    }
}
