import Matching
import MetricModel
import PromQL
import Testing

/// Aggregations over more series than are evaluated at a time.
@Suite struct ManySeriesTests {
    /// Series `m{group, member}` whose value is their number, every 15 s for ten minutes; and a classic histogram `b`.
    private struct Source: SeriesSource {
        private struct One: SelectedSeries {
            let labels: Labels
            let value: Double

            func read(into columns: inout SampleColumns) {
                for index in 0..<40 { columns.append(Int64(index) * 15_000, value) }
            }
        }

        func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) -> SeriesSelection {
            var all: [One] = (0..<1500).map { number in
                let pairs: KeyValuePairs<String, String> = [
                    "__name__": "m", "group": "\(number % 3)", "member": "\(number)",
                ]
                return One(labels: Labels(pairs), value: Double(number))
            }
            all += [("1", 5), ("2", 10), ("+Inf", 10)].map { bound, count in
                One(labels: Labels(["__name__": "b", "le": bound]), value: count)
            }
            let found = all.filter { one in matchers.allSatisfy { $0.matches(one.labels) } }
            return SeriesSelection(series: found.sorted { $0.labels < $1.labels })
        }
    }

    private func values(_ query: ByteString, _ time: Engine.Time, workers: Int = 2) throws -> [String] {
        var options = EngineOptions()
        options.parser = .everything
        options.workers = workers
        let result = try Engine(options: options).evaluate(query, over: Source(), at: time)
        guard case .matrix(let series) = result.value else { return [] }
        return series.map { one in "\(one.labels) \(one.floats.map(\.value))" }
    }

    private let range = Engine.Time.range(start: 300_000, end: 420_000, step: 60_000)

    @Test(arguments: [1, 2]) func `sums are those of all series`(workers: Int) throws {
        let expected = (0..<3).map { group in
            let sum = stride(from: group, to: 1500, by: 3).reduce(0) { $0 + Double($1) }
            return "{group=\"\(group)\"} \([sum, sum, sum])"
        }
        for query in ["sum by (group) (m)", "sum by (group) (avg_over_time(m[1m]))"] as [ByteString] {
            #expect(try values(query, range, workers: workers) == expected)
        }
        #expect(try values("count(rate(m[1m]))", range, workers: workers) == ["{} [1500.0, 1500.0, 1500.0]"])
        #expect(try values("group(nothing)", range, workers: workers).isEmpty)
    }

    /// A grouping by a label that no series has makes one group too, but of rows that are held all at once.
    @Test(
        arguments: [
            "topk", "bottomk", "limitk",
        ], [1, 2]) func `what is chosen from all is what is chosen from one group`(operation: String, workers: Int)
        throws
    {
        for parameter in ["3", "1000", "0", "scalar(b{le=\"1\"}) + 2 * time() / 60", "2 - (time() > bool 360)"] {
            for argument in ["m", "m % 7", "avg_over_time(m[1m])", "m > 700"] {
                let all = ByteString("\(operation) (\(parameter), \(argument))")
                let one = ByteString("\(operation) by (nothing) (\(parameter), \(argument))")
                #expect(try values(all, range, workers: workers) == values(one, range, workers: workers), "\(all)")
            }
        }
    }

    @Test func `a ratio of all is that of one group`() throws {
        for ratio in ["0.1", "-0.9", "1", "0", "time() / 600 - 0.5"] {
            let all = try values(ByteString("limit_ratio(\(ratio), m)"), range)
            #expect(try all == values(ByteString("limit_ratio by (nothing) (\(ratio), m)"), range))
        }
    }

    @Test func `the greatest and the values that are counted come from all series`() throws {
        #expect(
            try values("topk(2, m)", range) == [
                #"{__name__="m", group="1", member="1498"} [1498.0, 1498.0, 1498.0]"#,
                #"{__name__="m", group="2", member="1499"} [1499.0, 1499.0, 1499.0]"#,
            ])
        #expect(
            try values(#"count_values("value", m > bool 99)"#, range) == [
                #"{value="0"} [100.0, 100.0, 100.0]"#, #"{value="1"} [1400.0, 1400.0, 1400.0]"#,
            ])
        #expect(throws: QueryError.self) { try values("topk(NaN, m)", range) }
    }

    @Test(arguments: [1, 2]) func `numbers beside series make no difference`(workers: Int) throws {
        #expect(
            try values("sum by (group) (2 * m + 0)", range, workers: workers)
                == values("sum by (group) (m) * 2", range, workers: workers))
        #expect(try values("count(m > 999)", range, workers: workers) == ["{} [500.0, 500.0, 500.0]"])
        #expect(try values("sum(m >= bool 1000)", range, workers: workers) == ["{} [500.0, 500.0, 500.0]"])
        #expect(try values("sum(rate(m[1m]) + 1)", range, workers: workers) == ["{} [1500.0, 1500.0, 1500.0]"])
        #expect(
            try values(#"sum({__name__=~"m|b"} > 1497)"#, range, workers: workers) == ["{} [2997.0, 2997.0, 2997.0]"])
    }

    @Test func `series without a common name may still not come out alike`() {
        #expect(throws: QueryError.self) {
            try values(#"sum(rate(label_replace(m, "member", "", "", "")[1m:15s]))"#, range)
        }
    }

    @Test func `a quantile that changes gives a series for each of its values`() throws {
        #expect(
            try values("histogram_quantiles(b, \"q\", 0.5, 0.25)", range) == [
                #"{q="0.25"} [0.5, 0.5, 0.5]"#, #"{q="0.5"} [1.0, 1.0, 1.0]"#,
            ])
        // 0.25 at the first step, 0.5 at the two after it.
        #expect(
            try values(#"histogram_quantiles(b, "q", 0.25 + 0.25 * scalar(vector(time()) > bool 300))"#, range) == [
                #"{q="0.25"} [0.5]"#, #"{q="0.5"} [1.0, 1.0]"#,
            ])
    }
}
