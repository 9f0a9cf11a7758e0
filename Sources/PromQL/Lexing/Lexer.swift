internal import ByteCoding
internal import MetricModel

/// Cuts a query into tokens.
///
/// What a byte means depends on what is open: braces, brackets, or a series description's values. The rules and the
/// error texts are those of prometheus/prometheus promql/parser/lex.go.
struct Lexer {
    /// Which set of rules applies to the next token.
    enum Mode {
        case statements, insideBraces, durationExpression, valueSequence, histogram, buckets, ended
    }

    /// Whether `{{` is open, or closed with an operator behind it.
    enum HistogramState {
        case none, open, operation
    }

    let input: [UInt8]
    /// Whether this is a series description instead of a query.
    let isSeriesDescription: Bool
    var mode = Mode.statements
    /// The next byte to read.
    var index = 0
    /// The first byte of the token being read.
    var start = 0
    /// Bytes of the scalar read last.
    private var width = 0
    /// Start of the token returned last.
    private(set) var lastTokenStart = 0

    var parenDepth = 0
    var isBraceOpen = false
    var isBracketOpen = false
    var sawColon = false
    var sawDuration = false
    var histogram = HistogramState.none
    /// Whether a minus sign between brackets was read, behind which only digits may come.
    var expectsNumber = false

    /// Means the end of input where a scalar is expected.
    static let end = UInt32.max

    init(_ input: [UInt8], isSeriesDescription: Bool = false) {
        self.input = input
        self.isSeriesDescription = isSeriesDescription
    }

    /// The next token; ``TokenKind/endOfInput`` again and again at the end. Comments are left out.
    mutating func next() throws(ParseError) -> Token {
        while true {
            if let token = try step() {
                lastTokenStart = token.position.start
                return token
            }
        }
    }

    private mutating func step() throws(ParseError) -> Token? {
        switch mode {
        case .ended: return emit(.endOfInput)
        case .durationExpression: return try durationExpression()
        case .valueSequence: return try valueSequence()
        case .insideBraces: return try insideBraces()
        case .histogram, .buckets, .statements:
            if histogram != .none { return try histogramDescription() }
            return isBraceOpen ? try insideBraces() : try statement()
        }
    }

    // MARK: Reading

    /// Reads one scalar; ``end`` at the end.
    mutating func read() -> UInt32 {
        guard index < input.count else {
            width = 0
            return Self.end
        }
        let (scalar, length) = UTF8Text.decode(input, at: index)
        width = length
        index += length
        return scalar
    }

    /// Undoes the last ``read()``.
    mutating func unread() {
        index -= width
        width = 0
    }

    /// The next scalar, unread.
    func peek() -> UInt32 {
        index < input.count ? UTF8Text.decode(input, at: index).scalar : Self.end
    }

    /// Whether the next scalar is `byte`.
    func isNext(_ byte: UInt8) -> Bool { index < input.count && input[index] == byte }

    /// Reads `byte` if it comes next.
    mutating func accept(_ byte: UInt8) -> Bool {
        guard isNext(byte) else { return false }
        index += 1
        return true
    }

    /// Reads the next byte if it is one of `bytes`.
    mutating func accept(anyOf bytes: StaticString) -> Bool {
        guard index < input.count, bytes.contains(input[index]) else { return false }
        index += 1
        return true
    }

    /// Whether the next byte is one of `bytes`.
    func isNext(anyOf bytes: StaticString) -> Bool { index < input.count && bytes.contains(input[index]) }

    /// The token from ``start`` to ``index``.
    mutating func emit(_ kind: TokenKind) -> Token {
        defer { start = index }
        return Token(
            kind: kind, position: PositionRange(start, index), text: ByteString(input[start..<index]))
    }

    /// An error at the token being read, up to the end of input.
    func failure(_ message: String) -> ParseError {
        ParseError(message, position: PositionRange(start, input.count), query: ByteString(input))
    }

    mutating func skipSpace() {
        while index < input.count, Self.isSpace(UInt32(input[index])) { index += 1 }
        start = index
    }

    private mutating func skipComment() {
        while index < input.count, input[index] != UInt8(ascii: "\n"), input[index] != UInt8(ascii: "\r") {
            index += 1
        }
        start = index
    }

    // MARK: Outside of braces

