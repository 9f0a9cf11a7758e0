internal import ByteCoding
package import MetricModel
internal import YAML

/// The value of a claim that is added to a signed token: any YAML that JSON can say.
package indirect enum OAuth2Claim: Sendable, Hashable {
    case null
    case flag(Bool)
    case whole(Int64)
    case unsigned(UInt64)
    case number(Double)
    case text(ByteString)
    case list([OAuth2Claim])
    case object([ByteString: OAuth2Claim])

    /// The value of a node.
    /// - Throws: `YAMLError` where the node means what JSON has no text for, such as `.nan`.
    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        switch node.content {
        case .sequence(let items):
            var list: [OAuth2Claim] = []
            for item in items { list.append(try OAuth2Claim(item, decoder)) }
            self = .list(list)
        case .mapping: self = .object(try Self.entries(node, decoder))
        case .scalar(let text, _):
            if node.isNull {
                self = .null
                return
            }
            switch node.resolved {
            case .boolean(let value): self = .flag(value)
            case .integer(let value): self = .whole(value)
            case .unsigned(let value): self = .unsigned(value)
            case .float(let value):
                guard value.isFinite else {
                    throw .invalid("oauth2 claims: \(text) is no JSON number", line: node.line)
                }
                self = .number(value)
            case .null, .timestamp, .merge, .string: self = .text(text)
            }
        }
    }

    /// The entries of a mapping.
    /// - Throws: `YAMLError` as for each value.
    static func entries(
        _ node: YAMLNode, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> [ByteString: OAuth2Claim] {
        var object: [ByteString: OAuth2Claim] = [:]
        for entry in try decoder.entries(node, type: "map[string]interface {}") {
            object[entry.key] = try OAuth2Claim(entry.value, decoder)
        }
        return object
    }

    /// The value as JSON; keys are sorted.
    var json: JSONField {
        switch self {
        case .null: .null
        case .flag(let flag): .flag(flag)
        case .whole(let number): .raw("\(number)")
        case .unsigned(let number): .raw("\(number)")
        case .number(let number): .raw(FloatText.string(number, .json))
        case .text(let text): .bytes(text)
        case .list(let list): .list(list.map(\.json))
        case .object(let object): Self.json(object)
        }
    }

    /// An object as JSON; keys are sorted.
    static func json(_ object: [ByteString: OAuth2Claim]) -> JSONField {
        .object(object.sorted { $0.key < $1.key }.map { ($0.key.string, $0.value.json) })
    }

    /// The value as a configuration is shown.
    var yaml: YAMLValue {
        switch self {
        case .null: .literal("null")
        case .flag(let flag): .literal(flag ? "true" : "false")
        case .whole(let number): .literal("\(number)")
        case .unsigned(let number): .literal("\(number)")
        case .number(let number): .literal(FloatText.string(number, .general))
        case .text(let text): .text(text)
        case .list(let list): .sequence(list.map(\.yaml))
        case .object(let object): Self.yaml(object)
        }
    }

    /// An object as a configuration is shown; keys are sorted.
    static func yaml(_ object: [ByteString: OAuth2Claim]) -> YAMLValue {
        .mapping(object.sorted { $0.key < $1.key }.map { ($0.key, $0.value.yaml) })
    }
}
