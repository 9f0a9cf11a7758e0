import Logging
import MetricModel
import Scrape
import Synchronization
import Testing

@Suite(.serialized) struct ScrapeManagerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A manager with a store in memory and a clock that stands.
    final class Bench: Sendable {
        let sink = RecordingSink()
        let clock = ManualScrapeClock()
        let manager: ScrapeManager
        let running: Task<Void, Never>

        init(features: ScrapeFeatures = .init()) {
            let manager = ScrapeManager(sink: sink, clock: clock, features: features, logger: logger)
            self.manager = manager
            running = Task { await manager.run() }
        }

        func apply(_ text: String) async throws {
            let configuration = try Configuration(Array(text.utf8)) { _ in nil }
            try await manager.apply(
                configuration.scrapeConfigurations, externalLabels: configuration.global.externalLabels)
        }

        /// Waits until `count` batches were committed in all.
        func commits(_ count: Int) async {
            await eventually("\(count) commits") { sink.state.withLock { $0.commits } >= count }
        }

        /// Moves the clock on, second by second, until `count` batches were committed in all.
        func drive(_ count: Int) async {
            await eventually("\(count) commits") {
                if sink.state.withLock({ $0.commits }) >= count { return true }
                clock.clock.advance(by: .milliseconds(200))
                return false
            }
        }

        func stop() async {
            running.cancel()
            await running.value
        }

        var target: ScrapeTarget? {
            get async { await manager.activeTargets.values.joined().first }
        }
    }

    private func config(_ port: Int, _ more: String = "") -> String {
        """
        scrape_configs:
        - job_name: j
          scrape_interval: 10s
          static_configs: [{targets: ['127.0.0.1:\(port)']}]
        \(more.split(separator: "\n").map { "  \($0)\n" }.joined())
        """
    }

    @Test func `a target is scraped at its offset and then at each interval`() async throws {
        let count = Atomic(0)
        let server = try FakeServer { _ in .text("a \(count.wrappingAdd(1, ordering: .relaxed).newValue)\n") }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port, "params: {x: ['a b']}\nmetrics_path: /m"))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        await bench.clock.advance(.seconds(10))
        await bench.commits(2)
        let instance = "127.0.0.1:\(server.port)"
        let labels: Labels = ["__name__": "a", "instance": ByteString(instance).string, "job": "j"]
        let samples = try #require(bench.sink.series(labels)).samples
        #expect(samples.map(\.value) == [1, 2])
        let up = try #require(bench.sink.series(["__name__": "up", "instance": instance, "job": "j"]))
        #expect(up.samples.map(\.value) == [1, 1])
        #expect(up.samples[1].timestamp - up.samples[0].timestamp == 10_000)
        let request = try #require(server.requests.first)
        #expect(request.target == "/m?x=a+b")
        #expect(
            request.header("Accept")
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
                + "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
                + "*/*;q=0.2")
        #expect(request.header("Accept-Encoding") == "gzip")
        #expect(request.header("X-Prometheus-Scrape-Timeout-Seconds") == "10")
        let status = try #require(await bench.target?.status)
        #expect(status.health == .up && status.lastError.isEmpty && status.scrapeURL == "http://\(instance)/m?x=a+b")
        await bench.stop()
    }

    @Test(
        arguments: [
            (
                FakeServer.Response(status: "503 Service Unavailable"),
                "server returned HTTP status 503 Service Unavailable"
            ),
            (FakeServer.Response(body: Array("x{\n".utf8)), "expected label name"),
            (
                FakeServer.Response(headers: [("Content-Type", "text/html")], body: [0x61]),
                "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target"
            ),
            (
                FakeServer.Response(headers: [], body: [0x61]),
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
            ),
            (FakeServer.Response(body: [UInt8](repeating: 0x0A, count: 2000)), "body size limit exceeded"),
        ])
    func `a failure is told, and marks the target down`(_ response: FakeServer.Response, _ message: String) async throws
    {
        let server = try FakeServer { _ in response }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port, "body_size_limit: 1KB"))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        let status = try #require(await bench.target?.status)
        #expect(status.health == .down)
        #expect(status.lastError.hasPrefix(message), "\(status.lastError)")
        #expect(
            bench.sink.values(["__name__": "up", "instance": "127.0.0.1:\(server.port)", "job": "j"]).first?.hasSuffix(
                ":0.0") ?? false)
        await bench.stop()
    }

    @Test func `a compressed body is read, and its limit counts what it holds`() async throws {
        // `gzip` of "a 1\n".
        let body: [UInt8] = [
            0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0x4B, 0x54, 0x30, 0xE4, 0x02, 0x00, 0x36, 0xE7, 0x1B, 0xBC, 0x04,
            0,
            0, 0,
        ]
        let server = try FakeServer { _ in
            FakeServer.Response(headers: [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")], body: body)
        }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        #expect(try #require(await bench.target).status.lastError == "")
        try await bench.apply(config(server.port, "body_size_limit: 4B"))
        await bench.drive(2)
        #expect(try #require(await bench.target).status.lastError == "body size limit exceeded")
        await bench.stop()
    }

    @Test func `nobody there is told as Go tells it`() async throws {
        let server = try FakeServer { _ in .text("") }
        let port = server.port
        server.stop()
        let bench = Bench()
        try await bench.apply(config(port))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        let error = try #require(await bench.target?.status.lastError)
        #expect(
            error == "Get \"http://127.0.0.1:\(port)/metrics\": dial tcp 127.0.0.1:\(port): connect: connection refused"
        )
        await bench.stop()
    }

    @Test func `a target that never answers times out, and hurts no other`() async throws {
        let slow = try FakeServer { _ in FakeServer.Response(hangs: true) }
        let good = try FakeServer { _ in .text("a 1\n") }
        defer {
            slow.stop()
            good.stop()
        }
        let bench = Bench()
        try await bench.apply(
            "scrape_configs: [{job_name: s, scrape_interval: 10s, scrape_timeout: 100ms, static_configs: [{targets: "
                + "['127.0.0.1:\(slow.port)', '127.0.0.1:\(good.port)']}]}]")
        await bench.clock.advance(.seconds(10), whenWaiting: 2)
        await bench.commits(2)
        let health = await bench.manager.activeTargets["s"]?.map { ($0.status.health, $0.status.lastError) } ?? []
        #expect(health.contains { $0.0 == .up })
        #expect(health.contains { $0.1 == "Get \"http://127.0.0.1:\(slow.port)/metrics\": context deadline exceeded" })
        await bench.stop()
    }

    @Test func `credentials and headers are sent, and not to where a redirect leads`() async throws {
        let other = try FakeServer { _ in .text("a 1\n") }
        let port = other.port
        let server = try FakeServer { request in
            request.target == "/metrics"
                ? FakeServer.Response(status: "302 Found", headers: [("Location", "/next")])
                : FakeServer.Response(status: "302 Found", headers: [("Location", "http://127.0.0.1:\(port)/far")])
        }
        defer {
            server.stop()
            other.stop()
        }
        let bench = Bench()
        try await bench.apply(
            config(server.port, "basic_auth: {username: u, password: p}\nhttp_headers: {X-Key: {secrets: [k]}}"))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        #expect(server.requests.map(\.target) == ["/metrics", "/next"])
        #expect(server.requests.allSatisfy { $0.header("Authorization") == "Basic dTpw" && $0.header("X-Key") == "k" })
        let far = try #require(other.requests.first)
        #expect(far.target == "/far" && far.header("Authorization") == nil && far.header("X-Key") == nil)
        await bench.stop()
    }

    @Test func `an OAuth 2 token is fetched once and sent`() async throws {
        let tokens = try FakeServer { _ in
            FakeServer.Response(
                headers: [("Content-Type", "application/json")],
                body: Array("{\"access_token\":\"t1\",\"token_type\":\"bearer\",\"expires_in\":3600}".utf8))
        }
        let server = try FakeServer { _ in .text("a 1\n") }
        defer {
            server.stop()
            tokens.stop()
        }
        let bench = Bench()
        try await bench.apply(
            config(
                server.port,
                "oauth2: {client_id: id, client_secret: s, token_url: 'http://127.0.0.1:\(tokens.port)/token', scopes: [a, b]}"
            ))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        await bench.clock.advance(.seconds(10))
        await bench.commits(2)
        #expect(tokens.requests.count == 1)
        let error = try #require(await bench.target).status.lastError
        #expect(server.requests.map { $0.header("Authorization") } == ["Bearer t1", "Bearer t1"], "\(error)")
        await bench.stop()
    }

    @Test func `a proxy is used, but not for its exceptions`() async throws {
        let proxy = try FakeServer { _ in .text("proxied 1\n") }
        let server = try FakeServer { _ in .text("direct 1\n") }
        defer {
            proxy.stop()
            server.stop()
        }
        let bench = Bench()
        try await bench.apply(config(server.port, "proxy_url: http://127.0.0.1:\(proxy.port)"))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        #expect(proxy.requests.first?.target == "http://127.0.0.1:\(server.port)/metrics")
        #expect(server.requests.isEmpty)
        try await bench.apply(config(server.port, "proxy_url: http://127.0.0.1:\(proxy.port)\nno_proxy: 127.0.0.0/8"))
        await bench.drive(2)
        #expect(server.requests.count == 1)
        await bench.stop()
    }

    @Test func `a reload leaves unchanged jobs alone and keeps targets of changed ones`() async throws {
        let server = try FakeServer { _ in .text("a 1\n") }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        let before = try #require(await bench.target)
        try await bench.apply(config(server.port))
        #expect(await bench.target === before)
        try await bench.apply(config(server.port, "sample_limit: 5"))
        #expect(await bench.target === before)
        await bench.drive(2)
        let added = try #require(
            bench.sink.series(["__name__": "scrape_series_added", "instance": "127.0.0.1:\(server.port)", "job": "j"]))
        #expect(added.samples.map(\.value) == [1, 0])
        await bench.stop()
    }

    @Test func `a new job whose files are missing is left out; one that was there goes on as it was`() async throws {
        let server = try FakeServer { _ in .text("a 1\n") }
        defer { server.stop() }
        let broken = config(server.port, "tls_config: {ca_file: /nothing}")
        let fresh = Bench()
        try await fresh.apply(broken)
        #expect(await fresh.target == nil)
        await fresh.stop()
        let bench = Bench()
        try await bench.apply(config(server.port))
        await #expect(throws: ScrapeFailure.self) { try await bench.apply(broken) }
        await bench.stop()
    }

    @Test func `the series of a target that is gone end after two intervals`() async throws {
        let server = try FakeServer { _ in .text("a 1\n") }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        #expect(try #require(await bench.target).status.lastError == "")
        try await bench.apply("scrape_configs: []")
        #expect(await bench.manager.pools.isEmpty)
        await bench.drive(2)
        let instance = "127.0.0.1:\(server.port)"
        for name in ["a", "up"] {
            let values = bench.sink.values(["__name__": name, "instance": instance, "job": "j"])
            #expect(values.count == 2 && values.last?.hasSuffix(":stale") ?? false, "\(name) \(values)")
        }
        await bench.stop()
    }

    @Test func `cancellation ends everything without marks, and at once`() async throws {
        let server = try FakeServer { _ in FakeServer.Response(hangs: true) }
        defer { server.stop() }
        let bench = Bench()
        try await bench.apply(config(server.port))
        await bench.clock.advance(.seconds(10))
        await eventually("a request") { !server.requests.isEmpty }
        await bench.stop()
        #expect(bench.sink.state.withLock { $0.commits } == 0)
        #expect(bench.clock.clock.sleeperCount == 0)
    }

    @Test func `targets are dropped by relabelling, and too many fail`() async throws {
        let bench = Bench()
        try await bench.apply(
            """
            scrape_configs:
            - job_name: j
              target_limit: 1
              keep_dropped_targets: 1
              static_configs: [{targets: [a, b, drop1, drop2, 'bad/x']}]
              relabel_configs: [{action: drop, source_labels: [__address__], regex: drop.}]
            """)
        #expect(await bench.manager.activeTargets["j"]?.count == 2)
        let dropped = await bench.manager.droppedTargets["j"]
        #expect(dropped?.count == 2 && dropped?.labels.count == 1)
        #expect(bench.manager.metrics.targetSyncFailed.family.metrics.count == 1)
        await bench.clock.advance(.seconds(60), whenWaiting: 2)
        await bench.commits(2)
        let errors = await bench.manager.activeTargets["j"]?.map(\.status.lastError) ?? []
        #expect(errors == Array(repeating: "target_limit exceeded (number of targets: 2, limit: 1)", count: 2))
        await bench.stop()
    }
}