    private mutating func statement() throws(ParseError) -> Token? {
        if isNext(UInt8(ascii: "#")) {
            skipComment()
            return nil
        }
        let scalar = read()
        switch scalar {
        case Self.end:
            if parenDepth != 0 { throw failure("unclosed left parenthesis") }
            if isBracketOpen { throw failure("unclosed left bracket") }
            mode = .ended
            return emit(.endOfInput)
        case ",": return emit(.comma)
        case " ", "\t", "\n", "\r":
            skipSpace()
            return nil
        case "@": return emit(.at)
        case "(", ")", "[", "]", "{": return try bracket(scalar)
        case "\"", "'", "`": return try string(quote: scalar)
        case ".", "0"..."9":
            if scalar == "." && !Self.isDigit(peek()) { throw unexpectedCharacter(scalar) }
            unread()
            return try numberOrDuration()
        case ":", "a"..."z", "A"..."Z", "_":
            return isBracketOpen ? try wordInBrackets(scalar) : keywordOrIdentifier(from: scalar)
        default:
            guard let kind = try operatorToken(scalar) else { throw unexpectedCharacter(scalar) }
            return emit(kind)
        }
    }

    private func unexpectedCharacter(_ scalar: UInt32) -> ParseError {
        failure("unexpected character: \(UTF8Text.quote(scalar))")
    }

    /// The operator that starts with `scalar`, or nil; reads what belongs to it.
    private mutating func operatorToken(_ scalar: UInt32) throws(ParseError) -> TokenKind? {
        switch scalar {
        case "*": return .binary(.multiply)
        case "/": return .binary(.divide)
        case "%": return .binary(.modulo)
        case "+": return .binary(.add)
        case "-": return .binary(.subtract)
        case "^": return .binary(.power)
        case "=":
            if accept(UInt8(ascii: "=")) { return .binary(.equal) }
            if isNext(UInt8(ascii: "~")) { throw failure("unexpected character after '=': '~'") }
            return .equalSign
        case "!":
            let following = read()
            guard following == "=" else {
                throw failure("unexpected character after '!': \(UTF8Text.quote(following))")
            }
            return .binary(.notEqual)
        case "<":
            if accept(UInt8(ascii: "=")) { return .binary(.lessOrEqual) }
            return accept(UInt8(ascii: "/")) ? .binary(.trimUpper) : .binary(.less)
        case ">":
            if accept(UInt8(ascii: "=")) { return .binary(.greaterOrEqual) }
            return accept(UInt8(ascii: "/")) ? .binary(.trimLower) : .binary(.greater)
        default: return nil
        }
    }

    private mutating func bracket(_ scalar: UInt32) throws(ParseError) -> Token {
        switch scalar {
        case "(":
            parenDepth += 1
            return emit(.leftParen)
        case ")":
            let token = emit(.rightParen)
            parenDepth -= 1
            if parenDepth < 0 { throw failure("unexpected right parenthesis ')'") }
            return token
        case "{":
            isBraceOpen = true
            mode = .insideBraces
            return emit(.leftBrace)
        case "[":
            if isBracketOpen { throw failure("unexpected left bracket '['") }
            sawColon = false
            let token = emit(.leftBracket)
            skipSpace()
            isBracketOpen = true
            mode = .durationExpression
            return token
        default:
            if !isBracketOpen { throw failure("unexpected right bracket ']'") }
            isBracketOpen = false
            return emit(.rightBracket)
        }
    }

    private mutating func wordInBrackets(_ first: UInt32) throws(ParseError) -> Token {
        if first == ":" {
            if sawColon { throw failure("unexpected colon ':'") }
            sawColon = true
            return emit(.colon)
        }
        if let token = durationKeyword(from: first) { return token }
        throw failure("unexpected character: \(UTF8Text.quote(first)), expected ':'")
    }

    // MARK: Between brackets, before the first number

    private mutating func durationExpression() throws(ParseError) -> Token? {
        let scalar = read()
        switch scalar {
        case Self.end: throw failure("unexpected end of input in duration expression")
        case "]":
            isBracketOpen = false
            sawColon = false
            mode = .statements
            return emit(.rightBracket)
        case ":":
            let token = emit(.colon)
            if !sawDuration { throw failure("unexpected colon before duration in duration expression") }
            if sawColon { throw failure("unexpected repeated colon in duration expression") }
            sawColon = true
            return token
        case "(", ")": return try bracket(scalar)
        case " ", "\t", "\n", "\r":
            skipSpace()
            return nil
        case ",": return emit(.comma)
        case "+", "-", "*", "/", "%", "^":
            return try operatorToken(scalar).map { emit($0) }
        case "0"..."9":
            return try firstNumber()
        case "." where Self.isDigit(peek()):
            return try firstNumber()
        default:
            if let token = durationKeyword(from: scalar) { return token }
            throw failure("unexpected character in duration expression: \(UTF8Text.quote(scalar))")
        }
    }

