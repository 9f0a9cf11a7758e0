import Gateway
import Logging
import NIOPosix
import Synchronization
import Testing
import Web

@Suite struct AccessGuardTests {
    /// The hashes of `ci-password`, `scrape-token` and `team-token` by SHA-256, of `root-password` by bcrypt.
    private static let text = """
        health: open
        users:
          - name: ci
            password: sha256:d59d14ed7bc09f4f62fd8270fa31126c01691c7fa666dc81371686d5ed57e449
            grants:
              - rights: [push, delete]
                match: '{job=~"ci-.*"}'
          - name: root
            password: $2b$04$abcdefghijklmnopqrstuuMLj8Nu6.WXJr2iX00HThV7TM/JygZT2
            grants:
              - rights: [push, read, delete, admin]
        tokens:
          - name: prometheus
            token: sha256:41369aae32e5cc50e94b626f9f49cef39b6a57243708bcaa06662f19bdae5483
            grants:
              - rights: [read]
          - name: ci readers
            token: sha256:d59d14ed7bc09f4f62fd8270fa31126c01691c7fa666dc81371686d5ed57e449
            grants:
              - rights: [read]
                match: '{job=~"ci-.*"}'
        """

    private static let ci = "Basic Y2k6Y2ktcGFzc3dvcmQ="
    private static let root = "Basic cm9vdDpyb290LXBhc3N3b3Jk"
    private static let prometheus = "Bearer scrape-token"
    private static let readers = "bearer ci-password"

    private func access(_ text: String = text) throws -> AccessGuard {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        var settings = GatewaySettings()
        settings.enablesAdminAPI = true
        settings.enablesLifecycle = true
        let service = GatewayService(
            store: GatewayStore(), settings: settings, metrics: GatewayMetrics(), logger: logger,
            workers: NIOThreadPool(numberOfThreads: 1), onQuit: {})
        return AccessGuard(try AccessFile(Array(text.utf8)), guarding: service, logger: logger)
    }

    /// The status of the refusal, or 200.
    private func status(
        _ access: AccessGuard, _ method: String, _ path: String, _ authorization: String? = nil
    ) async throws -> Int {
        let field = authorization.map { "Authorization: \($0)\r\n" } ?? ""
        let head = try HTTP1Head(parsing: Array("\(method) \(path) HTTP/1.1\r\nHost: h\r\n\(field)\r\n".utf8)).head
        var admission = access.admit(head)
        if case .wait(let start) = admission {
            admission = await withCheckedContinuation { continuation in start { continuation.resume(returning: $0) } }
        }
        guard case .refuse(let response) = admission else { return 200 }
        return response.status.code
    }

    @Test(arguments: [
        ("PUT", "/metrics/job/ci-1", 200), ("POST", "/metrics/job/ci-1/instance/a", 200),
        ("DELETE", "/metrics/job/ci-1", 200), ("PUT", "/metrics/job/web", 403), ("DELETE", "/metrics/job/web", 403),
        ("PUT", "/metrics/job@base64/Y2ktMQ", 200), ("PUT", "/metrics/job@base64/d2Vi", 403), ("GET", "/metrics", 403),
        ("GET", "/", 403), ("PUT", "/api/v1/admin/wipe", 403), ("PUT", "/-/quit", 403), ("GET", "/nothing", 403),
        ("GET", "/-/healthy", 200), ("GET", "/static/app.css", 200),
    ]) func `a user may do what is granted, to the groups it is granted for`(
        method: String, path: String, expected: Int
    ) async throws {
        #expect(try await status(access(), method, path, Self.ci) == expected)
    }

    @Test(arguments: ["/metrics", "/", "/status", "/api/v1/groups", "/api/v1/metrics", "/group/job/web"])
    func `a token that may read reads everything`(path: String) async throws {
        #expect(try await status(access(), "GET", path, Self.prometheus) == 200)
        #expect(try await status(access(), "PUT", "/metrics/job/web", Self.prometheus) == 403)
    }

