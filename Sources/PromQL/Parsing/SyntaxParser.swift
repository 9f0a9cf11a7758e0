internal import MetricModel

/// Reads tokens and builds the tree, by recursive descent and operator precedence.
///
/// The first error ends it. Upstream goes on after an error, but shows only the first; where an error is noticed, and
/// which words describe what was expected there, follows its grammar (generated_parser.y). That includes when it reads
/// one token ahead, since the token read last is the one that errors name and whose end some positions take.
struct SyntaxParser {
    /// The innermost construct that says in its own words what it expected.
    enum Context {
        case none, aggregation, offset, at, rangeSelector, subqueryStep

        var words: (place: String, expected: String) {
            switch self {
            case .none: ("", "")
            case .aggregation: ("aggregation", "")
            case .offset: ("offset", "number, duration, step(), or range()")
            case .at: ("@", "timestamp")
            case .rangeSelector: ("subquery or range selector", "number, duration, step(), or range()")
            case .subqueryStep: ("subquery selector", "number, duration, step(), range(), or \"]\"")
            }
        }
    }

    /// An expression and how deep its tree is.
    struct Node {
        var expression: Expression
        var depth: Int
    }

    let options: Parser.Options
    let query: ByteString
    private(set) var lexer: Lexer
    private var lookahead: Token?
    private var lastToken = Token(kind: .endOfInput, position: .zero, text: "")
    /// Just behind the last token that can end an expression with modifiers.
    private(set) var lastClosing = 0
    private var nesting = 0

    init(_ query: ByteString, options: Parser.Options, isSeriesDescription: Bool = false) {
        self.query = query
        self.options = options
        lexer = Lexer(query.bytes, isSeriesDescription: isSeriesDescription)
    }

    // MARK: Tokens

    /// The next token, unread.
    mutating func peek() throws(ParseError) -> Token {
        if let lookahead { return lookahead }
        let token = try lexer.next()
        switch token.kind {
        case .rightBrace, .rightParen, .rightBracket, .duration, .number: lastClosing = token.position.end
        default: break
        }
        lookahead = token
        lastToken = token
        return token
    }

    /// Reads the next token.
    @discardableResult
    mutating func take() throws(ParseError) -> Token {
        let token = try peek()
        lookahead = nil
        return token
    }

    /// Reads the next token if it is of `kind`.
    mutating func take(_ kind: TokenKind) throws(ParseError) -> Token? {
        try peek().kind == kind ? try take() : nil
    }

    /// Reads a token that must be of `kind`.
    @discardableResult
    mutating func expect(_ kind: TokenKind, _ context: Context) throws(ParseError) -> Token {
        guard let token = try take(kind) else { throw unexpected(context) }
        return token
    }

    mutating func expectEnd() throws(ParseError) {
        if try peek().kind != .endOfInput { throw unexpected(.none) }
    }

    func failure(_ message: String, at position: PositionRange) -> ParseError {
        ParseError(message, position: position, query: query)
    }

    /// The error that the token read last does not fit.
    func unexpected(_ place: String, expected: String) -> ParseError {
        var message = "unexpected \(lastToken.description)"
        if !place.isEmpty { message += " in \(place)" }
        if !expected.isEmpty { message += ", expected \(expected)" }
        return failure(message, at: lastToken.position)
    }

    /// An error about a value, at the token read last.
    func unexpectedValue(_ message: String) -> ParseError { failure(message, at: lastToken.position) }