    private mutating func firstNumber() throws(ParseError) -> Token {
        unread()
        sawDuration = true
        mode = .statements
        return try numberOrDuration()
    }

    /// `step`, `range`, `max_of` or `min_of`, whose first letter has been read.
    private mutating func durationKeyword(from first: UInt32) -> Token? {
        switch first {
        case "s", "S", "r", "R", "m", "M": break
        default: return nil
        }
        while Self.isAlpha(peek()) { index += 1 }
        switch Self.lowercased(input[start..<index]) {
        case "step": return emit(.preprocessor(.step))
        case "range": return emit(.preprocessor(.range))
        case "max_of": return emit(.preprocessor(.maxOf))
        case "min_of": return emit(.preprocessor(.minOf))
        default: return nil
        }
    }

    // MARK: Words

    /// A keyword, an operator written as a word, or a name; `first` has been read.
    mutating func keywordOrIdentifier(from first: UInt32) -> Token {
        var hasColon = first == ":"
        while true {
            let scalar = peek()
            guard Self.isAlphanumeric(scalar) || scalar == ":" else { break }
            hasColon = hasColon || scalar == ":"
            index += 1
        }
        let kind = hasColon ? TokenKind.metricIdentifier : Keywords.kind(of: input[start..<index]) ?? .identifier
        let token: Token
        switch kind {
        case .keyword(.fill), .keyword(.fillLeft), .keyword(.fillRight):
            // These are young: only with a parenthesis behind them are they more than names.
            token = emit(isFollowedByParen() ? kind : .identifier)
        default:
            token = emit(kind)
        }
        mode = isSeriesDescription && !isNext(UInt8(ascii: "{")) ? .valueSequence : .statements
        return token
    }

    private func isFollowedByParen() -> Bool {
        var next = index
        while next < input.count, Self.isSpace(UInt32(input[next])) { next += 1 }
        return next < input.count && input[next] == UInt8(ascii: "(")
    }

    // MARK: Inside braces

    private mutating func insideBraces() throws(ParseError) -> Token? {
        if isNext(UInt8(ascii: "#")) {
            skipComment()
            return nil
        }
        let scalar = read()
        switch scalar {
        case Self.end: throw failure("unexpected end of input inside braces")
        case " ", "\t", "\n", "\r":
            skipSpace()
            return nil
        case "a"..."z", "A"..."Z", "_":
            while Self.isAlphanumeric(peek()) { index += 1 }
            return emit(.identifier)
        case ",": return emit(.comma)
        case "\"", "'", "`": return try string(quote: scalar)
        case "=": return emit(accept(UInt8(ascii: "~")) ? .equalRegex : .equalSign)
        case "!":
            let following = read()
            switch following {
            case "~": return emit(.notEqualRegex)
            case "=": return emit(.binary(.notEqual))
            default:
                throw failure("unexpected character after '!' inside braces: \(UTF8Text.quote(following))")
            }
        case "{": throw failure("unexpected left brace '{'")
        case "}":
            isBraceOpen = false
            mode = isSeriesDescription ? .valueSequence : .statements
            return emit(.rightBrace)
        default: throw failure("unexpected character inside braces: \(UTF8Text.quote(scalar))")
        }
    }

    /// Just behind the last right parenthesis but one, if only space lies between it and the one read last.
    ///
    /// An aggregation must look one token ahead to know that no `by` follows; when that token is a parenthesis, the
    /// end of the aggregation is the one before.
    func endOfPreviousParen(orElse fallback: Int) -> Int {
        guard fallback > 0, fallback <= input.count, lastTokenStart > 0, lastTokenStart < input.count,
            input[lastTokenStart] == UInt8(ascii: ")")
        else { return fallback }
        var position = lastTokenStart - 1
        while position > 0 {
            if input[position] == UInt8(ascii: ")") { return position + 1 }
            guard Self.isSpace(UInt32(input[position])) else { return fallback }
            position -= 1
        }
        return fallback
    }
}
