import MetricModel
import Scrape
import Testing

@Suite struct ScrapeAppenderTests {
    /// A target that is scraped by hand.
    final class Bench {
        let sink = RecordingSink()
        let metrics = ScrapeMetrics()
        let metadata = MetadataStore()
        let appender: ScrapeAppender

        init(_ options: ScrapeAppender.Options = .init(), labels: Labels = ["instance": "i", "job": "j"]) {
            appender = ScrapeAppender(labels: labels, options: options, metadata: metadata, metrics: metrics)
        }

        @discardableResult
        func scrape(
            _ body: String, _ format: ScrapeAppender.Format = .text, at time: Int64
        ) -> (counts: ScrapeAppender.Counts, failure: String?) {
            let batch = sink.begin()
            let bytes = Array(body.utf8)
            let (counts, failure) = bytes.withUnsafeBufferPointer {
                appender.append($0, format: format, at: time, now: time, to: batch)
            }
            if failure == nil {
                try? batch.commit()
            } else {
                batch.rollback()
                fail(at: time)
            }
            return (counts, failure?.description)
        }

        func fail(at time: Int64) {
            let batch = sink.begin()
            appender.appendNothing(at: time, to: batch)
            try? batch.commit()
        }
    }

    private func name(_ name: String, _ more: [(String, String)] = []) -> Labels {
        Labels(
            ([("__name__", name), ("instance", "i"), ("job", "j")] + more).map { (ByteString($0.0), ByteString($0.1)) })
    }

    @Test func `an unchanged body is appended by references alone`() {
        let bench = Bench()
        let body = "# HELP a Help.\n# TYPE a gauge\na 1\na{x=\"y\"} 2.5\nb{x=\"}\\\"\"} NaN 5000\n"
        #expect(bench.scrape(body, at: 1000).counts.seriesAdded == 3)
        let labelled = bench.sink.labelledAppends
        for time in 2...5 {
            let counts = bench.scrape(body, at: Int64(time) * 1000).counts
            #expect(counts.scraped == 3 && counts.added == 3 && counts.seriesAdded == 0)
        }
        #expect(bench.sink.labelledAppends == labelled)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:1.0", "3000:1.0", "4000:1.0", "5000:1.0"])
        #expect(bench.sink.values(name("a", [("x", "y")])).last == "5000:2.5")
        #expect(bench.sink.values(name("b", [("x", "}\"")])).first == "5000:nan(0x1)")
        #expect(bench.metadata.metadata(of: "a") == MetricMetadata(type: .gauge, help: "Help."))
    }

    @Test func `series that disappear end, and come back`() {
        let bench = Bench()
        bench.scrape("a 1\nb 1\n", at: 1000)
        bench.scrape("b 2\n", at: 2000)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:stale"])
        #expect(bench.scrape("b 3\na 3\n", at: 3000).counts.seriesAdded == 1)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:stale", "3000:3.0"])
        #expect(bench.sink.values(name("b")) == ["1000:1.0", "2000:2.0", "3000:3.0"])
    }

    @Test func `a failed scrape ends all series and keeps the cache`() {
        let bench = Bench()
        bench.scrape("a 1\nb 1\n", at: 1000)
        #expect(bench.scrape("a 2\nb{ 2\n", at: 2000).failure != nil)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:stale"])
        #expect(bench.sink.values(name("b")) == ["1000:1.0", "2000:stale"])
        #expect(bench.scrape("a 3\nb 3\n", at: 3000).counts.seriesAdded == 0)
        #expect(bench.sink.values(name("a")).last == "3000:3.0")
    }

    @Test func `the same series in other words does not end`() {
        let bench = Bench()
        bench.scrape("a{x=\"1\",y=\"2\"} 1\n", at: 1000)
        bench.scrape("a{y=\"2\",x=\"1\"} 2\n", at: 2000)
        #expect(bench.sink.values(name("a", [("x", "1"), ("y", "2")])) == ["1000:1.0", "2000:2.0"])
    }

    @Test func `references that the store forgot are found again by labels`() {
        let bench = Bench()
        bench.scrape("a 1\nb 1\n", at: 1000)
        bench.sink.forgetReferences()
        bench.scrape("a 2\nb 2\n", at: 2000)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:2.0"])
        #expect(bench.sink.values(name("b")) == ["1000:1.0", "2000:2.0"])
    }

