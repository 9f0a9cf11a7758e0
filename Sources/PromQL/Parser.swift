package import MetricModel

/// Turns query text into a checked ``Expression``.
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
        /// How deeply expressions may nest. Upstream has no such limit; its parser's stack grows on the heap.
        package var maximumDepth = 1000

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

    package let options: Options

    /// A parser for the language of `options`.
    package init(options: Options = Options()) { self.options = options }
}

extension Parser {
    /// Parses and type-checks a query.
    /// - Throws: The first error that upstream would report.
    /// - Complexity: O(length).
    package func parseExpression(_ query: ByteString) throws(ParseError) -> Expression {
        throw ParseError("no expression found in input", position: .zero, query: query)
    }
}
