package import Matching
package import MetricModel
package import PromQL

/// A test script for PromQL engines, parsed.
///
/// The language is upstream's; source: prometheus/prometheus promql/promqltest/README.md and test.go.
package struct Script: Sendable {
    /// In the order of the file.
    package var commands: [ScriptCommand]
}

/// One step of a script.
package enum ScriptCommand: Sendable {
    /// Forget all data.
    case clear
    case load(LoadCommand)
    case evaluate(EvaluateCommand)
}

/// Adds series to the store.
package struct LoadCommand: Sendable {
    /// One series and its samples.
    package struct Series: Sendable {
        /// Of the series.
        package var labels: Labels
        /// By time.
        package var samples: [Sample]
    }

    /// One sample.
    package struct Sample: Sendable {
        /// Milliseconds.
        package var timestamp: Timestamp
        /// When counting began, in milliseconds; 0 if unknown.
        package var startTimestamp: Timestamp = 0
        /// A number or a histogram.
        package var value: SeriesDescription.Value.Sample
    }

    /// In the order of the file.
    package var series: [Series]
    /// Whether classic histograms are loaded a second time, as native ones with custom buckets.
    package var addsCustomBuckets: Bool

    /// The classic histograms among ``series`` as native ones with custom buckets.
    /// - Throws: What keeps one from being converted.
    package func convertedSeries() throws -> [Series] {
        var conversion = ClassicHistogramConversion()
        for one in series { try conversion.add(one) }
        return try conversion.series()
    }
}

/// Asks a query and says what is expected.
package struct EvaluateCommand: Sendable {
    /// When the query is evaluated.
    package enum Time: Sendable, Hashable {
        case instant(Timestamp)
        case range(start: Timestamp, end: Timestamp, step: Int64)
    }

    /// A text that an error or annotation must be, or a pattern it must contain.
    package enum Pattern: Sendable {
        case text(String)
        /// The pattern as written, and compiled so that it may match anywhere.
        case expression(source: String, RegularExpression)
    }

    /// What is expected of warnings, or of infos.
    package enum AnnotationExpectation: Sendable {
        /// Nothing is checked.
        case anything
        /// There must be none.
        case none
        /// Each pattern must match one, and each one must match a pattern.
        case matching([Pattern])
    }

    /// A series that is expected: one value for an instant, one for each step of a range.
    package struct ExpectedSeries: Sendable {
        package var description: SeriesDescription
        /// Where it must stand in an ordered result, from 1.
        package var position: Int
    }

    /// The result that is expected; the type of the answer decides which part of it counts.
    package struct Result: Sendable {
        /// Empty where the script names no text, as upstream has it.
        package var text: ByteString = ""
        /// Set where the script expects a scalar and nothing else.
        package var scalar: Double?
        package var series: [ExpectedSeries] = []

        /// What is expected of the series with `labels`.
        func series(_ labels: Labels) -> ExpectedSeries? { series.first { $0.description.labels == labels } }
    }

    /// Its text.
    package var query: ByteString
    /// Counted from 1.
    package var line: Int
    /// The moments at which it is evaluated.
    package var time: Time
    /// Nil if success is expected; else all that the error must match.
    package var failure: [Pattern]?
    /// What is expected of warnings.
    package var warnings = AnnotationExpectation.anything
    /// What is expected of infos.
    package var infos = AnnotationExpectation.anything
    /// Whether there must be a warning, whatever it says: `eval_warn`.
    package var needsWarning = false
    /// Whether there must be an info, whatever it says: `eval_info`.
    package var needsInfo = false
    /// Whether the order of the series counts.
    package var isOrdered = false
    /// What is expected.
    package var result = Result()
    /// The times of the samples of a range vector that an instant query gives.
    package var rangeVector: (start: Timestamp, end: Timestamp, step: Int64)?
    /// Whether an instant query is also asked as a range query, which must give the same.
    package var comparesRange = true
}

/// Why a script cannot be run.
package struct ScriptError: Error, CustomStringConvertible {
    /// What is wrong.
    package var message: String
    /// Counted from 1.
    package var line: Int

    package var description: String { "line \(line): \(message)" }
}

extension EvaluateCommand.Pattern {
    /// Whether `text` is as expected.
    func matches(_ text: String) -> Bool {
        switch self {
        case .text(let expected): ByteString(expected) == ByteString(text)
        case .expression(_, let expression): expression.matches(ByteString(text))
        }
    }

    /// How failures name the pattern.
    var description: String {
        switch self {
        case .text(let text): "message \(Quoting.quote(ByteString(text)))"
        case .expression(let source, _): "pattern \(Quoting.quote(ByteString(source)))"
        }
    }
}
