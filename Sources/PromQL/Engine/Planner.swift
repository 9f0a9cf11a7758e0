internal import Matching
internal import MetricModel

/// Makes a ``PlanNode`` of an ``Expression`` for one query's time range.
///
/// Source: prometheus/prometheus promql/engine.go (`PreprocessExpr`, `setOffsetForAtModifier`).
struct Planner {
    /// The query's range, in milliseconds; a step of 0 for an instant query.
    let start: Timestamp
    let end: Timestamp
    let step: Int64

    /// What lies around a node on the way from the root.
    private struct Surroundings {
        /// A function that only looks at counts and sums of histograms is around.
        var wantsOnlyStatistics = false
        /// Something that needs the buckets is around.
        var needsBuckets = false
        var hints = SelectHints()
    }

    /// A node, whether it is the same at each step, and whether it must then be wrapped to be evaluated only once.
    private typealias Planned = (node: PlanNode, isInvariant: Bool, wrap: Bool)

    /// The plan.
    /// - Throws: ``QueryError/badData(_:)`` for durations that cannot be.
    func plan(_ expression: Expression) throws(QueryError) -> PlanNode {
        var surroundings = Surroundings()
        surroundings.hints.step = step
        let planned = try plan(expression, surroundings)
        return planned.wrap ? .stepInvariant(planned.node) : planned.node
    }

    private func plan(_ expression: Expression, _ around: Surroundings) throws(QueryError) -> Planned {
        switch expression {
        case .number(let literal): return (.number(literal.value), true, false)
        case .string(let literal): return (.string(literal.value), true, false)
        case .vector(let selector):
            let plan = try plan(selector, around)
            return (.selector(plan), plan.at != nil, plan.at != nil)
        case .matrix(let matrix):
            let range =
                if let expression = matrix.rangeExpression {
                    try durations.milliseconds(expression, negativeAllowed: false)
                } else { matrix.range.milliseconds }
            var inner = around
            inner.hints.range = range
            let selector = try plan(matrix.selector, inner)
            return (
                .matrix(MatrixPlan(selector: selector, range: range, position: expression.position)),
                selector.at != nil, false
            )
        case .subquery(let subquery): return try plan(subquery, around)
        case .unary(let unary):
            let inner = try plan(unary.expression, around)
            return unary.operation == .minus ? (.negate(inner.node), inner.isInvariant, inner.wrap) : inner
        case .paren(let paren): return try plan(paren.expression, around)
        case .binary(let binary): return try plan(binary, expression, around)
        case .aggregate(let aggregate): return try plan(aggregate, around)
        case .call(let call): return try plan(call, around)
        }
    }

    private func plan(_ selector: VectorSelector, _ around: Surroundings) throws(QueryError) -> SelectorPlan {
        SelectorPlan(
            matchers: selector.matchers, offset: try offset(selector.offset), at: moment(selector.at),
            rangeExtension: selector.rangeExtension, position: selector.position,
            skipsBuckets: around.wantsOnlyStatistics && !around.needsBuckets, hints: around.hints)
    }

    private func plan(_ subquery: Subquery, _ around: Surroundings) throws(QueryError) -> Planned {
        var inner = around
        inner.needsBuckets = true
        // In upstream's order, so that of several durations that cannot be the same one is reported.
        let offset = try offset(subquery.offset)
        let step =
            if let expression = subquery.stepExpression {
                try durations.milliseconds(expression, negativeAllowed: false)
            } else { subquery.step.milliseconds }
        let range =
            if let expression = subquery.rangeExpression {
                try durations.milliseconds(expression, negativeAllowed: false)
            } else { subquery.range.milliseconds }
        let at = moment(subquery.at)
        let child = try plan(subquery.expression, inner)
        // A literal needs no wrapping in upstream either, but it does no harm: it is the same at each step.
        let node = child.isInvariant ? PlanNode.stepInvariant(child.node) : child.node
        let plan = SubqueryPlan(node: node, range: range, step: step, offset: offset, at: at)
        return (.subquery(plan), at != nil, false)
    }

    private func plan(
        _ binary: BinaryExpression, _ expression: Expression, _ around: Surroundings
    ) throws(QueryError) -> Planned {
        var inner = around
        inner.hints.function = ""
        inner.hints.grouping = []
        if binary.operation == .trimUpper || binary.operation == .trimLower { inner.needsBuckets = true }
        let left = try plan(binary.left, inner)
        let right = try plan(binary.right, inner)
        let isInvariant = left.isInvariant && right.isInvariant
        let plan = BinaryPlan(
            operation: binary.operation,
            left: left.wrap && !isInvariant ? .stepInvariant(left.node) : left.node,
            right: right.wrap && !isInvariant ? .stepInvariant(right.node) : right.node,
            leftIsScalar: binary.left.type == .scalar, rightIsScalar: binary.right.type == .scalar,
            matching: binary.matching, returnsBool: binary.returnsBool, position: expression.position)
        return (.binary(plan), isInvariant, isInvariant)
    }

