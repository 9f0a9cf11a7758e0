/// Quoted text as Go's `strconv.Quote` writes it.
public enum Quoting {
    /// `text` in double quotes; control characters, quotes, backslashes and bytes that are not UTF-8 are escaped.
    public static func quote(_ text: ByteString) -> String {
        var result = "\""
        var decoder = UTF8()
        var iterator = text.bytes.makeIterator()
        var position = 0
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar):
                append(scalar, to: &result)
                position += UTF8.width(scalar)
            case .emptyInput:
                break decoding
            case .error:
                // One bad byte at a time, as Go does: start again just behind it.
                if position < text.count { result += "\\x" + hex(UInt32(text.bytes[position]), digits: 2) }
                position += 1
                decoder = UTF8()
                iterator = Array(text.bytes.dropFirst(position)).makeIterator()
            }
        }
        return result + "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case "\u{0B}": result += "\\v"
        default:
            if isPrintable(scalar) {
                result.unicodeScalars.append(scalar)
            } else if scalar.value < 0x80 {
                result += "\\x" + hex(scalar.value, digits: 2)
            } else if scalar.value < 0x10000 {
                result += "\\u" + hex(scalar.value, digits: 4)
            } else {
                result += "\\U" + hex(scalar.value, digits: 8)
            }
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return true
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
