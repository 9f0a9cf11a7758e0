/// Arithmetic with durations, inside `[…]` and behind `offset`: `[step() * 2]`, `offset max_of(1m, range())`.
///
/// Source: prometheus/prometheus promql/parser/ast.go (`DurationExpr`).
package struct DurationExpression: Sendable, Hashable {
    /// What is computed.
    package enum Operation: String, Sendable, Hashable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
        /// The query's step, no operands.
        case step
        /// The query's range, no operands.
        case range
        case minOf = "min_of"
        case maxOf = "max_of"
    }

    /// One side of the operation.
    package indirect enum Operand: Sendable, Hashable {
        /// Seconds.
        case literal(NumberLiteral)
        case expression(DurationExpression)
    }

    /// The operator.
    package var operation: Operation
    /// Nil for a sign before the right side, and for ``Operation/step`` and ``Operation/range``.
    package var left: Operand?
    /// Nil only for ``Operation/step`` and ``Operation/range``.
    package var right: Operand?
    /// Whether it stood in parentheses.
    package var isWrapped: Bool
    /// Where it stands in the text.
    package var position: PositionRange

    /// An operation.
    package init(
        _ operation: Operation, _ left: Operand? = nil, _ right: Operand? = nil, isWrapped: Bool = false,
        position: PositionRange
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.isWrapped = isWrapped
        self.position = position
    }
}

extension DurationExpression.Operand {
    /// Where it stands in the query.
    package var position: PositionRange {
        switch self {
        case .literal(let literal): literal.position
        case .expression(let expression): expression.position
        }
    }
}
