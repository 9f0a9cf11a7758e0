/// Strings in JSON, written as Go's encoding/json writes them by default.
package enum JSONText {
    /// Appends `text` in quotes.
    package static func append(_ text: String, to output: inout [UInt8]) {
        append(Array(text.utf8), to: &output)
    }

    /// Appends `bytes` in quotes; bytes that are not UTF-8 become U+FFFD, and `<`, `>`, `&`, U+2028 and U+2029 are
    /// escaped, as Go does.
    package static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var isPlain = true
        for byte in bytes where byte < 0x20 || byte >= 0x7F || isSpecial(byte) {
            isPlain = false
            break
        }
        if isPlain {
            output += bytes
        } else {
            for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { append(scalar, to: &output) }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): true
        default: false
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        switch scalar {
        case "\"": output += "\\\"".utf8
        case "\\": output += "\\\\".utf8
        case "\n": output += "\\n".utf8
        case "\r": output += "\\r".utf8
        case "\t": output += "\\t".utf8
        case "\u{08}": output += "\\b".utf8
        case "\u{0C}": output += "\\f".utf8
        case "<", ">", "&", "\u{2028}", "\u{2029}": appendEscape(scalar, to: &output)
        default:
            if scalar.value < 0x20 {
                appendEscape(scalar, to: &output)
            } else {
                output += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }

    private static func appendEscape(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        let digits = String(scalar.value, radix: 16)
        output += "\\u".utf8
        output += String(repeating: "0", count: max(0, 4 - digits.count)).utf8
        output += digits.utf8
    }
}
