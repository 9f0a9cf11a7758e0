/// OpenMetrics 1.0.
///
/// Source: prometheus/prometheus model/textparse/openmetricslex.l.
extension ExpositionLexer {
    /// The next token of OpenMetrics 1.0.
    mutating func nextOpenMetrics() -> Token {
        guard position < end else { return .eof }
        start = position
        let first = byte(position)
        switch state {
        case .start: return startOfOpenMetricsLine(first)
        case .comment: return openMetricsComment()
        case .meta1: return metadataName(first)
        case .meta2:
            guard first == UInt8(ascii: " ") else { return .invalid }
            while position < end, byte(position) != UInt8(ascii: "\n") { position &+= 1 }
            guard position < end else { return .invalid }
            position &+= 1
            state = .start
            return .text
        case .labels: return labelToken(first, allowsLineFeed: true)
        case .exemplar: return labelToken(first, allowsLineFeed: false)
        case .labelValue: return labelValueToken(first, allowsLineFeed: false)
        case .value:
            if first == UInt8(ascii: "{") {
                position &+= 1
                state = .labels
                return .braceOpen
            }
            return spacedToken(.value, next: .timestamp)
        case .timestamp: return afterValue(first)
        case .exemplarValue:
            if first == UInt8(ascii: "\"") {
                guard scanQuoted(allowsNul: false, allowsLineFeed: false) else { return .invalid }
                state = .exemplar
                return .labelValue
            }
            return spacedToken(.value, next: .exemplarTimestamp)
        case .exemplarTimestamp:
            if first == UInt8(ascii: "\n") {
                position &+= 1
                state = .start
                return .linebreak
            }
            return spacedToken(.timestamp, next: .exemplarTimestamp)
        }
    }

    private mutating func startOfOpenMetricsLine(_ first: UInt8) -> Token {
        if scanName(colons: true) {
            state = .value
            return .metricName
        }
        if first == UInt8(ascii: "{") {
            position &+= 1
            state = .labels
            return .braceOpen
        }
        guard first == UInt8(ascii: "#") else { return .invalid }
        position &+= 1
        guard byte(position) == UInt8(ascii: " ") else { return .invalid }
        position &+= 1
        state = .comment
        return openMetricsComment()
    }

    private mutating func openMetricsComment() -> Token {
        switch byte(position) {
        case UInt8(ascii: "H"): return keyword("HELP", .help)
        case UInt8(ascii: "T"): return keyword("TYPE", .type)
        case UInt8(ascii: "U"): return keyword("UNIT", .unit)
        case UInt8(ascii: "E"):
            guard scan("EOF") else { return .invalid }
            if byte(position) == UInt8(ascii: "\n") { position &+= 1 }
            state = .start
            return .eofWord
        default: return .invalid
        }
    }

    private mutating func keyword(_ word: StaticString, _ token: Token) -> Token {
        guard scan(word), byte(position) == UInt8(ascii: " ") else { return .invalid }
        position &+= 1
        state = .meta1
        return token
    }

    /// One blank and what follows up to the next blank or line feed.
    @inline(__always)
    private mutating func spacedToken(_ token: Token, next: State) -> Token {
        guard byte(position) == UInt8(ascii: " ") else { return .invalid }
        position &+= 1
        let from = position
        while position < end {
            let current = byte(position)
            if current == UInt8(ascii: " ") || current == UInt8(ascii: "\n") || current == 0 { break }
            position &+= 1
        }
        guard position > from else { return .invalid }
        state = next
        return token
    }

    /// In state `timestamp`: a timestamp, the end of the line, or ` # {`.
    private mutating func afterValue(_ first: UInt8) -> Token {
        if first == UInt8(ascii: "\n") {
            position &+= 1
            state = .start
            return .linebreak
        }
        if first == UInt8(ascii: " "), byte(position &+ 1) == UInt8(ascii: "#"),
            byte(position &+ 2) == UInt8(ascii: " ")
        {
            position &+= 3
            guard byte(position) == UInt8(ascii: "{") else { return .invalid }
            position &+= 1
            state = .exemplar
            return .comment
        }
        return spacedToken(.timestamp, next: .timestamp)
    }
}
