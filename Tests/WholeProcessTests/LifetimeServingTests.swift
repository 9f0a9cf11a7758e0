import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Groups that go by themselves, as clients see it.
@Suite(.enabled(if: Installed.narthex != nil)) struct LifetimeServingTests {
    private func groups(_ gateway: RunningGateway) throws -> Set<String> {
        Set(try gateway.valuesByJob("push_time_seconds").keys)
    }

    @Test func `a group with a lifetime says when it ends, and is gone then`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        #expect(try client.request("PUT", "/metrics/job/short?lifetime=1s", "x 1\n").status == 200)
        #expect(
            try client.request("PUT", "/metrics/job/long", "x 1\n", headers: ["Narthex-Lifetime: 1.5h"]).status == 200)
        #expect(try client.request("PUT", "/metrics/job/stays", "x 1\n").status == 200)
        let pushed = try gateway.valuesByJob("push_time_seconds")
        let ends = try gateway.valuesByJob("push_expiry_time_seconds")
        #expect(Set(ends.keys) == ["short", "long"])
        #expect(abs(try #require(ends["long"]) - (try #require(pushed["long"])) - 5400) < 0.001)
        let json = try client.request("GET", "/api/v1/metrics").body
        #expect(json.split(separator: "push_expiry_time_seconds").count == 3)
        let list = try client.request("GET", "/api/v1/groups?match[]={job=\"long\"}").body
        #expect(list.contains("\"expires\":") && list.contains("\"matched\":1"))
        let page = try client.request("GET", "/group/job/long").body
        #expect(page.contains("<dt>Expires</dt>"))
        _ = try eventually("the short group goes") { try groups(gateway) == ["long", "stays"] ? true : nil }
        #expect(try gateway.value(of: "narthex_gateway_groups_expired_total") == 1)
        #expect(try gateway.value(of: "narthex_gateway_groups_deleted_total") == 0)
    }

    @Test(arguments: ["1x", "", "-5m", "0s", "until-scraped=0", "until-scraped=x", "for ever", "300000000y"])
    func `a lifetime that is none is refused with a sentence`(text: String) throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        let escaped = text.replacing(" ", with: "%20")
        let answer = try client.request("PUT", "/metrics/job/a?lifetime=\(escaped)", "x 1\n")
        #expect(answer.status == 400)
        #expect(answer.body.contains("lifetime"))
        #expect(try groups(gateway) == [])
    }

    @Test func `a group stays until two scrapers have been sent it whole`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        #expect(try client.request("PUT", "/metrics/job/a?lifetime=until-scraped=2", "x 1\n").status == 200)
        let scrape = { (fields: [String]) in try client.request("GET", "/metrics", headers: fields).status }
        // People who look, parts of scrapes, and the same scraper again do not count.
        #expect(try scrape(["User-Agent: Prometheus/3"]) == 200)
        #expect(try scrape(["User-Agent: Prometheus/3"]) == 200)
        #expect(try scrape(["Accept: text/html,*/*"]) == 200)
        #expect(try scrape(["Sec-Fetch-Mode: cors"]) == 200)
        #expect(try client.request("GET", "/metrics?match[]=x&scraper=q").status == 200)
        #expect(try client.request("GET", "/metrics?scraper=").status == 200)
        #expect(try client.request("GET", "/api/v1/groups").body.contains("\"until_scraped\":{\"by\":2,\"seen\":1}"))
        #expect(try client.request("GET", "/metrics?scraper=second").status == 200)
        _ = try eventually("the group goes") {
            try client.request("GET", "/api/v1/groups").body.contains("\"total\":0") ? true : nil
        }
    }

    @Test func `lifetimes go on after a crash`() throws {
        let folder = try TemporaryFolder()
        let flags = ["--persistence.file=\(folder.path)/state"]
        let gateway = try RunningGateway(flags, folder: folder)
        #expect(try gateway.client.request("PUT", "/metrics/job/short?lifetime=2s", "x 1\n").status == 200)
        #expect(try gateway.client.request("PUT", "/metrics/job/long?lifetime=1h", "x 1\n").status == 200)
        let ends = try gateway.valuesByJob("push_expiry_time_seconds")
        gateway.kill()
        let again = try RunningGateway(flags, folder: folder)
        _ = try eventually("the short group goes") { try groups(again) == ["long"] ? true : nil }
        #expect(try again.valuesByJob("push_expiry_time_seconds")["long"] == ends["long"])
        #expect(again.stop() == 0)
    }
}
