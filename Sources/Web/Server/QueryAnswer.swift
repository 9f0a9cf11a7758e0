package import MetricModel
package import PromQL

/// A query as the API asks it.
package struct QueryRequest: Sendable {
    /// The moments at which it is evaluated, in milliseconds.
    package enum Time: Sendable, Hashable {
        case instant(Timestamp)
        case range(start: Timestamp, end: Timestamp, step: Int64)
    }

    /// PromQL.
    package var query: ByteString
    /// When.
    package var time: Time
    /// How far back samples are looked for, in milliseconds; nil for the default.
    package var lookbackDelta: Int64?
    /// How long it may take; nil for the default.
    package var timeout: Duration?
    /// Whether samples are counted for each step.
    package var countsSteps = false
    /// Ends the query when nobody waits for the answer any more.
    package var cancellation: QueryCancellation?
    /// Who asks, for the query log.
    package var origin: QueryOrigin?

    /// A query.
    package init(_ query: ByteString, _ time: Time) {
        self.query = query
        self.time = time
    }
}

/// What a query gave.
package struct QueryAnswer: Sendable {
    /// A number or a histogram.
    package typealias Sample = SeriesDescription.Value.Sample

    /// One series of an instant vector.
    package struct VectorElement: Sendable {
        /// Of the series.
        package var labels: Labels
        /// The query's time, or that of the sample where the query asks for it.
        package var timestamp: Timestamp
        /// Its value.
        package var sample: Sample

        /// An element.
        package init(labels: Labels, timestamp: Timestamp, sample: Sample) {
            self.labels = labels
            self.timestamp = timestamp
            self.sample = sample
        }
    }

    /// One series of a range vector: numbers and histograms apart, each in time order.
    package struct MatrixSeries: Sendable {
        /// Of the series.
        package var labels: Labels
        /// Numbers.
        package var floats: [(timestamp: Timestamp, value: Double)]
        /// Histograms.
        package var histograms: [(timestamp: Timestamp, value: FloatHistogram)]

        /// A series.
        package init(
            labels: Labels, floats: [(timestamp: Timestamp, value: Double)],
            histograms: [(timestamp: Timestamp, value: FloatHistogram)] = []
        ) {
            self.labels = labels
            self.floats = floats
            self.histograms = histograms
        }
    }

    /// The value, by type.
    package enum Value: Sendable {
        case scalar(Timestamp, Double)
        case string(Timestamp, ByteString)
        case vector([VectorElement])
        case matrix([MatrixSeries])
        /// A range vector as the engine gives it.
        case series([ResultSeries])
    }

    /// The value.
    package var value: Value
    /// At most ten, then how many more.
    package var warnings: [String]
    /// At most ten, then how many more.
    package var infos: [String]
    /// What it took.
    package var statistics: Statistics

    /// What the query took; times in seconds.
    package struct Statistics: Sendable {
        /// All of the evaluation.
        package var evaluationTime = 0.0
        /// Sorting the result.
        package var sortTime = 0.0
        /// Planning.
        package var preparationTime = 0.0
        /// Reading samples and computing.
        package var innerEvaluationTime = 0.0
        /// Waiting for a place.
        package var queueTime = 0.0
        /// From the question to the answer.
        package var executionTime = 0.0
        /// Samples used, once for each step that used them.
        package var totalSamples = 0
        /// Samples read.
        package var samplesRead = 0
        /// The most that were held at once.
        package var peakSamples = 0
        /// ``totalSamples`` by step, where that is asked for.
        package var samplesPerStep: [(time: Timestamp, samples: Int)] = []
        /// ``samplesRead`` by step, where that is asked for.
        package var samplesReadPerStep: [(time: Timestamp, samples: Int)] = []

        /// Nothing.
        package init() {}
    }

    /// An answer.
    package init(
        value: Value, warnings: [String] = [], infos: [String] = [], statistics: Statistics = Statistics()
    ) {
        self.value = value
        self.warnings = warnings
        self.infos = infos
        self.statistics = statistics
    }
}

/// What evaluates queries.
package protocol QueryEvaluator: Sendable {
    /// Evaluates a query; blocks the calling thread.
    /// - Throws: ``QueryFailure``.
    func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer
    /// Evaluates a query if that neither waits for anything nor takes more than a small part of a millisecond; nil if it
    /// may, or if it fails.
    func evaluateLightly(_ request: QueryRequest) -> QueryAnswer?
}

extension QueryEvaluator {
    /// None is.
    package func evaluateLightly(_ request: QueryRequest) -> QueryAnswer? { nil }
}

/// Why a query failed, by what the API makes of it.
package enum QueryFailure: Error, Sendable {
    /// It cannot be asked like this: its text, or its type for this kind of request.
    case invalid(String)
    case canceled(String)
    case timeout(String)
    /// The store failed.
    case storage(String)
    case execution(String)
}
