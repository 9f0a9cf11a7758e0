internal import Matching
internal import MetricModel

/// An expression made ready for evaluation: durations computed, `@` resolved, parts that do not depend on the step
/// marked, parentheses gone.
indirect enum PlanNode: Sendable {
    case number(Double)
    case string(ByteString)
    case selector(SelectorPlan)
    case matrix(MatrixPlan)
    case subquery(SubqueryPlan)
    case call(CallPlan)
    case aggregate(AggregatePlan)
    case binary(BinaryPlan)
    case negate(PlanNode)
    /// Evaluated once; the same at each step.
    case stepInvariant(PlanNode)
}

/// An instant selector.
struct SelectorPlan: Sendable {
    var matchers: [Matcher]
    /// Milliseconds into the past.
    var offset: Int64
    /// The moment of `@`.
    var at: Timestamp?
    var rangeExtension: RangeExtension?
    var position: PositionRange
    /// Whether only counts and sums of histograms are needed.
    var skipsBuckets: Bool
    var hints: SelectHints

    /// The moment whose samples step time `time` sees.
    @inline(__always)
    func referenceTime(_ time: Timestamp) -> Timestamp { (at ?? time) &- offset }
}

/// A range selector.
struct MatrixPlan: Sendable {
    var selector: SelectorPlan
    /// Milliseconds.
    var range: Int64
    var position: PositionRange
}

/// A subquery; all durations in milliseconds.
struct SubqueryPlan: Sendable {
    var node: PlanNode
    var range: Int64
    var step: Int64
    var offset: Int64
    var at: Timestamp?
}

/// A function call.
struct CallPlan: Sendable {
    var function: Function
    var arguments: [PlanNode]
    /// Where annotations about an argument point.
    var argumentPositions: [PositionRange]
    var position: PositionRange
    /// For the `absent` functions: the labels that the selector asks for.
    var absentLabels = Labels.empty
    /// Whether the first argument is an instant selector itself, without as much as a sign before it.
    var looksAtSelector = false
}

/// An aggregation.
struct AggregatePlan: Sendable {
    var operation: AggregateOperator
    var node: PlanNode
    var nodePosition: PositionRange
    var parameter: PlanNode?
    var parameterPosition: PositionRange
    /// Sorted, each once.
    var grouping: [ByteString]
    var isWithout: Bool
    var position: PositionRange
}

/// A binary operation.
struct BinaryPlan: Sendable {
    var operation: BinaryOperator
    var left: PlanNode
    var right: PlanNode
    var leftIsScalar: Bool
    var rightIsScalar: Bool
    var matching: VectorMatching?
    var returnsBool: Bool
    var position: PositionRange
}

extension PlanNode {
    /// The instant selector that this is, evaluated at each step or once.
    var selector: SelectorPlan? {
        switch self {
        case .selector(let plan): plan
        case .stepInvariant(let inner): inner.selector
        default: nil
        }
    }

    /// The number that this is at every step.
    var constant: Double? {
        switch self {
        case .number(let value): value
        case .stepInvariant(let inner): inner.constant
        default: nil
        }
    }

    /// How deeply the tree nests.
    var depth: Int {
        switch self {
        case .number, .string, .selector, .matrix: 1
        case .subquery(let plan): 1 + plan.node.depth
        case .call(let plan): 1 + (plan.arguments.map(\.depth).max() ?? 0)
        case .aggregate(let plan): 1 + max(plan.node.depth, plan.parameter?.depth ?? 0)
        case .binary(let plan): 1 + max(plan.left.depth, plan.right.depth)
        case .negate(let node), .stepInvariant(let node): 1 + node.depth
        }
    }
}

extension CallPlan {
    /// Which argument is a range vector; nil if none is.
    var rangeArgument: Int? {
        arguments.firstIndex { argument in
            switch argument {
            case .matrix, .subquery: true
            default: false
            }
        }
    }
}
