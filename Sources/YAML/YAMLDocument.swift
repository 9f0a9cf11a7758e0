internal import CYAML
internal import MetricModel

/// Reads YAML text into nodes, through libyaml.
package enum YAMLDocument {
    /// The deepest nesting that is read; deeper documents are refused.
    static let maximumDepth = 500
    /// The most nodes that a document may hold, its aliases counted as what they stand for.
    static let maximumNodes = 5_000_000

    /// The first document of `text`, or nil if there is none.
    /// - Throws: `YAMLError.syntax`.
    /// - Complexity: O(text), plus what its aliases repeat, up to a limit.
    package static func parse(_ text: [UInt8]) throws(YAMLError) -> YAMLNode? {
        // SAFETY: libyaml reads `bytes` only through the loader, which does not outlive the closure.
        let result: Result<YAMLNode?, YAMLError> = text.withUnsafeBufferPointer { bytes in
            let loader = Loader(bytes)
            do throws(YAMLError) {
                return .success(try loader.firstDocument())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Composes nodes from libyaml's events.
private final class Loader {
    private var parser = yaml_parser_t()
    private var event = yaml_event_t()
    private var anchors: [ByteString: (node: YAMLNode, size: Int)] = [:]
    private var nodes = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        yaml_parser_initialize(&parser)
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_event_delete(&event)
        yaml_parser_delete(&parser)
    }

    func firstDocument() throws(YAMLError) -> YAMLNode? {
        try advance()
        try advance()
        guard event.type == YAML_DOCUMENT_START_EVENT else { return nil }
        try advance()
        return try node(depth: 0)
    }

    private func advance() throws(YAMLError) {
        yaml_event_delete(&event)
        guard yaml_parser_parse(&parser, &event) == 1 else { throw .syntax(problem) }
    }

    /// The problem as go-yaml words it: with the line, unless that is the first.
    private var problem: String {
        let message = parser.problem.map { String(cString: $0) } ?? "unknown problem parsing YAML content"
        // libyaml counts from 0; a scanner error names the line, a parser error the one before, as in go-yaml.
        let shift = parser.error == YAML_SCANNER_ERROR ? 1 : 0
        var line = 0
        if parser.problem_mark.line != 0 {
            line = Int(clamping: parser.problem_mark.line) + shift
        } else if parser.context_mark.line != 0 {
            line = Int(clamping: parser.context_mark.line)
        }
        return line == 0 ? message : "line \(line): \(message)"
    }

    private func node(depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth < YAMLDocument.maximumDepth else {
            throw .syntax("exceeded max depth of \(YAMLDocument.maximumDepth)")
        }
        try count(1)
        let line = Int(clamping: event.start_mark.line) + 1
        let column = Int(clamping: event.start_mark.column) + 1
        let before = nodes
        var result: YAMLNode
        let anchor: ByteString?
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            anchor = Self.text(scalar.anchor)
            // SAFETY: libyaml holds `length` bytes at `value` until the event is deleted.
            let value = ByteString(Array(UnsafeBufferPointer(start: scalar.value, count: scalar.length)))
            result = YAMLNode(
                .scalar(value, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE), tag: Self.text(scalar.tag)?.string,
                line: line, column: column)
        case YAML_SEQUENCE_START_EVENT:
            anchor = Self.text(event.data.sequence_start.anchor)
            let tag = Self.text(event.data.sequence_start.tag)?.string
            result = YAMLNode(.sequence(try sequence(depth)), tag: tag, line: line, column: column)
        case YAML_MAPPING_START_EVENT:
            anchor = Self.text(event.data.mapping_start.anchor)
            let tag = Self.text(event.data.mapping_start.tag)?.string
            result = YAMLNode(.mapping(try mapping(depth)), tag: tag, line: line, column: column)
        case YAML_ALIAS_EVENT:
            let name = Self.text(event.data.alias.anchor) ?? ""
            guard let target = anchors[name] else { throw .syntax("unknown anchor '\(name)' referenced") }
            try count(target.size)
            return target.node
        default:
            throw .syntax("unexpected event")
        }
        if let anchor { anchors[anchor] = (result, nodes - before + 1) }
        return result
    }

    private func sequence(_ depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        try advance()
        while event.type != YAML_SEQUENCE_END_EVENT {
            items.append(try node(depth: depth + 1))
            try advance()
        }
        return items
    }

    private func mapping(_ depth: Int) throws(YAMLError) -> [YAMLNode.Pair] {
        var pairs: [YAMLNode.Pair] = []
        try advance()
        while event.type != YAML_MAPPING_END_EVENT {
            let key = try node(depth: depth + 1)
            try advance()
            let value = try node(depth: depth + 1)
            pairs.append(YAMLNode.Pair(key: key, value: value))
            try advance()
        }
        return pairs
    }

    private func count(_ number: Int) throws(YAMLError) {
        nodes += number
        guard nodes <= YAMLDocument.maximumNodes else { throw .syntax("document contains excessive aliasing") }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> ByteString? {
        guard let pointer else { return nil }
        var length = 0
        // SAFETY: libyaml ends its names with a zero byte.
        while pointer[length] != 0 { length += 1 }
        return ByteString(Array(UnsafeBufferPointer(start: pointer, count: length)))
    }
}
