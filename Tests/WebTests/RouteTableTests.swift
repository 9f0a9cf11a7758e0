import Testing
import Web

@Suite struct RouteTableTests {
    private var table: RouteTable<String> {
        var table = RouteTable<String>()
        table.add(.put, .part(prefix: Array("/metrics/job/".utf8)), "push")
        table.add(.post, .part(prefix: Array("/metrics/job/".utf8)), "push")
        table.add(.get, .exact(Array("/metrics".utf8)), "scrape")
        table.add(.get, .exact(Array("/".utf8)), "root")
        table.add(.get, .below(prefix: Array("/static".utf8)), "static")
        return table
    }

    private func describe(_ method: HTTPMethod, _ path: String) -> String {
        let bytes = Array(path.utf8)
        switch table.find(method, bytes) {
        case .found(let hit):
            let part = String(decoding: bytes[hit.part], as: UTF8.self)
            return "\(hit.handler) \(part) \(String(decoding: bytes[hit.rest], as: UTF8.self))"
        case .redirect(let path): return "-> " + String(decoding: path, as: UTF8.self)
        case .methodNotAllowed(let allow): return "405 " + allow
        case .options(let allow): return "options " + allow
        case .notFound: return "404"
        }
    }

    @Test(arguments: [
        (HTTPMethod.put, "/metrics/job/a", "push a "), (.put, "/metrics/job/a/", "push a /"),
        (.put, "/metrics/job/a/l/v", "push a /l/v"), (.put, "/metrics/job/", "404"), (.get, "/metrics", "scrape  "),
        (.get, "/metrics/", "-> /metrics"), (.get, "/METRICS", "-> /metrics"), (.get, "/", "root  "),
        (.put, "/Metrics/Job/A/B", "-> /metrics/job/A/B"), (.get, "/metrics/job/a", "405 OPTIONS, POST, PUT"),
        (.options, "/metrics/job/a", "options OPTIONS, POST, PUT"), (.options, "/x", "404"),
        (.get, "/static/a/b", "static  /a/b"),
        (.get, "/static", "-> /static/"), (.head, "/", "405 GET, OPTIONS"),
        (.other("FOO"), "/metrics", "405 GET, OPTIONS"),
    ])
    func `paths are answered as httprouter answers them`(method: HTTPMethod, path: String, answer: String) {
        #expect(describe(method, path) == answer)
    }

    @Test(arguments: [
        ("//", "/"), ("/a//b", "/a/b"), ("/./a", "/a"), ("/a/../b/", "/b/"), ("/../..", "/"), ("a", "/a"),
        ("/a/.", "/a"), ("/a/b/..", "/a"),
    ])
    func `paths are cleaned`(path: String, cleaned: String) throws {
        let result = try #require(PathRules.cleaned(Array(path.utf8)[...]))
        #expect(String(decoding: result, as: UTF8.self) == cleaned)
    }

    @Test(arguments: ["/", "/a/b", "/a/b/", "/a/.b", "/a/b.c"])
    func `clean paths stay`(path: String) {
        #expect(PathRules.cleaned(Array(path.utf8)[...]) == nil)
    }

    @Test func `a push without a job is sent on to the path without the slash where base64 is served too`() {
        var table = RouteTable<Int>()
        table.add(.put, .part(prefix: Array("/metrics/job/".utf8)), 0)
        table.add(.put, .part(prefix: Array("/metrics/job@base64/".utf8)), 1)
        guard case .redirect(let path) = table.find(.put, Array("/metrics/job/".utf8)) else {
            Issue.record("no redirect")
            return
        }
        #expect(path == Array("/metrics/job".utf8))
        for other in ["/metrics/job@base64/", "/metrics/job", "/Metrics/job/"] {
            guard case .notFound = table.find(.put, Array(other.utf8)) else {
                Issue.record("\(other) is found")
                continue
            }
        }
    }
}
