import Glibc
import Scrape
import TestSupport
import Testing

/// Each key of a job's HTTP client, from the file to what a real server is asked.
@Suite struct ClientOptionTests {
    /// What the client of a job gets from `url`: the body, or the problem.
    private func get(_ url: String, _ options: String, _ environment: [String: String] = [:]) async throws -> String {
        let client = try client(options, environment)
        let outcome = await outcome(url, client)
        await client.close()
        return outcome
    }

    private func client(_ options: String, _ environment: [String: String] = [:]) throws -> ScrapeClient {
        let text = "scrape_configs:\n- job_name: j\n" + options.split(separator: "\n").map { "  \($0)\n" }.joined()
        let configuration = try Configuration(Array(text.utf8)) { _ in nil }
        let job = try #require(configuration.scrapeConfigurations.first)
        return try ScrapeClient(job.client) { environment[$0] }
    }

    private func outcome(_ url: String, _ client: ScrapeClient) async -> String {
        do {
            let response = try await client.get(url, headers: [], timeout: .seconds(20), bodyLimit: 0)
            return "\(response.status) " + String(decoding: response.body, as: UTF8.self)
        } catch {
            return "\(error)"
        }
    }

    // MARK: TLS

    @Test(.enabled(if: PythonPeer.isPossible)) func `certificates are checked as tls_config says`() async throws {
        let folder = try TemporaryFolder()
        try PythonPeer.makeCertificate("a", in: folder)
        let files = ["cert=\(folder.path)/a.pem", "key=\(folder.path)/a.key"]
        let peer = try PythonPeer(files, folder: folder)
        let url = "https://127.0.0.1:\(peer.port)/metrics"
        let authority = "ca_file: \(folder.path)/a.pem"
        let unknown = try await get(url, "")
        #expect(unknown.contains("tls: failed to verify certificate"), "\(unknown)")
        #expect(try await get(url, "tls_config: {\(authority)}") == "200 up 1\n")
        #expect(try await get(url, "tls_config: {insecure_skip_verify: true}") == "200 up 1\n")
        #expect(try await get(url, "tls_config: {\(authority), server_name: peer.example}") == "200 up 1\n")
        #expect(peer.notes.contains("sni peer.example"))
        #expect(peer.notes.contains("GET /metrics host 127.0.0.1:\(peer.port) authorization None"))
        // NIOSSL also takes a certificate for the address itself, so that this one is for a name only.
        try PythonPeer.makeCertificate("b", for: "DNS:peer.example", in: folder)
        let named = try PythonPeer(["cert=\(folder.path)/b.pem", "key=\(folder.path)/b.key"], folder: folder)
        for (name, isRight) in [
            ("server_name: peer.example", true), ("server_name: other.example", false), ("", false),
        ] {
            let got = try await get(
                "https://127.0.0.1:\(named.port)/", "tls_config: {ca_file: \(folder.path)/b.pem, \(name)}")
            #expect(isRight ? got == "200 up 1\n" : got.contains("tls: failed to verify certificate"), "\(name) \(got)")
        }
        let inline = TemporaryFolder.read(folder.path + "/a.pem").split(separator: "\n")
        let text = "tls_config:\n  ca: |\n" + inline.map { "    \($0)\n" }.joined()
        #expect(try await get(url, text) == "200 up 1\n")
    }

    @Test(.enabled(if: PythonPeer.isPossible)) func `versions of TLS are bounded at both ends`() async throws {
        let folder = try TemporaryFolder()
        try PythonPeer.makeCertificate("a", in: folder)
        let files = ["cert=\(folder.path)/a.pem", "key=\(folder.path)/a.key"]
        let old = try PythonPeer(files + ["max=1.2"], folder: folder)
        let new = try PythonPeer(files, folder: folder)
        func options(_ version: String) -> String { "tls_config: {insecure_skip_verify: true, \(version)}" }
        let refused = try await get("https://127.0.0.1:\(old.port)/", options("min_version: TLS13"))
        #expect(refused.contains("tls: handshake failure"), "\(refused)")
        #expect(try await get("https://127.0.0.1:\(old.port)/", options("min_version: TLS12")) == "200 up 1\n")
        #expect(try await get("https://127.0.0.1:\(new.port)/", options("max_version: TLS12")) == "200 up 1\n")
        #expect(try await get("https://127.0.0.1:\(new.port)/", options("min_version: TLS13")) == "200 up 1\n")
        let versions = new.notes.filter { $0.hasPrefix("tls ") }.map { $0.split(separator: " ")[1] }
        #expect(versions == ["TLSv1.2", "TLSv1.3"])
    }

