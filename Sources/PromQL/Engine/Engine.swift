package import MetricModel

/// Evaluates PromQL queries.
///
/// A call blocks its thread until the result is there. Safe to use from many threads; at most
/// ``EngineOptions/maximumConcurrency`` queries run at the same time, the others wait their turn.
package final class Engine: Sendable {
    /// What it may use, and what it knows.
    package let options: EngineOptions
    let parser: Parser
    let gate: QueryGate
    let log: ActiveQueryLog?
    let observer: (any QueryObserver)?

    /// An engine.
    /// - Parameters:
    ///   - log: Where queries are noted while they run.
    ///   - observer: Who is told of queries that ended.
    package init(
        options: EngineOptions = EngineOptions(), log: ActiveQueryLog? = nil, observer: (any QueryObserver)? = nil
    ) {
        self.options = options
        self.observer = observer
        parser = Parser(options: options.parser)
        gate = QueryGate(limit: options.maximumConcurrency)
        self.log = log
    }

    /// What one query may set for itself.
    package struct Settings: Sendable {
        /// Milliseconds; nil for the engine's.
        package var lookbackDelta: Int64?
        /// nil for the engine's; never longer than that.
        package var timeout: Duration?
        /// Whether samples are counted for each step, where ``EngineOptions/reportsStepStatistics`` allows it.
        package var countsSteps = false
        /// Ends the query from another thread.
        package var cancellation: QueryCancellation?
        /// Where the query came from, for the observer.
        package var origin: QueryOrigin?

        /// The engine's settings.
        package init() {}
    }

    /// The moments at which a query is evaluated.
    package enum Time: Sendable, Hashable {
        /// One moment, in milliseconds.
        case instant(Timestamp)
        /// From `start` through `end`, every `step` milliseconds.
        case range(start: Timestamp, end: Timestamp, step: Int64)
    }

    /// Evaluates `query` over `source`.
    /// - Throws: ``QueryError``.
    package func evaluate(
        _ query: ByteString, over source: any SeriesSource, at time: Time, settings: Settings = Settings()
    ) throws(QueryError) -> QueryResult {
        let clock = ContinuousClock()
        let began = clock.now
        let timeout = min(settings.timeout ?? options.timeout, options.timeout)
        let control = QueryControl(
            cancellation: settings.cancellation, deadline: began.advanced(by: timeout),
            maximumSamples: options.maximumSamples)
        let expression: Expression
        do throws(ParseError) {
            expression = try parser.parseExpression(query)
        } catch {
            throw .parse(error)
        }
        if case .range = time, expression.type != .vector, expression.type != .scalar {
            throw .badData(
                "invalid expression type \(Quoting.quote(ByteString(expression.type.documentedName))) for range query, "
                    + "must be Scalar or instant Vector")
        }
        var statistics = QueryStatistics()
        let run = QueryRun(options: options, control: control, source: source, settings: settings, time: time)
        let outcome = attempt(run, expression, query, began, &statistics)
        statistics.peakSamples = control.peakSamples
        observer?.finished(
            FinishedQuery(
                query: query, time: time, statistics: statistics, failure: outcome.failure, origin: settings.origin))
        var result = try outcome.get()
        result.statistics = statistics
        return result
    }

    /// Waits for a place, and evaluates.
    private func attempt(
        _ run: QueryRun, _ expression: Expression, _ query: ByteString, _ began: ContinuousClock.Instant,
        _ statistics: inout QueryStatistics
    ) -> Result<QueryResult, QueryError> {
        let clock = ContinuousClock()
        defer { statistics.totalTime = Self.seconds(clock.now - began) }
        do {
            defer { statistics.queueTime = Self.seconds(clock.now - began) }
            try gate.enter(run.control)
        } catch {
            return .failure(error)
        }
        defer { gate.leave() }
        let entry = log?.insert(query)
        defer { if let entry { log?.remove(entry) } }
        do {
            return .success(try run.evaluate(expression, &statistics, clock))
        } catch let error as QueryError {
            return .failure(error)
        } catch {
            return .failure(.execution("\(error)"))
        }
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}

extension Result where Failure == QueryError {
    /// Why it failed; nil if it did not.
    fileprivate var failure: QueryError? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
