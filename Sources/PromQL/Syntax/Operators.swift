/// An operator between two expressions; the raw value is its text.
package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// Cuts off a histogram's observations above a threshold.
    case trimUpper = "</"
    /// Cuts off a histogram's observations below a threshold.
    case trimLower = ">/"
    case and
    case or
    case unless

    /// Whether this is one of `== != < <= > >=`, which filter, or with `bool` give 0 and 1.
    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
        default: false
        }
    }

    /// Whether this is `and`, `or` or `unless`.
    package var isSet: Bool { self == .and || self == .or || self == .unless }

    /// Higher binds tighter; only ``power`` groups from the right.
    package var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .trimUpper, .trimLower: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }
}

/// The sign before an expression.
package enum UnaryOperator: String, Sendable, Hashable {
    case plus = "+"
    case minus = "-"
}

/// An aggregation over the series of an instant vector; the raw value is its keyword.
package enum AggregateOperator: String, Sendable, Hashable, CaseIterable {
    case avg
    case bottomk
    case count
    case countValues = "count_values"
    case group
    case max
    case min
    case quantile
    case stddev
    case stdvar
    case sum
    case topk
    case limitk
    case limitRatio = "limit_ratio"

    /// The type of the parameter before the vector, or nil where there is none.
    package var parameterType: ValueType? {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .limitRatio: .scalar
        case .countValues: .string
        case .avg, .count, .group, .max, .min, .stddev, .stdvar, .sum: nil
        }
    }

    /// Whether the feature flag for experimental functions is needed.
    package var isExperimental: Bool { self == .limitk || self == .limitRatio }
}
