package import MetricModel

/// Two expressions joined by an operator.
package struct BinaryExpression: Sendable {
    /// The operator.
    package var operation: BinaryOperator
    /// What stands before it.
    package var left: Expression
    /// What stands behind it.
    package var right: Expression
    /// How series find their partners; nil unless both sides are instant vectors.
    package var matching: VectorMatching?
    /// Whether a comparison gives 0 and 1 instead of filtering.
    package var returnsBool: Bool

    /// A binary expression.
    package init(
        _ operation: BinaryOperator, _ left: Expression, _ right: Expression, matching: VectorMatching? = nil,
        returnsBool: Bool = false
    ) {
        self.operation = operation
        self.left = left
        self.right = right
        self.matching = matching
        self.returnsBool = returnsBool
    }

    /// A scalar if both sides are, otherwise an instant vector.
    package var type: ValueType { left.type == .scalar && right.type == .scalar ? .scalar : .vector }
}

/// How many series on each side may share a signature; the raw value is upstream's name.
package enum MatchCardinality: String, Sendable, Hashable {
    case oneToOne = "one-to-one"
    case manyToOne = "many-to-one"
    case oneToMany = "one-to-many"
    case manyToMany = "many-to-many"
}

/// How series of two instant vectors find their partners.
package struct VectorMatching: Sendable, Hashable {
    /// Which side may have several series to one of the other.
    package var cardinality: MatchCardinality
    /// The labels of `on` or `ignoring`.
    package var labels: [ByteString]
    /// Whether ``labels`` are those that must agree, instead of those that need not.
    package var isOn: Bool
    /// Labels that `group_left`/`group_right` take over from the side of one.
    package var include: [ByteString]
    /// The value that stands in for a missing left side; nil leaves the pair out.
    package var leftFill: Double?
    /// The value that stands in for a missing right side; nil leaves the pair out.
    package var rightFill: Double?

    /// A way of matching.
    package init(
        cardinality: MatchCardinality = .oneToOne, labels: [ByteString] = [], isOn: Bool = false,
        include: [ByteString] = [], leftFill: Double? = nil, rightFill: Double? = nil
    ) {
        self.cardinality = cardinality
        self.labels = labels
        self.isOn = isOn
        self.include = include
        self.leftFill = leftFill
        self.rightFill = rightFill
    }
}
