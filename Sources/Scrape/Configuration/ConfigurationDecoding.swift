package import MetricModel
internal import YAML

/// The kinds of value that Prometheus' files are made of, beyond YAML's own.
extension YAMLDecoder {
    /// A duration; zero for null.
    /// - Throws: `YAMLError.invalid`, in Prometheus' words.
    func duration(_ node: YAMLNode) throws(YAMLError) -> PrometheusDuration {
        if node.isNull { return .zero }
        let before = mismatches.count
        let text = try string(node)
        guard mismatches.count == before else { return .zero }
        do throws(PrometheusDuration.Malformed) {
            return try PrometheusDuration(text)
        } catch {
            throw .invalid(error.description, line: node.line)
        }
    }

    /// A number of bytes; zero for null.
    /// - Throws: `YAMLError.invalid`, in Prometheus' words.
    func byteSize(_ node: YAMLNode) throws(YAMLError) -> ByteSize {
        if node.isNull { return ByteSize(bytes: 0) }
        let before = mismatches.count
        let text = try string(node, into: "units.Base2Bytes")
        guard mismatches.count == before else { return ByteSize(bytes: 0) }
        do throws(ByteSize.Malformed) {
            return try ByteSize(text)
        } catch {
            throw .invalid(error.description, line: node.line)
        }
    }

    /// A value that must not be shown.
    func secret(_ node: YAMLNode) throws(YAMLError) -> Secret { Secret(try string(node, into: "config.plain")) }

    /// A sequence of values that must not be shown.
    func secrets(_ node: YAMLNode) throws(YAMLError) -> [Secret] {
        var secrets: [Secret] = []
        for item in items(node, type: "[]config.Secret") { secrets.append(try secret(item)) }
        return secrets
    }

    /// A label set; names and values are checked by whoever knows the rules.
    func labels(
        _ node: YAMLNode, type: String = "map[string]string", valueType: String = "string"
    ) throws(YAMLError) -> [(name: ByteString, value: ByteString)] {
        var result: [(name: ByteString, value: ByteString)] = []
        for entry in try entries(node, type: type) {
            result.append((entry.key, try bytes(entry.value, into: valueType)))
        }
        return result.sorted { $0.name < $1.name }
    }

    /// How names are validated; nil for null or nothing.
    func validation(_ node: YAMLNode) throws(YAMLError) -> NameValidation? {
        if node.isNull { return nil }
        switch try string(node) {
        case "": return nil
        case "utf8": return .utf8
        case "legacy": return .legacy
        case let text:
            throw .invalid(
                "unrecognized ValidationScheme: \(Quoting.quote(ByteString(text)))", line: node.line)
        }
    }
}

extension NameValidation {
    /// The name that Prometheus' files use.
    package var name: String {
        switch self {
        case .legacy: "legacy"
        case .utf8: "utf8"
        }
    }
}

/// Collects the fields of a mapping to be written, leaving out what is empty, as Prometheus does.
struct YAMLFields {
    private(set) var pairs: [(key: ByteString, value: YAMLValue)] = []

    mutating func set(_ key: ByteString, _ value: YAMLValue) { pairs.append((key, value)) }

    mutating func text(_ key: ByteString, _ text: String) {
        if !text.isEmpty { set(key, .text(text)) }
    }

    mutating func secret(_ key: ByteString, _ secret: Secret) {
        if !secret.isEmpty { set(key, .text(Secret.placeholder)) }
    }

    mutating func texts(_ key: ByteString, _ texts: [String]) {
        if !texts.isEmpty { set(key, .sequence(texts.map { .text($0) })) }
    }

    mutating func number(_ key: ByteString, _ number: UInt64) {
        if number != 0 { set(key, .literal("\(number)")) }
    }

    mutating func duration(_ key: ByteString, _ duration: PrometheusDuration) {
        if duration != .zero { set(key, .text(duration.description)) }
    }

    mutating func size(_ key: ByteString, _ size: ByteSize) {
        if size.bytes != 0 { set(key, .text(size.description)) }
    }

    mutating func flag(_ key: ByteString, _ flag: Bool) {
        if flag { set(key, .literal("true")) }
    }

    mutating func always(_ key: ByteString, _ flag: Bool) { set(key, .literal(flag ? "true" : "false")) }

    mutating func float(_ key: ByteString, _ number: Double) {
        if number != 0 {
            set(key, .literal(number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"))
        }
    }

    mutating func labels(_ key: ByteString, _ labels: Labels) {
        if !labels.isEmpty { set(key, .mapping(labels.pairs.map { ($0.name, .text($0.value)) })) }
    }

    mutating func fields(_ key: ByteString, _ fields: YAMLFields) {
        if !fields.pairs.isEmpty { set(key, fields.mapping) }
    }

    var mapping: YAMLValue { .mapping(pairs) }
}
