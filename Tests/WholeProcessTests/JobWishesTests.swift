import TestSupport
import Testing

/// What `narthex push` and `narthex exec` can ask of Narthex.
@Suite(.enabled(if: Installed.narthex != nil)) struct JobWishesTests {
    private func run(_ gateway: RunningGateway, _ arguments: [String]) throws -> Int32 {
        let narthex = try #require(Installed.narthex)
        let rest = Array(arguments.dropFirst())
        return try ChildProcess([narthex, arguments[0], "--url=http://\(gateway.address)"] + rest).wait()
    }

    @Test func `push adds up, once for each key, and says how long the group stays`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let folder = try TemporaryFolder()
        let file = try folder.write("metrics", "# TYPE rows_total counter\nrows_total 5\n")
        for key in ["a", "b", "b"] {
            let code = try run(
                gateway,
                ["push", "--job=import", "--accumulate", "--idempotency-key=\(key)", "--lifetime=1h", file])
            #expect(code == 0)
        }
        #expect(try gateway.value(of: "rows_total{instance=\"\",job=\"import\"}") == 10)
        #expect(try gateway.valuesByJob("push_expiry_time_seconds").keys.contains("import"))
        #expect(try run(gateway, ["push", "--job=a", "--accumulate", "--replace", "x=1"]) == 1)
        #expect(try run(gateway, ["push", "--job=a", "--lifetime=soon", "x=1"]) == 1)
    }

    @Test func `exec adds the metrics of its job to those of earlier runs`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let folder = try TemporaryFolder()
        let job = "printf '# TYPE rows_total counter\\nrows_total 5\\n' > $NARTHEX_METRICS_FILE; exit 4"
        for _ in 0..<2 {
            let code = try run(
                gateway,
                [
                    "exec", "--job=import", "--accumulate", "--lifetime=until-scraped=3", "--spool=\(folder.path)",
                    "--",
                    "/bin/sh", "-c", job,
                ])
            #expect(code == 4)
        }
        #expect(try gateway.value(of: "rows_total{instance=\"\",job=\"import\"}") == 10)
        #expect(try gateway.value(of: "batch_job_exit_code{instance=\"\",job=\"import\"}") == 4)
        #expect(try gateway.client.request("GET", "/api/v1/groups").body.contains("\"until_scraped\":{\"by\":3"))
        #expect(try run(gateway, ["exec", "--job=a", "--lifetime=soon", "--", "/bin/true"]) == 125)
    }
}
