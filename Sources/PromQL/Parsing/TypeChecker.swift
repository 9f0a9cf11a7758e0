internal import MetricModel

/// Checks that a parsed expression makes sense: types of operands and arguments, matching, names.
///
/// Source of rules and texts: prometheus/prometheus promql/parser/parse.go (`checkAST`).
struct TypeChecker {
    let query: ByteString

    /// Checks `expression` and everything in it.
    /// - Returns: Its type.
    func check(_ expression: Expression) throws(ParseError) -> ValueType {
        switch expression {
        case .number, .string: break
        case .vector(let selector): try check(selector, mayMatchEverything: false)
        case .matrix(let matrix): try check(matrix.selector, mayMatchEverything: false)
        case .paren(let paren): return try check(paren.expression)
        case .unary(let unary):
            let type = try check(unary.expression)
            guard type == .scalar || type == .vector else {
                throw failure(
                    "unary expression only allowed on expressions of type scalar or instant vector, got "
                        + "\"\(type.documentedName)\"", expression.position)
            }
            return type
        case .subquery(let subquery):
            let type = try check(subquery.expression)
            if type != .vector {
                throw failure(
                    "subquery is only allowed on instant vector, got \(type.rawValue) instead", expression.position)
            }
        case .aggregate(let aggregate):
            try expect(.vector, aggregate.expression, in: "aggregation expression")
            if let parameter = aggregate.parameter, let type = aggregate.operation.parameterType {
                try expect(type, parameter, in: "aggregation parameter")
            }
        case .binary(let binary): return try check(binary, expression.position)
        case .call(let call): try check(call)
        }
        return expression.type
    }

    private func failure(_ message: String, _ position: PositionRange) -> ParseError {
        ParseError(message, position: position, query: query)
    }

    private func expect(_ wanted: ValueType, _ expression: Expression, in place: String) throws(ParseError) {
        let type = try check(expression)
        if type != wanted {
            throw failure(
                "expected type \(wanted.documentedName) in \(place), got \(type.documentedName)", expression.position)
        }
    }

    // MARK: Selectors

    private func check(_ selector: VectorSelector, mayMatchEverything: Bool) throws(ParseError) {
        if !selector.name.isEmpty {
            for matcher in selector.matchers.dropLast() where matcher.name == Labels.metricName {
                throw failure(
                    "metric name must not be set twice: \(Quoting.quote(selector.name)) or "
                        + "\(Quoting.quote(matcher.value))", selector.position)
            }
        } else if !mayMatchEverything, selector.matchers.allSatisfy(\.matchesEmpty) {
            throw failure("vector selector must contain at least one non-empty matcher", selector.position)
        }
    }

    // MARK: Binary expressions

    private func check(_ binary: BinaryExpression, _ position: PositionRange) throws(ParseError) -> ValueType {
        let left = try check(binary.left)
        let right = try check(binary.right)
        let operation = binary.operation
        if binary.returnsBool, !operation.isComparison {
            throw failure("bool modifier can only be used on comparison operators", operatorPosition(binary))
        }
        if operation.isComparison, !binary.returnsBool, left == .scalar, right == .scalar {
            throw failure("comparisons between scalars must use BOOL modifier", operatorPosition(binary))
        }
        if let matching = binary.matching, matching.isOn {
            for label in matching.labels where matching.include.contains(label) {
                throw failure(
                    "label \(Quoting.quote(label)) must not occur in ON and GROUP clause at once",
                    operatorPosition(binary))
            }
        }
        for (type, side) in [(left, binary.left), (right, binary.right)] where type != .scalar && type != .vector {
            throw failure("binary expression must contain only scalar and instant vector types", side.position)
        }
        if let matching = binary.matching {
            try check(matching, operation, areVectors: left == .vector && right == .vector, position)
        }
        if operation.isSet, left == .scalar || right == .scalar {
            throw failure(
                "set operator \"\(operation.rawValue)\" not allowed in binary scalar expression", position)
        }
        return left == .scalar && right == .scalar ? .scalar : .vector
    }

    private func check(
        _ matching: VectorMatching, _ operation: BinaryOperator, areVectors: Bool, _ position: PositionRange
    ) throws(ParseError) {
        let hasFill = matching.leftFill != nil || matching.rightFill != nil
        if !areVectors {
            if !matching.labels.isEmpty {
                throw failure("vector matching only allowed between instant vectors", position)
            }
            if hasFill { throw failure("filling in missing series only allowed between instant vectors", position) }
        } else if operation.isSet {
            if matching.cardinality == .oneToMany || matching.cardinality == .manyToOne {
                throw failure("no grouping allowed for \"\(operation.rawValue)\" operation", position)
            }
            if hasFill { throw failure("filling in missing series not allowed for set operators", position) }
        }
    }

    /// Where the operator stands: behind the left side and any space.
    private func operatorPosition(_ binary: BinaryExpression) -> PositionRange {
        var position = PositionRange(binary.left.position.end, binary.right.position.start)
        while position.start < query.count, Lexer.isSpace(UInt32(query.bytes[position.start])) { position.start += 1 }
        return position
    }

    // MARK: Calls

    private func check(_ call: Call) throws(ParseError) {
        let signature = call.function.signature
        let name = Quoting.quote(ByteString(call.function.rawValue))
        try checkArgumentCount(call, signature, name)
        let isInfo = call.function == .info
        if isInfo, call.arguments.count > 1 { try checkInfoSelector(call.arguments[1], call.position, name) }
        for (index, argument) in call.arguments.enumerated() {
            if isInfo, index == 1, case .vector(let selector) = argument {
                try check(selector, mayMatchEverything: true)
                continue
            }
            let type = try check(argument)
            guard let wanted = index < signature.arguments.count ? signature.arguments[index] : signature.arguments.last
            else { continue }
            if type != wanted {
                throw failure(
                    "expected type \(wanted.documentedName) in call to function \(name), got \(type.documentedName)",
                    argument.position)
            }
        }
    }

    private func checkArgumentCount(
        _ call: Call, _ signature: FunctionSignature, _ name: String
    ) throws(ParseError) {
        let given = call.arguments.count
        let listed = signature.arguments.count
        if signature.variadic == 0 {
            if given != listed {
                throw failure("expected \(listed) argument(s) in call to \(name), got \(given)", call.position)
            }
            return
        }
        let least = listed - 1
        if given < least {
            throw failure("expected at least \(least) argument(s) in call to \(name), got \(given)", call.position)
        }
        let most = least + signature.variadic
        if signature.variadic > 0, given > most {
            throw failure("expected at most \(most) argument(s) in call to \(name), got \(given)", call.position)
        }
    }

    /// The second argument of `info` selects labels of info metrics, and looks like a selector without a name.
    private func checkInfoSelector(
        _ argument: Expression, _ position: PositionRange, _ name: String
    ) throws(ParseError) {
        if argument.type != .vector {
            throw failure(
                "expected type instant vector in call to function \(name), got \(argument.type.documentedName)",
                position)
        }
        guard case .vector(let selector) = argument else {
            throw failure("expected label selectors only", argument.position)
        }
        if !selector.name.isEmpty {
            throw failure("expected label selectors only, got vector selector instead", argument.position)
        }
    }
}