    func unexpected(_ context: Context) -> ParseError {
        unexpected(context.words.place, expected: context.words.expected)
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(
        _ body: (inout SyntaxParser) throws(ParseError) -> Result
    ) throws(ParseError) -> Result {
        nesting += 1
        defer { nesting -= 1 }
        if nesting > options.maximumNesting {
            throw failure("expression is nested too deeply (limit \(options.maximumNesting))", at: lastToken.position)
        }
        return try body(&self)
    }

    /// A node over others.
    func node(_ expression: Expression, over depths: Int...) throws(ParseError) -> Node {
        let depth = 1 + (depths.max() ?? 0)
        if depth > options.maximumDepth {
            throw failure("expression is too deep (limit \(options.maximumDepth))", at: lastToken.position)
        }
        return Node(expression: expression, depth: depth)
    }

    // MARK: Expressions

    mutating func wholeQuery() throws(ParseError) -> Expression {
        if try peek().kind == .endOfInput { throw failure("no expression found in input", at: .zero) }
        let node = try expression(.none)
        try expectEnd()
        return node.expression
    }

    /// An expression whose operators bind at least as tightly as `precedence`.
    mutating func expression(_ context: Context, precedence: Int = 0) throws(ParseError) -> Node {
        var left = try signed(context)
        while case .binary(let operation) = try peek().kind, operation.precedence >= precedence {
            try take()
            let modifiers = try binaryModifiers(context)
            let right = try nested { parser throws(ParseError) in
                // Powers group from the right, everything else from the left.
                try parser.expression(
                    context, precedence: operation == .power ? operation.precedence : operation.precedence + 1)
            }
            left = try binary(operation, left, right, modifiers)
        }
        return left
    }

    /// An expression with any signs before it; they bind as tightly as `*`, so that `-2^2` is -4.
    private mutating func signed(_ context: Context) throws(ParseError) -> Node {
        guard let (sign, start) = try takeSign() else { return try modified(context) }
        let operand = try nested { parser throws(ParseError) in
            try parser.expression(context, precedence: BinaryOperator.power.precedence)
        }
        guard case .number(var literal) = operand.expression else {
            return try node(.unary(UnaryExpression(sign, operand.expression, start: start)), over: operand.depth)
        }
        if sign == .minus { literal.value = -literal.value }
        literal.position.start = start
        return Node(expression: .number(literal), depth: operand.depth)
    }

    mutating func takeSign() throws(ParseError) -> (UnaryOperator, start: Int)? {
        switch try peek().kind {
        case .binary(.add): (.plus, try take().position.start)
        case .binary(.subtract): (.minus, try take().position.start)
        default: nil
        }
    }

    private mutating func operand(_ context: Context) throws(ParseError) -> Node {
        let token = try peek()
        switch token.kind {
        case .leftParen:
            try take()
            let inner = try nested { parser throws(ParseError) in try parser.expression(context) }
            let end = try expect(.rightParen, context).position.end
            let paren = ParenExpression(inner.expression, position: PositionRange(token.position.start, end))
            return try node(.paren(paren), over: inner.depth)
        case .number, .duration: return Node(expression: .number(try numberLiteral(context)), depth: 1)
        case .string:
            try take()
            return Node(expression: .string(StringLiteral(token.unquoted, position: token.position)), depth: 1)
        case .leftBrace: return Node(expression: .vector(try selector(named: nil)), depth: 1)
        case .aggregate(let operation):
            try take()
            switch try peek().kind {
            case .leftParen, .keyword(.by), .keyword(.without): return try aggregate(operation, token)
            default: return Node(expression: .vector(try selector(named: token)), depth: 1)
            }
        case .identifier, .preprocessor:
            try take()
            if try peek().kind == .leftParen { return try call(token, context) }
            return Node(expression: .vector(try selector(named: token)), depth: 1)
        default:
            guard token.kind.canBeMetricName else { throw unexpected(context) }
            try take()
            return Node(expression: .vector(try selector(named: token)), depth: 1)
        }
    }

    /// A number or a duration.
    mutating func numberLiteral(_ context: Context) throws(ParseError) -> NumberLiteral {
        let token = try peek()
        guard token.kind == .number || token.kind == .duration else { throw unexpected(context) }
        try take()
        return NumberLiteral(
            try value(of: token), isDuration: token.kind == .duration, position: token.position)
    }

    /// The value of a number or, in seconds, a duration.
    func value(of token: Token) throws(ParseError) -> Double {
        if token.kind == .duration {
            do throws(DurationGrammar.Refusal) {
                return try DurationGrammar.parse(token.text).seconds
            } catch {
                throw failure(error.description, at: token.position)
            }
        }
        switch NumberGrammar.value(of: token.text) {
        case .success(let value): return value
        case .failure(let refusal):
            throw failure("error parsing number: \(refusal.message)", at: token.position)
        }
    }

    // MARK: Modifiers behind an expression

    /// An operand with what may stand behind it: ranges, `offset`, `@`, `anchored`, `smoothed`.
    private mutating func modified(_ context: Context) throws(ParseError) -> Node {
        var node = try operand(context)
        while true {
            switch try peek().kind {
            case .keyword(.offset): try offset(&node.expression)
            case .at: try at(&node.expression)
            case .keyword(.anchored): try rangeExtension(.anchored, &node.expression)
            case .keyword(.smoothed): try rangeExtension(.smoothed, &node.expression)
            case .leftBracket: node = try bracketed(node)
            default: return node
            }
        }
    }

    private mutating func rangeExtension(
        _ kind: RangeExtension, _ expression: inout Expression
    ) throws(ParseError) {
        try take()
        guard options.extendedRangeSelectors else {
            throw failure("\(kind.rawValue) modifier is experimental and not enabled", at: expression.position)
        }
        let clash = failure("anchored and smoothed modifiers cannot be used together", at: expression.position)
        switch expression {
        case .vector(var selector):
            if let existing = selector.rangeExtension, existing != kind { throw clash }
            selector.rangeExtension = kind
            expression = .vector(selector)
        case .matrix(var matrix):
            if let existing = matrix.selector.rangeExtension, existing != kind { throw clash }
            matrix.selector.rangeExtension = kind
            expression = .matrix(matrix)
        case .subquery:
            throw failure("\(kind.rawValue) modifier is not supported for subqueries", at: expression.position)
        default:
            throw failure("\(kind.rawValue) modifier not implemented", at: expression.position)
        }
    }

    private mutating func at(_ expression: inout Expression) throws(ParseError) {
        try take()
        let moment: AtModifier
        switch try peek().kind {
        case .preprocessor(.start): moment = try preprocessor(.start)
        case .preprocessor(.end): moment = try preprocessor(.end)
        default:
            let sign = try takeSign()?.0
            let token = try peek()
            guard token.kind == .number || token.kind == .duration else { throw unexpected(.at) }
            try take()
            let magnitude = try value(of: token)
            let seconds = sign == .minus ? -magnitude : magnitude
            guard abs(seconds) < 0x1p63 else {
                throw failure(
                    "timestamp out of bounds for @ modifier: \(DecimalText.fixed(seconds, digits: 6))",
                    at: expression.position)
            }
            let milliseconds = (seconds * 1000).rounded(.toNearestOrAwayFromZero)
            // As Go converts floats that are too large: the smallest integer.
            moment = .timestamp(Timestamp(exactly: milliseconds) ?? .min)
        }
        try setModifier(&expression, isSet: { $0.at != nil }, "@ <timestamp> may not be set multiple times", "@") {
            $0.at = moment
        }
    }

    private mutating func preprocessor(_ moment: AtModifier) throws(ParseError) -> AtModifier {
        try take()
        try expect(.leftParen, .at)
        try expect(.rightParen, .at)
        return moment
    }

    /// What `@` and `offset` change, wherever it lies.
    struct TimeModifiers {
        var at: AtModifier?
        var offset: OffsetModifier
    }

    /// Applies a time modifier to a selector or subquery, which then ends where the modifier does.
    func setModifier(
        _ expression: inout Expression, isSet: (TimeModifiers) -> Bool, _ repeated: String, _ name: String,
        change: (inout TimeModifiers) -> Void
    ) throws(ParseError) {
        var modifiers: TimeModifiers
        switch expression {
        case .vector(let selector): modifiers = TimeModifiers(at: selector.at, offset: selector.offset)
        case .matrix(let matrix): modifiers = TimeModifiers(at: matrix.selector.at, offset: matrix.selector.offset)
        case .subquery(let subquery): modifiers = TimeModifiers(at: subquery.at, offset: subquery.offset)
        default:
            throw failure(
                "\(name) modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                at: expression.position)
        }
        if isSet(modifiers) { throw failure(repeated, at: expression.position) }
        change(&modifiers)
        switch expression {
        case .vector(var selector):
            (selector.at, selector.offset, selector.position.end) = (modifiers.at, modifiers.offset, lastClosing)
            expression = .vector(selector)
        case .matrix(var matrix):
            (matrix.selector.at, matrix.selector.offset, matrix.end) = (modifiers.at, modifiers.offset, lastClosing)
            expression = .matrix(matrix)
        case .subquery(var subquery):
            (subquery.at, subquery.offset, subquery.end) = (modifiers.at, modifiers.offset, lastClosing)
            expression = .subquery(subquery)
        default: break
        }
    }
}

extension TokenKind {
    /// Whether the word may also be a metric name outside of braces.
    var canBeMetricName: Bool {
        switch self {
        case .identifier, .metricIdentifier, .aggregate, .preprocessor: true
        case .binary(let operation): operation.isSet
        case .keyword(let keyword):
            switch keyword {
            case .by, .without, .offset, .anchored, .smoothed, .fill, .fillLeft, .fillRight: true
            case .bool, .ignoring, .on, .groupLeft, .groupRight: false
            }
        default: false
        }
    }

    /// Whether an expression can start with this.
    var canStartExpression: Bool {
        switch self {
        case .leftParen, .leftBrace, .number, .duration, .string, .binary(.add), .binary(.subtract): true
        default: canBeMetricName
        }
    }

    /// Whether the word may be a label name in `by (…)` and the like.
    var canBeLabelName: Bool {
        switch self {
        case .identifier, .metricIdentifier, .aggregate, .preprocessor: true
        case .binary(let operation): operation.isSet || operation == .atan2
        case .keyword(let keyword): keyword != .without
        default: false
        }
    }
}
