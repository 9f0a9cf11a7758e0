internal import ByteCoding

/// A JSON value on its way to text; fields keep their order.
package indirect enum JSONField: Sendable {
    case null
    case text(String)
    case bytes(ByteString)
    case flag(Bool)
    /// JSON as it will stand, such as a number.
    case raw(String)
    /// JSON that is written already.
    case encoded([UInt8])
    case list([JSONField])
    case object([(String, JSONField)])

    /// Appends the value, without blanks.
    /// - Complexity: O(length).
    package func append(to json: inout [UInt8]) {
        switch self {
        case .null: json += "null".utf8
        case .text(let text): JSONText.append(text, to: &json)
        case .bytes(let bytes): JSONText.append(bytes, to: &json)
        case .flag(let flag): json += (flag ? "true" : "false").utf8
        case .raw(let text): json += text.utf8
        case .encoded(let bytes): json += bytes
        case .list(let elements):
            json.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                element.append(to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .object(let fields):
            json.append(UInt8(ascii: "{"))
            for (index, field) in fields.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                JSONText.append(field.0, to: &json)
                json.append(UInt8(ascii: ":"))
                field.1.append(to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }
}