    @Test func `timestamps are honoured, and such series do not end unless tracked`() {
        var options = ScrapeAppender.Options()
        let bench = Bench(options)
        bench.scrape("a 1 500\n", at: 1000)
        bench.scrape("b 1\n", at: 2000)
        #expect(bench.sink.values(name("a")) == ["500:1.0"])
        options.tracksTimestampsStaleness = true
        let tracking = Bench(options)
        tracking.scrape("a 1 500\n", at: 1000)
        tracking.scrape("b 1\n", at: 2000)
        #expect(tracking.sink.values(name("a")) == ["500:1.0", "2000:stale"])
        options.honorsTimestamps = false
        let own = Bench(options)
        own.scrape("a 1 500\n", at: 1000)
        #expect(own.sink.values(name("a")) == ["1000:1.0"])
        #expect(own.scrape("c 1 \(11 * 60 * 1000)\n", at: 1000).counts.added == 1)
    }

    @Test func `times too far ahead, duplicates and old samples are counted, and fail nothing`() {
        let bench = Bench()
        #expect(bench.scrape("a 1\na 2\nb 1 9999999\n", at: 1000).failure == nil)
        bench.scrape("c 1 500\n", at: 2000)
        bench.scrape("c 1 400\n", at: 3000)
        #expect(bench.metrics.duplicateSamples.value == 1)
        #expect(bench.metrics.outOfBoundsSamples.value == 1)
        #expect(bench.metrics.outOfOrderSamples.value == 1)
        #expect(bench.sink.values(name("a")).first == "1000:1.0")
    }

    @Test func `labels of the target win, or yield where honoured`() {
        let body = "a{job=\"own\",exported_job=\"e\",l=\"\"} 1\n"
        let bench = Bench()
        bench.scrape(body, at: 1000)
        #expect(bench.sink.scraped == [name("a", [("exported_job", "e"), ("exported_exported_job", "own")])])
        var options = ScrapeAppender.Options()
        options.honorsLabels = true
        let honouring = Bench(options)
        honouring.scrape(body, at: 1000)
        #expect(honouring.sink.scraped == [["__name__": "a", "exported_job": "e", "instance": "i", "job": "own"]])
    }

    @Test func `an empty label that is honoured keeps the target's away`() {
        var options = ScrapeAppender.Options()
        options.honorsLabels = true
        let bench = Bench(options)
        bench.scrape("a{instance=\"\",job=\"own\"} 1\n", at: 1000)
        #expect(bench.sink.scraped == [["__name__": "a", "job": "own"]])
    }

    @Test func `metric relabelling drops and renames, and is remembered`() throws {
        var options = ScrapeAppender.Options()
        options.rules = [
            try RelabelRule(action: .drop, sourceLabels: ["__name__"], pattern: "go_.*"),
            try RelabelRule(
                sourceLabels: ["__name__"], pattern: "old_(.*)", targetLabel: "__name__", replacement: "new_$1"),
        ]
        let bench = Bench(options)
        for time in 1...3 {
            let counts = bench.scrape("go_x 1\nold_a 2\ngo_y 3\n", at: Int64(time) * 1000).counts
            #expect(counts.scraped == 3)
            #expect(counts.added == 1)
        }
        #expect(bench.sink.scraped == [name("new_a")])
    }

    @Test func `limits fail the scrape, and count all samples`() {
        var options = ScrapeAppender.Options()
        options.sampleLimit = 2
        let bench = Bench(options)
        #expect(bench.scrape("a 1\nb 1\n", at: 1000).failure == nil)
        let over = bench.scrape("a 1\nb 1\nc 1\n", at: 2000)
        #expect(over.failure == "sample limit exceeded")
        #expect(over.counts.scraped == 3)
        #expect(bench.sink.values(name("a")) == ["1000:1.0", "2000:stale"])
        #expect(bench.metrics.sampleLimitExceeded.value == 1)
    }

