internal import Matching
internal import MetricModel
internal import PromQL

/// Measures queries over arrays: 1,200 counters, 240 gauges and 720 classic buckets, six hours at 15 s.
///
///     BENCHMARKS=1 NARTHEX_CORE=1 swift run -c release --scratch-path .build-bench PromQLBenchmarks [WORD…]
///
/// or, on a store in a directory, `PromQLBenchmarks dashboard DIRECTORY [WORD…]`: see ``DashboardBenchmarks``.
/// Prints, for each query that contains one of the words, the median of several runs in milliseconds.
@main struct PromQLBenchmarks {
    static func main() throws {
        if CommandLine.arguments.count > 2, CommandLine.arguments[1] == "dashboard" {
            try DashboardBenchmarks.run(CommandLine.arguments[2], Array(CommandLine.arguments.dropFirst(3)))
            return
        }
        let words = CommandLine.arguments.dropFirst().filter { $0 != "-" }
        let store = BenchmarkStore()
        var options = EngineOptions()
        options.parser = .everything
        let engine = Engine(options: options)
        measureParsing()
        for (name, query, time) in queries where words.isEmpty || words.contains(where: { name.contains($0) }) {
            var runs: [Duration] = []
            var series = 0
            for _ in 0..<7 * repetitions {
                let start = ContinuousClock.now
                let result = try engine.evaluate(ByteString(query), over: store, at: time)
                runs.append(ContinuousClock.now - start)
                if case .matrix(let rows) = result.value { series = rows.count }
                if case .vector(_, let samples) = result.value { series = samples.count }
            }
            let median = runs.sorted()[runs.count / 2] / .milliseconds(1)
            print("\((median * 1000).rounded() / 1000) ms\t\(series) series\t\(name)\t\(query)")
        }
    }

    /// `-` among the words asks for many runs, for a profiler.
    private static let repetitions = CommandLine.arguments.contains("-") ? 60 : 1

    private static func measureParsing() {
        let query: ByteString = #"sum by (job, instance) (rate(http_requests_total{code=~"5..", job!="x"}[5m])) / 2"#
        let parser = Parser()
        let start = ContinuousClock.now
        var parsed = 0
        for _ in 0..<20_000 where (try? parser.parseExpression(query)) != nil { parsed += 1 }
        let microseconds = (ContinuousClock.now - start) / .microseconds(1) / 20_000
        print("\((microseconds * 100).rounded() / 100) µs\t\(parsed) queries parsed")
    }

    private static let end: Timestamp = 6 * 3_600_000
    private static let now = Engine.Time.instant(end)
    private static let hour = Engine.Time.range(start: end - 3_600_000, end: end, step: 15_000)
    private static let full = Engine.Time.range(start: 600_000, end: end, step: 60_000)

