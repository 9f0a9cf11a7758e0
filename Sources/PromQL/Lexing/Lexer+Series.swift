internal import ByteCoding
internal import MetricModel

/// The values behind a series in test scripts: `1+1x3 _ stale {{schema:1 buckets:[1 2]}}`.
extension Lexer {
    var quotedSoFar: String { Quoting.quote(ByteString(input[start..<index])) }

    mutating func valueSequence() throws(ParseError) -> Token? {
        if histogram != .none { return try histogramDescription() }
        let scalar = read()
        switch scalar {
        case Self.end:
            mode = .statements
            return nil
        case "{" where isNext(UInt8(ascii: "{")):
            histogram = .open
            mode = .histogram
            index += 1
            return emit(.openHistogram)
        case " ", "\t", "\n", "\r":
            let token = emit(.space)
            skipSpace()
            return token
        case "+": return emit(.binary(.add))
        case "-": return emit(.binary(.subtract))
        case "x": return emit(.times)
        case "_": return emit(.blank)
        case ".", "0"..."9":
            if scalar == "." && !Self.isDigit(peek()) { throw unexpectedInSequence(scalar) }
            unread()
            return try number()
        case "a"..."z", "A"..."Z": return keywordOrIdentifier(from: scalar)
        default: throw unexpectedInSequence(scalar)
        }
    }

    private func unexpectedInSequence(_ scalar: UInt32) -> ParseError {
        failure("unexpected character in series sequence: \(UTF8Text.quote(scalar))")
    }

    mutating func histogramDescription() throws(ParseError) -> Token? {
        if histogram == .operation {
            histogram = .none
            mode = .valueSequence
            switch read() {
            case "x": return emit(.times)
            case "+": return emit(.binary(.add))
            default: return emit(.binary(.subtract))
            }
        }
        if isBracketOpen { return try buckets() }
        let scalar = read()
        switch scalar {
        case " ", "\t", "\n", "\r":
            let token = emit(.space)
            skipSpace()
            return token
        case "a"..."z", "A"..."Z", "_":
            unread()
            return try histogramWord()
        case ":": return emit(.colon)
        case "-": return emit(.binary(.subtract))
        case "0"..."9":
            unread()
            return try number()
        case "[":
            isBracketOpen = true
            sawColon = false
            sawDuration = false
            return emit(.leftBracket)
        case "}" where isNext(UInt8(ascii: "}")):
            index += 1
            let token = emit(.closeHistogram)
            histogram = isNext(anyOf: "x+-") ? .operation : .none
            mode = histogram == .none ? .valueSequence : .histogram
            return token
        default: throw failure("histogram description incomplete unexpected: \(UTF8Text.quote(scalar))")
        }
    }

    /// A key, a number written as a word, or a counter reset hint.
    private mutating func histogramWord() throws(ParseError) -> Token {
        while Self.isAlpha(peek()) { index += 1 }
        let word = Self.lowercased(input[start..<index])
        if let key = HistogramKey(rawValue: word) {
            guard isNext(UInt8(ascii: ":")) else { throw failure("missing `:` for histogram descriptor") }
            return emit(.histogramKey(key))
        }
        switch word {
        case "inf", "nan": return emit(.number)
        case "unknown": return emit(.counterResetHint(.unknown))
        case "reset": return emit(.counterResetHint(.reset))
        case "not_reset": return emit(.counterResetHint(.notReset))
        case "gauge": return emit(.counterResetHint(.gauge))
        default: throw failure("bad histogram descriptor found: \(quotedSoFar)")
        }
    }

    /// Between the brackets of `buckets:[…]`.
    private mutating func buckets() throws(ParseError) -> Token? {
        if expectsNumber {
            expectsNumber = false
            return try number()
        }
        let scalar = read()
        switch scalar {
        case " ", "\t", "\n", "\r":
            let token = emit(.space)
            skipSpace()
            return token
        case "-":
            expectsNumber = true
            return emit(.binary(.subtract))
        case "0"..."9":
            unread()
            return try number()
        case "]":
            isBracketOpen = false
            return emit(.rightBracket)
        case "a"..."z", "A"..."Z", "_":
            let word = Self.lowercased(input[start..<index])
            return word == "inf" || word == "nan" ? emit(.number) : nil
        default: throw failure("invalid character in buckets description: \(UTF8Text.quote(scalar))")
        }
    }
}