    private func plan(_ aggregate: AggregateExpression, _ around: Surroundings) throws(QueryError) -> Planned {
        var inner = around
        inner.hints.function = aggregate.operation.rawValue
        inner.hints.isBy = !aggregate.isWithout
        inner.hints.grouping = aggregate.grouping
        let expression = Self.unwrapped(aggregate.expression)
        let child = try plan(expression, inner)
        var parameter: Planned?
        let parameterExpression = aggregate.parameter.map(Self.unwrapped)
        if let parameterExpression { parameter = try plan(parameterExpression, Surroundings()) }
        var grouping: [ByteString] = []
        for name in aggregate.grouping.sorted() where grouping.last != name { grouping.append(name) }
        let plan = AggregatePlan(
            operation: aggregate.operation, node: child.node, nodePosition: expression.position,
            parameter: parameter.map { $0.wrap ? .stepInvariant($0.node) : $0.node },
            parameterPosition: parameterExpression?.position ?? .zero, grouping: grouping,
            isWithout: aggregate.isWithout, position: aggregate.position)
        return (.aggregate(plan), child.isInvariant, child.wrap)
    }

    private func plan(_ call: Call, _ around: Surroundings) throws(QueryError) -> Planned {
        if let folded = folded(call.function) { return (.number(folded), true, false) }
        var inner = around
        inner.hints.function = call.function.rawValue
        inner.hints.grouping = []
        switch call.function {
        case .histogramCount, .histogramSum, .histogramAvg: inner.wantsOnlyStatistics = true
        case .histogramQuantile, .histogramQuantiles, .histogramFraction: inner.needsBuckets = true
        default: break
        }
        let expressions = call.arguments.map(Self.unwrapped)
        var planned: [Planned] = []
        var isInvariant = !call.function.dependsOnStepTime
        var isTimestampOfFixedSelector = call.function == .timestamp
        for expression in expressions {
            let argument = try plan(expression, inner)
            isInvariant = isInvariant && argument.isInvariant
            if case .vector = expression, argument.isInvariant {} else { isTimestampOfFixedSelector = false }
            planned.append(argument)
        }
        isInvariant = isInvariant || isTimestampOfFixedSelector
        var plan = CallPlan(
            function: call.function,
            arguments: planned.map { $0.wrap && !isInvariant ? .stepInvariant($0.node) : $0.node },
            argumentPositions: expressions.map(Self.annotationPosition), position: call.position)
        if case .vector = expressions.first { plan.looksAtSelector = true }
        if call.function == .absent || call.function == .absentOverTime, let first = planned.first?.node {
            plan.absentLabels = Self.absentLabels(first)
        }
        return (.call(plan), isInvariant, isInvariant)
    }

    /// `start()`, `end()`, `range()` and `step()`, which are constants of the query.
    private func folded(_ function: Function) -> Double? {
        switch function {
        case .start: Double(start) / 1000
        case .end: Double(end) / 1000
        case .range: Double(end &- start) / 1000
        case .step: start == end ? 0 : Double(step) / 1000
        default: nil
        }
    }

    private var durations: DurationArithmetic {
        DurationArithmetic(step: Double(step) / 1000, range: Double(end &- start) / 1000)
    }

    private func offset(_ modifier: OffsetModifier) throws(QueryError) -> Int64 {
        guard let expression = modifier.expression else { return modifier.duration.milliseconds }
        return try durations.milliseconds(expression, negativeAllowed: true)
    }

    private func moment(_ modifier: AtModifier?) -> Timestamp? {
        switch modifier {
        case .timestamp(let time): time
        case .start: start
        case .end: end
        case nil: nil
        }
    }

    private static func unwrapped(_ expression: Expression) -> Expression {
        var expression = expression
        while case .paren(let paren) = expression { expression = paren.expression }
        return expression
    }

    /// A subquery's samples come from no selector in the text, so annotations about them point to its beginning.
    private static func annotationPosition(_ expression: Expression) -> PositionRange {
        if case .subquery = expression { .zero } else { expression.position }
    }

    /// The labels that a selector fixes to one value.
    ///
    /// Source: prometheus/prometheus promql/functions.go (`createLabelsForAbsentFunction`).
    private static func absentLabels(_ node: PlanNode) -> Labels {
        let matchers: [Matcher]
        switch node {
        case .selector(let plan): matchers = plan.matchers
        case .matrix(let plan): matchers = plan.selector.matchers
        default: return .empty
        }
        var builder = LabelsBuilder()
        var seen: Set<ByteString> = []
        for matcher in sortedAsUsed(matchers) where matcher.name != Labels.metricName {
            if matcher.operation == .equal && !seen.contains(matcher.name) {
                builder.set(matcher.name, matcher.value)
                seen.insert(matcher.name)
            } else {
                builder.remove(matcher.name)
            }
        }
        return builder.labels()
    }

    /// Matchers in the order that a store leaves them in: those that take series away come behind the others.
    ///
    /// Source: prometheus/prometheus tsdb/querier.go (`PostingsForMatchers`).
    private static func sortedAsUsed(_ matchers: [Matcher]) -> [Matcher] {
        let needed = Set(matchers.filter { !$0.matches("") }.map(\.name))
        let takesAway = { (matcher: Matcher) in
            let isNegative = matcher.operation == .notEqual || matcher.operation == .matchesNot
            return !needed.contains(matcher.name) || isNegative && matcher.matches("")
        }
        return matchers.filter { !takesAway($0) } + matchers.filter(takesAway)
    }
}

extension Function {
    /// Whether the result depends on the step's time even where the arguments do not.
    ///
    /// Source: prometheus/prometheus promql/functions.go (`AtModifierUnsafeFunctions`).
    fileprivate var dependsOnStepTime: Bool {
        switch self {
        case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .end, .hour, .minute, .month, .year, .predictLinear,
            .range, .start, .step, .time, .timestamp:
            true
        default: false
        }
    }
}
