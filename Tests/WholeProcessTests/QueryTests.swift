import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Queries as clients of the server see them: features, statistics, limits, and what is left of them after a crash.
@Suite(.serialized, .enabled(if: Installed.narthex != nil, "the program is not beside the tests")) struct QueryTests {
    /// A query that goes on until somebody ends it: nested subqueries over many steps.
    private static let endless =
        "sum(sum_over_time(vector(1)[1000d:1s])%2Bsum_over_time(vector(1)[1000d:1s]))"

    @Test func `a query that ran at a crash is named at the next start`() throws {
        let folder = try TemporaryFolder()
        let first = try RunningServer(["--query.max-samples=2000000000"], folder: folder)
        let connection = first.client
        try connection.begin("GET /api/v1/query?query=\(Self.endless) HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try eventually("the query stands in the file") {
            folder.read("data/queries.active").contains("sum_over_time") ? true : nil
        }
        first.kill()
        let second = try RunningServer(folder: folder)
        #expect(second.log.contains("These queries didn't finish in prometheus' last run:"))
        #expect(second.log.contains("sum_over_time"))
        #expect(second.stop() == 0)
        let third = try RunningServer(folder: folder)
        #expect(!third.log.contains("didn't finish"))
        #expect(third.stop() == 0)
    }

    @Test func `features are turned on by upstream's names, and others are only logged`() throws {
        let folder = try TemporaryFolder()
        let flags = ["--enable-feature=promql-experimental-functions,promql-per-step-stats", "--enable-feature=xyz"]
        let server = try RunningServer(flags, folder: folder)
        #expect(server.log.contains("Experimental PromQL functions enabled."))
        #expect(server.log.contains("msg=\"Unknown option for --enable-feature\" option=xyz"))
        #expect(try server.query("sort_by_label(vector(1),%22a%22)").contains("\"success\""))
        #expect(try server.query("vector(1)[5m:1m%2B1m]").contains("\"success\""))
        #expect(try server.query("vector(1)", "&stats=all").contains("\"totalQueryableSamplesPerStep\":[["))
        #expect(server.stop() == 0)
        let plain = try RunningServer(folder: folder)
        #expect(try plain.query("sort_by_label(vector(1),%22a%22)").contains("is not enabled"))
        #expect(try !plain.query("vector(1)", "&stats=all").contains("PerStep"))
        #expect(try plain.query("vector(1)", "&stats=all").contains("\"peakSamples\":"))
        #expect(plain.stop() == 0)
    }
}

/// What keeps a query from taking too much, and what is written about it.
@Suite(.serialized, .enabled(if: Installed.narthex != nil, "the program is not beside the tests"))
struct QueryLimitTests {
    /// Many seconds of work in few samples at a time.
    private static let long = "count(sum_over_time(vector(1)[200d:1s]))"

    @Test func `a query that would hold too many samples is refused`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(["--query.max-samples=100"], folder: folder)
        let path = "/api/v1/query_range?query=vector(1)&start=0&end=1000&step=1"
        let answer = try server.client.request("GET", path)
        #expect(answer.status == 422)
        #expect(answer.body.contains("query processing would load too many samples into memory in query execution"))
        let few = try server.client.request("GET", "/api/v1/query_range?query=vector(1)&start=0&end=99&step=1")
        #expect(few.status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `steps and nesting have limits`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(folder: folder)
        let client = server.client
        let steps = try client.request("GET", "/api/v1/query_range?query=vector(1)&start=0&end=11001&step=1")
        #expect(steps.status == 400)
        #expect(steps.body.contains("exceeded maximum resolution of 11,000 points per timeseries"))
        let open = String(repeating: "(", count: 5000)
        let close = String(repeating: ")", count: 5000)
        let nested = try client.request(
            "POST", "/api/v1/query", "query=\(open)1\(close)",
            headers: ["Content-Type: application/x-www-form-urlencoded"])
        #expect(nested.status == 400)
        #expect(nested.body.contains("\"bad_data\""))
        #expect(try client.request("GET", "/-/healthy").status == 200)
        #expect(server.stop() == 0)
    }

    @Test func `a query ends at its time-out, and at the server's`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(["--query.timeout=200ms", "--query.log-slow-queries=100ms"], folder: folder)
        let answer = try server.client.request("GET", "/api/v1/query?query=\(Self.long)")
        #expect(answer.status == 503)
        #expect(answer.body.contains("\"errorType\":\"timeout\""))
        #expect(answer.body.contains("query timed out in expression evaluation"))
        let own = try server.client.request("GET", "/api/v1/query?query=\(Self.long)&timeout=20ms")
        #expect(own.status == 503)
        #expect(server.log.contains("msg=\"Slow query\""))
        #expect(server.stop() == 0)
    }

    @Test func `queries beyond the concurrency wait for their turn, and leave the queue at their time-out`() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(["--query.max-concurrency=1"], folder: folder)
        let first = server.client
        try first.begin("GET /api/v1/query?query=\(Self.long)&timeout=30s HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try eventually("the first runs") {
            folder.read("data/queries.active").contains("sum_over_time") ? true : nil
        }
        let second = try server.client.request("GET", "/api/v1/query?query=vector(1)&timeout=100ms")
        #expect(second.status == 503)
        #expect(second.body.contains("query timed out in query queue"))
        // A client that leaves ends its query, which makes room.
        first.close()
        #expect(try server.client.request("GET", "/api/v1/query?query=vector(1)&timeout=20s").status == 200)
        #expect(!folder.read("data/queries.active").contains("sum_over_time"))
        #expect(server.stop() == 0)
    }

    @Test func `the query log has a line for each query, and is opened anew when the configuration is read`() throws {
        let folder = try TemporaryFolder()
        let log = "global:\n  query_log_file: \(folder.path)/queries.log\n"
        let server = try RunningServer(["--web.enable-lifecycle"], folder: folder, configuration: log)
        _ = try server.query("vector(1)%2B1&time=1.5")
        _ = try server.query("vector(")
        let line = folder.read("queries.log")
        #expect(line.split(separator: "\n").count == 1)
        #expect(
            line.contains(
                #""msg":"promql query logged","params":{"end":"1970-01-01T00:00:01.500Z","query":"vector(1)+1","#
                    + #""start":"1970-01-01T00:00:01.500Z","step":0},"stats":{"timings":{"#))
        #expect(
            line.hasSuffix(#""httpRequest":{"clientIP":"127.0.0.1","method":"GET","path":"/api/v1/query"}}"# + "\n"))
        #expect(try server.client.request("GET", "/metrics").body.contains("prometheus_engine_query_log_enabled 1\n"))
        rename(folder.path + "/queries.log", folder.path + "/old.log")
        #expect(try server.client.request("POST", "/-/reload").status == 200)
        _ = try server.query("vector(2)")
        #expect(folder.read("queries.log").contains("vector(2)"))
        #expect(!folder.read("old.log").contains("vector(2)"))
        try folder.write("prometheus.yml", "global:\n  query_log_file: /nowhere/x\n")
        let refused = try server.client.request("POST", "/-/reload")
        #expect(refused.status == 500)
        #expect(refused.body.contains("can't create json log file: open /nowhere/x: no such file or directory"))
        #expect(server.stop() == 0)
    }
}
