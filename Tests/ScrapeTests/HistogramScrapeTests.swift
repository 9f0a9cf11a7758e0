import Exposition
import MetricModel
import Scrape
import Testing

@Suite struct HistogramScrapeTests {
    private typealias Bench = ScrapeAppenderTests.Bench

    private func scrape(_ bench: ScrapeAppenderTests.Bench, _ families: [MetricFamily], at time: Int64) -> String? {
        var bytes: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, to: &bytes) }
        let batch = bench.sink.begin()
        let (_, failure) = bytes.withUnsafeBufferPointer {
            bench.appender.append($0, format: .protobuf, at: time, now: time, to: batch)
        }
        try? batch.commit()
        return failure?.description
    }

    private func name(_ name: String, _ more: [(String, String)] = []) -> Labels {
        Labels(
            ([("__name__", name), ("instance", "i"), ("job", "j")] + more).map { (ByteString($0.0), ByteString($0.1)) })
    }

    private static let native = NativeHistogram(
        schema: 3, zeroThreshold: 0.001, zeroCount: 1, count: 7, sum: 12,
        positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveDeltas: [1, 1, 0])

    private static var families: [MetricFamily] {
        [
            MetricFamily(
                name: "c_total", help: "Counts.", type: .counter,
                metrics: [Metric(labels: [LabelPair("x", "y")], value: .counter(CounterValue(5)))]),
            MetricFamily(
                name: "h", type: .histogram,
                metrics: [
                    Metric(
                        labels: [],
                        value: .histogram(
                            HistogramValue(
                                count: 7, sum: 12, buckets: [.init(upperBound: 1, count: 3)], native: .integer(native)))
                    )
                ]),
        ]
    }

    @Test func `protobuf brings classic series where native histograms are not wanted`() {
        let bench = Bench()
        for time in [1, 2, 3] { #expect(scrape(bench, Self.families, at: Int64(time)) == nil) }
        #expect(bench.sink.values(name("c_total", [("x", "y")])) == ["1:5.0", "2:5.0", "3:5.0"])
        #expect(bench.sink.values(name("h_bucket", [("le", "1.0")])).count == 3)
        #expect(bench.sink.values(name("h_count")).last == "3:7.0")
        #expect(bench.metadata.metadata(of: "c_total") == MetricMetadata(type: .counter, help: "Counts."))
        #expect(scrape(bench, Array(Self.families.prefix(1)), at: 4) == nil)
        #expect(bench.sink.values(name("h_sum")).last == "4:stale")
    }

    @Test func `native histograms are stored, and reduced to their limits`() throws {
        var options = ScrapeAppender.Options()
        options.readsNativeHistograms = true
        let bench = Bench(options)
        #expect(scrape(bench, Self.families, at: 1) == nil)
        #expect(bench.sink.series(name("h"))?.histograms.first?.value == .integer(Self.native))
        #expect(bench.sink.series(name("h_count")) == nil)
        options.histogramLimits.buckets = 2
        let limited = Bench(options)
        #expect(scrape(limited, Self.families, at: 1) == nil)
        guard case .integer(let reduced) = try #require(limited.sink.series(name("h"))?.histograms.first?.value) else {
            Issue.record("not an integer histogram")
            return
        }
        #expect(reduced.schema < 3 && reduced.positiveDeltas.count <= 2 && reduced.count == 7)
        options.keepsClassicHistograms = true
        let both = Bench(options)
        #expect(scrape(both, Self.families, at: 1) == nil)
        #expect(both.sink.series(name("h_count")) != nil && both.sink.series(name("h")) != nil)
    }

    @Test func `classic histograms in text become native ones, where that is asked for`() throws {
        let body = """
            # TYPE h histogram
            h_bucket{l="a",le="1"} 1
            h_bucket{l="a",le="2"} 3
            h_bucket{l="a",le="+Inf"} 4
            h_sum{l="a"} 7
            h_count{l="a"} 4
            h_bucket{l="b",le="+Inf"} 2
            h_sum{l="b"} 1
            h_count{l="b"} 2
            # TYPE g gauge
            g_count 1

            """
        var options = ScrapeAppender.Options()
        options.convertsClassicHistograms = true
        let bench = Bench(options)
        for time in [1, 2] {
            let counts = bench.scrape(body, at: Int64(time)).counts
            #expect(counts.scraped == 3 && counts.added == 3)
        }
        #expect(bench.sink.scraped == [name("h", [("l", "a")]), name("h", [("l", "b")]), name("g_count")])
        let stored = try #require(bench.sink.series(name("h", [("l", "a")]))).histograms
        #expect(stored.map(\.timestamp) == [1, 2])
        #expect(
            stored.first?.value
                == .integer(
                    NativeHistogram(
                        schema: -53, count: 4, sum: 7, positiveSpans: [BucketSpan(offset: 0, length: 3)],
                        positiveDeltas: [1, 1, -1], customValues: [1, 2])))
        bench.scrape("g_count 1\n", at: 3)
        #expect(bench.sink.values(name("h", [("l", "a")])) == ["3:stale"])
        options.keepsClassicHistograms = true
        let both = Bench(options)
        #expect(both.scrape(body, at: 1).counts.scraped == 11)
    }

    @Test func `a converted histogram begins with an empty one, at the start that it tells`() throws {
        let body = """
            # TYPE h histogram
            h_bucket{le="1.0"} 1
            h_bucket{le="+Inf"} 4
            h_sum 7
            h_count 4
            h_created 1.5
            # TYPE g gauge
            g 1
            # EOF

            """
        var options = ScrapeAppender.Options()
        options.convertsClassicHistograms = true
        options.addsStartZeros = true
        let bench = Bench(options)
        for time in [5000, 6000] { #expect(bench.scrape(body, .openMetrics, at: Int64(time)).failure == nil) }
        #expect(bench.sink.values(name("h")) == ["1500:0.0"])
        let stored = try #require(bench.sink.series(name("h"))).histograms
        #expect(stored.map(\.timestamp) == [5000, 6000])
        #expect(bench.sink.scraped == [name("h"), name("g")])
    }

    @Test func `series tell their type and unit, where that is asked for`() {
        var options = ScrapeAppender.Options()
        options.addsTypeAndUnitLabels = true
        options.convertsClassicHistograms = true
        let bench = Bench(options)
        let body = """
            # TYPE c_seconds counter
            # UNIT c_seconds seconds
            c_seconds_total{__type__="mine"} 1
            # TYPE h histogram
            h_bucket{le="+Inf"} 4
            h_sum 7
            h_count 4
            # TYPE u unknown
            u 1
            # EOF

            """
        for time in [1, 2] { #expect(bench.scrape(body, .openMetrics, at: Int64(time)).failure == nil) }
        #expect(
            bench.sink.scraped == [
                name("c_seconds_total", [("__type__", "counter"), ("__unit__", "seconds")]),
                name("h", [("__type__", "histogram")]), name("u"),
            ])
        let other = Bench(options)
        #expect(scrape(other, Self.families, at: 1) == nil)
        #expect(other.sink.values(name("c_total", [("__type__", "counter"), ("x", "y")])) == ["1:5.0"])
    }

    @Test func `broken protobuf fails the scrape`() {
        let bench = Bench()
        #expect(bench.scrape("\u{5}ab", .protobuf, at: 1).failure != nil)
        #expect(bench.sink.scraped.isEmpty)
    }
}