    @Test(.enabled(if: PythonPeer.isPossible)) func `client certificates are shown, and read again`() async throws {
        let folder = try TemporaryFolder()
        for name in ["server", "first", "second"] { try PythonPeer.makeCertificate(name, in: folder) }
        func read(_ name: String) -> String { TemporaryFolder.read(folder.path + "/" + name) }
        try folder.write("authorities.pem", read("first.pem") + read("second.pem"))
        let peer = try PythonPeer(
            [
                "cert=\(folder.path)/server.pem", "key=\(folder.path)/server.key",
                "ca=\(folder.path)/authorities.pem", "max=1.2",
            ], folder: folder)
        try folder.write("client.pem", read("first.pem"))
        try folder.write("client.key", read("first.key"))
        let client = try client(
            """
            tls_config:
              insecure_skip_verify: true
              cert_file: \(folder.path)/client.pem
              key_file: \(folder.path)/client.key
            """)
        let url = "https://127.0.0.1:\(peer.port)/metrics"
        #expect(await outcome(url, client) == "200 up 1\n")
        try folder.write("client.pem", read("second.pem"))
        try folder.write("client.key", read("second.key"))
        #expect(await outcome(url, client) == "200 up 1\n")
        let names = peer.notes.filter { $0.hasPrefix("tls ") }.compactMap { $0.split(separator: " ").last }
        #expect(names == ["first", "second"])
        await client.close()
        let bare = try await get(url, "tls_config: {insecure_skip_verify: true}")
        #expect(!bare.hasPrefix("200"))
    }

    @Test(.enabled(if: PythonPeer.isPossible)) func `HTTP 2 is offered only where it is on`() async throws {
        let folder = try TemporaryFolder()
        try PythonPeer.makeCertificate("a", in: folder)
        let peer = try PythonPeer(
            ["cert=\(folder.path)/a.pem", "key=\(folder.path)/a.key", "alpn=h2,http/1.1"], folder: folder)
        let url = "https://127.0.0.1:\(peer.port)/metrics"
        let off = "tls_config: {insecure_skip_verify: true}\nenable_http2: false"
        #expect(try await get(url, off) == "200 up 1\n")
        // This peer speaks no HTTP 2: what counts is what was agreed on.
        _ = try await get(url, "tls_config: {insecure_skip_verify: true}\nscrape_timeout: 1s\nscrape_interval: 1s")
        let agreed = peer.notes.filter { $0.hasPrefix("tls ") }.map { $0.split(separator: " ")[3] }
        #expect(agreed.first != "h2" && agreed.last == "h2", "\(agreed)")
    }

    // MARK: Proxies

