/// Text format 0.0.4.
///
/// Source: prometheus/prometheus model/textparse/promlex.l.
extension ExpositionLexer {
    /// The next token of text 0.0.4.
    mutating func nextText() -> Token {
        guard position < end else { return .eof }
        start = position
        let first = byte(position)
        if Self.isBlank(first), state != .meta2 || isBlankToLineEnd() {
            while Self.isBlank(byte(position)) { position &+= 1 }
            return .whitespace
        }
        switch state {
        case .start: return startOfTextLine(first)
        case .comment: return comment()
        case .meta1: return metadataName(first)
        case .meta2:
            while position < end, byte(position) != UInt8(ascii: "\n") { position &+= 1 }
            state = .start
            return .text
        case .labels: return labelToken(first, allowsLineFeed: true)
        case .labelValue: return labelValueToken(first, allowsLineFeed: true)
        case .value:
            if first == UInt8(ascii: "{") {
                position &+= 1
                state = .labels
                return .braceOpen
            }
            return valueToken()
        case .timestamp:
            if first == UInt8(ascii: "\n") {
                position &+= 1
                state = .start
                return .linebreak
            }
            while byte(position) &- UInt8(ascii: "0") < 10 { position &+= 1 }
            return position > start ? .timestamp : .invalid
        case .exemplar, .exemplarValue, .exemplarTimestamp: return .invalid
        }
    }

    private func isBlankToLineEnd() -> Bool {
        var index = position
        while Self.isBlank(byte(index)) { index &+= 1 }
        return byte(index) == UInt8(ascii: "\n") || index >= end
    }

    @inline(__always)
    private mutating func startOfTextLine(_ first: UInt8) -> Token {
        if scanName(colons: true) {
            state = .value
            return .metricName
        }
        switch first {
        case 0: return .eof
        case UInt8(ascii: "\n"):
            position &+= 1
            return .linebreak
        case UInt8(ascii: "{"):
            position &+= 1
            state = .labels
            return .braceOpen
        case UInt8(ascii: "#"):
            position &+= 1
            guard Self.isBlank(byte(position)) else { return restOfComment() }
            while Self.isBlank(byte(position)) { position &+= 1 }
            state = .comment
            return comment()
        default: return .invalid
        }
    }

    private mutating func comment() -> Token {
        let from = position
        for (word, token) in [("HELP" as StaticString, Token.help), ("TYPE", .type)] {
            position = from
            if scan(word), Self.isBlank(byte(position)) {
                while Self.isBlank(byte(position)) { position &+= 1 }
                state = .meta1
                return token
            }
        }
        position = from
        return restOfComment()
    }

    /// Everything up to the line feed. A NUL byte ends the exposition, unless a blank followed the `#` and the NUL is
    /// not the first byte behind.
    private mutating func restOfComment() -> Token {
        let from = position
        while position < end, byte(position) != UInt8(ascii: "\n") {
            if byte(position) == 0, state != .comment || position == from { return .eof }
            position &+= 1
        }
        guard position < end else { return .eof }
        state = .start
        return .comment
    }

    @inline(__always)
    private mutating func valueToken() -> Token {
        while position < end {
            let current = byte(position)
            if current == UInt8(ascii: "{") || Self.isBlank(current) || current == UInt8(ascii: "\n") || current == 0 {
                break
            }
            position &+= 1
        }
        guard position > start else { return .invalid }
        state = .timestamp
        return .value
    }
}
