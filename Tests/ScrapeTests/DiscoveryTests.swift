import Logging
import MetricModel
import Scrape
import TestSupport
import Testing

@Suite(.serialized) struct DiscoveryTests {
    private typealias Bench = ScrapeManagerTests.Bench

    private func addresses(_ bench: ScrapeManagerTests.Bench) async -> [String] {
        let targets = await bench.manager.activeTargets.values.joined()
        return targets.map { "\($0.labels["instance"] ?? "") \($0.status.discoveredLabels["l"] ?? "")" }.sorted()
    }

    /// Moves the clock on until the targets are `wanted`.
    private func settle(_ bench: ScrapeManagerTests.Bench, _ wanted: [String]) async {
        for _ in 0..<2000 {
            if await addresses(bench) == wanted { return }
            bench.clock.clock.advance(by: .milliseconds(500))
            try? await Task.sleep(for: .milliseconds(1))
        }
        #expect(await addresses(bench) == wanted)
    }

    @Test func `files are read, and read again when they change or go`() async throws {
        let directory = try TemporaryFolder()
        let path = try directory.write(
            "targets.json", "[{\"targets\": [\"a:1\"], \"labels\": {\"l\": \"x\"}}, {\"targets\": [\"b:1\"]}]")
        let bench = Bench()
        try await bench.apply(
            "scrape_configs: [{job_name: j, scrape_interval: 1h, file_sd_configs: [{files: ['\(directory.path)/*.json']}]}]"
        )
        await settle(bench, ["a:1 x", "b:1 "])
        let labels = await bench.manager.activeTargets.values.joined().first?.status.discoveredLabels
        #expect(labels?["__meta_filepath"]?.string == path)
        try directory.write("targets.json", "[{\"targets\": [\"c:1\"]}]")
        await settle(bench, ["c:1 "])
        try directory.write("targets.json", "[{broken")
        for _ in 0..<2000 where bench.manager.discoveryMetrics.fileReadErrors.value == 0 {
            bench.clock.clock.advance(by: .milliseconds(500))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(await addresses(bench) == ["c:1 "])
        try directory.write("targets.json", "[]")
        await settle(bench, [])
        #expect(bench.manager.discoveryMetrics.fileReadErrors.value > 0)
        await bench.stop()
    }

    @Test func `servers list targets, and a failing one changes nothing`() async throws {
        let answers = Answers()
        let server = try FakeServer { _ in answers.next() }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(
            "scrape_configs: [{job_name: j, scrape_interval: 1h, http_sd_configs: [{url: 'http://127.0.0.1:\(server.port)/sd'}]}]"
        )
        answers.set("[{\"targets\": [\"a:1\"], \"labels\": {\"l\": \"x\"}}]")
        await settle(bench, ["a:1 x"])
        #expect(server.requests.first?.header("X-Prometheus-Refresh-Interval-Seconds") == "60")
        let before = bench.manager.discoveryMetrics.httpFailures.value
        answers.set("oops")
        while bench.manager.discoveryMetrics.httpFailures.value <= before {
            bench.clock.clock.advance(by: .seconds(10))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(await addresses(bench) == ["a:1 x"])
        await bench.stop()
    }

    /// What the fake server answers now.
    private final class Answers: Sendable {
        private let text = RecordingText()

        func set(_ new: String) { text.set(new) }

        func next() -> FakeServer.Response {
            FakeServer.Response(headers: [("Content-Type", "application/json")], body: Array(text.get().utf8))
        }
    }

    @Test func `DNS answers are read, and broken ones refused`() throws {
        let query = try #require(DNSMessage.query("_x._tcp.example.org", .srv, id: 7, isExtended: false))
        #expect(query.count == 12 + 21 + 4)
        var answer = query
        answer[2] = 0x81
        answer[3] = 0x80
        answer[7] = 2
        // A reference to the question's name, then type, class, lifetime, length; priority, weight, port, target.
        answer += [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 13, 0, 1, 0, 2, 0x23, 0x82, 1, 0x61, 3, 0x6E, 0x65, 0x74, 0]
        answer += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]
        let read = try DNSMessage.answer(answer, id: 7)
        #expect(read.code == 0 && read.records == [.service(target: "a.net.", port: 9090), .address([10, 0, 0, 1])])
        #expect(throws: DNSMessage.Malformed.self) { try DNSMessage.answer(answer, id: 8) }
        for count in 0..<answer.count {
            #expect(throws: DNSMessage.Malformed.self) { try DNSMessage.answer(Array(answer[..<count]), id: 7) }
        }
        var loop = answer
        loop[query.count] = 0xC0
        loop[query.count + 1] = UInt8(query.count)
        #expect(throws: DNSMessage.Malformed.self) { try DNSMessage.answer(loop, id: 7) }
        #expect(DNSMessage.query(String(repeating: "a", count: 64), .a, id: 1, isExtended: true) == nil)
    }

    @Test func `names are searched as resolv.conf says`() {
        let settings = ResolverSettings(
            "# x\nnameserver 10.0.0.1\nnameserver fe80::1\nsearch a.b c\noptions ndots:2 timeout:1\n")
        #expect(settings.servers.map(\.text) == ["10.0.0.1", "fe80::1"])
        #expect(settings.candidates("x.y") == ["x.y.a.b", "x.y.c", "x.y"])
        #expect(settings.candidates("x.y.z") == ["x.y.z", "x.y.z.a.b", "x.y.z.c"])
        #expect(settings.candidates("x.") == ["x."])
        #expect(settings.timeoutSeconds == 1)
    }

    @Test func `metrics are linted in promlint's words`() throws {
        let text = """
            # TYPE requests counter
            requests{le="1"} 1
            # HELP http_duration_milliseconds d
            # TYPE http_duration_milliseconds gauge
            http_duration_milliseconds 1
            http_duration_milliseconds{aB="x"} 1

            """
        let (problems, sizes) = try MetricsLint.check(Array(text.utf8))
        #expect(
            problems.map(\.description) == [
                "http_duration_milliseconds label names should be written in 'snake_case' not 'camelCase'",
                "http_duration_milliseconds use base unit \"seconds\" instead of \"milliseconds\"",
                "requests counter metrics should have \"_total\" suffix", "requests no help text",
                "requests non-histogram metrics should not have \"le\" label",
            ])
        #expect(sizes.map(\.series) == [2, 1])
        #expect(throws: ScrapeFailure.self) { try MetricsLint.check(Array("a{\n".utf8)) }
    }
}
