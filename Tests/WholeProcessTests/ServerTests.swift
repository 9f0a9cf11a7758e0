import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What the HTTP server grants and what it refuses, seen from outside.
@Suite(.serialized, .enabled(if: Installed.narthex != nil))
struct ServerTests {
    @Test func `pipelined requests are answered in order on one connection`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(folder: folder)
        let one = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nx 1\n"
        let two = "GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"
        let three = "DELETE /metrics/job/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        let answers = try gateway.client.exchange(one + two + three)
        #expect(answers.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "200", "202"])
    }

    @Test func `a body beyond the limit is refused with 413 and the connection goes on`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(["--push.max-body-size=100KiB"], folder: folder)
        let client = gateway.client
        let large = String(repeating: "x", count: 150_000)
        let refusal = try client.request("PUT", "/metrics/job/a", large)
        #expect(refusal.status == 413)
        #expect(!refusal.head.contains("Connection: close"))
        #expect(try client.request("PUT", "/metrics/job/a", "x 1\n").status == 200)
        let huge = try client.request("PUT", "/metrics/job/a", String(repeating: "x", count: 2_000_000))
        #expect(huge.status == 413)
        #expect(huge.head.contains("Connection: close"))
    }

    @Test func `a head beyond the limit is refused with 431`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(["--web.max-header-size=16KiB"], folder: folder)
        let filler = String(repeating: "a", count: 20_000)
        let answer = try gateway.client.exchange("GET / HTTP/1.1\r\nHost: x\r\nX: \(filler)\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 431 "))
    }

    @Test func `one connection too many is answered with 503 and Retry-After`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(["--web.max-connections=2"], folder: folder)
        let first = gateway.client
        let second = gateway.client
        #expect(try first.request("GET", "/-/ready").status == 200)
        #expect(try second.request("GET", "/-/ready").status == 200)
        let third = try gateway.client.exchange("")
        #expect(third.hasPrefix("HTTP/1.1 503 "))
        #expect(third.contains("Retry-After: 1"))
        first.close()
        _ = try eventually("a place is free") {
            (try? gateway.client.request("GET", "/-/ready"))?.status == 200 ? true : nil
        }
    }

    @Test func `clients that are slow or went away are let go`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(
            ["--web.header-timeout=300ms", "--web.stall-timeout=300ms", "--web.read-timeout=500ms"], folder: folder)
        #expect(try gateway.client.exchange("GET / HTT").hasPrefix("HTTP/1.1 408 "))
        let stalled = "PUT /metrics/job/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx"
        #expect(try gateway.client.exchange(stalled).hasPrefix("HTTP/1.1 408 "))
        #expect(try gateway.client.exchange("") == "")
        var clients = (0..<50).map { _ in gateway.client }
        for client in clients { _ = try client.request("GET", "/-/ready") }
        clients = []
        let watcher = gateway.client
        _ = try eventually("only the watcher is left") {
            let text = try watcher.request("GET", "/metrics").body
            return text.contains("narthex_http_connections 1\n") ? true : nil
        }
    }

    @Test func `pages of other origins may not write`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(["--web.allowed-origin=https://friend.example"], folder: folder)
        let client = gateway.client
        func push(_ headers: [String]) throws -> Int {
            try client.request("POST", "/metrics/job/a", "x 1\n", headers: headers).status
        }
        #expect(try push([]) == 200)
        #expect(try push(["Origin: http://127.0.0.1"]) == 200)
        #expect(try push(["Origin: https://friend.example"]) == 200)
        #expect(try push(["Origin: https://evil.example"]) == 403)
        #expect(try push(["Origin: null"]) == 403)
        #expect(try push(["Sec-Fetch-Site: cross-site"]) == 403)
        #expect(try client.request("GET", "/metrics", headers: ["Origin: https://evil.example"]).status == 200)
    }

    @Test func `wrong passwords in masses do not stop pushes of those who are known`() throws {
        let folder = try TemporaryFolder()
        // Cost 10; the password is "secret" for the first, and nobody knows the second.
        try folder.write(
            "web.yml",
            "basic_auth_users:\n  alice: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"
                + "  slow: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n")
        let gateway = try RunningGateway(["--web.config.file=\(folder.path)/web.yml"], folder: folder)
        let good = ["Authorization: Basic YWxpY2U6c2VjcmV0"]
        #expect(try gateway.client.request("PUT", "/metrics/job/a", "x 1\n", headers: good).status == 200)
        // Each asks for a password that was not asked for before; the answers are not waited for.
        var guessers: [PlainHTTP] = []
        for number in 0..<100 {
            let guesser = gateway.client
            try guesser.begin(
                "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \(Self.encode("slow:\(number)"))\r\n\r\n")
            guessers.append(guesser)
        }
        let client = gateway.client
        for _ in 0..<50 {
            #expect(try client.request("PUT", "/metrics/job/a", "x 1\n", headers: good).status == 200)
        }
        #expect(try client.request("GET", "/metrics", headers: ["Authorization: Basic eDp5"]).status != 200)
    }

    private static func encode(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var result = ""
        var bits = 0
        var count = 0
        for byte in text.utf8 {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 6 {
                count -= 6
                result.append(alphabet[bits >> count & 63])
            }
        }
        if count > 0 { result.append(alphabet[bits << (6 - count) & 63]) }
        while !result.count.isMultiple(of: 4) { result += "=" }
        return result
    }

    @Test func `a wrong web configuration ends the process with an error`() throws {
        let folder = try TemporaryFolder()
        try folder.write("web.yml", "no_such_section: 1\n")
        let narthex = try #require(Installed.narthex)
        for file in ["web.yml", "missing.yml"] {
            let output = folder.path + "/out"
            let code = try ChildProcess(
                [
                    narthex, "gateway", "--web.listen-address=127.0.0.1:0", "--web.config.file=\(folder.path)/\(file)",
                ], output: output
            ).wait()
            #expect(code == 1)
        }
        #expect(folder.read("out").contains("field no_such_section not found in type web.Config"))
        #expect(folder.read("out").contains("no such file or directory"))
    }

    @Test func `systemd's sockets are taken over`() throws {
        let folder = try TemporaryFolder()
        let narthex = try #require(Installed.narthex)
        let python = try #require(Installed.executable("/usr/bin/python3"))
        let script = """
            import os, socket, sys
            s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(16)
            open(sys.argv[1], 'w').write(str(s.getsockname()[1]))
            os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
            os.environ['LISTEN_PID'] = str(os.getpid()); os.environ['LISTEN_FDS'] = '1'
            os.execv(sys.argv[2], [sys.argv[2], 'gateway', '--web.systemd-socket'])
            """
        let process = try ChildProcess(
            [python, "-c", script, folder.path + "/port", narthex], output: folder.path + "/log")
        let port = try eventually("the script has written its port") { Int(folder.read("port")) }
        let answer = try eventually("the gateway answers") { try? PlainHTTP(port: port).request("GET", "/-/ready") }
        #expect(answer.status == 200)
        process.signal(SIGTERM)
        #expect(process.wait() == 0)
    }
}
