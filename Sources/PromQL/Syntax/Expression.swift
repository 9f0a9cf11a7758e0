package import MetricModel

/// A PromQL expression, as parsed and type-checked.
///
/// The parser bounds how deeply expressions nest (``Parser/Options/maximumDepth``), so that recursion over a tree,
/// its release included, is safe.
///
/// Source: prometheus/prometheus promql/parser/ast.go.
package indirect enum Expression: Sendable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case vector(VectorSelector)
    case matrix(MatrixSelector)
    case subquery(Subquery)
    case unary(UnaryExpression)
    case binary(BinaryExpression)
    case aggregate(AggregateExpression)
    case call(Call)
    case paren(ParenExpression)

    /// What it evaluates to.
    package var type: ValueType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .vector, .aggregate: .vector
        case .matrix, .subquery: .matrix
        case .unary(let unary): unary.expression.type
        case .binary(let binary): binary.type
        case .call(let call): call.function.signature.returnType
        case .paren(let paren): paren.expression.type
        }
    }

    /// Where it stands in the query.
    package var position: PositionRange {
        switch self {
        case .number(let number): number.position
        case .string(let string): string.position
        case .vector(let selector): selector.position
        case .matrix(let matrix): PositionRange(matrix.selector.position.start, matrix.end)
        case .subquery(let subquery): PositionRange(subquery.expression.position.start, subquery.end)
        case .unary(let unary): PositionRange(unary.start, unary.expression.position.end)
        case .binary(let binary): PositionRange(binary.left.position.start, binary.right.position.end)
        case .aggregate(let aggregate): aggregate.position
        case .call(let call): call.position
        case .paren(let paren): paren.position
        }
    }

    /// The expressions directly inside, in the order of upstream's walk (an aggregation's parameter comes last).
    package var children: [Expression] {
        switch self {
        case .number, .string, .vector: []
        case .matrix(let matrix): [.vector(matrix.selector)]
        case .subquery(let subquery): [subquery.expression]
        case .unary(let unary): [unary.expression]
        case .binary(let binary): [binary.left, binary.right]
        case .aggregate(let aggregate):
            aggregate.parameter.map { [aggregate.expression, $0] } ?? [aggregate.expression]
        case .call(let call): call.arguments
        case .paren(let paren): [paren.expression]
        }
    }
}

/// A number, or a duration, which counts as its seconds.
package struct NumberLiteral: Sendable, Hashable {
    /// The number.
    package var value: Double
    /// Whether it was written as a duration: `5m`.
    package var isDuration: Bool
    /// Where it stands in the text.
    package var position: PositionRange

    /// A number.
    package init(_ value: Double, isDuration: Bool = false, position: PositionRange) {
        self.value = value
        self.isDuration = isDuration
        self.position = position
    }
}

/// A text in quotes, unescaped.
package struct StringLiteral: Sendable, Hashable {
    /// The text, escapes resolved.
    package var value: ByteString
    /// Where it stands in the text.
    package var position: PositionRange

    /// A text.
    package init(_ value: ByteString, position: PositionRange) {
        self.value = value
        self.position = position
    }
}

/// A sign before an expression.
package struct UnaryExpression: Sendable {
    /// The sign.
    package var operation: UnaryOperator
    /// What it stands before.
    package var expression: Expression
    /// Where the sign stands.
    package var start: Int

    /// A sign before `expression`.
    package init(_ operation: UnaryOperator, _ expression: Expression, start: Int) {
        self.operation = operation
        self.expression = expression
        self.start = start
    }
}

/// An expression in parentheses.
package struct ParenExpression: Sendable {
    /// What the parentheses hold.
    package var expression: Expression
    /// Where it stands in the text.
    package var position: PositionRange

    /// `expression` in parentheses.
    package init(_ expression: Expression, position: PositionRange) {
        self.expression = expression
        self.position = position
    }
}

/// An aggregation: `sum by (job) (x)`, `topk(5, x)`.
package struct AggregateExpression: Sendable {
    /// The aggregation.
    package var operation: AggregateOperator
    /// What is aggregated.
    package var expression: Expression
    /// The argument before the vector, of operators that take one.
    package var parameter: Expression?
    /// The labels of `by` or `without`, in the order written.
    package var grouping: [ByteString]
    /// Whether the labels named are those that go, not those that stay.
    package var isWithout: Bool
    /// Where it stands in the text.
    package var position: PositionRange

    /// An aggregation over `expression`.
    package init(
        _ operation: AggregateOperator, _ expression: Expression, parameter: Expression? = nil,
        grouping: [ByteString] = [], isWithout: Bool = false, position: PositionRange
    ) {
        self.operation = operation
        self.expression = expression
        self.parameter = parameter
        self.grouping = grouping
        self.isWithout = isWithout
        self.position = position
    }
}

/// A function call.
package struct Call: Sendable {
    /// The function.
    package var function: Function
    /// In the order in which they are written.
    package var arguments: [Expression]
    /// Where it stands in the text.
    package var position: PositionRange

    /// A call of `function`.
    package init(_ function: Function, _ arguments: [Expression], position: PositionRange) {
        self.function = function
        self.arguments = arguments
        self.position = position
    }
}