    static let broken: [(ScrapeAppender.Format, String, String)] = [
        (.text, "a\n", "expected value after metric, got \"\\n\" (\"INVALID\") while parsing: \"a\\n\""),
        (.text, "a x\n", "strconv.ParseFloat: parsing \"x\": invalid syntax while parsing: \"a x\""),
        (.text, "a 1 x\n", "expected timestamp or new record"),
        (.text, "a 1\nb{ 2\nc 3\n", "expected label name, got \"2\" (\"INVALID\") while parsing: \"b{ 2\""),
        (
            .text, "a{b=\"c} 1\n",
            "expected label value, got \"\\\"c} 1\\n\\n\" (\"INVALID\") while parsing: \"a{b=\\\"c} 1\\n\\n\""
        ),
        (
            .text, "a{b=\"c\",,d=\"e\"} 1\n",
            "expected label name, got \",d\" (\"COMMA\") while parsing: \"a{b=\\\"c\\\",,d\""
        ),
        (.text, "{} 1\n", "metric name not set while parsing: \"{} 1\""),
        (.openMetrics, "a{1b=\"c\"} 1\n# EOF\n", "expected label name, got \"1\" (\"INVALID\") while parsing: \"a{1\""),
        (
            .openMetrics, "# c\na 1\n# EOF\n",
            "expected a valid start token, got \"# c\" (\"INVALID\") while parsing: \"# c\""
        ),
        (.text, "a 1 2 3\n", "expected next entry after timestamp"),
        (.text, "1 1\n", "expected a valid start token"),
        (.text, "{x=\"1\"} 1\n", "metric name not set while parsing"),
        (.text, "a{\"b\"} 1\n", "metric name already set while parsing"),
        (.text, "a{x=\"1\",x=\"2\"} 1\n", "label name \"x\" is not unique: invalid sample"),
        (.text, "a{x} 1\n", "expected equal"),
        (.text, "a{x=1} 1\n", "expected label value"),
        (.text, "# TYPE a bogus\n", "invalid metric type \"bogus\""),
        (.text, "a 1e999\n", "strconv.ParseFloat: parsing \"1e999\": value out of range while parsing"),
        (.text, "a 1 -5\n", "expected timestamp or new record, got \"-\""),
        (.text, "a{b=\"\u{1}\"} 1_0\n", "unsupported character in float while parsing"),
        (.text, "a 0x1p3\n", "unsupported character in float while parsing: \"a 0x1p3\""),
        (.openMetrics, "a{b=\"c\" d=\"e\"} 1\n# EOF\n", "expected comma or brace close, got \" \""),
        (.openMetrics, "a{b=\"\n\"} 1\n# EOF\n", "expected label value"),
        (.openMetrics, "a 1\n", "data does not end with # EOF"),
        (.openMetrics, "a 1\n# EOF\nb 1\n", "unexpected data after # EOF"),
        (.openMetrics, "\n# EOF\n", "expected a valid start token"),
        (.openMetrics, "# UNIT a_x y\n# EOF\n", "unit \"y\" not a suffix of metric \"a_x\""),
        (.openMetrics, "a  1\n# EOF\n", "expected value after metric"),
        (.openMetrics, "a 1 # {\"x\"} 1\n# EOF\n", "expected label name"),
        (.openMetrics, "a 1 nan\n# EOF\n", "invalid timestamp NaN"),
    ]

    @Test(arguments: broken) func `broken bodies say what is wrong`(
        _ format: ScrapeAppender.Format, _ body: String, _ message: String
    ) {
        let bench = Bench()
        let failure = bench.scrape(body, format, at: 1000).failure ?? "none"
        #expect(failure.hasPrefix(message), "\(failure)")
        #expect(bench.sink.scraped.allSatisfy { bench.sink.values($0).isEmpty })
    }

    @Test func `an exemplar without a time is stored once, however often it is shown`() throws {
        let bench = Bench()
        for (time, value) in [(1000, 1), (2000, 1), (3000, 2), (4000, 1)] {
            bench.scrape("# TYPE a counter\na_total 1 # {x=\"y\"} \(value)\n# EOF\n", .openMetrics, at: Int64(time))
        }
        let series = try #require(bench.sink.series(name("a_total", [])))
        #expect(series.exemplars.map(\.timestamp) == [1000, 3000, 4000])
    }

    @Test func `lines that cannot be read are no samples, repeated labels are`() {
        #expect(Bench().scrape("a 1\nb{1=\"c\"} 1\n", at: 1000).counts.scraped == 1)
        #expect(Bench().scrape("a 1\nb{c=\"1\",c=\"2\"} 1\n", at: 1000).counts.scraped == 2)
    }

