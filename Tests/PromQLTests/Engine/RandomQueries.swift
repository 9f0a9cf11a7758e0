import Matching
import MetricModel
import PromQL
import TestSupport

/// Random queries over ``RandomData``'s series: most of them make sense, some do not.
struct RandomQueries {
    var random: SeededGenerator

    mutating func query() -> String { Bool.random(using: &random) ? vector(4) : scalar(3) }

    private mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }

    private mutating func selector() -> String {
        let name = pick(["requests_total", "temperature", "latency_bucket", "sizes", "mixed", "gaps", "absent"])
        let matchers = pick(["", "", "", #"{job="a"}"#, #"{job=~"a|b"}"#, #"{instance!="1"}"#, #"{le="+Inf"}"#])
        return name + matchers
    }

    private mutating func duration() -> String { pick(["15s", "30s", "1m", "90s", "5m", "10m", "1h"]) }

    private mutating func modifiers() -> String {
        pick(["", "", "", "", " offset 30s", " offset -45s", " @ 600", " @ start()", " @ end() offset 1m"])
    }

    private mutating func range(_ depth: Int) -> String {
        if depth > 1 && Int.random(in: 0..<4, using: &random) == 0 {
            return "(\(vector(depth - 2)))[\(duration()):\(pick(["", "15s", "1m", "47s"]))]\(modifiers())"
        }
        let edges = Int.random(in: 0..<8, using: &random) == 0 ? pick([" anchored", " smoothed"]) : ""
        return "\(selector())[\(duration())]\(edges)\(modifiers())"
    }

    mutating func scalar(_ depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 4), using: &random) {
        case 0: return pick(["0", "1", "2.5", "-3", "1e9", "NaN", "Inf"])
        case 1: return "time()"
        case 2: return pick(["pi()", "start()", "end()", "step()", "range()"])
        case 3: return "0.\(Int.random(in: 0..<100, using: &random))"
        case 4: return "scalar(\(vector(depth - 1)))"
        case 5: return "(\(scalar(depth - 1)) \(pick(["+", "-", "*", "/", "%", "^", "atan2"])) \(scalar(depth - 1)))"
        case 6: return "(\(scalar(depth - 1)) \(pick(["==", "<", ">=", "!="])) bool \(scalar(depth - 1)))"
        default: return "\(pick(["max_of", "min_of"]))(\(scalar(depth - 1)), \(scalar(depth - 1)))"
        }
    }

    mutating func vector(_ depth: Int) -> String {
        if depth <= 0 { return selector() + modifiers() }
        switch Int.random(in: 0..<14, using: &random) {
        case 0, 1: return selector() + modifiers()
        case 2, 3, 4:
            return "\(pick(Self.rangeFunctions))(\(range(depth)))"
        case 5: return "quantile_over_time(\(scalar(1)), \(range(depth)))"
        case 6: return "predict_linear(\(range(depth)), \(scalar(1)))"
        case 7, 8:
            let grouping = pick(["", "by (job) ", "by (job, le) ", "without (instance) ", "by () "])
            return "\(pick(Self.aggregations)) \(grouping)(\(vector(depth - 1)))"
        case 9:
            let operation = pick(["topk", "bottomk", "limitk", "quantile", "limit_ratio"])
            return "\(operation) \(pick(["", "by (job) "]))(\(scalar(1)), \(vector(depth - 1)))"
        case 10: return "\(pick(Self.functions))(\(vector(depth - 1)))"
        case 11:
            let operation = pick(["+", "-", "*", "/", "==", "!= bool", ">", "and", "or", "unless", "</", ">/"])
            let matching = pick(["", "on (job, instance) ", "ignoring (le) ", "on (job) group_left () "])
            return "(\(vector(depth - 1)) \(operation) \(matching)\(vector(depth - 1)))"
        case 12:
            let operation = pick(["+", "-", "*", "/", "%", "^", "==", "> bool", "<="])
            return Bool.random(using: &random)
                ? "(\(vector(depth - 1)) \(operation) \(scalar(1)))"
                : "(\(scalar(1)) \(operation) \(vector(depth - 1)))"
        default:
            return pick([
                "-\(vector(depth - 1))", #"label_replace(\#(vector(depth - 1)), "new", "$1", "job", "(.*)")"#,
                "histogram_quantile(\(scalar(1)), \(vector(depth - 1)))", "clamp(\(vector(depth - 1)), 1, 100)",
                #"count_values("value", \#(vector(depth - 1)))"#, "round(\(vector(depth - 1)), 0.5)",
                "histogram_fraction(0, \(scalar(1)), \(vector(depth - 1)))", "vector(\(scalar(depth - 1)))",
                #"label_join(\#(vector(depth - 1)), "new", "-", "job", "instance")"#,
                "double_exponential_smoothing(\(range(depth)), 0.5, 0.5)",
            ])
        }
    }

    private static let rangeFunctions = [
        "rate", "increase", "delta", "irate", "idelta", "changes", "resets", "sum_over_time", "avg_over_time",
        "min_over_time", "max_over_time", "count_over_time", "last_over_time", "first_over_time",
        "present_over_time", "absent_over_time", "stddev_over_time", "stdvar_over_time", "mad_over_time", "deriv",
        "ts_of_max_over_time", "ts_of_min_over_time", "ts_of_last_over_time", "ts_of_first_over_time",
    ]

    private static let aggregations = ["sum", "avg", "count", "min", "max", "stddev", "stdvar", "group"]

    private static let functions = [
        "abs", "ceil", "floor", "exp", "ln", "sqrt", "sgn", "timestamp", "sin", "deg", "absent", "sort", "sort_desc",
        "histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "day_of_year", "minute", "month",
    ]
}

