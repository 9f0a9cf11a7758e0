package import Matching
package import MetricModel

/// Turns query text into checked syntax trees.
///
/// Language, error texts and positions: prometheus/prometheus promql/parser (3.14).
package struct Parser: Sendable {
    /// Which parts of the language are switched on, and its limits.
    package struct Options: Sendable, Hashable {
        /// `--enable-feature=promql-experimental-functions`.
        package var experimentalFunctions = false
        /// `--enable-feature=promql-duration-expr`.
        package var durationExpressions = false
        /// `--enable-feature=promql-extended-range-selectors`: `anchored` and `smoothed`.
        package var extendedRangeSelectors = false
        /// `--enable-feature=promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`.
        package var binaryFillModifiers = false
        /// How deep the tree may be: an operator adds one, so a chain of that many operators is the longest.
        /// Upstream has no such limit.
        package var maximumDepth = 1000
        /// How many parentheses, calls, signs and the like may be open at one place.
        package var maximumNesting = 200

        /// The language as it is without feature flags.
        package init() {}

        /// Everything switched on.
        package static let everything: Options = {
            var options = Options()
            options.experimentalFunctions = true
            options.durationExpressions = true
            options.extendedRangeSelectors = true
            options.binaryFillModifiers = true
            return options
        }()
    }

    /// Which parts of the language are taken.
    package let options: Options

    /// A parser for the language of `options`.
    package init(options: Options = Options()) { self.options = options }

    /// Parses and type-checks a query.
    /// - Throws: The first error that upstream would report.
    /// - Complexity: O(length).
    package func parseExpression(_ query: ByteString) throws(ParseError) -> Expression {
        var parser = SyntaxParser(query, options: options)
        let expression = try parser.wholeQuery()
        _ = try TypeChecker(query: query).check(expression)
        return expression
    }

    /// Parses an instant vector selector without modifiers, as `match[]` takes them: `up{job="api"}`.
    /// - Throws: The first error that upstream would report. A selector that selects everything is none.
    package func parseMetricSelector(_ text: ByteString) throws(ParseError) -> [Matcher] {
        var parser = SyntaxParser(text, options: options)
        let selector = try parser.metricSelector()
        try parser.expectEnd()
        return selector.matchers
    }
}
