internal import ByteCoding
internal import MetricModel

/// The value of an attribute.
indirect enum OTLPValue {
    case none
    case string(ByteString)
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case bytes([UInt8])
    case list([OTLPValue])
    case map([(ByteString, OTLPValue)])

    /// The value as a label's value: text as it is, lists and maps as JSON.
    ///
    /// Source: go.opentelemetry.io/collector/pdata/pcommon `Value.AsString`.
    var text: ByteString {
        switch self {
        case .none: return ""
        case .string(let text): return text
        case .boolean(let flag): return flag ? "true" : "false"
        case .integer(let number): return ByteString("\(number)")
        case .double(let number): return ByteString(FloatText.string(number, .json))
        case .bytes(let bytes): return ByteString(Base64.encodeStandard(bytes))
        case .list, .map:
            var json: [UInt8] = []
            append(to: &json)
            return ByteString(json)
        }
    }

    private func append(to json: inout [UInt8]) {
        switch self {
        case .none: json += "null".utf8
        case .string(let text): JSONText.append(text, to: &json)
        case .bytes(let bytes): JSONText.append(ByteString(Base64.encodeStandard(bytes)), to: &json)
        case .boolean, .integer, .double: json += text.bytes
        case .list(let values):
            json.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                value.append(to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .map(let pairs):
            json.append(UInt8(ascii: "{"))
            // Go writes maps in the order of their keys.
            for (index, pair) in pairs.sorted(by: { $0.0 < $1.0 }).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                JSONText.append(pair.0, to: &json)
                json.append(UInt8(ascii: ":"))
                pair.1.append(to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }
}
