import Exposition
import MetricModel
import Scrape
import TestSupport
import Testing

@Suite struct HostileBodyTests {
    static let openMetrics = """
        # TYPE a_seconds counter
        # UNIT a_seconds seconds
        # HELP a_seconds Some \\"text\\".
        a_seconds_total{x="y",z="\\\\ \\n"} 5 1.5 # {trace_id="t"} 0.25 1.2
        a_seconds_created{x="y"} 1
        # TYPE h histogram
        h_bucket{le="1"} 1 # {} 1
        h_bucket{le="+Inf"} 2
        h_count 2
        h_sum 3
        {"quoted name",l="v"} 1e3
        # EOF

        """

    /// Bodies with bytes changed, cut, doubled and put in.
    private func damaged(_ body: [UInt8], _ generator: inout SystemSeed) -> [UInt8] {
        var bytes = body
        for _ in 0...(generator.next() % 4) {
            guard !bytes.isEmpty else { return bytes }
            let place = Int(generator.next() % UInt64(bytes.count))
            let interesting: [UInt8] = Array("\"{}\\#=, \n\t0.e+-".utf8) + [0, 0xFF, 0x80, 0xC3]
            switch generator.next() % 5 {
            case 0: bytes[place] = interesting[Int(generator.next() % UInt64(interesting.count))]
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(interesting[Int(generator.next() % UInt64(interesting.count))], at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes += bytes[place...].prefix(40)
            }
        }
        return bytes
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `no body brings a scrape down, and a good one works after any`(
        _ seed: UInt64
    ) {
        var generator = SystemSeed(state: seed)
        var options = ScrapeAppender.Options()
        options.addsStartZeros = seed % 2 == 0
        options.convertsClassicHistograms = seed > 2
        options.readsNativeHistograms = true
        let bench = ScrapeAppenderTests.Bench(options)
        var protobuf: [UInt8] = []
        let family = MetricFamily(
            name: "p", help: "h", type: .histogram,
            metrics: [
                Metric(
                    labels: [LabelPair("x", "y")],
                    value: .histogram(
                        HistogramValue(
                            count: 3, sum: 2, buckets: [.init(upperBound: 1, count: 2)],
                            native: .integer(
                                NativeHistogram(
                                    schema: 2, count: 3, sum: 2, positiveSpans: [BucketSpan(offset: 1, length: 2)],
                                    positiveDeltas: [1, 1])))))
            ])
        ProtobufEncoder.append(family, to: &protobuf)
        let good = Array(Self.openMetrics.utf8)
        for step in 1...1500 {
            let format: ScrapeAppender.Format = [.text, .openMetrics, .protobuf][Int(generator.next() % 3)]
            let body = damaged(format == .protobuf ? protobuf : good, &generator)
            let batch = bench.sink.begin()
            let failure = body.withUnsafeBufferPointer {
                bench.appender.append($0, format: format, at: Int64(step), now: Int64(step), to: batch).failure
            }
            batch.rollback()
            if failure != nil { bench.fail(at: Int64(step)) }
        }
        #expect(bench.scrape(Self.openMetrics, .openMetrics, at: 2_000_000).failure == nil)
        #expect(bench.scrape(Self.openMetrics, .openMetrics, at: 2_000_001).counts.seriesAdded == 0)
    }

    @Test func `the cache forgets what no longer comes`() {
        let bench = ScrapeAppenderTests.Bench()
        for step in 1...40 {
            let body = (0..<300).map { "churn{n=\"\(step)-\($0)\"} 1\n" }.joined() + "stays 1\n"
            let counts = bench.scrape(body, at: Int64(step)).counts
            #expect(counts.seriesAdded == (step == 1 ? 301 : 300))
        }
        let stays: Labels = ["__name__": "stays", "instance": "i", "job": "j"]
        #expect(bench.sink.values(stays).count == 40)
        let first: Labels = ["__name__": "churn", "instance": "i", "job": "j", "n": "1-0"]
        #expect(bench.sink.values(first) == ["1:1.0", "2:stale"])
    }
}
