import CoreMetrics
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
                work_seconds_bucket{le="1.0"} 1
                work_seconds_bucket{le="+Inf"} 2
                work_seconds_sum 5.05
                work_seconds_count 2

                """)
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
