import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `narthex server` as a whole: what it takes over from Prometheus, seen from outside.
@Suite(.serialized, .enabled(if: Installed.narthex != nil, "the program is not beside the tests"))
struct TimeSeriesServerTests {
    /// One OTLP request with one point of `name`, at the present time.
    private func point(_ name: String, _ value: Int, labels: [String: String] = [:], after: Int = 0) -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = (Int(now.tv_sec) * 1000 + Int(now.tv_nsec) / 1_000_000 + after) * 1_000_000
        let attributes = labels.map { #"{"key":"\#($0.key)","value":{"stringValue":"\#($0.value)"}}"# }
        return #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\#(name)","gauge":{"dataPoints":[{"#
            + #""timeUnixNano":"\#(time)","asInt":"\#(value)","attributes":[\#(attributes.joined(separator: ","))]}]}}]}]}]}"#
    }

    private func send(_ body: String, to client: PlainHTTP) throws -> Int {
        try client.request("POST", "/api/v1/otlp/v1/metrics", body, headers: ["Content-Type: application/json"]).status
    }

    @Test func `a reload takes up what changed, and a bad file leaves the old one running`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(
            ["--web.enable-lifecycle"], folder: folder, configuration: "scrape_configs: [{job_name: a}]\n")
        let path = folder.path + "/prometheus.yml"
        let client = server.client
        let successful = "prometheus_config_last_reload_successful "
        #expect(try client.request("GET", "/metrics").body.contains(successful + "1\n"))
        try folder.write("prometheus.yml", "scrape_configs: [{job_name: a}, {job_name: a}]\n")
        let refusal = try client.request("POST", "/-/reload")
        #expect(refusal.status == 500)
        #expect(
            refusal.body.hasPrefix("failed to reload config: couldn't load configuration (--config.file=\"\(path)\"):"))
        #expect(refusal.body.contains("found multiple scrape configs with job name \"a\""))
        #expect(try client.request("GET", "/metrics").body.contains(successful + "0\n"))
        #expect(try client.request("GET", "/api/v1/scrape_pools").body.contains("[\"a\"]"))
        let failed = "\"text\":\"Configuration reload has failed.\""
        #expect(try client.request("GET", "/api/v1/notifications").body.contains(failed))
        try folder.write("prometheus.yml", "scrape_configs: [{job_name: a}, {job_name: b}]\n")
        server.process.signal(SIGHUP)
        _ = try eventually("the signal was heard") {
            try client.request("GET", "/api/v1/scrape_pools").body.contains("[\"a\",\"b\"]") ? true : nil
        }
        #expect(try client.request("GET", "/metrics").body.contains(successful + "1\n"))
        #expect(try client.request("GET", "/api/v1/notifications").body.contains("\"data\":[]"))
        #expect(try client.request("PUT", "/-/quit").body == "Requesting termination... Goodbye!")
        #expect(server.process.wait() == 0)
    }

    @Test func `without the flag nobody ends the server`() throws {
        let server = try RunningServer(folder: try TemporaryFolder())
        #expect(try server.client.request("POST", "/-/quit").status == 403)
        #expect(try server.client.request("GET", "/-/quit").status == 405)
        #expect(server.stop() == 0)
    }

    @Test func `requests are counted by handler and code`() throws {
        let server = try RunningServer(folder: try TemporaryFolder())
        let client = server.client
        #expect(try client.request("GET", "/api/v1/query?query=up").status == 200)
        #expect(try client.request("GET", "/api/v1/query?query=(").status == 400)
        #expect(try client.request("GET", "/api/v1/label/job/values").status == 200)
        let metrics = try client.request("GET", "/metrics").body
        for line in [
            "prometheus_http_requests_total{code=\"200\",handler=\"/api/v1/query\"} 1",
            "prometheus_http_requests_total{code=\"400\",handler=\"/api/v1/query\"} 1",
            "prometheus_http_requests_total{code=\"200\",handler=\"/api/v1/label/:name/values\"} 1",
            "prometheus_http_request_duration_seconds_count{handler=\"/api/v1/query\"} 2",
            "prometheus_http_response_size_bytes_count{handler=\"/api/v1/query\"} 2",
            "prometheus_engine_queries_concurrent_max 20",
            "prometheus_engine_query_duration_seconds_count{slice=\"inner_eval\"} 1",
            "prometheus_ready 1", "promhttp_metric_handler_requests_total{code=\"500\"} 0",
            "net_conntrack_listener_conn_accepted_total{listener_name=\"http\"} 1",
            "# TYPE prometheus_tsdb_wal_fsync_duration_seconds summary",
            "prometheus_tsdb_compaction_duration_seconds_bucket{le=\"8192\"} 0",
        ] {
            #expect(metrics.contains(line + "\n"), "\(line)")
        }
        #expect(server.stop() == 0)
    }

    @Test func `what was acknowledged is there after a kill`() throws {
        let folder = try TemporaryFolder()
        var acknowledged = 0
        for _ in 0..<3 {
            let server = try RunningServer(["--web.enable-otlp-receiver"], folder: folder)
            let client = server.client
            for _ in 0..<40 {
                let status = try send(point("kept", acknowledged, labels: ["n": "\(acknowledged)"]), to: client)
                #expect(status == 200)
                acknowledged += 1
            }
            server.kill()
        }
        let server = try RunningServer(folder: folder)
        #expect(try server.value("count(kept)") == Double(acknowledged))
        #expect(server.stop() == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make a small disk"))
    func `a full disk refuses samples with 503, goes on answering, and takes them again`() throws {
        let folder = try TemporaryFolder()
        let disk = folder.path + "/disk"
        mkdir(disk, 0o755)
        try #require(try ChildProcess(["/bin/mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk]).wait() == 0)
        defer { _ = try? ChildProcess(["/bin/umount", "-l", disk]).wait() }
        let server = try RunningServer(
            ["--web.enable-otlp-receiver", "--storage.tsdb.block-reload-interval=1s"], folder: folder,
            data: disk + "/data")
        let client = server.client
        #expect(try send(point("g", 1), to: client) == 200)
        let filler = try #require(fopen(disk + "/filler", "we"))
        let zeros = [UInt8](repeating: 1, count: 1 << 20)
        while fwrite(zeros, 1, zeros.count, filler) == zeros.count, fflush(filler) == 0 {}
        fclose(filler)
        var value = 1
        _ = try eventually("samples are refused") {
            value += 1
            return try send(point("g", value), to: client) == 503 ? true : nil
        }
        #expect(try server.query("g").contains("\"status\":\"success\""))
        #expect(try client.request("GET", "/-/healthy").status == 200)
        unlink(disk + "/filler")
        _ = try eventually("samples are taken again") { try send(point("g", 777), to: client) == 200 ? true : nil }
        #expect(try server.value("g") == 777)
        #expect(server.stop() == 0)
    }

    /// `Scripts/long-run` does the same for longer, with targets that are scraped.
    @Test func `blocks of seconds, reloads, churn and queries at once lose nothing, and memory stays flat`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(
            [
                "--web.enable-otlp-receiver", "--web.enable-lifecycle", "--storage.tsdb.block-reload-interval=1s",
                "--storage.tsdb.min-block-duration=2s", "--storage.tsdb.max-block-duration=8s",
            ], folder: folder)
        let client = server.client
        var sent = 0
        var memory: [Double] = []
        let end = ContinuousClock.now + .seconds(12)
        while ContinuousClock.now < end {
            // Every hundred points another label set: series come and go.
            let labels = ["set": "\(sent / 100)", "n": "\(sent % 7)"]
            #expect(try send(point("m", sent, labels: labels), to: client) == 200)
            sent += 1
            memory.append(server.residentMemory)
            if sent.isMultiple(of: 50) {
                #expect(try server.value("sum(count_over_time(m[5m]))") == Double(sent))
            }
            if sent.isMultiple(of: 200) { #expect(try client.request("POST", "/-/reload").status == 200) }
        }
        let third = memory.count / 3
        let middle = try #require(memory[third..<(2 * third)].max())
        let last = try #require(memory[(2 * third)...].max())
        #expect(last < middle * 1.25 + 16, "from \(middle) to \(last) MiB")
        let blocks = try client.request("GET", "/api/v1/status/tsdb/blocks").body
        #expect(blocks.contains("\"ulid\""), "\(blocks)")
        #expect(try server.value("sum(count_over_time(m[5m]))") == Double(sent))
        server.kill()
        let again = try RunningServer(folder: folder)
        #expect(try again.value("sum(count_over_time(m[5m]))") == Double(sent))
        #expect(again.stop() == 0)
    }

    @Test func `a thousand idle connections and a hundred that ask`() throws {
        let server = try RunningServer(folder: try TemporaryFolder())
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(7), &limits)
        limits.rlim_cur = limits.rlim_max
        setrlimit(__rlimit_resource_t(7), &limits)
        var idle: [PlainHTTP] = []
        for _ in 0..<1000 {
            let client = server.client
            try client.begin("")
            idle.append(client)
        }
        let active = (0..<100).map { _ in server.client }
        for round in 0..<10 {
            for client in active {
                let answer = try client.request("GET", "/api/v1/query?query=\(round)")
                #expect(answer.status == 200)
            }
        }
        #expect(try idle[500].request("GET", "/-/ready").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `a password and headers of the web configuration`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "web.yml",
            "basic_auth_users:\n  alice: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"
                + "http_server_config:\n  headers:\n    X-Frame-Options: deny\n")
        let server = try RunningServer(["--web.config.file=\(folder.path)/web.yml"], folder: folder)
        let client = server.client
        #expect(try client.request("GET", "/api/v1/query?query=1").status == 401)
        let good = try client.request(
            "GET", "/api/v1/query?query=1", headers: ["Authorization: Basic YWxpY2U6c2VjcmV0"])
        #expect(good.status == 200)
        #expect(good.head.contains("X-Frame-Options: deny"))
        #expect(server.stop() == 0)
    }

    @Test(.enabled(if: Installed.openssl != nil && Installed.executable("/usr/bin/curl") != nil))
    func `TLS with HTTP 2`() throws {
        let folder = try TemporaryFolder()
        let openssl = try #require(Installed.openssl)
        try #require(
            try ChildProcess([
                openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                folder.path + "/key.pem", "-out", folder.path + "/cert.pem", "-days", "30", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ]).wait() == 0)
        try folder.write("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        let server = try RunningServer(["--web.config.file=\(folder.path)/web.yml"], folder: folder)
        let code = try ChildProcess(
            [
                "/usr/bin/curl", "-sS", "--http2", "--cacert", folder.path + "/cert.pem", "-w", " %{http_version}",
                "https://localhost:\(server.port)/-/ready",
            ], output: folder.path + "/out"
        ).wait()
        #expect(code == 0)
        #expect(folder.read("out") == "Prometheus Server is Ready.\n 2")
        #expect(server.stop() == 0)
    }

    @Test func `flags that this version has no part for are refused by name`() throws {
        let narthex = try #require(Installed.narthex)
        let folder = try TemporaryFolder()
        for (flag, text) in [
            ("--agent", "--agent: this version has no agent mode"),
            ("--web.user-assets=/tmp", "--web.user-assets: files of your own are not served"),
            ("--no-such-flag", "unknown long flag '--no-such-flag'"),
        ] {
            let output = folder.path + "/out"
            unlink(output)
            #expect(try ChildProcess([narthex, "server", flag], output: output).wait() != 0)
            #expect(folder.read("out").contains(text), "\(folder.read("out"))")
        }
    }

    // MARK: Clients

    @Test(.enabled(if: Installed.executable("/usr/bin/prometheus-node-exporter") != nil))
    func `the node exporter is scraped, and clients read what it said`() throws {
        let folder = try TemporaryFolder()
        let port = try FreePort.find()
        let exporter = try ChildProcess(
            ["/usr/bin/prometheus-node-exporter", "--web.listen-address=127.0.0.1:\(port)"],
            output: folder.path + "/exporter.log")
        defer { exporter.signal(SIGKILL) }
        let server = try RunningServer(
            folder: folder,
            configuration: """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                - {job_name: node, static_configs: [{targets: ["127.0.0.1:\(port)"]}]}
                """)
        _ = try eventually("it is up") { try server.value("up{job=\"node\"}") == 1 ? true : nil }
        #expect(try #require(try server.value("count({job=\"node\"})")) > 100)
        try promtool(server, folder)
        try grafana(server)
        try pythonClient(server, folder)
        #expect(server.stop() == 0)
    }

    private func promtool(_ server: RunningServer, _ folder: TemporaryFolder) throws {
        guard let promtool = Installed.executable("/usr/bin/promtool") else { return }
        let address = "http://127.0.0.1:\(server.port)"
        for (arguments, text) in [
            (["instant", address, "up"], "up{instance="), (["labels", address, "job"], "node"),
            (["series", "--match=up", address], "job=\"node\""),
            (
                ["range", "--start=\(time(nil) - 60)", "--end=\(time(nil) + 5)", "--step=1s", address, "up"],
                "up{instance="
            ),
        ] {
            let output = folder.path + "/promtool"
            unlink(output)
            #expect(try ChildProcess([promtool, "query"] + arguments, output: output).wait() == 0)
            #expect(folder.read("promtool").contains(text), "\(folder.read("promtool"))")
        }
    }

    /// The requests of Grafana's data source for Prometheus.
    private func grafana(_ server: RunningServer) throws {
        let client = server.client
        let form = ["Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip"]
        let now = time(nil)
        let posts = [
            // The data source's test, then panels and their editor.
            ("query", "query=1%2B1&time=\(now)"),
            ("query", "query=up&time=\(now)"), ("query_range", "query=up&start=\(now - 60)&end=\(now)&step=15"),
            (
                "query_range",
                "query=rate(node_cpu_seconds_total%5B1m0s%5D)&start=\(now - 60).000&end=\(now).000&step=15"
            ),
            ("format_query", "query=sum+by(job)(up)"), ("parse_query", "query=sum+by(job)(up)"),
            ("labels", "start=\(now - 60)&end=\(now)&match%5B%5D=up"),
            ("series", "start=\(now - 60)&end=\(now)&match%5B%5D=up"),
            ("query_exemplars", "query=up&start=\(now - 60)&end=\(now)"),
        ]
        for (path, body) in posts {
            let answer = try client.request("POST", "/api/v1/" + path, body, headers: form)
            #expect(answer.status == 200 && answer.body.hasPrefix("{\"status\":\"success\""), "\(path): \(answer)")
        }
        let range = "start=\(now - 60)&end=\(now)"
        for path in [
            "status/buildinfo", "metadata", "metadata?limit=40000", "metadata?limit_per_metric=1", "rules",
            "rules?type=alert", "rules?type=record", "label/job/values", "label/__name__/values", "alerts",
            "labels?\(range)&limit=40000", "label/job/values?\(range)&match%5B%5D=up&limit=40000",
            "series?\(range)&match%5B%5D=up&limit=40000", "query_exemplars?query=up&\(range)",
            "status/flags", "status/config", "status/runtimeinfo", "status/tsdb", "targets?state=active",
        ] {
            let answer = try client.request("GET", "/api/v1/" + path)
            #expect(answer.status == 200 && answer.body.contains("\"status\":\"success\""), "\(path): \(answer)")
        }
        #expect(try client.request("GET", "/api/v1/metadata?metric=node_load1").body.contains("\"type\":\"gauge\""))
    }

    private func pythonClient(_ server: RunningServer, _ folder: TemporaryFolder) throws {
        guard let python = Installed.python,
            try ChildProcess([python, "-c", "import prometheus_api_client"]).wait() == 0
        else { return }
        let script = """
            import sys
            from datetime import datetime, timedelta
            from prometheus_api_client import PrometheusConnect
            c = PrometheusConnect(url=sys.argv[1], disable_ssl=True)
            assert c.check_prometheus_connection()
            assert 'up' in c.all_metrics()
            assert c.get_current_metric_value('up')[0]['value'][1] == '1'
            now = datetime.now()
            assert c.get_metric_range_data('up', start_time=now - timedelta(minutes=1), end_time=now)
            assert c.custom_query_range('up', now - timedelta(minutes=1), now, '1s')
            assert 'node' in c.get_label_values('job')
            print('fine')
            """
        let output = folder.path + "/python"
        let code = try ChildProcess([python, "-c", script, "http://127.0.0.1:\(server.port)"], output: output).wait()
        #expect(code == 0 && folder.read("python").contains("fine"), "\(folder.read("python"))")
    }
}
