import Glibc
import MetricModel
import Scrape
import TestSupport
import Testing

/// Debian's exporter, if it is installed.
@Suite struct NodeExporterTests {
    private static let path = "/usr/bin/prometheus-node-exporter"
    static var isInstalled: Bool { access(path, X_OK) == 0 }

    @Test(.enabled(if: isInstalled, "prometheus-node-exporter is not installed"))
    func `a real exporter is scraped twice, by references the second time`() async throws {
        let port = try FreePort.find()
        let exporter = try ChildProcess([
            Self.path, "--web.listen-address=127.0.0.1:\(port)", "--log.level=error",
        ])
        defer { exporter.signal(SIGKILL) }
        let bench = ScrapeManagerTests.Bench()
        try await bench.apply(
            "scrape_configs: [{job_name: node, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:\(port)']}]}]"
        )
        for _ in 0..<3000 {
            let target = try #require(await bench.target)
            if target.status.health == .up, bench.sink.state.withLock({ $0.commits }) > 3 { break }
            bench.clock.clock.advance(by: .milliseconds(100))
            try await Task.sleep(for: .milliseconds(2))
        }
        let status = try #require(await bench.target).status
        #expect(status.health == .up, "\(status.lastError)")
        let instance = "127.0.0.1:\(port)"
        #expect(bench.sink.scraped.count > 100)
        #expect(bench.sink.scraped.contains { $0.metricName == "node_cpu_seconds_total" })
        let target = try #require(await bench.target)
        #expect(target.metadata.metadata(of: "node_load1")?.type == .gauge)
        #expect(bench.sink.series(["__name__": "up", "instance": instance, "job": "node"])?.samples.last?.value == 1)
        await bench.stop()
    }
}
