package import MetricModel

extension Engine {
    private enum Limit {
        /// Bytes of a query.
        static let text = 1024
        /// Nodes of its tree.
        static let nodes = 24
        /// Samples held at once.
        static let samples = 8192
    }

    /// Evaluates `query` on the calling thread, if it is an instant query that takes a small part of a millisecond: for
    /// threads that must not be held up.
    ///
    /// - Parameter source: Throws where a selection would find many series or samples.
    /// - Returns: nil if the query is none of these, if all places are taken, or if it fails in any way: then
    ///   ``evaluate(_:over:at:settings:)`` tells how. Only queries that are answered are logged and observed.
    package func evaluateLightly(
        _ query: ByteString, over source: any SeriesSource, at time: Timestamp, settings: Settings = Settings()
    ) -> QueryResult? {
        // Regular expressions take long to compile, whatever they are used on.
        guard query.count <= Limit.text, !query.bytes.contains(UInt8(ascii: "~")), observer?.mayWait != true,
            let expression = try? parser.parseExpression(query)
        else { return nil }
        var nodes = Limit.nodes
        guard Self.isLight(expression, &nodes), gate.enterAtOnce() else { return nil }
        defer { gate.leave() }
        let clock = ContinuousClock()
        let began = clock.now
        let control = QueryControl(
            cancellation: nil, deadline: nil, maximumSamples: min(Limit.samples, options.maximumSamples))
        var options = options
        options.workers = 1
        let run = QueryRun(options: options, control: control, source: source, settings: settings, time: .instant(time))
        var statistics = QueryStatistics()
        let entry = log?.insert(query)
        defer { if let entry { log?.remove(entry) } }
        guard var result = try? run.evaluate(expression, &statistics, clock) else { return nil }
        statistics.totalTime = Self.seconds(clock.now - began)
        statistics.peakSamples = control.peakSamples
        result.statistics = statistics
        observer?.finished(
            FinishedQuery(
                query: query, time: .instant(time), statistics: statistics, failure: nil, origin: settings.origin))
        return result
    }

    /// Whether what an expression costs follows from its size and that of what it selects.
    private static func isLight(_ expression: Expression, _ nodes: inout Int) -> Bool {
        nodes -= 1
        guard nodes >= 0 else { return false }
        switch expression {
        case .subquery: return false
        case .call(let call) where call.function == .labelReplace || call.function == .info: return false
        default: break
        }
        for child in expression.children where !isLight(child, &nodes) { return false }
        return true
    }
}
