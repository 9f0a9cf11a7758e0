package import MetricModel

/// Turns nodes into values as go-yaml's strict mode does: what does not fit is collected with its line, and reading goes
/// on; a broken rule stops at once.
///
/// Every reading method gives the zero value for null, as go-yaml does, and for what does not fit.
package final class YAMLDecoder {
    /// Values that did not fit, so far, each with its line.
    package private(set) var mismatches: [String] = []

    /// A decoder for one document.
    package init() {}

    /// Reads the first document of `text` with `read`, which is not called for an empty one.
    /// - Throws: `YAMLError`.
    package static func decode<T>(
        _ text: [UInt8], empty: T, read: (YAMLNode, YAMLDecoder) throws(YAMLError) -> T
    ) throws(YAMLError) -> T {
        guard let node = try YAMLDocument.parse(text), !node.isNull else { return empty }
        let decoder = YAMLDecoder()
        let value = try read(node, decoder)
        guard decoder.mismatches.isEmpty else { throw .type(decoder.mismatches) }
        return value
    }

    /// Reads the mapping `node` as the Go type `type`: `read` is called for each field and says whether it knows it.
    ///
    /// Fields that are unknown or set twice are collected. `<<` merges a mapping in, whose fields count only where they
    /// are not set directly.
    /// - Returns: whether everything in `node` fitted; if not, its rules are not worth checking.
    @discardableResult
    package func fields(
        of node: YAMLNode, type: String, _ read: (String, YAMLNode) throws(YAMLError) -> Bool
    ) throws(YAMLError) -> Bool {
        let before = mismatches.count
        if node.isNull { return true }
        guard case .mapping(let pairs) = node.content else {
            mismatch(node, into: type)
            return false
        }
        var seen: Set<ByteString> = []
        for pair in try Self.merged(pairs) {
            guard case .scalar(let key, _) = pair.key.content else {
                mismatch(pair.key, into: "string")
                continue
            }
            if !seen.insert(key).inserted {
                mismatches.append("line \(pair.key.line): field \(key) already set in type \(type)")
            } else if try !read(key.string, pair.value) {
                mismatches.append("line \(pair.key.line): field \(key) not found in type \(type)")
            }
        }
        return mismatches.count == before
    }

    /// The items of a sequence; none for null.
    package func items(_ node: YAMLNode, type: String) -> [YAMLNode] {
        if node.isNull { return [] }
        guard case .sequence(let items) = node.content else {
            mismatch(node, into: type)
            return []
        }
        return items
    }

    /// The entries of a mapping with keys of any name; a repeated key is collected.
    package func entries(_ node: YAMLNode, type: String) throws(YAMLError) -> [(key: ByteString, value: YAMLNode)] {
        if node.isNull { return [] }
        guard case .mapping(let pairs) = node.content else {
            mismatch(node, into: type)
            return []
        }
        var seen: Set<ByteString> = []
        var result: [(key: ByteString, value: YAMLNode)] = []
        for pair in try Self.merged(pairs) {
            let key = try bytes(pair.key)
            if seen.insert(key).inserted {
                result.append((key, pair.value))
            } else {
                mismatches.append("line \(pair.value.line): key \(Quoting.quote(key)) already set in map")
            }
        }
        return result
    }

    /// Text, as bytes: a number or a Boolean gives the text it was written as, `!!binary` what it encodes.
    /// - Throws: `YAMLError.syntax` for `!!binary` that is not base64.
    package func bytes(_ node: YAMLNode, into type: String = "string") throws(YAMLError) -> ByteString {
        if node.isNull { return "" }
        guard case .scalar(let text, _) = node.content else {
            mismatch(node, into: type)
            return ""
        }
        guard node.tag == YAMLTag.binary else { return text }
        guard let decoded = Base64Text.decode(text.bytes) else {
            throw .syntax("!!binary value contains invalid base64 data")
        }
        return ByteString(decoded)
    }

    /// Text; see ``bytes(_:into:)``.
    package func string(_ node: YAMLNode, into type: String = "string") throws(YAMLError) -> String {
        try bytes(node, into: type).string
    }

    /// A sequence of texts.
    package func strings(
        _ node: YAMLNode, type: String = "[]string", itemType: String = "string"
    ) throws(YAMLError) -> [String] {
        var result: [String] = []
        for item in items(node, type: type) { result.append(try string(item, into: itemType)) }
        return result
    }

    /// A Boolean; false if it is none.
    package func boolean(_ node: YAMLNode) -> Bool {
        switch node.resolved {
        case .boolean(let value): return value
        case .null: return false
        case .integer, .unsigned, .float, .timestamp, .merge, .string:
            mismatch(node, into: "bool")
            return false
        }
    }

    /// A signed number; 0 if it is none. A float counts without its fraction.
    package func integer(_ node: YAMLNode, into type: String = "int") -> Int64 {
        switch node.resolved {
        case .integer(let value): return value
        case .float(let value):
            if let whole = Int64(exactly: value.rounded(.towardZero)) { return whole }
        case .null: return 0
        case .boolean, .unsigned, .timestamp, .merge, .string: break
        }
        mismatch(node, into: type)
        return 0
    }

    /// An unsigned number; 0 if it is none. A float counts without its fraction.
    package func unsigned(_ node: YAMLNode, into type: String = "uint") -> UInt64 {
        switch node.resolved {
        case .integer(let value):
            if let exact = UInt64(exactly: value) { return exact }
        case .unsigned(let value): return value
        case .float(let value):
            if let whole = UInt64(exactly: value.rounded(.towardZero)) { return whole }
        case .null: return 0
        case .boolean, .timestamp, .merge, .string: break
        }
        mismatch(node, into: type)
        return 0
    }

    /// A floating-point number; 0 if it is none.
    package func float(_ node: YAMLNode) -> Double {
        switch node.resolved {
        case .integer(let value): return Double(value)
        case .unsigned(let value): return Double(value)
        case .float(let value): return value
        case .null: return 0
        case .boolean, .timestamp, .merge, .string:
            mismatch(node, into: "float64")
            return 0
        }
    }

    /// Collects that `node` does not fit the Go type `type`.
    package func mismatch(_ node: YAMLNode, into type: String) {
        var shown = ""
        if case .scalar(let text, _) = node.content {
            shown = text.count > 10 ? " `\(ByteString(text.bytes.prefix(7)))...`" : " `\(text)`"
        }
        mismatches.append("line \(node.line): cannot unmarshal \(node.shortTag)\(shown) into \(type)")
    }

    /// `pairs` with what `<<` merges in, behind the fields set directly.
    private static func merged(_ pairs: [YAMLNode.Pair]) throws(YAMLError) -> [YAMLNode.Pair] {
        guard pairs.contains(where: { $0.key.resolved == .merge }) else { return pairs }
        var result = pairs.filter { $0.key.resolved != .merge }
        var names = Set(result.compactMap(\.key.scalar))
        for pair in pairs where pair.key.resolved == .merge {
            let sources: [YAMLNode]
            if case .sequence(let several) = pair.value.content { sources = several } else { sources = [pair.value] }
            for source in sources {
                guard case .mapping(let inner) = source.content else {
                    throw .syntax("map merge requires map or sequence of maps as the value")
                }
                for entry in try merged(inner) {
                    if let name = entry.key.scalar, names.insert(name).inserted { result.append(entry) }
                }
            }
        }
        return result
    }
}

extension YAMLNode {
    /// The text of a scalar.
    var scalar: ByteString? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }
}

/// Base64 as `!!binary` uses it.
enum Base64Text {
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for byte in text where byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r") {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = digit(byte) else { return nil }
            bits = (bits << 6 | value) & 0xFF_FFFF
            count += 1
            if count % 4 == 0 {
                result.append(UInt8(truncatingIfNeeded: bits >> 16))
                result.append(UInt8(truncatingIfNeeded: bits >> 8))
                result.append(UInt8(truncatingIfNeeded: bits))
            }
        }
        switch (count % 4, padding) {
        case (0, 0): break
        case (2, 2): result.append(UInt8(truncatingIfNeeded: bits >> 4))
        case (3, 1):
            result.append(UInt8(truncatingIfNeeded: bits >> 10))
            result.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: return nil
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
