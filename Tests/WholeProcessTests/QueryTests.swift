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
