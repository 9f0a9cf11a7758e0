import Gateway
import Logging
import NIOPosix
import Testing
import Web

@Suite struct GatewayClaimTests {
    private func claim(_ method: String, _ path: String) throws -> GatewayClaim? {
        let workers = NIOThreadPool(numberOfThreads: 1)
        let service = GatewayService(
            store: GatewayStore(), settings: GatewaySettings(), metrics: GatewayMetrics(),
            logger: Logger(label: "test"), workers: workers, onQuit: {})
        let head = try HTTP1Head(parsing: Array("\(method) \(path) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)).head
        return service.claim(head)
    }

    @Test func `a push touches the group of its path`() throws {
        let key = GroupingKey(["job": "a/b", "l": "v"])
        #expect(
            try claim("PUT", "/metrics/job@base64/YS9i/l/v?x=y") == GatewayClaim(right: .push, reach: .group(key)))
        #expect(try claim("DELETE", "/metrics/job@base64/YS9i/l/v") == GatewayClaim(right: .delete, reach: .group(key)))
        #expect(try claim("GET", "/group/job@base64/YS9i/l/v") == GatewayClaim(right: .read, reach: .group(key)))
    }

    @Test func `a path that names no valid group reaches none`() throws {
        for path in ["/metrics/job/a/b", "/metrics/job/a%2Fb/l/v", "/metrics/job/a/__x/v"] {
            #expect(try claim("PUT", path) == GatewayClaim(right: .push, reach: .none))
        }
    }

    @Test(arguments: [
        ("GET", "/nothing"), ("PUT", "/metrics/job/"), ("GET", "//metrics"), ("GET", "/metrics/"), ("BREW", "/"),
        ("GET", "/api/v1/nothing"), ("PUT", "/api/v1/admin/wipe"), ("GET", "/api/v1"),
    ]) func `what no route serves has no claim`(method: String, path: String) throws {
        #expect(try claim(method, path) == nil)
    }

    @Test func `lists and scrapes reach many groups`() throws {
        for path in ["/metrics", "/api/v1/groups?limit=1"] {
            #expect(try claim("GET", path) == GatewayClaim(right: .read, reach: .groups))
        }
        for path in ["/", "/status", "/api/v1/metrics"] {
            #expect(try claim("GET", path) == GatewayClaim(right: .read, reach: .everything))
        }
        #expect(try claim("GET", "/-/healthy") == GatewayClaim(right: .health, reach: .none))
    }
}
