package import Matching
package import MetricModel
package import PromQL
package import TSDB

/// Lets the engine read the store for one query: all its selectors see the same samples.
package struct StoreSource: SeriesSource {
    let moment: ReadMoment

    /// A source over what the database held at `moment`.
    package init(_ moment: ReadMoment) { self.moment = moment }

    package func select(
        _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
    ) throws -> SeriesSelection {
        let selected = try moment.querier(from: start, to: end).select(matchers)
        return SeriesSelection(series: selected.map { StoreSeries(series: $0) })
    }
}

/// The same for queries that must not take long.
private struct LightSource: SeriesSource {
    let moment: ReadMoment

    /// The selection finds too much.
    struct TooMuch: Error {}

    func select(
        _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
    ) throws -> SeriesSelection {
        guard let selected = try moment.querier(from: start, to: end).selectLightly(matchers) else { throw TooMuch() }
        return SeriesSelection(series: selected.map { StoreSeries(series: $0) })
    }
}

/// A series of the store, as the engine reads it.
private struct StoreSeries: PromQL.SelectedSeries {
    let series: TSDB.SelectedSeries

    var labels: Labels { series.labels }

    func read(into columns: inout SampleColumns) throws { try series.read(into: &columns) }

    func read(into columns: inout SampleColumns, while goesOn: () -> Bool) throws {
        try series.read(into: &columns, while: goesOn)
    }
}

/// Evaluates the API's queries with the engine over the store.
package struct EngineEvaluator: QueryEvaluator {
    private let engine: Engine
    private let database: Database

    /// An evaluator over `database`.
    package init(_ engine: Engine, _ database: Database) {
        self.engine = engine
        self.database = database
    }

    package func evaluateLightly(_ request: QueryRequest) -> QueryAnswer? {
        // A store that is closed is told of on the way for all queries.
        guard case .instant(let time) = request.time, request.timeout == nil, let moment = try? database.moment() else {
            return nil
        }
        return engine.evaluateLightly(
            request.query, over: LightSource(moment: moment), at: time, settings: Self.settings(request)
        ).map { QueryAnswer($0, request.query) }
    }

    private static func settings(_ request: QueryRequest) -> Engine.Settings {
        var settings = Engine.Settings()
        settings.lookbackDelta = request.lookbackDelta.flatMap { $0 > 0 ? $0 : nil }
        settings.timeout = request.timeout
        settings.countsSteps = request.countsSteps
        settings.cancellation = request.cancellation
        settings.origin = request.origin
        return settings
    }

    package func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer {
        let settings = Self.settings(request)
        let time: Engine.Time =
            switch request.time {
            case .instant(let time): .instant(time)
            case .range(let start, let end, let step): .range(start: start, end: end, step: step)
            }
        let moment: ReadMoment
        do throws(StoreError) { moment = try database.moment() } catch { throw .storage(error.description) }
        let result: QueryResult
        do throws(QueryError) {
            result = try engine.evaluate(request.query, over: StoreSource(moment), at: time, settings: settings)
        } catch {
            throw QueryFailure(error)
        }
        return QueryAnswer(result, request.query)
    }
}

extension QueryAnswer {
    fileprivate init(_ result: QueryResult, _ query: ByteString) {
        let (warnings, infos) = result.annotations.texts(query: query, limit: 10)
        self.init(
            value: Value(result.value), warnings: warnings, infos: infos, statistics: Statistics(result.statistics))
    }
}

extension QueryFailure {
    fileprivate init(_ error: QueryError) {
        self =
            switch error {
            case .parse, .badData: .invalid(error.description)
            case .timedOut: .timeout(error.description)
            case .cancelled: .canceled(error.description)
            case .storage: .storage(error.description)
            case .tooManySamples, .execution: .execution(error.description)
            }
    }
}

extension QueryAnswer.Value {
    fileprivate init(_ value: QueryResult.Value) {
        switch value {
        case .scalar(let time, let number): self = .scalar(time, number)
        case .string(let time, let text): self = .string(time, text)
        case .matrix(let series): self = .series(series)
        case .vector(let time, let samples):
            self = .vector(
                samples.map { labels, value in
                    let sample: QueryAnswer.Sample
                    switch value {
                    case .float(let number): sample = .float(number)
                    case .histogram(let histogram): sample = .histogram(histogram)
                    }
                    return QueryAnswer.VectorElement(labels: labels, timestamp: time, sample: sample)
                })
        }
    }
}

extension QueryAnswer.Statistics {
    /// What the engine counted.
    init(_ statistics: QueryStatistics) {
        self.init()
        evaluationTime = statistics.executionTime
        sortTime = statistics.sortTime
        preparationTime = statistics.preparationTime
        innerEvaluationTime = statistics.evaluationTime
        queueTime = statistics.queueTime
        executionTime = statistics.totalTime
        totalSamples = statistics.totalSamples
        samplesRead = statistics.samplesRead
        peakSamples = statistics.peakSamples
        samplesPerStep = statistics.samplesPerStep
        samplesReadPerStep = statistics.samplesReadPerStep
    }
}
