internal import MetricModel

/// UTF-8 as Go decodes it: each byte that belongs to no valid sequence counts as one U+FFFD.
enum UTF8Text {
    /// The scalar at `index` and its number of bytes; U+FFFD and 1 where the bytes are not UTF-8.
    static func decode(_ bytes: [UInt8], at index: Int) -> (scalar: UInt32, width: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        let length: Int
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return (0xFFFD, 1)
        }
        guard index + length <= bytes.count else { return (0xFFFD, 1) }
        var scalar = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            let byte = bytes[index + offset]
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        let smallest: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x1_0000
        guard scalar >= smallest, Unicode.Scalar(scalar) != nil else { return (0xFFFD, 1) }
        return (scalar, length)
    }

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
        return "'" + Quoting.quote(ByteString(String(character))).dropFirst().dropLast() + "'"
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
