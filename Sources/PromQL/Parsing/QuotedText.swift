internal import MetricModel

extension Token {
    /// The text between a string token's quotes, with escapes resolved. The lexer has checked them.
    ///
    /// Source: prometheus/prometheus util/strutil/quote.go.
    /// - Complexity: O(length).
    var unquoted: ByteString {
        let inner = text.bytes.dropFirst().dropLast()
        if text.bytes.first == UInt8(ascii: "`") || !inner.contains(UInt8(ascii: "\\")) { return ByteString(inner) }
        var result: [UInt8] = []
        result.reserveCapacity(inner.count)
        var index = inner.startIndex
        while index < inner.endIndex {
            let byte = inner[index]
            index += 1
            if byte == UInt8(ascii: "\\"), index < inner.endIndex {
                Token.resolveEscape(in: inner, at: &index, into: &result)
            } else {
                result.append(byte)
            }
        }
        return ByteString(result)
    }

    /// Resolves the escape whose first byte behind the backslash is at `index`.
    private static func resolveEscape(in bytes: ArraySlice<UInt8>, at index: inout Int, into result: inout [UInt8]) {
        let kind = bytes[index]
        index += 1
        switch kind {
        case UInt8(ascii: "a"): result.append(0x07)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "v"): result.append(0x0B)
        case UInt8(ascii: "x"):
            result.append(UInt8(truncatingIfNeeded: number(in: bytes, at: &index, digits: 2, bits: 4)))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = kind == UInt8(ascii: "u") ? 4 : 8
            let scalar = Unicode.Scalar(number(in: bytes, at: &index, digits: digits, bits: 4)) ?? "\u{FFFD}"
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            index -= 1
            result.append(UInt8(truncatingIfNeeded: number(in: bytes, at: &index, digits: 3, bits: 3)))
        default: result.append(kind)
        }
    }

    private static func number(in bytes: ArraySlice<UInt8>, at index: inout Int, digits: Int, bits: UInt32) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits where index < bytes.endIndex {
            value = value << bits | Lexer.digitValue(UInt32(bytes[index]))
            index += 1
        }
        return value
    }
}
