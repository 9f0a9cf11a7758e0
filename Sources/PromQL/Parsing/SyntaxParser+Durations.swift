/// Durations and arithmetic with them: between brackets and behind `offset`.
extension SyntaxParser {
    typealias Operand = DurationExpression.Operand

    // MARK: Offsets

    /// `offset …` behind an expression.
    mutating func offset(_ expression: inout Expression) throws(ParseError) {
        try take()
        let offset: OffsetModifier
        switch try offsetOperand() {
        case .literal(let literal): offset = OffsetModifier(duration: QueryDuration(seconds: literal.value))
        case .expression(let duration): offset = OffsetModifier(duration: .zero, expression: duration)
        }
        try setModifier(
            &expression, isSet: { $0.offset.duration != .zero || $0.offset.expression != nil },
            "offset may not be set multiple times", "offset"
        ) { $0.offset = offset }
    }

    /// What stands behind `offset`. A number or call ends it, so that in `x offset 5 ^ 2` the power is of `x`; a
    /// parenthesis does not.
    private mutating func offsetOperand() throws(ParseError) -> Operand {
        switch try peek().kind {
        case .number, .duration: return .literal(try durationLiteral(.offset))
        case .preprocessor(.step), .preprocessor(.range), .preprocessor(.maxOf), .preprocessor(.minOf):
            return .expression(try experimental(try durationCall(.offset)))
        case .leftParen: return try duration(.offset)
        case .binary(.add), .binary(.subtract): return try signedOffset()
        default: throw unexpected(.offset)
        }
    }

    private mutating func signedOffset() throws(ParseError) -> Operand {
        guard let (sign, start) = try takeSign() else { throw unexpected(.offset) }
        let signPosition = PositionRange(start, start + 1)
        switch try peek().kind {
        case .number, .duration:
            var literal = try numberLiteral(.offset)
            if sign == .minus { literal.value = -literal.value }
            try checkRange(literal, at: signPosition)
            literal.position.start = start
            return .literal(literal)
        case .preprocessor(.step), .preprocessor(.range), .preprocessor(.maxOf), .preprocessor(.minOf):
            let call = try durationCall(.offset)
            let signed = DurationExpression(
                sign == .minus ? .subtract : .add, nil, .expression(call),
                position: PositionRange(start, call.position.end))
            return .expression(try experimental(signed))
        case .leftParen:
            try take()
            let inner = try nested { parser throws(ParseError) in try parser.duration(.offset) }
            try expect(.rightParen, .offset)
            return try apply(sign, at: signPosition, to: wrap(inner, inner.position))
        case .binary(.add), .binary(.subtract):
            let inner = try signedDuration(.offset)
            return try duration(.offset, from: try apply(sign, at: signPosition, to: inner))
        default: throw unexpected(.offset)
        }
    }

    // MARK: Brackets

    /// `[…]` behind an expression: a range or a subquery.
    mutating func bracketed(_ node: Node) throws(ParseError) -> Node {
        let open = try take().position
        let (range, rangeExpression) = try positiveDuration(.rangeSelector)
        switch try peek().kind {
        case .rightBracket:
            let close = try take().position
            return Node(
                expression: try matrix(
                    node.expression, range, rangeExpression, brackets: PositionRange(open.start, close.end)),
                depth: node.depth)
        case .colon: try take()
        default: throw unexpected("subquery or range", expected: "\":\" or \"]\"")
        }
        var subquery = Subquery(
            expression: node.expression, range: range, rangeExpression: rangeExpression, end: 0)
        if try peek().kind != .rightBracket {
            (subquery.step, subquery.stepExpression) = try positiveDuration(.subqueryStep)
            if try peek().kind != .rightBracket { throw unexpected("subquery selector", expected: "\"]\"") }
        }
        subquery.end = try take().position.end
        return try self.node(.subquery(subquery), over: node.depth)
    }

    private func matrix(
        _ expression: Expression, _ range: QueryDuration, _ rangeExpression: DurationExpression?,
        brackets: PositionRange
    ) throws(ParseError) -> Expression {
        guard case .vector(let selector) = expression else {
            throw failure("ranges only allowed for vector selectors", at: brackets)
        }
        if selector.offset != .none { throw failure("no offset modifiers allowed before range", at: brackets) }
        if selector.at != nil { throw failure("no @ modifiers allowed before range", at: brackets) }
        return .matrix(
            MatrixSelector(
                selector: selector, range: range, rangeExpression: rangeExpression, end: lastClosing))
    }

    /// A duration above zero, as a fixed one or as arithmetic.
    private mutating func positiveDuration(
        _ context: Context
    ) throws(ParseError) -> (QueryDuration, DurationExpression?) {
        switch try duration(context) {
        case .literal(let literal):
            // Also refuses NaN, which upstream lets through as an undefined number of nanoseconds.
            guard literal.value > 0 else {
                throw failure("duration must be greater than 0", at: literal.position)
            }
            return (QueryDuration(seconds: literal.value), nil)
        case .expression(let expression): return (.zero, expression)
        }
    }

    // MARK: Arithmetic