/// Some series of every kind, from 0 to 20 minutes.
struct RandomData: SeriesSource {
    private var series: [One] = []

    private struct One: SelectedSeries {
        let labels: Labels
        var samples = SampleColumns()

        func read(into columns: inout SampleColumns) { columns = samples }
    }

    /// - Parameter instances: How many series there are of each metric and job, of each bound of a bucket; of native
    ///   histograms at most 100.
    init(seed: UInt64, instances: Int = 3) {
        var random = SeededGenerator(seed: seed)
        for job in ["a", "b"] {
            for number in 1...instances {
                let instance = "\(number)"
                add("requests_total", job, instance, nil) { last in
                    Int.random(in: 0..<30, using: &random) == 0
                        ? 0 : last + Double(Int.random(in: 0..<9, using: &random))
                }
                add("temperature", job, instance, nil) { _ in Double.random(in: -10...30, using: &random) }
                add("gaps", job, instance, nil) { last in
                    switch Int.random(in: 0..<12, using: &random) {
                    case 0: SampleValue.stale
                    case 1, 2, 3, 4: nil
                    case 5: .nan
                    case 6: .infinity
                    default: last.isFinite ? last + 1 : 0
                    }
                }
                for bound in ["0.1", "1", "+Inf"] {
                    add("latency_bucket", job, instance, bound) { $0 + Double(Int.random(in: 0..<5, using: &random)) }
                }
                if number > 100 { continue }
                addHistograms("sizes", job, instance, mixed: false, &random)
                addHistograms("mixed", job, instance, mixed: true, &random)
            }
        }
        series.sort { $0.labels < $1.labels }
    }

    private mutating func add(
        _ name: String, _ job: String, _ instance: String, _ bound: String?, _ next: (Double) -> Double?
    ) {
        var pairs: [(ByteString, ByteString)] = [
            ("__name__", ByteString(name)), ("job", ByteString(job)), ("instance", ByteString(instance)),
        ]
        if let bound { pairs.append(("le", ByteString(bound))) }
        var one = One(labels: Labels(pairs.map { (name: $0.0, value: $0.1) }))
        var last = 0.0
        for time in stride(from: Timestamp(0), through: 1_200_000, by: 15_000) {
            guard let value = next(last) else { continue }
            one.samples.append(time, value)
            if !SampleValue.isStale(value) { last = value }
        }
        series.append(one)
    }

    private mutating func addHistograms(
        _ name: String, _ job: String, _ instance: String, mixed: Bool, _ random: inout SeededGenerator
    ) {
        var one = One(
            labels: Labels([
                (name: "__name__", value: ByteString(name)), (name: "job", value: ByteString(job)),
                (name: "instance", value: ByteString(instance)),
            ]))
        var counts: [Double] = [0, 0, 0]
        for time in stride(from: Timestamp(0), through: 1_200_000, by: 15_000) {
            if mixed && Int.random(in: 0..<3, using: &random) == 0 {
                one.samples.append(time, Double.random(in: 0...9, using: &random))
                continue
            }
            if Int.random(in: 0..<25, using: &random) == 0 { counts = [0, 0, 0] }
            for index in counts.indices { counts[index] += Double(Int.random(in: 0..<3, using: &random)) }
            one.samples.append(
                time,
                FloatHistogram(
                    schema: Int32.random(in: 0...1, using: &random), zeroThreshold: 0.001, zeroCount: counts[0],
                    count: counts.reduce(counts[0], +), sum: counts.reduce(0, +) * 2,
                    positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveBuckets: counts))
        }
        series.append(one)
    }

    func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) -> SeriesSelection {
        SeriesSelection(series: series.filter { one in matchers.allSatisfy { $0.matches(one.labels) } })
    }
}
