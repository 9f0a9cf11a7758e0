internal import Matching
package import MetricModel

/// A replacement such as `${1}:$port`, its variables resolved against the groups of one regular expression.
///
/// Source: the behaviour of Go's `regexp.Expand`: the longest run of letters, digits and `_` behind `$` is a name, braces
/// end it early, `$$` is a dollar sign, an unknown group is empty, a malformed variable stays as it is.
package struct ReplacementTemplate: Sendable, Hashable {
    /// As it is written.
    package let text: ByteString
    private let parts: [Part]

    private enum Part: Sendable, Hashable {
        case literal([UInt8])
        /// The first of these groups that took part.
        case groups([Int])
    }

    init(_ text: ByteString, groupNames: [ByteString?]) {
        self.text = text
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = text.bytes[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            literal.append(contentsOf: rest[..<dollar])
            rest = rest[(dollar + 1)...]
            if rest.first == UInt8(ascii: "$") {
                literal.append(UInt8(ascii: "$"))
                rest = rest.dropFirst()
            } else if let (name, behind) = Self.variable(rest) {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = []
                parts.append(.groups(Self.groups(named: name, among: groupNames)))
                rest = behind
            } else {
                literal.append(UInt8(ascii: "$"))
            }
        }
        literal.append(contentsOf: rest)
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
    }

    /// Whether nothing depends on what was matched.
    var isConstant: Bool { !text.bytes.contains(UInt8(ascii: "$")) }

    /// The text with the groups of a match in `value` put in.
    func expanded(_ value: ByteString, groups: [Range<Int>?]) -> ByteString {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let bytes): result.append(contentsOf: bytes)
            case .groups(let indices):
                for index in indices where index < groups.count {
                    guard let range = groups[index] else { continue }
                    result.append(contentsOf: value.bytes[range])
                    break
                }
            }
        }
        return ByteString(result)
    }

    private static func variable(_ text: ArraySlice<UInt8>) -> (name: [UInt8], rest: ArraySlice<UInt8>)? {
        let isBraced = text.first == UInt8(ascii: "{")
        let start = isBraced ? text.dropFirst() : text
        let name = start.prefix { byte in
            byte >= 0x30 && byte <= 0x39 || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte == UInt8(ascii: "_")
        }
        guard !name.isEmpty else { return nil }
        let rest = start.dropFirst(name.count)
        guard isBraced else { return (Array(name), rest) }
        guard rest.first == UInt8(ascii: "}") else { return nil }
        return (Array(name), rest.dropFirst())
    }

    private static func groups(named name: [UInt8], among names: [ByteString?]) -> [Int] {
        let isNumber = name.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && name.count <= 9
        if isNumber, name.count == 1 || name.first != UInt8(ascii: "0") {
            return Int(String(decoding: name, as: UTF8.self)).map { [$0] } ?? []
        }
        return names.indices.filter { names[$0]?.bytes == name }
    }
}
