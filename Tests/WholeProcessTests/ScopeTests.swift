import TestSupport
import Testing

/// Routes about many groups, asked by someone who may touch some of them only.
@Suite(.enabled(if: Installed.narthex != nil)) struct ScopeTests {
    /// A gateway where anyone may do everything with `ci-…`, and `root` with all; `ci-1` and `web` are there.
    private final class Guarded {
        let gateway: RunningGateway
        private let client: PlainHTTP
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            // The hash of `root`.
            let file = try folder.write(
                "access.yml",
                """
                health: open
                anyone:
                  - {rights: [push, read, delete, admin], match: '{job=~"ci-.*"}'}
                tokens:
                  - name: root
                    token: sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
                    grants:
                      - {rights: [push, read, delete, admin]}
                """)
            gateway = try RunningGateway(["--gateway.access-file=\(file)"], folder: folder)
            client = gateway.client
            for job in ["ci-1", "web"] {
                #expect(try root("PUT", "/metrics/job/\(job)", "x 1\n").status == 200)
            }
        }

        func root(_ method: String, _ path: String, _ body: String = "") throws -> PlainHTTP.Answer {
            try client.request(method, path, body, headers: ["Authorization: Bearer root"])
        }

        func anyone(_ method: String, _ path: String, _ body: String = "") throws -> PlainHTTP.Answer {
            try client.request(method, path, body)
        }
    }

    @Test func `scrapes and lists show only those groups`() throws {
        let guarded = try Guarded()
        for path in ["/metrics", "/metrics?match[]={job!=\"\"}", "/metrics?match[]=x"] {
            let scrape = try guarded.anyone("GET", path)
            #expect(scrape.status == 200)
            #expect(scrape.body.contains("x{instance=\"\",job=\"ci-1\"} 1"))
            #expect(!scrape.body.contains("web") && !scrape.body.contains("pushgateway_build_info"))
        }
        let list = try guarded.anyone("GET", "/api/v1/groups").body
        #expect(list.contains("\"total\":1,\"matched\":1") && !list.contains("web"))
        #expect(try guarded.anyone("GET", "/api/v1/metrics").status == 401)
        #expect(try guarded.root("GET", "/metrics").body.contains("x{instance=\"\",job=\"web\"} 1"))
    }

    @Test func `a batch that goes beyond them is refused as a whole`() throws {
        let guarded = try Guarded()
        let path = "/api/v1/push?group_by=job&atomic=false"
        let refused = try guarded.anyone("PUT", path, "x{job=\"ci-2\"} 2\nx{job=\"web\"} 2\n")
        #expect(refused.status == 403)
        #expect(refused.body.contains("web"))
        #expect(try guarded.root("GET", "/metrics").body.contains("ci-2") == false)
        #expect(try guarded.anyone("PUT", path, "x{job=\"ci-2\"} 2\n").status == 200)
    }

    @Test func `all groups means all of those`() throws {
        let guarded = try Guarded()
        let deletion = try guarded.anyone("DELETE", "/api/v1/groups?match[]={}")
        #expect(deletion.body.contains("\"deleted\":1,\"groups\":[{\"job\":\"ci-1\"}]"))
        #expect(try guarded.root("GET", "/api/v1/groups").body.contains("\"total\":1"))
    }

    @Test func `changes of other groups are not told`() throws {
        let guarded = try Guarded()
        let stream = guarded.gateway.client
        try stream.begin("GET /api/v1/watch HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try stream.read(until: "\n\n")
        for job in ["web", "ci-9"] {
            #expect(try guarded.root("PUT", "/metrics/job/\(job)", "x 1\n").status == 200)
        }
        let events = try stream.read(until: "ci-9")
        #expect(!events.contains("web"))
    }
}
