import AsyncHTTPClient
import Gateway
import NIOSSL
import NarthexClient
import Web

#if canImport(Glibc)
import Glibc
#endif

/// Where the job commands find the gateway, and who they are.
struct GatewayAccess: Sendable {
    private let flags: ParsedFlags

    static let flags: [FlagTable.Flag] = [
        .init("url", "Address of the gateway. Also NARTHEX_URL; http://localhost:9091 if neither is given."),
        .init("user", "User for basic authentication; the password is in NARTHEX_PASSWORD or --password-file."),
        .init("password-file", "File whose first line is the password."),
        .init("token-file", "File whose first line is a bearer token. Also NARTHEX_TOKEN."),
        .init("ca-file", "File of certificates (PEM) to trust instead of the system's."),
        .init("cert-file", "Client certificate (PEM), with --key-file."),
        .init("key-file", "Key of the client certificate (PEM)."),
        .toggle("insecure", "Accept any server certificate. For tests."),
        .init("request-timeout", "Time for one request.", kind: .duration, default: "10s"),
    ]

    init(_ flags: ParsedFlags) { self.flags = flags }

    /// Runs `body` with the gateway, and shuts its connections down afterwards.
    func withGateway<Result: Sendable>(_ body: (PushGateway) async throws -> Result) async throws -> Result {
        let url = flags["url"].isEmpty ? Environment["NARTHEX_URL"] ?? "http://localhost:9091" : flags["url"]
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CommandLineError("'\(url)' is no address of a gateway: it has to begin with http:// or https://")
        }
        let credentials = try credentials()
        let seconds = max(1, min(flags.duration("request-timeout").components.seconds, 3600))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try configuration(seconds))
        let gateway = PushGateway(url: url, credentials: credentials, client: client, timeoutSeconds: seconds)
        do {
            let result = try await body(gateway)
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func configuration(_ seconds: Int64) throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(min(seconds, 5))
        // Trying again is the commands' own affair: a refused connection is reported at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .follow(max: 3, allowCycles: false)
        var tls = TLSConfiguration.makeClientConfiguration()
        if !flags["ca-file"].isEmpty { tls.trustRoots = .file(flags["ca-file"]) }
        if flags.isOn("insecure") { tls.certificateVerification = .none }
        if !flags["cert-file"].isEmpty {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(flags["cert-file"]).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: flags["key-file"], format: .pem))
        }
        configuration.tlsConfiguration = tls
        return configuration
    }

    private func credentials() throws -> PushGateway.Credentials {
        if !flags["user"].isEmpty {
            let file = flags["password-file"]
            let password = try file.isEmpty ? Environment["NARTHEX_PASSWORD"] ?? "" : Self.firstLine(of: file)
            return .basic(user: flags["user"], password: password)
        }
        if !flags["token-file"].isEmpty { return .bearer(token: try Self.firstLine(of: flags["token-file"])) }
        return Environment["NARTHEX_TOKEN"].map { .bearer(token: $0) } ?? .none
    }

    private static func firstLine(of path: String) throws -> String {
        let bytes = try JobFiles.read(path, limit: 64 << 10)
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }
}

/// Environment variables; an empty one counts as not set.
enum Environment {
    static subscript(name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// Which group of metrics a command is about.
enum GroupFlags {
    static let flags: [FlagTable.Flag] = [
        .init("job", "Name of the job: the label `job`. Required."),
        .init("instance", "The label `instance`, where several of the job run."),
        .init("label", "A further grouping label, NAME=VALUE. May be repeated.", isRepeatable: true),
    ]

    static let lifetimeHelp =
        "How long the gateway keeps the group after this push: 15m, 7d, forever, until-scraped, until-scraped=2 (Narthex "
        + "only)."

    /// The value of `--lifetime`, or nil.
    /// - Throws: `CommandLineError` for one that no gateway would take: better now than when the job has run.
    static func lifetime(_ flags: ParsedFlags) throws(CommandLineError) -> String? {
        let text = flags["lifetime"]
        guard !text.isEmpty else { return nil }
        do throws(InvalidWish) { _ = try Lifetime(text: text) } catch { throw CommandLineError(error.description) }
        return text
    }

    /// - Throws: `CommandLineError` for a missing job or a malformed label.
    static func key(_ flags: ParsedFlags) throws(CommandLineError) -> JobKey {
        guard !flags["job"].isEmpty else { throw CommandLineError("required flag --job not provided") }
        var labels = flags["instance"].isEmpty ? [] : [JobKey.Label("instance", flags["instance"])]
        for label in flags.all("label") {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandLineError("--label takes NAME=VALUE, not '\(label)'")
            }
            labels.append(JobKey.Label(String(parts[0]), String(parts[1])))
        }
        return JobKey(job: flags["job"], labels: labels)
    }
}
