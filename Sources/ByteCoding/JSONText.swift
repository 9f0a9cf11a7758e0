/// Strings in JSON as Go's libraries write them, which is what clients have seen so far.
package enum JSONText {
    /// Appends `text` in quotes; `<`, `>`, `&` and the line separators are escaped, each byte that is not UTF-8 becomes
    /// `\ufffd`.
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - shortControls: Whether backspace and form feed are `\b` and `\f`, as encoding/json (Pushgateway) writes them,
    ///     and not codes, as jsoniter (Prometheus) does.
    ///   - escapesMarkup: Whether `<`, `>` and `&` are escaped; Go's logs leave them as they are.
    /// - Complexity: O(length).
    package static func append(
        _ text: ArraySlice<UInt8>, shortControls: Bool = false, escapesMarkup: Bool = true, to json: inout [UInt8]
    ) {
        json.append(UInt8(ascii: "\""))
        if text.allSatisfy(isPlain) {
            json.append(contentsOf: text)
        } else {
            appendEscaped(Array(text), shortControls, escapesMarkup, to: &json)
        }
        json.append(UInt8(ascii: "\""))
    }

    /// Appends `text` in quotes.
    package static func append(
        _ text: String, shortControls: Bool = false, escapesMarkup: Bool = true, to json: inout [UInt8]
    ) {
        append(Array(text.utf8)[...], shortControls: shortControls, escapesMarkup: escapesMarkup, to: &json)
    }

    /// Whether the byte stands for itself; those of longer UTF-8 sequences are looked at more closely.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, 0x80...0xFF, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "&"):
            false
        default: true
        }
    }

    private static func appendEscaped(
        _ text: [UInt8], _ shortControls: Bool, _ escapesMarkup: Bool, to json: inout [UInt8]
    ) {
        var index = 0
        while index < text.count {
            let (scalar, width) = UTF8Text.decode(text, at: index)
            switch scalar {
            case 0x22: json.append(contentsOf: #"\""#.utf8)
            case 0x5C: json.append(contentsOf: #"\\"#.utf8)
            case 0x0A: json.append(contentsOf: #"\n"#.utf8)
            case 0x0D: json.append(contentsOf: #"\r"#.utf8)
            case 0x09: json.append(contentsOf: #"\t"#.utf8)
            case 0x08 where shortControls: json.append(contentsOf: #"\b"#.utf8)
            case 0x0C where shortControls: json.append(contentsOf: #"\f"#.utf8)
            case 0x26 where escapesMarkup, 0x3C where escapesMarkup, 0x3E where escapesMarkup:
                appendCode(scalar, to: &json)
            // Also the line separators.
            case 0..<0x20, 0x2028, 0x2029: appendCode(scalar, to: &json)
            case 0xFFFD where width == 1: appendCode(scalar, to: &json)
            default: json.append(contentsOf: text[index..<(index + width)])
            }
            index += width
        }
    }

    private static func appendCode(_ scalar: UInt32, to json: inout [UInt8]) {
        let digits = String(scalar, radix: 16)
        json.append(contentsOf: "\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".utf8)
    }

    /// A finite number as `encoding/json` writes it, or nil.
    package static func number(_ value: Double) -> String? {
        guard value.isFinite else { return nil }
        return FloatText.string(value, .json)
    }
}
