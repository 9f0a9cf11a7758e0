package import MetricModel

/// What a pattern that must match whole texts comes down to, where it can be said without an automaton.
///
/// Source: the fast paths are those of prometheus/prometheus model/labels/regexp.go; each is tested against RE2.
package enum PatternShape: Sendable, Hashable {
    /// Exactly these texts, sorted, each once.
    case texts([ByteString])
    /// Literals with gaps between, before and after them.
    case glob(Glob)
    /// Any of these.
    case anyOf([Glob])
    /// Only an automaton can tell, but a text that matches starts and ends with these (perhaps empty) literals, and
    /// has `inner` in it.
    case automaton(prefix: ByteString, suffix: ByteString, inner: ByteString)

    /// Most texts that a pattern is expanded to.
    package static let textLimit = 1_000

    /// The shape of `pattern`, which RE2 accepts.
    /// - Complexity: O(pattern + expanded texts).
    package init(_ pattern: ByteString) {
        guard pattern.isValidUTF8, let node = PatternParser.parse(pattern.bytes) else {
            self = .automaton(prefix: "", suffix: "", inner: "")
            return
        }
        if let texts = node.texts(limit: Self.textLimit) {
            self = .texts(Set(texts.map { ByteString($0) }).sorted())
            return
        }
        let branches = node.branches
        let globs = branches.compactMap { Glob(concatenating: $0.sequence) }
        if globs.count == branches.count {
            self = globs.count == 1 ? .glob(globs[0]) : .anyOf(globs)
            return
        }
        guard branches.count == 1 else {
            self = .automaton(prefix: "", suffix: "", inner: "")
            return
        }
        let literals = LiteralParts(branches[0].sequence)
        self = .automaton(
            prefix: ByteString(literals.prefix), suffix: ByteString(literals.suffix),
            inner: ByteString(literals.inner))
    }

    /// The literal that every match starts with; empty if there is none.
    package var prefix: ByteString {
        switch self {
        case .texts(let texts): texts.count == 1 ? texts[0] : ""
        case .glob(let glob): glob.gaps[0] == .none ? ByteString(glob.literals[0]) : ""
        case .anyOf: ""
        case .automaton(let prefix, _, _): prefix
        }
    }
}

/// Literals with gaps before, between and after them: `foo.*`, `.+bar.*`, `a.*b`.
package struct Glob: Sendable, Hashable {
    /// What may stand in a place.
    package enum Gap: Sendable, Hashable {
        /// Nothing.
        case none
        /// Any text.
        case any
        /// Any text but the empty one.
        case some
    }

    /// Each non-empty, but for a pattern that has none: then one empty literal.
    let literals: [[UInt8]]
    /// One more than literals.
    let gaps: [Gap]

    init?(concatenating nodes: [PatternNode]) {
        var literals: [[UInt8]] = []
        var gaps: [Gap] = [.none]
        for node in nodes {
            switch node {
            case .literal(let bytes):
                if bytes.isEmpty { continue }
                if gaps[gaps.count - 1] == .none, let last = literals.indices.last {
                    literals[last] += bytes
                } else {
                    literals.append(bytes)
                    gaps.append(.none)
                }
            case .gap(let gap):
                if gap == .some && gaps[gaps.count - 1] == .some { return nil }
                if gaps[gaps.count - 1] != .some { gaps[gaps.count - 1] = gap }
            case .sequence, .alternatives, .opaque: return nil
            }
        }
        if literals.isEmpty {
            literals = [[]]
            gaps.append(.none)
        }
        self.literals = literals
        self.gaps = gaps
    }

    /// Whether the whole of `text` fits.
    /// - Complexity: O(text · longest literal) at worst, usually O(text).
    package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        let last = literals.count - 1
        var position = 0
        var end = text.count
        // The ends are fixed; what is between is taken leftmost, which leaves most room for the rest.
        if gaps[0] == .none {
            guard starts(text, with: literals[0], at: 0) else { return false }
            position = literals[0].count
            if last == 0 { return fits(gaps[1], end - position) }
        }
        if gaps[last + 1] == .none {
            let tail = literals[last]
            guard end - tail.count >= position, starts(text, with: tail, at: end - tail.count) else { return false }
            end -= tail.count
            if last == 0 { return fits(gaps[0], end) }
        }
        let first = gaps[0] == .none ? 1 : 0
        let stop = gaps[last + 1] == .none ? last : last + 1
        var index = first
        while index < stop {
            let from = position + (gaps[index] == .some ? 1 : 0)
            guard let found = find(literals[index], in: text, from: from, to: end) else { return false }
            position = found + literals[index].count
            index += 1
        }
        return fits(gaps[stop], end - position)
    }

    private func fits(_ gap: Gap, _ length: Int) -> Bool {
        switch gap {
        case .none: length == 0
        case .any: length >= 0
        case .some: length > 0
        }
    }

    private func starts(_ text: UnsafeRawBufferPointer, with literal: [UInt8], at offset: Int) -> Bool {
        LiteralSearch.starts(text, with: literal, at: offset)
    }

    private func find(_ literal: [UInt8], in text: UnsafeRawBufferPointer, from: Int, to end: Int) -> Int? {
        LiteralSearch.find(literal, in: text, from: from, to: end)
    }
}

/// Literals in texts.
enum LiteralSearch {
    /// Whether `literal` stands at `offset`.
    static func starts(_ text: UnsafeRawBufferPointer, with literal: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, text.count - offset >= literal.count else { return false }
        for index in literal.indices where text[offset + index] != literal[index] { return false }
        return true
    }

    /// Where `literal` first stands between `from` and `end`.
    static func find(_ literal: [UInt8], in text: UnsafeRawBufferPointer, from: Int, to end: Int) -> Int? {
        guard let first = literal.first else { return from <= end ? from : nil }
        var position = from
        while position + literal.count <= end {
            if text[position] == first, starts(text, with: literal, at: position) { return position }
            position += 1
        }
        return nil
    }
}

/// The literals that a sequence cannot match without.
struct LiteralParts {
    var prefix: [UInt8] = []
    var suffix: [UInt8] = []
    var inner: [UInt8] = []

    init(_ nodes: [PatternNode]) {
        if case .literal(let bytes)? = nodes.first { prefix = bytes }
        if nodes.count > 1, case .literal(let bytes)? = nodes.last { suffix = bytes }
        for node in nodes.dropFirst().dropLast() {
            if case .literal(let bytes) = node, bytes.count > inner.count { inner = bytes }
        }
    }
}
