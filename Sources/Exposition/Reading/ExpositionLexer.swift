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
    var start = 0
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
    mutating func scanQuoted(allowsNul: Bool, allowsLineFeed: Bool) -> Bool {
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

    mutating func scan(_ word: StaticString) -> Bool {
        for letter in word.utf8 {
            guard byte(position) == letter else { return false }
            position &+= 1
        }
        return true
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    // MARK: Tokens of both formats

    /// In state `meta1`: the name that a HELP, TYPE or UNIT line is about.
    @inline(__always)
    mutating func metadataName(_ first: UInt8) -> Token {
        let isName =
            first == UInt8(ascii: "\"") ? scanQuoted(allowsNul: false, allowsLineFeed: true) : scanName(colons: true)
        guard isName else { return .invalid }
        state = .meta2
        return .metricName
    }

    /// In state `labelValue`.
    @inline(__always)
    mutating func labelValueToken(_ first: UInt8, allowsLineFeed: Bool) -> Token {
        guard first == UInt8(ascii: "\""), scanQuoted(allowsNul: true, allowsLineFeed: allowsLineFeed) else {
            return .invalid
        }
        state = .labels
        return .labelValue
    }

    /// Within braces: a name, a quoted name, or what stands between them.
    @inline(__always)
    mutating func labelToken(_ first: UInt8, allowsLineFeed: Bool) -> Token {
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
}