    @Test func `a time beyond all times is too old, not a failure`() {
        #expect(Bench().scrape("a 1 1e30\n# EOF\n", .openMetrics, at: 1000).failure == nil)
    }

    @Test func `an empty label does not stand in the way of an exported one`() throws {
        let bench = Bench()
        bench.scrape("a{instance=\"z\",exported_instance=\"\"} 1\n", at: 1000)
        let labels: Labels = ["__name__": "a", "exported_instance": "z", "instance": "i", "job": "j"]
        #expect(bench.sink.series(labels) != nil)
    }

    @Test func `OpenMetrics brings exemplars, units and its own times`() throws {
        let bench = Bench()
        let body = """
            # TYPE a_seconds counter
            # UNIT a_seconds seconds
            # HELP a_seconds Some "quoted" \\\\ text.
            a_seconds_total{x="y"} 5 1.5 # {trace_id="t"} 0.25 1.2
            a_seconds_created{x="y"} 1
            # EOF

            """
        for time in [2000, 3000] { #expect(bench.scrape(body, .openMetrics, at: Int64(time)).failure == nil) }
        let series = try #require(bench.sink.series(name("a_seconds_total", [("x", "y")])))
        #expect(series.samples.first?.timestamp == 1500)
        #expect(series.exemplars.first == Exemplar(labels: ["trace_id": "t"], value: 0.25, timestamp: 1200))
        #expect(
            bench.metadata.metadata(of: "a_seconds")
                == MetricMetadata(type: .counter, unit: "seconds", help: "Some \"quoted\" \\ text."))
        #expect(bench.sink.scraped.count == 2)
    }

    @Test func `start times become zeros once, where that is switched on`() {
        var options = ScrapeAppender.Options()
        options.addsStartZeros = true
        let bench = Bench(options)
        func body(_ value: Int, _ created: Double) -> String {
            "# TYPE a counter\na_total{x=\"y\"} \(value)\na_created{x=\"y\"} \(created)\n# EOF\n"
        }
        bench.scrape(body(3, 0.5), .openMetrics, at: 1000)
        bench.scrape(body(4, 0.5), .openMetrics, at: 2000)
        bench.scrape(body(1, 2.5), .openMetrics, at: 3000)
        #expect(
            bench.sink.values(name("a_total", [("x", "y")])) == [
                "500:0.0", "1000:3.0", "2000:4.0", "2500:0.0", "3000:1.0",
            ])
        #expect(bench.sink.scraped.count == 1)
    }

    @Test func `bounds are normalised by type`() {
        let bench = Bench()
        bench.scrape("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n", at: 1000)
        #expect(bench.sink.scraped == [name("h_bucket", [("le", "1.0")]), name("h_bucket", [("le", "+Inf")])])
    }

    @Test func `numbers are read to the last bit`() {
        let bench = Bench()
        let values = [
            "0.1", "-1.5", "123456789.123", "1e-9", "1.7976931348623157e308", "9007199254740993", "+Inf", "-0",
            "5e-324",
        ]
        bench.scrape(values.enumerated().map { "a{n=\"\($0.offset)\"} \($0.element)\n" }.joined(), at: 1)
        for (index, text) in values.enumerated() {
            let expected = Double(text == "+Inf" ? "inf" : text) ?? .nan
            #expect(bench.sink.values(name("a", [("n", "\(index)")])) == ["1:\(expected)"])
        }
    }

    @Test func `hundreds of reordered, growing and shrinking bodies match a model`() {
        var generator = SystemSeed(state: 7)
        let bench = Bench()
        var model: [Int: [String]] = [:]
        var previous: Set<Int> = []
        for step in 1...300 {
            let present = (0..<60).filter { _ in generator.next() % 4 != 0 }.shuffled(using: &generator)
            let fails = generator.next() % 10 == 0
            var body = "# TYPE s gauge\n"
            for index in present { body += "s{n=\"\(index)\"} \(step)\n" }
            if fails { body += "broken{\n" }
            bench.scrape(body, at: Int64(step))
            let now: Set<Int> = fails ? [] : Set(present)
            for index in now { model[index, default: []].append("\(step):\(Double(step))") }
            for index in previous.subtracting(now) { model[index, default: []].append("\(step):stale") }
            previous = now
        }
        for (index, values) in model { #expect(bench.sink.values(name("s", [("n", "\(index)")])) == values) }
    }
}

struct SystemSeed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
