import MetricModel
import PromQL
import Testing

/// Work on so many series that it is spread over cores: parallel and serial evaluation agree to the last bit and in the
/// order of what they give.
@Suite struct ParallelEvaluationTests {
    /// 800 series of each metric, 2,400 buckets, 200 native histograms.
    private static let data = RandomData(seed: 7, instances: 400)

    private static func text(_ value: QueryResult.Value) -> [String] {
        switch value {
        case .scalar(let time, let number): ["\(time) \(number.bitPattern)"]
        case .string(let time, let text): ["\(time) \(text)"]
        case .vector(_, let samples):
            samples.map { labels, value in
                switch value {
                case .float(let number): "\(labels) \(number.bitPattern)"
                case .histogram(let histogram): "\(labels) \(histogram)"
                }
            }
        case .matrix(let series):
            series.map { one in
                "\(one.labels) \(one.floats.map { "\($0.timestamp) \($0.value.bitPattern)" }) "
                    + "\(one.histograms.map { "\($0.timestamp) \($0.value.value)" })"
            }
        }
    }

    private static func answer(_ query: String, _ time: Engine.Time, workers: Int) -> [String] {
        var options = EngineOptions()
        options.parser = .everything
        options.workers = workers
        var settings = Engine.Settings()
        settings.countsSteps = true
        do throws(QueryError) {
            let query = ByteString(query)
            let result = try Engine(options: options).evaluate(query, over: data, at: time, settings: settings)
            let notes = result.annotations.texts(query: query, limit: 0)
            let statistics = result.statistics
            return text(result.value) + notes.warnings + notes.infos
                + ["\(statistics.totalSamples) \(statistics.peakSamples) \(statistics.samplesPerStep.map(\.samples))"]
        } catch {
            return [error.description]
        }
    }

    private static func check(_ query: String) {
        for time in [Engine.Time.instant(600_000), .range(start: 0, end: 900_000, step: 225_000)] {
            let serial = answer(query, time, workers: 1)
            for workers in [2, 5] { #expect(answer(query, time, workers: workers) == serial, "\(query)") }
        }
    }

    @Test(arguments: [
        // Selectors.
        "temperature", #"latency_bucket{le!="1"}"#, "gaps offset 30s", "requests_total @ 600", "temperature smoothed",
        "timestamp(gaps)", "sizes", "mixed", "gaps[2m]", "sizes[1m] @ 600",
        // Functions of samples, and of a range.
        "abs(temperature)", "histogram_sum(sizes)", "histogram_quantile(0.9, latency_bucket)",
        "histogram_quantile(0.9, sizes)", "clamp(temperature, 0, time() / 100)", "round(temperature)",
        "rate(requests_total[2m])", "rate(requests_total[2m] anchored)", "increase(requests_total[2m] smoothed)",
        "rate(sizes[2m])", "rate(mixed[2m])", "avg_over_time(gaps[5m])", "quantile_over_time(0.3, temperature[3m])",
        "changes(mixed[5m])", "resets(requests_total[5m])", "predict_linear(temperature[5m], 60)",
        "absent_over_time(gaps[15s])", "last_over_time(mixed[1m])", "mad_over_time(temperature[5m])",
        "max_over_time(rate(latency_bucket[1m])[5m:1m])", "count_over_time((temperature > 0)[5m:30s])",
        // Aggregations.
        "sum(temperature)", "avg by (job, le) (rate(latency_bucket[2m]))", "sum by (job) (sizes)", "avg(mixed)",
        "stddev without (instance) (temperature)", "min(gaps)", "count(gaps)", "group by (instance) (latency_bucket)",
        "quantile by (job) (0.7, temperature)", "topk(7, temperature)", "bottomk by (job) (3, requests_total)",
        "limitk(9, latency_bucket)", "limit_ratio(0.4, temperature)", #"count_values("v", requests_total)"#,
        // Operations.
        "-temperature", "temperature * 2 > 3", "latency_bucket / ignoring (le) group_left () requests_total",
        "temperature > bool on (job, instance) gaps", "gaps or temperature", "latency_bucket unless gaps",
        "temperature and on (instance) sizes", "sizes + mixed", "gaps + fill (1) temperature",
        "vector(time())", "scalar(temperature)", "absent(temperature)",
        // Labels.
        #"label_replace(temperature, "x", "$1", "instance", "(.).*")"#, "sort_desc(temperature)",
        #"sort_by_label(gaps, "instance")"#, #"label_join(sizes, "x", "-", "job", "instance")"#,
    ])
    func `each kind of node gives the same on any number of cores`(query: String) { Self.check(query) }

    /// The limit of samples is reached wherever it is reached on one core.
    @Test(arguments: ["temperature", "rate(latency_bucket[2m])", "sum(latency_bucket)"])
    func `too many samples are too many on any number of cores`(query: ByteString) {
        for (limit, fails) in [(800 * 5 - 1, true), (2400 * 5, false)] {
            for workers in [1, 2, 5] {
                var options = EngineOptions()
                options.workers = workers
                options.maximumSamples = limit
                let time = Engine.Time.range(start: 300_000, end: 900_000, step: 150_000)
                let outcome = Result { () throws(QueryError) in
                    try Engine(options: options).evaluate(query, over: Self.data, at: time)
                }
                switch outcome {
                case .success: #expect(!fails)
                case .failure(.tooManySamples): #expect(fails)
                case .failure(let error): Issue.record("\(error)")
                }
            }
        }
    }
}
