import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `narthex` alone, and the commands around it, as users run them.
@Suite(.serialized, .enabled(if: Installed.narthex != nil, "the program is not beside the tests")) struct BothTests {
    /// Gateway and server in one process, on ports that the system chose.
    private final class RunningBoth {
        let process: ChildProcess
        let gateway: Int
        let server: Int
        let folder: TemporaryFolder

        init(_ options: [String] = [], folder: TemporaryFolder? = nil) throws {
            let folder = try folder ?? TemporaryFolder()
            self.folder = folder
            let narthex = try #require(Installed.narthex)
            let log = folder.path + "/log"
            unlink(log)
            let process = try ChildProcess(
                [
                    narthex, "--data=\(folder.path)/data", "--gateway.listen-address=127.0.0.1:0",
                    "--server.listen-address=127.0.0.1:0", "--log.format=json",
                ] + options, output: log)
            self.process = process
            let ports: [Int] = try eventually("both listen") {
                let lines = TemporaryFolder.read(log).split(separator: "\n").filter { $0.contains("Listening on") }
                let ports = lines.compactMap { line -> Int? in
                    let parts = line.split(separator: ":")
                    // …"127.0.0.1:PORT"…: the part behind the one that ends in the address.
                    guard let place = parts.firstIndex(where: { $0.hasSuffix("127.0.0.1") }) else { return nil }
                    return place + 1 < parts.count ? Int(parts[place + 1].prefix { $0.isNumber }) : nil
                }
                try #require(process.isRunning, "narthex ended: \(TemporaryFolder.read(log))")
                return ports.count == 2 ? ports : nil
            }
            // Which is which: only the gateway has this page.
            let first = try PlainHTTP(port: ports[0]).request("GET", "/api/v1/groups")
            let (gateway, server) = first.status == 200 ? (ports[0], ports[1]) : (ports[1], ports[0])
            (self.gateway, self.server) = (gateway, server)
            _ = try eventually("the server is ready") {
                try PlainHTTP(port: server).request("GET", "/-/ready").status == 200 ? true : nil
            }
        }

        func stop() -> Int32 {
            process.signal(SIGTERM)
            return process.wait()
        }
    }

    private func query(_ both: RunningBoth, _ query: String) throws -> String {
        try PlainHTTP(port: both.server).request("GET", "/api/v1/query?query=\(query)").body
    }

    @Test func `pushes are answered at once, each of them, without an instance`() throws {
        let both = try RunningBoth()
        for value in [1, 2, 6] {
            let answer = try PlainHTTP(port: both.gateway).request(
                "PUT", "/metrics/job/demo", "test_metric_1 \(value)\n")
            #expect(answer.status == 200)
        }
        let body: String = try eventually("all three are stored") {
            let body = try self.query(both, "count_over_time(test_metric_1%5B5m%5D)")
            return body.contains("\"3\"") ? body : nil
        }
        #expect(body.contains("\"metric\":{\"job\":\"demo\"}"))
        #expect(try query(both, "avg_over_time(test_metric_1%5B5m%5D)").contains("\"3\""))
        #expect(both.stop() == 0)
    }

    @Test func `what a histogram holds becomes the series that a scrape gives`() throws {
        let both = try RunningBoth()
        let push = "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n"
        _ = try PlainHTTP(port: both.gateway).request("PUT", "/metrics/job/demo/instance/i", push)
        let body: String = try eventually("the buckets are stored") {
            let body = try self.query(both, "h_bucket")
            return body.contains("+Inf") ? body : nil
        }
        #expect(body.contains("\"le\":\"1.0\""))
        #expect(body.contains("\"instance\":\"i\""))
        #expect(try query(both, "h_sum").contains("\"4.5\""))
        #expect(both.stop() == 0)
    }

    @Test(.enabled(if: Installed.python != nil, "prometheus_client is not installed"))
    func `the tutorial's script is answered at once, in words and in pictures`() throws {
        let both = try RunningBoth()
        let python = try #require(Installed.python)
        let script = Installed.packageFolder + "/Examples/tutorial/push.py"
        let push = try ChildProcess([
            python, script, "--gateway", "127.0.0.1:\(both.gateway)", "--times", "3", "--every", "0.05",
        ])
        #expect(push.wait() == 0)
        let narthex = try #require(Installed.narthex)
        let range = ["--start=\(time(nil) - 30)", "--end=\(time(nil) + 5)", "--step=1s"]
        func query(_ arguments: [String]) throws -> String {
            let output = both.folder.path + "/query.out"
            unlink(output)
            let server = "--server=http://127.0.0.1:\(both.server)"
            #expect(try ChildProcess([narthex, "query"] + arguments + [server], output: output).wait() == 0)
            return both.folder.read("query.out")
        }
        #expect(try query(["avg_over_time(test_metric_1[5m])"]).hasPrefix("{job=\"tutorial\"} => "))
        #expect(try query(["count_over_time(test_metric_1[5m]) >= bool 3"]).contains("=> 1 @"))
        #expect(try query(["test_metric_1", "--output=table"]).contains("test_metric_1  tutorial"))
        #expect(try query(["test_metric_1", "--output=plot"] + range).hasPrefix("test_metric_1\n"))
        let picture = both.folder.path + "/picture.svg"
        _ = try query(["test_metric_1", "--svg=\(picture)"] + range)
        #expect(both.folder.read("picture.svg").hasPrefix("<svg"))
        #expect(try query(["labels", "job"]).contains("tutorial\n"))
        #expect(try query(["series", "--match=test_metric_1"]).contains("test_metric_1{job=\"tutorial\"}\n"))
        #expect(both.stop() == 0)
    }

    @Test func `a short counter keeps its first increment, and ends with its group`() throws {
        let both = try RunningBoth()
        let client = PlainHTTP(port: both.gateway)
        let push = "# TYPE rows_total counter\nrows_total 42\n"
        #expect(try client.request("PUT", "/metrics/job/demo", push).status == 200)
        let increase = "max_over_time(rows_total%5B5m%5D)-min_over_time(rows_total%5B5m%5D)"
        _ = try eventually("the zero and the value are stored") {
            try self.query(both, increase).contains("\"42\"") ? true : nil
        }
        #expect(try client.request("DELETE", "/metrics/job/demo").status == 202)
        _ = try eventually("the series has ended") {
            try self.query(both, "rows_total").contains("\"result\":[]") ? true : nil
        }
        #expect(both.stop() == 0)
    }

    @Test func `what was pushed is there after a kill`() throws {
        let folder = try TemporaryFolder()
        var both = try RunningBoth(folder: folder)
        let client = PlainHTTP(port: both.gateway)
        for value in 1...20 { _ = try client.request("PUT", "/metrics/job/j\(value)", "v \(value)\n") }
        both.process.signal(SIGKILL)
        both.process.wait()
        both = try RunningBoth(folder: folder)
        _ = try eventually("all are there") {
            try self.query(both, "sum(v)").contains("\"210\"") ? true : nil
        }
        #expect(both.stop() == 0)
    }

    @Test func `one file configures both, and what it does not say stays as it is without`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "narthex.yml",
            """
            gateway:
              web.enable-admin-api: true
            server:
              web.enable-lifecycle: true
              storage.tsdb.retention.time: 3d
            global:
              scrape_interval: 1s
              external_labels: {site: x}
            """)
        let both = try RunningBoth(["--config=\(folder.path)/narthex.yml"], folder: folder)
        let server = PlainHTTP(port: both.server)
        let flags = try server.request("GET", "/api/v1/status/flags").body
        #expect(flags.contains("\"storage.tsdb.retention.time\":\"3d\""))
        // What follows from other flags is filled in, and flags of Prometheus' that do nothing here are listed.
        for flag in [
            "\"storage.tsdb.max-block-duration\":\"7h12m\"", "\"storage.tsdb.block-reload-interval\":\"1m\"",
            "\"storage.tsdb.retention.size\":\"0B\"", "\"web.route-prefix\":\"/\"", "\"agent\":\"false\"",
            "\"auto-gomemlimit\":\"true\"", "\"rules.alert.resend-delay\":\"1m\"",
        ] {
            #expect(flags.contains(flag), "\(flag)")
        }
        #expect(try server.request("GET", "/api/v1/status/config").body.contains("site: x"))
        #expect(try server.request("GET", "/api/v1/scrape_pools").body.contains("\"narthex\",\"pushgateway\""))
        #expect(try server.request("POST", "/-/reload").status == 200)
        #expect(try PlainHTTP(port: both.gateway).request("PUT", "/api/v1/admin/wipe").status == 202)
        #expect(both.stop() == 0)
        try folder.write("bad.yml", "server:\n  no.such.flag: 1\n")
        let narthex = try #require(Installed.narthex)
        let bad = try ChildProcess(
            [narthex, "--data=\(folder.path)/data", "--config=\(folder.path)/bad.yml"], output: folder.path + "/out")
        #expect(bad.wait() == 1)
        #expect(folder.read("out").contains("line 2: field no.such.flag not found in type narthex.server"))
    }

    /// Pushes of every kind, deletions and changes of shape, then the same series and values on both ways.
    @Test func `in process and by scrape the same series have the same values`() throws {
        let folder = try TemporaryFolder()
        try folder.write("both.yml", "global: {scrape_interval: 1s, scrape_timeout: 1s}\n")
        let both = try RunningBoth(["--config=\(folder.path)/both.yml"], folder: folder)
        let other = try RunningServer(
            folder: try TemporaryFolder(),
            configuration: """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                - job_name: pushgateway
                  honor_labels: true
                  static_configs:
                  - targets: ["127.0.0.1:\(both.gateway)"]
                """)
        let client = PlainHTTP(port: both.gateway)
        let pushes: [(String, String, String)] = [
            ("PUT", "/metrics/job/a", "g 1\n# TYPE c_total counter\nc_total{x=\"\\\"\\n\"} 3e9\n"),
            ("PUT", "/metrics/job/a/instance/i", "g NaN\nu{empty=\"\"} -Inf\n"),
            (
                "POST", "/metrics/job/h",
                "# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"10\"} 2\nh_bucket{le=\"+Inf\"} 3\n"
                    + "h_sum 4.5\nh_count 3\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"1\"} 2\ns_sum 3\ns_count 4\n"
            ),
            (
                "POST", "/metrics/job/h",
                "# TYPE h histogram\nh_bucket{le=\"5\"} 1\nh_bucket{le=\"+Inf\"} 7\nh_sum 8\nh_count 7\n"
            ),
            ("PUT", "/metrics/job/gone", "g 9\n"), ("DELETE", "/metrics/job/gone", ""),
            ("PUT", "/metrics/job@base64/w6Q", "g 5\n"),
        ]
        for (method, path, body) in pushes {
            let status = try client.request(method, path, body).status
            #expect(status == 200 || status == 202)
        }
        let selector = "%7Bjob%3D~%22a%7Ch%7Cgone%7C%C3%A9%22%2C__name__!~%22scrape_.*%7Cup%22%7D"
        func result(_ port: Int) throws -> String {
            let body = try PlainHTTP(port: port).request("GET", "/api/v1/query?query=\(selector)").body
            // Times differ: `{"metric":{…},"value":[1.5,"1"]}`.
            return body.split(separator: "{\"metric\":").dropFirst().map { part in
                part.split(separator: "\"").filter { !$0.hasPrefix(":[") }.joined(separator: "\"")
            }.sorted().joined(separator: "\n")
        }
        let both1 = both.server
        _ = try eventually("both have the same") {
            let (ours, theirs) = (try result(both1), try result(other.port))
            return ours == theirs && ours.contains("push_time_seconds") ? true : nil
        }
        #expect(try result(both1).split(separator: "\n").count > 15)
        #expect(both.stop() == 0)
    }

    /// A job that renames, drops and converts, on both ways.
    @Test func `what the gateway's job makes of series it makes of pushes as well`() throws {
        let folder = try TemporaryFolder()
        func configuration(_ port: Int) -> String {
            """
            global: {scrape_interval: 1s, scrape_timeout: 1s}
            scrape_configs:
            - job_name: pushed
              honor_labels: true
              convert_classic_histograms_to_nhcb: true
              static_configs:
              - targets: ["127.0.0.1:\(port)"]
                labels: {site: x}
              metric_relabel_configs:
              - {source_labels: [__name__], regex: drop_.*, action: drop}
              - {source_labels: [__name__], regex: old_(.*), target_label: __name__, replacement: new_$1}
            """
        }
        // The port that the system chooses is none that a file could name: the flag's own is what both are held by.
        try folder.write("both.yml", configuration(0))
        let both = try RunningBoth(["--config=\(folder.path)/both.yml"], folder: folder)
        let other = try RunningServer(folder: try TemporaryFolder(), configuration: configuration(both.gateway))
        let client = PlainHTTP(port: both.gateway)
        let push = """
            old_g 1
            drop_g 2
            # TYPE h histogram
            h_bucket{le="1"} 2
            h_bucket{le="+Inf"} 3
            h_sum 4.5
            h_count 3

            """
        #expect(try client.request("PUT", "/metrics/job/demo/site/own", push).status == 200)
        #expect(try client.request("PUT", "/metrics/job/plain", push).status == 200)
        let selector = "%7Bjob%3D~%22demo%7Cplain%22%2C__name__!~%22scrape_.*%7Cup%22%7D"
        func result(_ port: Int) throws -> String {
            let body = try PlainHTTP(port: port).request("GET", "/api/v1/query?query=\(selector)").body
            return body.split(separator: "{\"metric\":").dropFirst().map { part in
                part.split(separator: "\"").filter { !$0.hasPrefix(":[") }.joined(separator: "\"")
            }.sorted().joined(separator: "\n")
        }
        let server = both.server
        _ = try eventually("both have the same") {
            let (ours, theirs) = (try result(server), try result(other.port))
            return ours == theirs && ours.contains("push_time_seconds") ? true : nil
        }
        let series = try result(server)
        #expect(series.contains("new_g") && !series.contains("old_g") && !series.contains("drop_g"))
        #expect(series.contains("\"buckets\"") && !series.contains("h_bucket"))
        #expect(series.contains("\"site\":\"own\"") && series.contains("\"site\":\"x\""))
        #expect(both.stop() == 0)
    }

    @Test func `a job that is run leaves how it went, and its exit code is ours`() throws {
        let both = try RunningBoth()
        let narthex = try #require(Installed.narthex)
        let job = try ChildProcess([
            narthex, "exec", "--url=http://127.0.0.1:\(both.gateway)", "--spool=\(both.folder.path)/spool",
            "--job=nightly",
            "--", "/bin/sh", "-c", "echo 'rows 42' > \"$NARTHEX_METRICS_FILE\"; exit 3",
        ])
        #expect(job.wait() == 3)
        let scrape = try PlainHTTP(port: both.gateway).request("GET", "/metrics").body
        #expect(scrape.contains("batch_job_exit_code{instance=\"\",job=\"nightly\"} 3\n"))
        #expect(scrape.contains("batch_job_success{instance=\"\",job=\"nightly\"} 0\n"))
        #expect(scrape.contains("rows{instance=\"\",job=\"nightly\"} 42\n"))
        #expect(!scrape.contains("batch_job_last_success_time_seconds{instance=\"\",job=\"nightly\"}"))
        #expect(both.stop() == 0)
    }

    @Test func `an unreachable gateway harms no job, and the next run delivers`() throws {
        let both = try RunningBoth()
        let narthex = try #require(Installed.narthex)
        let spool = "--spool=\(both.folder.path)/spool"
        let lost = try ChildProcess([
            narthex, "exec", "--url=http://127.0.0.1:1", spool, "--tries=1", "--job=a", "--", "/bin/true",
        ])
        #expect(lost.wait() == 0)
        let next = try ChildProcess([
            narthex, "exec", "--url=http://127.0.0.1:\(both.gateway)", spool, "--job=b", "--", "/bin/true",
        ])
        #expect(next.wait() == 0)
        let scrape = try PlainHTTP(port: both.gateway).request("GET", "/metrics").body
        #expect(scrape.contains("batch_job_success{instance=\"\",job=\"a\"} 1\n"))
        #expect(scrape.contains("batch_job_success{instance=\"\",job=\"b\"} 1\n"))
        #expect(both.stop() == 0)
    }
}
