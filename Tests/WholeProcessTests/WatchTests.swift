import TestSupport
import Testing

/// Changes of groups as server-sent events.
@Suite(.enabled(if: Installed.narthex != nil)) struct WatchTests {
    private func lines(_ text: String) -> [Substring] { text.split(whereSeparator: \.isNewline) }

    /// The ids in what a stream has sent.
    private func ids(_ text: String) -> [String] {
        lines(text).filter { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
    }

    @Test func `changes are sent as they happen, and again to a client that comes back`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        let stream = gateway.client
        try stream.begin("GET /api/v1/watch HTTP/1.1\r\nHost: h\r\n\r\n")
        let first = try stream.read(until: "\n\n")
        #expect(first.contains("Content-Type: text/event-stream\r\n"))
        _ = try client.request("PUT", "/metrics/job/a", "x 1\n")
        _ = try client.request("PUT", "/metrics/job/a", "# TYPE push gauge\nx 1\nx 1\n")
        _ = try client.request("DELETE", "/metrics/job/a")
        _ = try client.request("PUT", "/metrics/job/b?lifetime=100ms", "x 1\n")
        let text = try stream.read(until: "event: expired")
        let kinds = lines(text).filter { $0.hasPrefix("event: ") }.map { $0.dropFirst(7) }
        #expect(kinds == ["pushed", "failed", "deleted", "pushed", "expired"])
        #expect(text.contains("data: {\"labels\":{\"job\":\"a\"},\"push\":\"metrics/job/a\",\"time\":"))
        let place = try #require(ids(text).dropFirst().first)
        let again = gateway.client
        try again.begin("GET /api/v1/watch HTTP/1.1\r\nHost: h\r\nLast-Event-ID: \(place)\r\n\r\n")
        let rest = try again.read(until: "event: expired")
        #expect(
            lines(rest).filter { $0.hasPrefix("event: ") } == ["event: deleted", "event: pushed", "event: expired"])
        let other = gateway.client
        try other.begin("GET /api/v1/watch?since=17-4 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try other.read(until: "data: ").contains("event: reset\n"))
        #expect(try client.request("GET", "/api/v1/watch?since=x").status == 400)
        #expect(gateway.stop() == 0, "streams do not hold up the end")
    }

    @Test func `only groups that are asked for, and only so many clients`() throws {
        let gateway = try RunningGateway(["--web.max-watchers=1"], folder: try TemporaryFolder())
        let client = gateway.client
        let stream = gateway.client
        try stream.begin("GET /api/v1/watch?match[]={job=\"b\"} HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try stream.read(until: "\n\n")
        #expect(try client.request("GET", "/api/v1/watch").status == 503)
        for job in ["a", "b"] { _ = try client.request("PUT", "/metrics/job/\(job)", "x 1\n") }
        let text = try stream.read(until: "}")
        #expect(text.contains("event: pushed") && !text.contains("\"job\":\"a\""))
        #expect(text.contains("\"job\":\"b\""))
    }
}
