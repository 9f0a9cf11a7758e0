internal import MetricModel
internal import PromQL

/// Queries with every selector fixed to one time by `@`, whose result must not depend on when they are evaluated.
enum FixedTime {
    /// `query` with `@` added to all selectors that have none; nil if it still depends on the time of evaluation.
    static func query(_ query: ByteString, at time: Timestamp) -> ByteString? {
        guard let expression = try? ScriptParser.parser.parseExpression(query), !dependsOnTime(expression) else {
            return nil
        }
        return ByteString(fixed(expression, at: time).description)
    }

    /// Moments that differ from `time`, negative ones included, and `time` itself.
    static func otherTimes(than time: Timestamp) -> [Timestamp] {
        time == 0 ? [-1000, 0, 1000] : [-10 &* time, 0, time / 5, time, 10 &* time]
    }

    /// Whether a query refers to the range it is evaluated over, so that an instant and a range query differ.
    static func dependsOnRange(_ query: ByteString) -> Bool {
        let text = query.string
        return ["start()", "end()", "range()", "step()"].contains { text.contains($0) }
    }

    private static func dependsOnTime(_ expression: Expression) -> Bool {
        // Its time is fixed, and with it that of all it contains.
        if case .subquery = expression { return false }
        if case .call(let call) = expression {
            switch call.function {
            case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .end, .hour, .minute, .month, .year,
                .predictLinear, .range, .start, .step, .time, .timestamp:
                return true
            default: break
            }
        }
        return expression.children.contains(where: dependsOnTime)
    }

    private static func fixed(_ expression: Expression, at time: Timestamp) -> Expression {
        switch expression {
        case .number, .string: return expression
        case .vector(let selector): return .vector(fixed(selector, at: time))
        case .matrix(var matrix):
            matrix.selector = fixed(matrix.selector, at: time)
            return .matrix(matrix)
        case .subquery(var subquery):
            // What is inside a fixed subquery follows from it.
            if case .timestamp = subquery.at { return expression }
            subquery.at = .timestamp(time)
            return .subquery(subquery)
        case .unary(var unary):
            unary.expression = fixed(unary.expression, at: time)
            return .unary(unary)
        case .paren(var paren):
            paren.expression = fixed(paren.expression, at: time)
            return .paren(paren)
        case .binary(var binary):
            binary.left = fixed(binary.left, at: time)
            binary.right = fixed(binary.right, at: time)
            return .binary(binary)
        case .aggregate(var aggregate):
            aggregate.expression = fixed(aggregate.expression, at: time)
            aggregate.parameter = aggregate.parameter.map { fixed($0, at: time) }
            return .aggregate(aggregate)
        case .call(var call):
            call.arguments = call.arguments.map { fixed($0, at: time) }
            return .call(call)
        }
    }

    private static func fixed(_ selector: VectorSelector, at time: Timestamp) -> VectorSelector {
        if case .timestamp = selector.at { return selector }
        var selector = selector
        selector.at = .timestamp(time)
        return selector
    }
}
