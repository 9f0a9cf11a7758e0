internal import MetricModel

/// Calls, aggregations and binary operators.
extension SyntaxParser {
    // MARK: Calls

    /// A call of the function `name`, which has been read; a parenthesis follows.
    mutating func call(_ name: Token, _ context: Context) throws(ParseError) -> Node {
        let (arguments, depth) = try arguments(context)
        guard let function = Function(rawValue: name.text.string), ByteString(function.rawValue) == name.text else {
            throw failure("unknown function with name \(Quoting.quote(name.text))", at: name.position)
        }
        if function.signature.isExperimental, !options.experimentalFunctions {
            throw failure("function \(Quoting.quote(name.text)) is not enabled", at: name.position)
        }
        let position = PositionRange(name.position.start, lastClosing)
        return try node(.call(Call(function, arguments, position: position)), over: depth)
    }

    /// Arguments in parentheses, and the depth of the deepest.
    private mutating func arguments(_ context: Context) throws(ParseError) -> ([Expression], depth: Int) {
        try expect(.leftParen, context)
        var arguments: [Expression] = []
        var depth = 0
        if try take(.rightParen) != nil { return (arguments, depth) }
        while true {
            let argument = try nested { parser throws(ParseError) in try parser.expression(context) }
            arguments.append(argument.expression)
            depth = max(depth, argument.depth)
            if try take(.rightParen) != nil { return (arguments, depth) }
            let comma = try expect(.comma, context)
            if !(try peek().kind.canStartExpression) {
                throw failure("trailing commas not allowed in function call args", at: comma.position)
            }
        }
    }

    // MARK: Aggregations

    /// An aggregation whose operator has been read; a parenthesis, `by` or `without` follows.
    mutating func aggregate(_ operation: AggregateOperator, _ token: Token) throws(ParseError) -> Node {
        var modifier = try aggregateModifier()
        let hasModifierFirst = modifier != nil
        let (arguments, depth) = try arguments(.aggregation)
        var position = PositionRange(token.position.start, lastClosing)
        if !hasModifierFirst {
            modifier = try aggregateModifier()
            position.end = modifier == nil ? lexer.endOfPreviousParen(orElse: lastClosing) : lastClosing
        }
        if arguments.isEmpty { throw failure("no arguments for aggregate expression provided", at: position) }
        if operation.isExperimental, !options.experimentalFunctions {
            throw failure(
                "\(operation.rawValue)() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions", at: position)
        }
        let wanted = operation.parameterType == nil ? 1 : 2
        guard arguments.count == wanted, let expression = arguments.last else {
            throw failure(
                "wrong number of arguments for aggregate expression provided, expected \(wanted), got "
                    + "\(arguments.count)", at: position)
        }
        return try node(
            .aggregate(
                AggregateExpression(
                    operation, expression, parameter: wanted == 2 ? arguments.first : nil,
                    grouping: modifier?.labels ?? [], isWithout: modifier?.isWithout ?? false, position: position)),
            over: depth)
    }

    private mutating func aggregateModifier() throws(ParseError) -> (labels: [ByteString], isWithout: Bool)? {
        switch try peek().kind {
        case .keyword(.by):
            try take()
            return (try groupingLabels(), false)
        case .keyword(.without):
            try take()
            return (try groupingLabels(), true)
        default: return nil
        }
    }

    // MARK: Binary operators

    /// What may stand between a binary operator and its right side.
    struct BinaryModifiers {
        var matching = VectorMatching()
        var returnsBool = false
    }

    mutating func binaryModifiers(_ context: Context) throws(ParseError) -> BinaryModifiers {
        var modifiers = BinaryModifiers()
        modifiers.returnsBool = try take(.keyword(.bool)) != nil
        switch try peek().kind {
        case .keyword(.ignoring), .keyword(.on):
            modifiers.matching.isOn = try take().kind == .keyword(.on)
            modifiers.matching.labels = try groupingLabels()
            try groupModifier(&modifiers.matching)
        default: break
        }
        try fillModifiers(&modifiers.matching, context)
        return modifiers
    }

    private mutating func groupModifier(_ matching: inout VectorMatching) throws(ParseError) {
        switch try peek().kind {
        case .keyword(.groupLeft): matching.cardinality = .manyToOne
        case .keyword(.groupRight): matching.cardinality = .oneToMany
        default: return
        }
        try take()
        // Only what the right side can start with may stand in place of the labels.
        let next = try peek().kind
        if next == .leftParen || !next.canStartExpression { matching.include = try groupingLabels() }
    }

    /// `fill(…)`, or `fill_left(…)` and `fill_right(…)` once each, in any order.
    private mutating func fillModifiers(
        _ matching: inout VectorMatching, _ context: Context
    ) throws(ParseError) {
        switch try peek().kind {
        case .keyword(.fill):
            let value = try fillValue(context)
            (matching.leftFill, matching.rightFill) = (value, value)
        case .keyword(.fillLeft):
            matching.leftFill = try fillValue(context)
            if try peek().kind == .keyword(.fillRight) { matching.rightFill = try fillValue(context) }
        case .keyword(.fillRight):
            matching.rightFill = try fillValue(context)
            if try peek().kind == .keyword(.fillLeft) { matching.leftFill = try fillValue(context) }
        default: break
        }
    }

    /// A keyword and the number in parentheses behind it.
    private mutating func fillValue(_ context: Context) throws(ParseError) -> Double {
        try take()
        try expect(.leftParen, context)
        let sign = try takeSign()?.0
        let value = try numberLiteral(context).value
        try expect(.rightParen, context)
        return sign == .minus ? -value : value
    }

    func binary(
        _ operation: BinaryOperator, _ left: Node, _ right: Node, _ modifiers: BinaryModifiers
    ) throws(ParseError) -> Node {
        var matching = modifiers.matching
        let hasFill = matching.leftFill != nil || matching.rightFill != nil
        if hasFill, !options.binaryFillModifiers {
            throw failure(
                "binop fill modifiers are experimental and not enabled",
                at: PositionRange(left.expression.position.start, right.expression.position.end))
        }
        if operation.isSet, matching.cardinality == .oneToOne { matching.cardinality = .manyToMany }
        let areVectors = left.expression.type == .vector && right.expression.type == .vector
        // Matching that means something although a side is no vector stays for the type checker to refuse.
        let keepsMatching = areVectors || !matching.labels.isEmpty || hasFill
        return try node(
            .binary(
                BinaryExpression(
                    operation, left.expression, right.expression, matching: keepsMatching ? matching : nil,
                    returnsBool: modifiers.returnsBool)),
            over: left.depth, right.depth)
    }
}
