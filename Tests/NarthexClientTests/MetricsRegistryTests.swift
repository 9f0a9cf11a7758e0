import CoreMetrics
import Exposition
import MetricModel
import NarthexClient
import Testing

@Suite struct MetricsRegistryTests {
    private func text(_ registry: MetricsRegistry) -> String { String(decoding: registry.text(), as: UTF8.self) }

    @Test func `every kind is written in the text format`() {
        let registry = MetricsRegistry(buckets: .init([1, 0.1]))
        Counter(label: "http.requests", dimensions: [("code", "200")], factory: registry).increment(by: 3)
        Meter(label: "queue", factory: registry).set(2.5)
        let timer = Timer(label: "work_seconds", factory: registry)
        timer.recordMilliseconds(50)
        timer.recordSeconds(5)
        #expect(
            text(registry) == """
                # TYPE http_requests_total counter
                http_requests_total{code="200"} 3
                # TYPE queue gauge
                queue 2.5
                # TYPE work_seconds histogram
                work_seconds_bucket{le="0.1"} 1
                work_seconds_bucket{le="1"} 1
                work_seconds_bucket{le="+Inf"} 2
                work_seconds_sum 5.05
                work_seconds_count 2

                """)
    }

    @Test func `native histograms are pushed as protobuf`() throws {
        let registry = MetricsRegistry(histograms: .native(.init(factor: 2, maximumBuckets: 3)))
        let recorder = Recorder(label: "size", factory: registry)
        for value in [0, 1, 1.5, 4, -3, 3] { recorder.record(value) }
        let families = try ProtobufParser.parse(registry.protobuf())
        guard case .histogram(let histogram) = families.first?.metrics.first?.value,
            case .integer(let native) = histogram.native
        else {
            Issue.record("\(families)")
            return
        }
        #expect(families.map(\.name) == ["size"])
        // Five buckets at schema 0 were too many: 1, 2, 4 and -4 are joined to 1, 4 and -4.
        #expect(native.schema == -1)
        #expect(native.zeroCount == 1)
        #expect(native.count == 6)
        #expect(native.sum == 6.5)
        #expect(native.positiveSpans == [BucketSpan(offset: 0, length: 2)])
        #expect(native.positiveDeltas == [1, 2])
        #expect(native.negativeSpans == [BucketSpan(offset: 1, length: 1)])
        #expect(native.negativeDeltas == [1])
    }

    @Test(arguments: [(1.1, 3), (2, 0), (4, -1), (1.0001, 8), (1e9, -4)])
    func `the factor gives the schema`(factor: Double, schema: Int) {
        #expect(MetricsRegistry.Resolution(factor: factor).schema == Int32(schema))
    }

    @Test(arguments: -4...8) func `each value falls into the bucket around it`(schema: Int) throws {
        for value in [5e-30, 0.1, 0.5, 1, 1.0000000000000002, 2, 3.7, 1e9, 8e307] {
            let registry = MetricsRegistry(histograms: .native(.init(factor: pow2(schema), maximumBuckets: 1)))
            Recorder(label: "v", factory: registry).record(value)
            guard
                case .histogram(let histogram) = try ProtobufParser.parse(registry.protobuf()).first?.metrics.first?
                    .value,
                case .integer(let native) = histogram.native, let span = native.positiveSpans.first
            else {
                Issue.record("no buckets for \(value)")
                continue
            }
            #expect(Int(native.schema) == schema)
            #expect(FloatHistogram.exponentialBound(span.offset, schema: native.schema) >= value)
            #expect(FloatHistogram.exponentialBound(span.offset - 1, schema: native.schema) < value)
        }
    }

    /// The factor from bound to bound of a schema, and a little more.
    private func pow2(_ schema: Int) -> Double {
        FloatHistogram.exponentialBound(1, schema: Int32(schema)) * 1.000001
    }

    @Test func `the same name and labels are one metric`() {
        let registry = MetricsRegistry()
        for _ in 0..<3 { Counter(label: "runs", factory: registry).increment() }
        #expect(text(registry).contains("runs_total 3\n"))
    }

    @Test func `values are escaped`() {
        let registry = MetricsRegistry()
        Meter(label: "m", dimensions: [("p", "a\"b\\c\nd")], factory: registry).set(1)
        #expect(text(registry).contains(#"m{p="a\"b\\c\nd"} 1"#))
    }

    @Test func `concurrent increments are all counted`() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { Counter(label: "n", factory: registry).increment() } }
            }
        }
        #expect(text(registry).contains("n_total 8000\n"))
    }

    @Test func `a destroyed metric is gone`() {
        let registry = MetricsRegistry()
        let meter = Meter(label: "m", factory: registry)
        meter.set(1)
        meter.destroy()
        #expect(text(registry) == "")
    }
}