    /// A duration or arithmetic whose operators bind at least as tightly as `precedence`.
    private mutating func duration(_ context: Context, precedence: Int = 0) throws(ParseError) -> Operand {
        try duration(context, from: try signedDuration(context), precedence: precedence)
    }

    /// What follows `first`, which has been read.
    private mutating func duration(
        _ context: Context, from first: Operand, precedence: Int = 0
    ) throws(ParseError) -> Operand {
        var left = first
        while case .binary(let operation) = try peek().kind, let kind = operation.duration,
            operation.precedence >= precedence
        {
            let operatorPosition = try take().position
            let right = try nested { parser throws(ParseError) in
                try parser.duration(
                    context, precedence: operation == .power ? operation.precedence : operation.precedence + 1)
            }
            try checkExperimental(at: left.position)
            if case .literal(let literal) = right, literal.value == 0 {
                if kind == .divide { throw failure("division by zero", at: operatorPosition) }
                if kind == .modulo { throw failure("modulo by zero", at: operatorPosition) }
            }
            left = .expression(
                DurationExpression(
                    kind, left, right, position: PositionRange(left.position.start, right.position.end)))
        }
        return left
    }

    private mutating func signedDuration(_ context: Context) throws(ParseError) -> Operand {
        guard let (sign, start) = try takeSign() else { return try durationOperand(context) }
        let operand = try nested { parser throws(ParseError) in
            try parser.duration(context, precedence: BinaryOperator.power.precedence)
        }
        return try apply(sign, at: PositionRange(start, start + 1), to: operand)
    }

    private mutating func durationOperand(_ context: Context) throws(ParseError) -> Operand {
        let token = try peek()
        switch token.kind {
        case .number, .duration: return .literal(try durationLiteral(context))
        case .preprocessor(.step), .preprocessor(.range), .preprocessor(.maxOf), .preprocessor(.minOf):
            return .expression(try experimental(try durationCall(context)))
        case .leftParen:
            try take()
            let inner = try nested { parser throws(ParseError) in try parser.duration(context) }
            let end = try expect(.rightParen, context).position.end
            try checkExperimental(at: inner.position)
            return wrap(inner, PositionRange(token.position.start, end))
        default: throw unexpected(context)
        }
    }

    private mutating func durationLiteral(_ context: Context) throws(ParseError) -> NumberLiteral {
        let literal = try numberLiteral(context)
        try checkRange(literal, at: literal.position)
        return literal
    }

    /// `step()`, `range()`, `min_of(a, b)` or `max_of(a, b)`.
    private mutating func durationCall(_ context: Context) throws(ParseError) -> DurationExpression {
        let token = try take()
        try expect(.leftParen, context)
        if token.kind == .preprocessor(.step) || token.kind == .preprocessor(.range) {
            let end = try expect(.rightParen, context).position.end
            return DurationExpression(
                token.kind == .preprocessor(.step) ? .step : .range, position: PositionRange(token.position.start, end))
        }
        let (left, right) = try nested { parser throws(ParseError) in
            let left = try parser.duration(context)
            try parser.expect(.comma, context)
            return (left, try parser.duration(context))
        }
        try expect(.rightParen, context)
        return DurationExpression(
            token.kind == .preprocessor(.maxOf) ? .maxOf : .minOf, left, right,
            position: PositionRange(left.position.start, right.position.end))
    }

    /// A sign before a duration.
    private func apply(
        _ sign: UnaryOperator, at position: PositionRange, to operand: Operand
    ) throws(ParseError) -> Operand {
        switch operand {
        case .literal(var literal):
            if sign == .minus { literal.value = -literal.value }
            try checkRange(literal, at: position)
            literal.position.start = position.start
            return .literal(literal)
        case .expression(let expression):
            guard sign == .minus else { return operand }
            return .expression(
                DurationExpression(
                    .subtract, nil, operand, position: PositionRange(position.start, expression.position.end)))
        }
    }

    /// A duration in parentheses. A bare number has nowhere to note them, and becomes a sum of one.
    private func wrap(_ operand: Operand, _ position: PositionRange) -> Operand {
        switch operand {
        case .expression(var expression):
            expression.isWrapped = true
            return .expression(expression)
        case .literal(let literal):
            return .expression(
                DurationExpression(
                    .add, nil, operand, isWrapped: true, position: PositionRange(position.start, literal.position.end)))
        }
    }

    /// Upstream's bounds of a number of seconds in nanoseconds.
    private func checkRange(_ literal: NumberLiteral, at position: PositionRange) throws(ParseError) {
        if literal.value > 0x1p63 / 1e9 || literal.value < -0x1p63 / 1e9 {
            throw failure("duration out of range", at: position)
        }
    }

    private func checkExperimental(at position: PositionRange) throws(ParseError) {
        if !options.durationExpressions {
            throw failure("experimental duration expression is not enabled", at: position)
        }
    }

    private func experimental(_ expression: DurationExpression) throws(ParseError) -> DurationExpression {
        try checkExperimental(at: expression.position)
        return expression
    }
}

extension BinaryOperator {
    /// The same operator on durations, if there is one.
    fileprivate var duration: DurationExpression.Operation? {
        switch self {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        case .modulo: .modulo
        case .power: .power
        default: nil
        }
    }
}