    @Test(.enabled(if: PythonPeer.isPossible)) func `a proxy opens tunnels to what speaks TLS`() async throws {
        let folder = try TemporaryFolder()
        try PythonPeer.makeCertificate("a", in: folder)
        let peer = try PythonPeer(["cert=\(folder.path)/a.pem", "key=\(folder.path)/a.key"], folder: folder)
        let proxy = try PythonPeer(folder: folder)
        let tls = "tls_config: {insecure_skip_verify: true}\n"
        let url = "https://127.0.0.1:\(peer.port)/metrics"
        let header = "proxy_connect_header: {X-Tunnel: [t]}"
        #expect(
            try await get(url, tls + "proxy_url: http://u:p@127.0.0.1:\(proxy.port)\n" + header) == "200 up 1\n")
        #expect(proxy.notes == ["CONNECT 127.0.0.1:\(peer.port) x t Basic dTpw"])
        #expect(
            try await get(url, tls + "proxy_url: http://127.0.0.1:\(proxy.port)\nno_proxy: 10.0.0.0/8,127.0.0.1")
                == "200 up 1\n")
        #expect(proxy.notes.count == 1)
    }

    @Test func `the environment names proxies, where that is asked for`() async throws {
        let proxy = try FakeServer { _ in .text("proxied 1\n") }
        defer { proxy.stop() }
        let environment = ["http_proxy": "http://127.0.0.1:\(proxy.port)", "NO_PROXY": ".internal.example"]
        let url = "http://target.example/metrics"
        #expect(try await get(url, "proxy_from_environment: true", environment) == "200 proxied 1\n")
        #expect(proxy.requests.map(\.target) == [url])
        let direct = try await get("http://127.0.0.1:1/metrics", "proxy_from_environment: true", environment)
        #expect(direct.contains("connection refused"), "\(direct)")
        let excepted = try await get("http://a.internal.example/", "proxy_from_environment: true", environment)
        #expect(excepted.contains("no such host"), "\(excepted)")
        let unasked = try await get(url, "", environment)
        #expect(unasked.contains("no such host"), "\(unasked)")
        #expect(proxy.requests.count == 1)
    }

    // MARK: Credentials

    @Test(.enabled(if: PythonPeer.isPossible))
    func `a token is fetched over TLS, with scopes, parameters and a secret from a file`() async throws {
        let folder = try TemporaryFolder()
        try PythonPeer.makeCertificate("a", in: folder)
        let peer = try PythonPeer(["cert=\(folder.path)/a.pem", "key=\(folder.path)/a.key"], folder: folder)
        try folder.write("secret", "s e\n")
        let server = try FakeServer { _ in .text("a 1\n") }
        defer { server.stop() }
        let client = try client(
            """
            oauth2:
              client_id: id
              client_secret_file: \(folder.path)/secret
              token_url: https://127.0.0.1:\(peer.port)/token
              scopes: [a, b]
              endpoint_params: {audience: x}
              tls_config: {ca_file: \(folder.path)/a.pem}
            """)
        let url = "http://127.0.0.1:\(server.port)/metrics"
        #expect(await outcome(url, client) == "200 a 1\n")
        #expect(await outcome(url, client) == "200 a 1\n")
        #expect(server.requests.map { $0.header("Authorization") } == ["Bearer t", "Bearer t"])
        let form = "grant_type=client_credentials&scope=a+b&audience=x"
        #expect(peer.notes.filter { $0.hasPrefix("POST") } == ["POST /token \(form) Basic aWQ6cytl"])
        // Another secret needs another token.
        try folder.write("secret", "new")
        #expect(await outcome(url, client) == "200 a 1\n")
        #expect(peer.notes.filter { $0.hasPrefix("POST") }.count == 2)
        await client.close()
    }

    @Test func `secrets in files are read for each request`() async throws {
        let folder = try TemporaryFolder()
        let server = try FakeServer { _ in .text("a 1\n") }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/metrics"
        func file(_ name: String) -> String { "\(folder.path)/\(name)" }
        try folder.write("user", "u\n")
        try folder.write("password", "p\n")
        try folder.write("header", "from a file\n")
        let basic = try client("basic_auth: {username_file: \(file("user")), password_file: \(file("password"))}")
        #expect(await outcome(url, basic) == "200 a 1\n")
        try folder.write("password", "q")
        #expect(await outcome(url, basic) == "200 a 1\n")
        await basic.close()
        let bearer = try client("authorization: {type: Token, credentials_file: \(file("user"))}")
        #expect(await outcome(url, bearer) == "200 a 1\n")
        await bearer.close()
        let old = try client("bearer_token_file: \(file("user"))")
        #expect(await outcome(url, old) == "200 a 1\n")
        await old.close()
        #expect(
            server.requests.map { $0.header("Authorization") } == [
                "Basic dTpw", "Basic dTpx", "Token u", "Bearer u",
            ])
        let headers = try client(
            "http_headers:\n  X-A: {values: [one, two]}\n  X-B: {secrets: [three]}\n  X-C: {files: [\(file("header"))]}"
        )
        #expect(await outcome(url, headers) == "200 a 1\n")
        await headers.close()
        let last = try #require(server.requests.last)
        #expect(last.headers.filter { $0.name.lowercased() == "x-a" }.map(\.value) == ["one", "two"])
        #expect(last.header("X-B") == "three" && last.header("X-C") == "from a file")
        let missing = try client("authorization: {credentials_file: \(file("nowhere"))}")
        #expect(await outcome(url, missing).contains("unable to read authorization credentials file"))
        await missing.close()
    }

    @Test func `redirects are followed only where that is on`() async throws {
        let server = try FakeServer { request in
            request.target == "/metrics"
                ? FakeServer.Response(status: "301 Moved Permanently", headers: [("Location", "/next")])
                : .text("next 1\n")
        }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/metrics"
        #expect(try await get(url, "") == "200 next 1\n")
        #expect(try await get(url, "follow_redirects: false").hasPrefix("301 "))
        #expect(server.requests.map(\.target) == ["/metrics", "/next", "/metrics"])
    }
}
