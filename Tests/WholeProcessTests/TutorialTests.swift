import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// The tutorial in `Examples/tutorial`, with the official Python client and a real Prometheus.
@Suite(.serialized, .enabled(if: Installed.narthex != nil))
struct TutorialTests {
    private static let example = Installed.packageFolder + "/Examples/tutorial"

    private func push(_ options: [String], _ folder: TemporaryFolder) throws -> String {
        let python = try #require(Installed.python)
        let output = folder.path + "/push.out"
        unlink(output)
        let code = try ChildProcess([python, Self.example + "/push.py"] + options, output: output).wait()
        let text = TemporaryFolder.read(output)
        try #require(code == 0, "push.py failed: \(text)")
        return text
    }

    /// Whose gateway and whose server.
    enum Mix: String, CaseIterable {
        case ours, ourGateway, ourServer

        var command: (gateway: String, server: [String])? {
            guard let narthex = Installed.narthex else { return nil }
            let pushgateway = Installed.executable("/usr/bin/prometheus-pushgateway")
            switch self {
            case .ours: return (narthex, [narthex, "server"])
            case .ourGateway: return Installed.prometheus.map { (narthex, [$0]) }
            case .ourServer: return pushgateway.map { ($0, [narthex, "server"]) }
            }
        }
    }

    @Test(
        .enabled(if: Installed.python != nil, "prometheus_client is not installed"),
        arguments: Mix.allCases.filter { $0.command != nil })
    func `what Python pushes is scraped and averaged, whoever does it`(mix: Mix) throws {
        let folder = try TemporaryFolder()
        let command = try #require(mix.command)
        let gatewayPort = try FreePort.find()
        let address = "127.0.0.1:\(gatewayPort)"
        let arguments = command.gateway == Installed.narthex ? [command.gateway, "gateway"] : [command.gateway]
        let gateway = try ChildProcess(
            arguments + ["--web.listen-address=\(address)", "--persistence.file=\(folder.path)/state"],
            output: folder.path + "/gateway.log")
        defer { gateway.signal(SIGTERM) }
        let configuration = TemporaryFolder.read(Self.example + "/prometheus.yml")
        #expect(configuration.contains("honor_labels: true"))
        try folder.write(
            "prometheus.yml",
            configuration.replacing("localhost:9091", with: address)
                .replacing("scrape_interval: 5s", with: "scrape_interval: 500ms"))
        let port = try FreePort.find()
        let server = try ChildProcess(
            command.server + [
                "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ], output: folder.path + "/server.log")
        defer { server.signal(SIGTERM) }
        let client = PlainHTTP(port: port)
        for port in [port, gatewayPort] {
            _ = try eventually("both are ready") {
                (try? PlainHTTP(port: port).request("GET", "/-/ready"))?.status == 200 ? true : nil
            }
        }
        let report = try push(["--gateway", address, "--times", "5", "--every", "0.7", "--check"], folder)
        #expect(report.contains("\"pushed\""))
        _ = try eventually("the metric that was added last is scraped") {
            try query(client, "test_metric_3").contains("\"value\"") ? true : nil
        }
        _ = try eventually("there are several samples") {
            try number(try query(client, "count_over_time(test_metric_1[5m])")) >= 3 ? true : nil
        }
        let average = try number(try query(client, "avg_over_time(test_metric_1[5m])"))
        let count = try number(try query(client, "count_over_time(test_metric_1[5m])"))
        let sum = try number(try query(client, "sum_over_time(test_metric_1[5m])"))
        #expect(count >= 3)
        // Samples may arrive between the questions.
        #expect(abs(average - sum / count) < 20)
        let latest = try number(try query(client, "test_metric_1"))
        let shown = try PlainHTTP(port: gatewayPort).request("GET", "/metrics").body.split(separator: "\n").first {
            $0.hasPrefix(#"test_metric_1{instance="",job="tutorial"} "#)
        }
        #expect(shown?.split(separator: " ").last.flatMap { Double($0) } == latest)
        _ = try eventually("a scrape without the group that was deleted marks its series as gone, and no others") {
            let both = #"test_metric_3{job="to_be_deleted"} or test_metric_3{job="by_address",instance!=""}"#
            let answer = try query(client, both)
            return answer.contains("\"value\"") && !answer.contains("to_be_deleted") ? true : nil
        }
    }

    @Test(.enabled(if: Installed.python != nil, "prometheus_client is not installed"))
    func `pushes with a password`() throws {
        let folder = try TemporaryFolder()
        // The password is "secret".
        try folder.write(
            "web.yml",
            "basic_auth_users:\n  alice: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n")
        let gateway = try RunningGateway(["--web.config.file=\(folder.path)/web.yml"], folder: folder)
        _ = try push(
            ["--gateway", gateway.address, "--times", "2", "--every", "0", "--user", "alice", "--password", "secret"],
            folder)
        #expect(try gateway.client.request("GET", "/metrics").status == 401)
        let python = try #require(Installed.python)
        let wrong = try ChildProcess([
            python, Self.example + "/push.py", "--gateway", gateway.address, "--times", "1", "--user", "alice",
            "--password", "wrong",
        ])
        #expect(wrong.wait() != 0)
    }

    @Test(
        .enabled(if: Installed.python != nil, "prometheus_client is not installed"),
        .enabled(if: Installed.openssl != nil, "openssl is not installed"))
    func `pushes over TLS, also after the certificate was replaced`() throws {
        let folder = try TemporaryFolder()
        try makeCertificate(folder)
        try folder.write("web.yml", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        let gateway = try RunningGateway(["--web.config.file=\(folder.path)/web.yml"], folder: folder)
        let options = [
            "--gateway", "https://localhost:\(gateway.port)", "--times", "2", "--every", "0", "--ca",
            folder.path + "/cert.pem",
        ]
        _ = try push(options, folder)
        try makeCertificate(folder)
        _ = try push(options, folder)
        let refusal = try gateway.client.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(refusal.contains("400 Bad Request"))
        #expect(refusal.contains("Client sent an HTTP request to an HTTPS server."))
        #expect(gateway.stop() == 0)
    }

    private func makeCertificate(_ folder: TemporaryFolder) throws {
        let code = try ChildProcess([
            try #require(Installed.openssl), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", folder.path + "/key.pem", "-out", folder.path + "/cert.pem", "-days", "30", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ]).wait()
        try #require(code == 0)
    }

    private func query(_ client: PlainHTTP, _ expression: String) throws -> String {
        var encoded = ""
        for byte in expression.utf8 {
            let digits = String(byte, radix: 16)
            encoded += "%" + (digits.count == 1 ? "0" : "") + digits
        }
        return try client.request("GET", "/api/v1/query?query=" + encoded).body
    }

    /// The value in an instant vector of one series.
    private func number(_ json: String) throws -> Double {
        let parts = json.split(separator: "\"value\":[", omittingEmptySubsequences: false)
        try #require(parts.count == 2, "not one series: \(json)")
        let text = parts[1].split(separator: "\"")
        return try #require(Double(text[1]))
    }
}
