package import MetricModel
package import PromQL

/// What a script tests: a store and an engine over it.
package protocol ScriptSubject {
    /// Forgets all data.
    /// - Throws: What the store has to say.
    mutating func clear() throws

    /// Adds samples; what was there stays.
    /// - Throws: What the store has to say.
    mutating func load(_ series: [LoadCommand.Series]) throws

    /// Evaluates `query` with every part of the language switched on.
    /// - Throws: Why the query failed; its description is what `expect fail` looks at.
    func answer(_ query: ByteString, at time: EvaluateCommand.Time) throws -> ScriptAnswer
}

/// The result of a query.
package struct ScriptAnswer: Sendable {
    /// A sample of an instant vector.
    package struct Sample: Sendable {
        /// Of the series.
        package var labels: Labels
        /// A number or a histogram.
        package var value: SeriesDescription.Value.Sample

        /// A sample.
        package init(labels: Labels, value: SeriesDescription.Value.Sample) {
            self.labels = labels
            self.value = value
        }
    }

    /// A series of a range vector.
    package struct Series: Sendable {
        /// Of the series.
        package var labels: Labels
        /// By time.
        package var points: [(timestamp: Timestamp, value: SeriesDescription.Value.Sample)]

        /// A series.
        package init(labels: Labels, points: [(timestamp: Timestamp, value: SeriesDescription.Value.Sample)]) {
            self.labels = labels
            self.points = points
        }
    }

    /// The value, by type.
    package enum Value: Sendable {
        case scalar(Double)
        case string(ByteString)
        case vector([Sample])
        case matrix([Series])
    }

    /// The value.
    package var value: Value
    /// Sentences, as the API shows them.
    package var warnings: [String]
    /// Sentences, as the API shows them.
    package var infos: [String]

    /// An answer.
    package init(value: Value, warnings: [String] = [], infos: [String] = []) {
        self.value = value
        self.warnings = warnings
        self.infos = infos
    }
}
