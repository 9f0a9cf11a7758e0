internal import ByteCoding

/// Takes a scraped exposition apart into tokens.
///
/// Source: prometheus/prometheus model/textparse/promlex.l and openmetricslex.l, whose states and tokens these are;
/// error texts name tokens and show how far the lexer had looked, so both are kept exactly.
struct ExpositionLexer {
    enum Dialect: Sendable {
        case text, openMetrics
    }

    enum Token: String {
        case invalid = "INVALID"
        case eof = "EOF"
        case linebreak = "LINEBREAK"
        case whitespace = "WHITESPACE"
        case help = "HELP"
        case type = "TYPE"
        case unit = "UNIT"
        case eofWord = "EOFWORD"
        case text = "TEXT"
        case comment = "COMMENT"
        case metricName = "MNAME"
        case quotedString = "QSTRING"
        case braceOpen = "BOPEN"
        case braceClose = "BCLOSE"
        case labelName = "LNAME"
        case labelValue = "LVALUE"
        case comma = "COMMA"
        case equal = "EQUAL"
        case timestamp = "TIMESTAMP"
        case value = "VALUE"
    }

    enum State {
        case start, comment, meta1, meta2, labels, labelValue, value, timestamp
        case exemplar, exemplarValue, exemplarTimestamp
    }

    let bytes: UnsafeBufferPointer<UInt8>
    let dialect: Dialect
    /// Bytes, and in text one line feed that is added to them.
    let end: Int
    /// Where the next token is looked for; after an invalid token, the byte that did not fit.
    var position = 0
    /// Where the current token starts.
    private(set) var start = 0
    var state = State.start

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ dialect: Dialect) {
        self.bytes = bytes
        self.dialect = dialect
        end = bytes.count &+ (dialect == .text ? 1 : 0)
    }

    /// The byte at `index`: 0 behind the end, as in upstream's lexer.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        if index < bytes.count { return bytes[index] }
        return index < end ? UInt8(ascii: "\n") : 0
    }

    /// The bytes of `range`, without the line feed that was added.
    @inline(__always)
    func piece(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        let upper = min(range.upperBound, bytes.count)
        return UnsafeBufferPointer(rebasing: bytes[min(range.lowerBound, upper)..<upper])
    }

    /// The bytes of the current token.
    var token: UnsafeBufferPointer<UInt8> { piece(start..<position) }

    /// The bytes of `range`, the added line feed included, for error texts.
    func excerpt(_ range: Range<Int>) -> String {
        var copy = Array(piece(range))
        if range.upperBound > bytes.count, range.lowerBound < end { copy.append(UInt8(ascii: "\n")) }
        return Excerpt.quoted(copy)
    }

    @inline(__always)
    mutating func next() -> Token {
        switch dialect {
        case .text: nextText()
        case .openMetrics: nextOpenMetrics()
        }
    }

    // MARK: Pieces of tokens

    /// Letters, digits and `_`, in metric names `:` as well; the first is no digit.
    @inline(__always)
    mutating func scanName(colons: Bool) -> Bool {
        guard TextCursor.isNameByte(byte(position), colons), byte(position) &- UInt8(ascii: "0") > 9 else {
            return false
        }
        position &+= 1
        while TextCursor.isNameByte(byte(position), colons) { position &+= 1 }
        return true
    }

    /// A quoted string with its quotes. NUL bytes end it where `allowsNul` does not hold.
    @inline(__always)
    private mutating func scanQuoted(allowsNul: Bool, allowsLineFeed: Bool) -> Bool {
        position &+= 1
        while position < end {
            let current = byte(position)
            switch current {
            case UInt8(ascii: "\""):
                position &+= 1
                return true
            case UInt8(ascii: "\\"):
                position &+= 1
                guard position < end, byte(position) != UInt8(ascii: "\n"), byte(position) != 0 || allowsNul else {
                    return false
                }
            case UInt8(ascii: "\n"): if !allowsLineFeed { return false }
            case 0: if !allowsNul { return false }
            default: break
            }
            position &+= 1
        }
        return false
    }

    private mutating func scan(_ word: StaticString) -> Bool {
        for letter in word.utf8 {
            guard byte(position) == letter else { return false }
            position &+= 1
        }
        return true
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    // MARK: Text format

    private mutating func nextText() -> Token {
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
        case .meta1:
            let isName =
                first == UInt8(ascii: "\"")
                ? scanQuoted(allowsNul: false, allowsLineFeed: true) : scanName(colons: true)
            guard isName else { return .invalid }
            state = .meta2
            return .metricName
        case .meta2:
            while position < end, byte(position) != UInt8(ascii: "\n") { position &+= 1 }
            state = .start
            return .text
        case .labels: return labelToken(first, allowsLineFeed: true)
        case .labelValue:
            guard first == UInt8(ascii: "\""), scanQuoted(allowsNul: true, allowsLineFeed: true) else {
                return .invalid
            }
            state = .labels
            return .labelValue
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

    @inline(__always)
    private mutating func labelToken(_ first: UInt8, allowsLineFeed: Bool) -> Token {
        if scanName(colons: false) { return .labelName }
        switch first {
        case UInt8(ascii: "\""):
            return scanQuoted(allowsNul: false, allowsLineFeed: allowsLineFeed) ? .quotedString : .invalid
        case UInt8(ascii: "}"):
            position &+= 1
            state = state == .exemplar ? .exemplarValue : .value
            return .braceClose
        case UInt8(ascii: "="):
            position &+= 1
            state = state == .exemplar ? .exemplarValue : .labelValue
            return .equal
        case UInt8(ascii: ","):
            position &+= 1
            return .comma
        default: return .invalid
        }
    }

    // MARK: OpenMetrics

    private mutating func nextOpenMetrics() -> Token {
        guard position < end else { return .eof }
        start = position
        let first = byte(position)
        switch state {
        case .start: return startOfOpenMetricsLine(first)
        case .comment: return openMetricsComment()
        case .meta1:
            let isName =
                first == UInt8(ascii: "\"")
                ? scanQuoted(allowsNul: false, allowsLineFeed: true) : scanName(colons: true)
            guard isName else { return .invalid }
            state = .meta2
            return .metricName
        case .meta2:
            guard first == UInt8(ascii: " ") else { return .invalid }
            while position < end, byte(position) != UInt8(ascii: "\n") { position &+= 1 }
            guard position < end else { return .invalid }
            position &+= 1
            state = .start
            return .text
        case .labels: return labelToken(first, allowsLineFeed: true)
        case .exemplar: return labelToken(first, allowsLineFeed: false)
        case .labelValue:
            guard first == UInt8(ascii: "\""), scanQuoted(allowsNul: true, allowsLineFeed: false) else {
                return .invalid
            }
            state = .labels
            return .labelValue
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
