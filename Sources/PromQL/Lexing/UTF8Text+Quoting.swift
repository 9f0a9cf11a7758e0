internal import ByteCoding
internal import MetricModel

extension UTF8Text {
    /// The bytes of the first `scalars` scalars.
    static func prefix(of bytes: [UInt8], scalars: Int) -> ArraySlice<UInt8> {
        var index = 0
        var number = 0
        while index < bytes.count, number < scalars {
            index += decode(bytes, at: index).width
            number += 1
        }
        return bytes[..<index]
    }

    /// A scalar in single quotes, escaped as Go's `%q` does.
    static func quote(_ scalar: UInt32) -> String {
        if scalar == UInt32(UInt8(ascii: "'")) { return #"'\''"# }
        if scalar == UInt32(UInt8(ascii: "\"")) { return #"'"'"# }
        let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
        // Scalar by scalar: a mark that combines with the quote before it makes one `Character` with it.
        let quoted = Quoting.quote(ByteString(String(character))).unicodeScalars.dropFirst().dropLast()
        return "'\(String(String.UnicodeScalarView(quoted)))'"
    }

    /// `U+0041 'A'`, without the character where it cannot be printed: Go's `%#U`.
    static func codePoint(_ scalar: UInt32) -> String {
        let hex = String(scalar, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        guard let character = Unicode.Scalar(scalar) else { return code }
        let text = String(character)
        let quoted = Quoting.quote(ByteString(text))
        let isPrintable = quoted == "\"\(text)\"" || character == "\"" || character == "\\"
        return isPrintable ? "\(code) '\(text)'" : code
    }
}