    private static let queries: [(String, String, Engine.Time)] = [
        ("selector now", "cpu", now),
        ("selector full", "cpu", full),
        ("sum rate now", "sum by (mode) (rate(cpu[5m]))", now),
        ("sum rate hour", "sum by (mode) (rate(cpu[5m]))", hour),
        ("sum rate full", "sum(rate(cpu[5m]))", full),
        ("sum by rate full", "sum by (cluster, mode) (rate(cpu[5m]))", full),
        ("increase 1h full", "sum by (cluster) (increase(cpu[1h]))", full),
        ("avg_over_time hour", "avg_over_time(load[10m])", hour),
        ("sum_over_time full", "sum_over_time(load[1h])", full),
        ("max_over_time full", "max_over_time(load[1h])", full),
        ("quantile_over_time hour", "quantile_over_time(0.9, load[30m])", hour),
        ("stddev_over_time hour", "stddev_over_time(load[10m])", hour),
        ("predict_linear now", "predict_linear(load[1h], 3600)", now),
        ("deriv hour", "deriv(load[10m])", hour),
        ("histogram_quantile hour", "histogram_quantile(0.95, sum by (le, host) (rate(latency_bucket[5m])))", hour),
        ("division hour", "rate(cpu[5m]) / rate(cpu[10m])", hour),
        ("group_left hour", "rate(cpu[5m]) * on (host) group_left () load", hour),
        ("topk hour", "topk(5, rate(cpu[5m]))", hour),
        ("label_replace hour", #"sum by (h) (label_replace(rate(cpu[5m]), "h", "$1", "host", "host-(.*)"))"#, hour),
        ("subquery hour", "max_over_time(sum by (cluster) (rate(cpu[2m]))[30m:1m])", hour),
        ("count_values now", #"count_values("v", round(load))"#, now),
        ("unary hour", "-abs(cpu)", hour),
    ]
}

/// Series whose samples are computed from their number and the time alone.
struct BenchmarkStore: SeriesSource {
    private struct Series: SelectedSeries {
        let labels: Labels
        let timestamps: [Timestamp]
        let values: [Double]

        func read(into columns: inout SampleColumns) {
            columns.timestamps.append(contentsOf: timestamps)
            columns.values.append(contentsOf: values)
        }
    }

    private let series: [Series]

    init() {
        let timestamps = Array(stride(from: Timestamp(0), through: 6 * 3_600_000, by: 15_000))
        var series: [Series] = []
        func noise(_ a: Int, _ b: Int) -> Double {
            var state = UInt64(a) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(b) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 29
            state = state &* 0x94D0_49BB_1331_11EB
            return Double((state ^ (state >> 32)) % 1000) / 1000
        }
        for host in 0..<60 {
            let common: [(name: ByteString, value: ByteString)] = [
                ("cluster", ByteString("cluster-\(host % 4)")), ("host", ByteString("host-\(host)")),
            ]
            for cpu in 0..<20 {
                var last = 0.0
                let values = timestamps.indices.map { index in
                    last = index == 700 && cpu == 3 ? 0 : last + (noise(host * 100 + cpu, index) * 1500).rounded() / 100
                    return last
                }
                let labels = Labels(
                    common + [
                        ("__name__", "cpu"), ("cpu", ByteString("\(cpu / 4)")), ("mode", ByteString("mode-\(cpu % 4)")),
                    ])
                series.append(Series(labels: labels, timestamps: timestamps, values: values))
            }
            for number in 0..<4 {
                let labels = Labels(
                    common.filter { _ in true } + [("__name__", number == 0 ? "load" : ByteString("load\(number)"))])
                let values = timestamps.indices.map { (noise(host + 7000 * number, $0) * 800).rounded() / 100 }
                series.append(Series(labels: labels, timestamps: timestamps, values: values))
            }
            var counts = [Double](repeating: 0, count: timestamps.count)
            for (number, bound) in [
                "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
            ]
            .enumerated() {
                var total = 0.0
                for index in counts.indices {
                    total += (noise(host * 31 + number, index) * 9).rounded()
                    counts[index] += total
                }
                let labels = Labels(common + [("__name__", "latency_bucket"), ("le", ByteString(bound))])
                series.append(Series(labels: labels, timestamps: timestamps, values: counts))
            }
        }
        self.series = series.sorted { $0.labels < $1.labels }
    }

    func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) -> SeriesSelection {
        SeriesSelection(
            series: series.filter { one in matchers.allSatisfy { $0.matches(one.labels) } }.map {
                Part(series: $0, start: start, end: end)
            })
    }

    /// A series cut to the range asked for.
    private struct Part: SelectedSeries {
        let series: Series
        let start: Timestamp
        let end: Timestamp

        var labels: Labels { series.labels }

        func read(into columns: inout SampleColumns) {
            let first = max(0, Int(start / 15_000))
            let last = min(series.timestamps.count - 1, Int(end / 15_000) + 1)
            guard first <= last else { return }
            columns.timestamps.append(contentsOf: series.timestamps[first...last])
            columns.values.append(contentsOf: series.values[first...last])
        }
    }
}
