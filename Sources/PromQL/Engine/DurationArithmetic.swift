internal import MetricModel

/// Computes durations that are given as expressions.
///
/// Source: prometheus/prometheus promql/durations.go.
struct DurationArithmetic {
    /// The query's step, in seconds; 0 for an instant query.
    let step: Double
    /// The query's range, in seconds.
    let range: Double

    /// The duration in milliseconds, fractions cut off.
    /// - Throws: ``QueryError/badData(_:)`` for durations that are not positive (unless allowed), too long, or come of
    ///   a division by zero.
    func milliseconds(
        _ expression: DurationExpression, negativeAllowed: Bool
    ) throws(QueryError) -> Int64 {
        let seconds = try evaluate(expression)
        guard seconds.isFinite else { throw Self.error("duration is NaN or infinite", expression) }
        if seconds <= 0 && !negativeAllowed { throw Self.error("duration must be greater than 0", expression) }
        guard seconds.magnitude <= 9_223_372_036.854775807,
            let result = Int64(exactly: (seconds * 1000).rounded(.towardZero))
        else { throw Self.error("duration is out of range", expression) }
        return result
    }

    private func evaluate(_ operand: DurationExpression.Operand?) throws(QueryError) -> Double {
        switch operand {
        case nil: 0
        case .literal(let literal): literal.value
        case .expression(let expression): try evaluate(expression)
        }
    }

    private func evaluate(_ expression: DurationExpression) throws(QueryError) -> Double {
        let left = try evaluate(expression.left)
        let right = try evaluate(expression.right)
        switch expression.operation {
        case .step: return step
        case .range: return range
        case .minOf: return GoMath.min(left, right)
        case .maxOf: return GoMath.max(left, right)
        case .add: return left + right
        case .subtract: return expression.left == nil ? -right : left - right
        case .multiply: return left * right
        case .divide:
            if right == 0 { throw Self.error("division by zero", expression) }
            return left / right
        case .modulo:
            if right == 0 { throw Self.error("modulo by zero", expression) }
            return GoMath.mod(left, right)
        case .power: return FloatMath.pow(left, right)
        }
    }

    private static func error(_ message: String, _ expression: DurationExpression) -> QueryError {
        .badData("\(expression.position.start):\(expression.position.end): \(message)")
    }
}
