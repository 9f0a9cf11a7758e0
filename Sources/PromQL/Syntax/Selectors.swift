package import Matching
package import MetricModel

/// Which moment `@` fixes a selector to.
package enum AtModifier: Sendable, Hashable {
    /// A moment, in milliseconds.
    case timestamp(Timestamp)
    /// The start of the query's range.
    case start
    /// The end of the query's range.
    case end
}

/// How the samples around the edges of a range take part.
package enum RangeExtension: String, Sendable, Hashable {
    /// The last sample before the range counts as if it stood at its beginning.
    case anchored
    /// Values at both edges are interpolated.
    case smoothed
}

/// `offset`: a plain duration, or arithmetic that is evaluated once the query's step and range are known.
package struct OffsetModifier: Sendable, Hashable {
    /// Zero if there is no offset or only an expression.
    package var duration: QueryDuration
    /// The expression, where there is one.
    package var expression: DurationExpression?

    /// No offset.
    package static let none = OffsetModifier(duration: .zero)

    /// An offset.
    package init(duration: QueryDuration, expression: DurationExpression? = nil) {
        self.duration = duration
        self.expression = expression
    }
}

/// An instant vector selector: `http_requests_total{job="api"} @ 100 offset 5m`.
package struct VectorSelector: Sendable, Hashable {
    /// The metric name outside the braces; empty if there was none.
    package var name: ByteString
    /// All conditions; the one on a ``name`` outside the braces comes last.
    package var matchers: [Matcher]
    /// `offset`.
    package var offset: OffsetModifier
    /// `@`.
    package var at: AtModifier?
    /// `anchored` or `smoothed`.
    package var rangeExtension: RangeExtension?
    /// Where it stands in the text.
    package var position: PositionRange

    /// A selector.
    package init(
        name: ByteString = "", matchers: [Matcher], offset: OffsetModifier = .none, at: AtModifier? = nil,
        rangeExtension: RangeExtension? = nil, position: PositionRange
    ) {
        self.name = name
        self.matchers = matchers
        self.offset = offset
        self.at = at
        self.rangeExtension = rangeExtension
        self.position = position
    }
}

/// A range vector selector: `http_requests_total[5m]`. Offset, `@` and extension stand in ``selector``.
package struct MatrixSelector: Sendable, Hashable {
    /// What is selected.
    package var selector: VectorSelector
    /// Zero if there is only an expression.
    package var range: QueryDuration
    /// The range, where it is computed.
    package var rangeExpression: DurationExpression?
    /// Just behind the last byte, modifiers included.
    package var end: Int

    /// A range over `selector`.
    package init(
        selector: VectorSelector, range: QueryDuration, rangeExpression: DurationExpression? = nil, end: Int
    ) {
        self.selector = selector
        self.range = range
        self.rangeExpression = rangeExpression
        self.end = end
    }
}

/// A subquery: `rate(x[1m])[30m:1m] @ end() offset 1h`.
package struct Subquery: Sendable {
    /// What is evaluated at each step.
    package var expression: Expression
    /// Zero if there is only an expression.
    package var range: QueryDuration
    /// The range, where it is computed.
    package var rangeExpression: DurationExpression?
    /// Zero if there is none (the engine's default interval applies) or only an expression.
    package var step: QueryDuration
    /// The step, where it is computed.
    package var stepExpression: DurationExpression?
    /// `offset`.
    package var offset: OffsetModifier
    /// `@`.
    package var at: AtModifier?
    /// Just behind the last byte, modifiers included.
    package var end: Int

    /// A subquery over `expression`.
    package init(
        expression: Expression, range: QueryDuration, rangeExpression: DurationExpression? = nil,
        step: QueryDuration = .zero, stepExpression: DurationExpression? = nil, offset: OffsetModifier = .none,
        at: AtModifier? = nil, end: Int
    ) {
        self.expression = expression
        self.range = range
        self.rangeExpression = rangeExpression
        self.step = step
        self.stepExpression = stepExpression
        self.offset = offset
        self.at = at
        self.end = end
    }
}
