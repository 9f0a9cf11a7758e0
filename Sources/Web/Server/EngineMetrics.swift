package import MetricModel
internal import Scrape
internal import Synchronization

/// What is counted of queries, under Prometheus' names.
///
/// Source: prometheus/prometheus promql/engine.go (`NewEngine`).
package final class EngineMetrics: Sendable {
    private let running = Atomic<Int>(0)
    private let samples = Atomic<UInt64>(0)
    private let samplesRead = Atomic<UInt64>(0)
    private let maximumConcurrency: Int
    /// Where queries are logged.
    package let log = QueryLog()
    private let slices = LengthSummary(
        "prometheus_engine_query_duration_seconds", "Query timings", label: "slice", quantiles: [0.5, 0.9, 0.99])

    /// Nothing counted yet.
    package init(maximumConcurrency: Int) {
        self.maximumConcurrency = maximumConcurrency
        for slice in ["inner_eval", "prepare_time", "queue_time", "result_sort"] { slices.show(slice) }
    }

    func begin() { running.add(1, ordering: .relaxed) }

    func end() { running.subtract(1, ordering: .relaxed) }

    func count(_ statistics: QueryAnswer.Statistics) {
        slices.observe(statistics.queueTime, "queue_time")
        slices.observe(statistics.preparationTime, "prepare_time")
        slices.observe(statistics.innerEvaluationTime, "inner_eval")
        slices.observe(statistics.sortTime, "result_sort")
        samples.wrappingAdd(UInt64(clamping: statistics.totalSamples), ordering: .relaxed)
        samplesRead.wrappingAdd(UInt64(clamping: statistics.samplesRead), ordering: .relaxed)
    }

    /// The families.
    package var families: [MetricFamily] {
        [
            slices.family,
            slices.histogramFamily(
                "prometheus_engine_query_duration_histogram_seconds",
                "The duration of various parts of PromQL query execution."),
            ServerMetrics.gauge(
                "prometheus_engine_queries", "The current number of queries being executed or waiting.",
                Double(running.load(ordering: .relaxed))),
            ServerMetrics.gauge(
                "prometheus_engine_queries_concurrent_max", "The max number of concurrent queries.",
                Double(maximumConcurrency)),
            ServerMetrics.counter(
                "prometheus_engine_query_samples_total",
                "The total number of samples loaded by all queries (full window per step for range-vector).",
                samples.load(ordering: .relaxed)),
            ServerMetrics.counter(
                "prometheus_engine_query_samples_read_total",
                "The total number of samples read by all queries (only new points per step for range-vector).",
                samplesRead.load(ordering: .relaxed)),
            ServerMetrics.gauge(
                "prometheus_engine_query_log_enabled", "State of the query log.", log.status.isOpen ? 1 : 0),
            ServerMetrics.counter(
                "prometheus_engine_query_log_failures_total", "The number of query log failures.", log.status.failures),
        ]
    }
}

/// Evaluates queries with another evaluator, which may come later, and counts them.
package final class MeteredEvaluator: QueryEvaluator {
    private let metrics: EngineMetrics
    private let evaluator = Mutex<(any QueryEvaluator)?>(nil)

    /// An evaluator that refuses until it is given one.
    package init(_ metrics: EngineMetrics) { self.metrics = metrics }

    /// From now on `evaluator` evaluates.
    package func open(_ evaluator: any QueryEvaluator) { self.evaluator.withLock { $0 = evaluator } }

    package func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer {
        guard let evaluator = evaluator.withLock({ $0 }) else { throw .storage("TSDB not ready") }
        metrics.begin()
        defer { metrics.end() }
        let answer = try evaluator.evaluate(request)
        metrics.count(answer.statistics)
        return answer
    }

    package func evaluateLightly(_ request: QueryRequest) -> QueryAnswer? {
        guard let answer = evaluator.withLock({ $0 })?.evaluateLightly(request) else { return nil }
        metrics.count(answer.statistics)
        return answer
    }
}
