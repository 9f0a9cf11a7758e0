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

        init() throws {
            folder = try TemporaryFolder()
            let narthex = try #require(Installed.narthex)
            let log = folder.path + "/log"
            let process = try ChildProcess(
                [
                    narthex, "--data=\(folder.path)/data", "--gateway.listen-address=127.0.0.1:0",
                    "--server.listen-address=127.0.0.1:0", "--log.format=json",
                ], output: log)
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
            (gateway, server) = first.status == 200 ? (ports[0], ports[1]) : (ports[1], ports[0])
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
            // A store keeps one sample a millisecond.
            usleep(5000)
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