    @Test(arguments: [
        ("/metrics", 200), ("/api/v1/groups", 200), ("/group/job/ci-1", 200), ("/group/job/web", 403), ("/", 403),
        ("/api/v1/metrics", 403),
    ]) func `who may read some groups sees no page of all`(path: String, expected: Int) async throws {
        #expect(try await status(access(), "GET", path, Self.readers) == expected)
    }

    @Test(arguments: ["/metrics", "/nothing", "/metrics/job/ci-1"])
    func `strangers learn nothing`(path: String) async throws {
        let access = try access()
        for credentials in [
            nil, "Basic Y2k6d3Jvbmc=", "Basic bm9ib2R5OmNpLXBhc3N3b3Jk", "Bearer wrong", "Bearer ", "Digest x",
            "Basic %",
        ] {
            #expect(try await status(access, "GET", path, credentials) == 401, "\(credentials ?? "none")")
        }
        #expect(try await status(access, "GET", "/-/ready", "Bearer wrong") == 200)
    }

    @Test func `passwords by bcrypt are checked, right and wrong`() async throws {
        let access = try access()
        for _ in 0..<2 {
            #expect(try await status(access, "PUT", "/api/v1/admin/wipe", Self.root) == 200)
            #expect(try await status(access, "GET", "/nothing", Self.root) == 200)
            #expect(try await status(access, "GET", "/metrics", "Basic cm9vdDp3cm9uZw==") == 401)
        }
    }

    /// The attack of CVE-2022-46146: what is remembered of right credentials must not fit others whose parts, joined,
    /// read the same.
    @Test func `verdicts that are remembered fit no other credentials`() async throws {
        let access = try access()
        #expect(try await status(access, "GET", "/metrics", Self.root) == 200)
        for credentials in [
            "Basic cm9vOnRyb290LXBhc3N3b3Jk",
            "Basic cm9vdDokMmIkMDQkYWJjZGVmZ2hpamtsbW5vcHFyc3R1dU1MajhOdTYuV1hKcjJpWDAwSFRoVjdUTS9KeWdaVDJyb290LXBhc3N3b3Jk",
            "Basic cm9vdDpyb290LXBhc3N3b3JkJDJiJDA0JGFiY2RlZmdoaWprbG1ub3BxcnN0dXVNTGo4TnU2LldYSnIyaVgwMEhUaFY3VE0vSnlnWlQy",
            "Basic cm9vdCQyYiQwNCRhYmNkZWZnaGlqa2xtbm9wcXJzdHV1TUxqOE51Ni5XWEpyMmlYMDBIVGhWN1RNL0p5Z1pUMjpyb290LXBhc3N3b3Jk",
            "Basic bm9ib2R5OnJvb3QtcGFzc3dvcmQ=",
        ] {
            for _ in 0..<2 {
                #expect(try await status(access, "GET", "/metrics", credentials) == 401, "\(credentials)")
            }
        }
        #expect(try await status(access, "GET", "/metrics", Self.root) == 200)
    }

    @Test func `health is closed unless it is opened`() async throws {
        let access = try access("anyone:\n  - rights: [push]\n")
        #expect(try await status(access, "GET", "/-/healthy") == 401)
        #expect(try await status(access, "PUT", "/metrics/job/x") == 200)
        #expect(try await status(access, "DELETE", "/metrics/job/x") == 401)
    }

    @Test(arguments: [
        ("health: maybe\n", "health is open or closed (line 1)"),
        ("users:\n- name: a\n", "\"a\" has no password (line 2)"),
        ("users:\n- password: sha256:00\n", "sha256: must be followed by 64 hexadecimal digits (line 2)"),
        ("users:\n- name: a\n  password: hunter2\n", "a secret is a bcrypt hash"),
        ("anyone:\n- rights: [fly]\n", "unknown right \"fly\": expected push, read, delete, admin (line 2)"),
        ("anyone:\n- rights: [read]\n  match: '{'\n", "invalid selector"),
        ("anybody: []\n", "field anybody not found"),
    ]) func `a mistake is named with its line, a secret never`(text: String, part: String) {
        do {
            _ = try AccessFile(Array(text.utf8))
            Issue.record("taken")
        } catch {
            #expect("\(error)".contains(part), "\(error)")
            #expect(!"\(error)".contains("hunter2"))
        }
    }
}
