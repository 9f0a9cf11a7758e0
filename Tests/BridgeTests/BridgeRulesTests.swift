import Bridge
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// What a job that scrapes the gateway says of series holds for pushes as well.
@Suite struct BridgeRulesTests {
    private static let classic =
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"
    private let native = #"{__name__="h", job="a"}"#

    @Test func `series that the rules drop are not stored, and renamed ones under their new name only`() throws {
        let rules = BridgeRules(
            relabelling: .init(identity: "1") { labels in
                switch labels.metricName {
                case "drop": nil
                case "push_failure_time_seconds": nil
                default: labels.setting("site", "x").removing("instance")
                }
            })
        let driver = try BridgeDriver(rules)
        try driver.push("g 1\ndrop 2\n")
        driver.now += 10
        try driver.push("g 2\ndrop 3\n")
        driver.now += 10
        driver.delete()
        #expect(
            try driver.samples() == [
                #"{__name__="g", job="a", site="x"}"#: "0=1.0 10=2.0 20=stale",
                #"{__name__="push_time_seconds", job="a", site="x"}"#: "0=1700000000.0 10=1700000000.01 20=stale",
            ])
    }

    @Test func `other rules end the series they rename, and begin no counter again`() throws {
        let driver = try BridgeDriver()
        driver.now += 10
        try driver.push("# TYPE c_total counter\nc_total 5\n# TYPE d_total counter\nd_total 6\n")
        driver.bridge.flush()
        driver.bridge.setRules(
            BridgeRules(
                relabelling: .init(identity: "2") { labels in
                    let labels = labels.removing("instance")
                    return labels.metricName == "c_total" ? labels.setting("__name__", "e_total") : labels
                }))
        driver.now += 10
        driver.bridge.refresh()
        driver.now += 10
        driver.bridge.refresh()
        #expect(
            try driver.samples("._total") == [
                #"{__name__="c_total", job="a"}"#: "9=0.0 10=5.0 20=stale",
                #"{__name__="d_total", job="a"}"#: "9=0.0 10=6.0 20=6.0 21=6.0 30=6.0",
                #"{__name__="e_total", job="a"}"#: "20=5.0 21=5.0 30=5.0",
            ])
    }

    @Test func `classic histograms become native ones where the job converts them`() throws {
        let driver = try BridgeDriver(BridgeRules(convertsClassic: true))
        driver.now += 10
        try driver.push(Self.classic)
        #expect(try driver.samples("h.*") == [native: "9=h0.0 10=h2.0"])
        let both = try BridgeDriver(BridgeRules(alwaysKeepsClassic: true, convertsClassic: true))
        both.now += 10
        try both.push(Self.classic)
        let samples = try both.samples("h.*")
        #expect(samples.count == 5)
        #expect(samples[native] == "9=h0.0 10=h2.0")
        #expect(samples[#"{__name__="h_bucket", job="a", le="1.0"}"#] == "9=0.0 10=1.0")
    }

    @Test func `buckets that make no histogram harm nothing`() throws {
        let driver = try BridgeDriver(BridgeRules(convertsClassic: true))
        try driver.push("# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\ng 1\n")
        #expect(try driver.samples("h.*|g") == [#"{__name__="g", job="a"}"#: "0=1.0"])
    }

    @Test func `exemplars of counters and buckets are stored once`() throws {
        let driver = try BridgeDriver(exemplars: 100)
        driver.now += 10
        try driver.push(
            """
            # TYPE c counter
            c_total 5 # {trace_id="a"} 1 1700000000.005
            # TYPE h histogram
            h_bucket{le="1"} 1 # {trace_id="b"} 0.5
            h_bucket{le="+Inf"} 2
            h_sum 3
            h_count 2
            # EOF

            """, isOpenMetrics: true)
        driver.bridge.flush()
        driver.now += 10
        driver.bridge.refresh()
        #expect(
            try exemplars(driver) == [
                #"{__name__="c_total", job="a"}"#: ["5 1.0 {trace_id=\"a\"}"],
                #"{__name__="h_bucket", job="a", le="1.0"}"#: ["10 0.5 {trace_id=\"b\"}"],
            ])
    }

    @Test func `a converted histogram has the exemplars of its buckets that tell a time`() throws {
        let driver = try BridgeDriver(BridgeRules(convertsClassic: true), exemplars: 100)
        try driver.push(
            """
            # TYPE h histogram
            h_bucket{le="1"} 1 # {trace_id="a"} 0.5 1700000000.002
            h_bucket{le="2"} 1 # {trace_id="b"} 1.5
            h_bucket{le="+Inf"} 2 # {trace_id="c"} 5 1700000000.001
            h_sum 3
            h_count 2
            # EOF

            """, isOpenMetrics: true)
        driver.bridge.flush()
        #expect(try exemplars(driver) == [native: ["1 5.0 {trace_id=\"c\"}", "2 0.5 {trace_id=\"a\"}"]])
    }

    /// The bounds of a converted histogram cannot be made coarser; those of a native one can.
    @Test func `histograms are stored within the job's limits, or not at all`() throws {
        var rules = BridgeRules(convertsClassic: true)
        rules.histogramLimits = HistogramLimits(buckets: 1)
        let driver = try BridgeDriver(rules)
        driver.now += 10
        try driver.push(Self.classic + "g 1\n")
        #expect(try driver.samples("h.*|g") == [#"{__name__="g", job="a"}"#: "10=1.0"])
        driver.bridge.flush()
        #expect(driver.bridge.counts.beyondLimits == 1)
        let fine = NativeHistogram(
            schema: 3, zeroThreshold: 0.001, count: 4, sum: 9, positiveSpans: [.init(offset: 1, length: 4)],
            positiveDeltas: [1, 0, 0, 0])
        let native = HistogramValue.NativePart.integer(fine)
        for (limits, schema, buckets) in [
            (HistogramLimits(), 3, 4), (HistogramLimits(buckets: 2), 2, 2),
            (HistogramLimits(buckets: 0, minimumFactor: 2), 0, 1), (HistogramLimits(buckets: 1), 1, 1),
        ] {
            let fit = try limits.fitted(native)
            guard case .integer(let fitted) = try #require(fit) else { continue }
            #expect(Int(fitted.schema) == schema && fitted.positiveDeltas.count == buckets, "\(limits)")
        }
    }

    @Test func `samples are stored with the start that was pushed, where the feature asks for it`() throws {
        var rules = BridgeRules()
        rules.storesStarts = true
        let driver = try BridgeDriver(rules, storesStarts: true)
        driver.now += 100
        try driver.push("# TYPE c counter\nc_total 5\nc_created 1700000000.05\n# EOF\n", isOpenMetrics: true)
        #expect(try driver.samples("c_total") == [#"{__name__="c_total", job="a"}"#: "50=0.0 100=5.0"])
        #expect(try driver.starts("c_total") == [0, 50])
    }

    @Test func `a counter that begins anew has a zero at its new start`() throws {
        let driver = try BridgeDriver()
        let counter = "# TYPE c_total counter\nc_total 5\n# TYPE c_created gauge\nc_created "
        driver.now += 100
        try driver.push(counter + "1700000000.05\n")
        driver.bridge.flush()
        driver.now += 100
        driver.bridge.refresh()
        driver.now += 100
        try driver.push(counter + "1700000000.25\n")
        driver.bridge.flush()
        driver.now += 100
        // Began before what was stored last: the zero stands just before the push.
        try driver.push(counter + "1700000000.26\n")
        #expect(
            try driver.samples("c_total") == [
                #"{__name__="c_total", job="a"}"#: "50=0.0 100=5.0 200=5.0 250=0.0 300=5.0 399=0.0 400=5.0"
            ])
    }

    @Test func `types and units become labels, and metadata is passed on, where features ask for it`() throws {
        var rules = BridgeRules()
        rules.addsTypeAndUnitLabels = true
        rules.passesMetadata = true
        let driver = try BridgeDriver(rules)
        driver.now += 10
        try driver.push(
            "# TYPE t_seconds counter\n# UNIT t_seconds seconds\n# HELP t_seconds So long.\nt_seconds_total 5\n# EOF\n",
            isOpenMetrics: true)
        let series = try driver.samples()
        #expect(
            series.keys.sorted() == [
                #"{__name__="push_failure_time_seconds", __type__="gauge", job="a"}"#,
                #"{__name__="push_time_seconds", __type__="gauge", job="a"}"#,
                #"{__name__="t_seconds_total", __type__="counter", __unit__="seconds", job="a"}"#,
            ])
    }

    private func exemplars(_ driver: BridgeDriver) throws -> [String: [String]] {
        let all = try Matcher("__name__", .matches, ".+")
        let found = try driver.database.exemplars(matching: [[all]], from: .min, to: .max)
        return Dictionary(
            uniqueKeysWithValues: found.map { series in
                (
                    "\(series.labels)",
                    series.exemplars.map { "\(($0.timestamp ?? 0) - 1_700_000_000_000) \($0.value) \($0.labels)" }
                )
            })
    }
}
