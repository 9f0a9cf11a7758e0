/// A part of a pattern, as far as fast paths need to know it.
indirect enum PatternNode: Sendable {
    case literal([UInt8])
    case gap(Glob.Gap)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    /// Something for the automaton.
    case opaque

    /// All texts that match, or nil if there are more than `limit` or no end of them.
    func texts(limit: Int) -> [[UInt8]]? {
        switch self {
        case .literal(let bytes): return [bytes]
        case .gap, .opaque: return nil
        case .alternatives(let nodes):
            var result: [[UInt8]] = []
            for node in nodes {
                guard let texts = node.texts(limit: limit - result.count) else { return nil }
                result += texts
                if result.count > limit { return nil }
            }
            return result
        case .sequence(let nodes):
            var result: [[UInt8]] = [[]]
            for node in nodes {
                guard let texts = node.texts(limit: limit) else { return nil }
                guard result.count * texts.count <= limit else { return nil }
                result = result.flatMap { head in texts.map { head + $0 } }
            }
            return result
        }
    }

    /// The top-level alternatives.
    var branches: [PatternNode] {
        switch self {
        case .alternatives(let nodes): nodes.flatMap(\.branches)
        case .sequence(let nodes) where nodes.count == 1: nodes[0].branches
        case .literal, .gap, .sequence, .opaque: [self]
        }
    }

    /// The parts in order, neighbouring literals joined.
    var sequence: [PatternNode] {
        guard case .sequence(let nodes) = self else { return [self] }
        var result: [PatternNode] = []
        for node in nodes.flatMap(\.sequence) {
            if case .literal(let next) = node, case .literal(let last)? = result.last {
                result[result.count - 1] = .literal(last + next)
            } else {
                result.append(node)
            }
        }
        return result
    }
}

/// Reads as much of RE2's syntax as fast paths need. Gives up (nil) on anything whose end it is not sure of.
struct PatternParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// Groups nested deeper are left to the automaton.
    private static let depthLimit = 50

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The structure of a pattern that RE2 accepts.
    static func parse(_ bytes: [UInt8]) -> PatternNode? {
        var parser = PatternParser(bytes)
        guard let node = parser.alternatives(), parser.position == bytes.count else { return nil }
        return node
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func alternatives() -> PatternNode? {
        var branches: [PatternNode] = []
        while true {
            guard let branch = sequence() else { return nil }
            branches.append(branch)
            guard peek() == UInt8(ascii: "|") else { break }
            position += 1
        }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() -> PatternNode? {
        var nodes: [PatternNode] = []
        while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            // The anchors say nothing new at the very ends of a pattern that is anchored anyway.
            if byte == UInt8(ascii: "^"), position == 0 {
                position += 1
                if let next = peek(), isRepetition(next) { return nil }
                continue
            }
            if byte == UInt8(ascii: "$"), position == bytes.count - 1, depth == 0 {
                position += 1
                continue
            }
            let isDot = byte == UInt8(ascii: ".")
            guard let node = atom() else { return nil }
            guard let repeated = repetition(of: node, isDot: isDot) else { return nil }
            nodes.append(repeated)
        }
        return .sequence(nodes)
    }

    private func isRepetition(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "*") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "{")
    }

    /// What `node` becomes with the operator after it, if there is one.
    private mutating func repetition(of node: PatternNode, isDot: Bool) -> PatternNode? {
        guard let byte = peek(), isRepetition(byte) else { return node }
        var result = PatternNode.opaque
        switch byte {
        case UInt8(ascii: "*"):
            position += 1
            if isDot { result = .gap(.any) }
        case UInt8(ascii: "+"):
            position += 1
            if isDot { result = .gap(.some) }
        case UInt8(ascii: "?"):
            position += 1
            if !isDot { result = .alternatives([node, .literal([])]) }
        default:
            guard skipCount() else { return nil }
        }
        // Lazy operators match the same texts; a second operator is more than we look at.
        if peek() == UInt8(ascii: "?") { position += 1 }
        if let next = peek(), isRepetition(next) { return nil }
        return result
    }

    /// Skips `{2}`, `{2,}` or `{2,3}`.
    private mutating func skipCount() -> Bool {
        var end = position + 1
        guard end < bytes.count, isDigit(bytes[end]) else { return false }
        while end < bytes.count, isDigit(bytes[end]) || bytes[end] == UInt8(ascii: ",") { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { return false }
        position = end + 1
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func atom() -> PatternNode? {
        guard let byte = peek() else { return nil }
        switch byte {
        case UInt8(ascii: "("): return group()
        case UInt8(ascii: "["): return characterClass()
        case UInt8(ascii: "\\"): return escape()
        case UInt8(ascii: "."):
            position += 1
            return .opaque
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "$"),
            UInt8(ascii: "{"), UInt8(ascii: "}"):
            return nil
        default:
            // A character is taken whole, since an operator after it is about all of its bytes.
            var end = position + 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
            defer { position = end }
            return .literal(Array(bytes[position..<end]))
        }
    }

    private mutating func group() -> PatternNode? {
        position += 1
        if peek() == UInt8(ascii: "?") {
            // Flags change what follows; names are of no interest here.
            guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: ":") else { return nil }
            position += 2
        }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit, let inner = alternatives(), peek() == UInt8(ascii: ")") else { return nil }
        position += 1
        return inner
    }

    private mutating func escape() -> PatternNode? {
        guard position + 1 < bytes.count else { return nil }
        let byte = bytes[position + 1]
        let isLetterOrDigit =
            isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
        if byte < 0x80 && byte > 0x20 && !isLetterOrDigit {
            position += 2
            return .literal([byte])
        }
        switch byte {
        case UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "s"), UInt8(ascii: "S"), UInt8(ascii: "w"),
            UInt8(ascii: "W"):
            position += 2
            return .opaque
        default:
            return nil
        }
    }

    /// A class of plain ASCII characters and ranges becomes its members, any other is opaque.
    private mutating func characterClass() -> PatternNode? {
        var index = position + 1
        var members: [UInt8] = []
        var isPlain = true
        guard index < bytes.count else { return nil }
        if bytes[index] == UInt8(ascii: "^") {
            isPlain = false
            index += 1
        }
        var isFirst = true
        while index < bytes.count, isFirst || bytes[index] != UInt8(ascii: "]") {
            let byte = bytes[index]
            isFirst = false
            // Escapes and named classes inside are rare: not worth finding their ends.
            if byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "[") { return nil }
            if byte >= 0x80 { isPlain = false }
            if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"), bytes[index + 2] != UInt8(ascii: "]") {
                let upper = bytes[index + 2]
                if upper == UInt8(ascii: "\\") || upper == UInt8(ascii: "[") { return nil }
                if upper >= 0x80 || upper < byte {
                    isPlain = false
                } else if isPlain {
                    members += byte...upper
                }
                index += 3
            } else {
                members.append(byte)
                index += 1
            }
        }
        guard index < bytes.count else { return nil }
        position = index + 1
        return isPlain ? .alternatives(members.map { .literal([$0]) }) : .opaque
    }
}
