package import MetricModel

/// Evaluates PromQL queries.
///
/// A call blocks its thread until the result is there. Safe to use from many threads; at most
/// ``EngineOptions/maximumConcurrency`` queries run at the same time, the others wait their turn.
package final class Engine: Sendable {
    package let options: EngineOptions
    private let parser: Parser
    private let gate: QueryGate
    private let log: ActiveQueryLog?

    /// An engine.
    /// - Parameter log: Where queries are noted while they run.
    package init(options: EngineOptions = EngineOptions(), log: ActiveQueryLog? = nil) {
        self.options = options
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
        try gate.enter(control)
        defer { gate.leave() }
        let entry = log?.insert(query)
        defer { if let entry { log?.remove(entry) } }
        var statistics = QueryStatistics()
        statistics.queueTime = Self.seconds(clock.now - began)
        let run = QueryRun(options: options, control: control, source: source, settings: settings, time: time)
        do {
            var result = try run.evaluate(expression, statistics, clock)
            result.statistics.peakSamples = control.peakSamples
            return result
        } catch let error as QueryError {
            throw error
        } catch {
            throw .execution("\(error)")
        }
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
