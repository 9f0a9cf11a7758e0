internal import AsyncHTTPClient
internal import ByteCoding
internal import DurableFiles
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// Fetches by GET, with all that an HTTP client's configuration says: credentials, TLS, proxies, redirects, headers.
///
/// Files that hold certificates are read again when they change, other secrets with each request, as Prometheus does.
package final class ScrapeClient: Sendable {
    /// What came back.
    package struct Response: Sendable {
        /// Of HTTP: 200 and the like.
        package var status: Int
        /// The words after the status; empty where none were sent.
        package var reason: String
        /// The field `Content-Type`, or empty.
        package var contentType: String
        /// The field `Content-Encoding`, or empty.
        package var contentEncoding: String
        /// Of the body as it was sent, not yet decompressed.
        package var body: [UInt8]
        /// Whether the body was longer than the limit, and cut.
        package var isCut: Bool
    }

    private let configuration: HTTPClientConfiguration
    private let tokens: OAuth2TokenSource?
    private let environment: ProxyEnvironment
    private let clients = Mutex(Clients())
    private let dialer: String
    private let dialers: DialerMetrics

    private struct Clients {
        var open: [Variant: HTTPClient] = [:]
        var outdated: [HTTPClient] = []
        var stamps: [FileStamp?] = []
        var isClosed = false
    }

    /// Requests that need a client of their own.
    private struct Variant: Hashable {
        var proxy: HTTPClient.Configuration.Proxy?
        /// Set where the certificate is for another name than the address.
        var address = ""
    }

    /// A client for `configuration`; connections are opened when they are needed.
    /// - Parameters:
    ///   - configuration: what a section says of its client.
    ///   - dialer: for whom connections are counted.
    ///   - dialers: counts them.
    ///   - environment: gives variables that name proxies.
    /// - Throws: `ScrapeFailure` if certificates or keys cannot be used.
    package init(
        _ configuration: HTTPClientConfiguration, dialer: String = "default", dialers: DialerMetrics = DialerMetrics(),
        environment: (String) -> String? = ProcessEnvironment.value
    ) throws(ScrapeFailure) {
        self.configuration = configuration
        self.dialer = dialer
        self.dialers = dialers
        dialers.show(dialer)
        self.environment = ProxyEnvironment(environment)
        tokens = try configuration.oauth2.map { oauth throws(ScrapeFailure) in try OAuth2TokenSource(oauth) }
        _ = try TLSFiles.configuration(configuration.tls)
        _ = try ProxySelection(configuration.proxy, self.environment)
    }

    /// Closes all connections. Requests under way fail.
    package func close() async {
        let open = clients.withLock { clients in
            defer { clients = Clients(isClosed: true) }
            return Array(clients.open.values) + clients.outdated
        }
        // A client that cannot be closed is closed already.
        for client in open { try? await client.shutdown() }
        await tokens?.close()
    }

    /// The reason that Prometheus gives where a server redirects without end.
    private static let maximumRedirects = 10

    /// Fetches `url`.
    /// - Parameters:
    ///   - url: with scheme `http` or `https`.
    ///   - unixSocket: the path of a socket to connect to instead of the host, or empty.
    ///   - headers: sent as they are.
    ///   - timeout: for everything, the body included.
    ///   - bodyLimit: bytes after which reading stops; 0 for none.
    /// - Throws: `ScrapeFailure`, worded as Go's HTTP client words it; `CancellationError`.
    package func get(
        _ url: String, unixSocket: String = "", headers: [(String, String)], timeout: Duration, bodyLimit: Int
    ) async throws -> Response {
        try await withThrowingTaskGroup(of: Response?.self) { group in
            group.addTask {
                try await self.following(url, unixSocket, headers, timeout: timeout, bodyLimit: bodyLimit)
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let response = first else {
                throw ScrapeFailure("Get \"\(url)\": context deadline exceeded")
            }
            return response
        }
    }

    private func following(
        _ url: String, _ unixSocket: String, _ headers: [(String, String)], timeout: Duration, bodyLimit: Int
    ) async throws -> Response {
        var current = url
        var isSameHost = true
        for _ in 0...Self.maximumRedirects {
            let (response, location) = try await once(
                current, unixSocket, headers, hasSecrets: isSameHost, timeout: timeout, bodyLimit: bodyLimit)
            guard configuration.followsRedirects, [301, 302, 303, 307, 308].contains(response.status), let location
            else {
                return response
            }
            guard let next = RequestURL.resolve(location, against: current) else {
                throw ScrapeFailure("Get \"\(url)\": failed to parse Location header \"\(location)\"")
            }
            // Credentials are for the configured host, not for whoever it points to.
            isSameHost = isSameHost && RequestURL.authority(of: next) == RequestURL.authority(of: current)
            current = next
        }
        throw ScrapeFailure("Get \"\(url)\": stopped after \(Self.maximumRedirects) redirects")
    }

    private func once(
        _ url: String, _ unixSocket: String, _ headers: [(String, String)], hasSecrets: Bool, timeout: Duration,
        bodyLimit: Int
    ) async throws -> (Response, location: String?) {
        guard let parsed = ConfiguredURL(url), parsed.scheme == "http" || parsed.scheme == "https", !parsed.host.isEmpty
        else { throw ScrapeFailure("Get \"\(url)\": unsupported protocol scheme") }
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if hasSecrets { try await addConfigured(&request.headers) }
        var variant = Variant()
        let selection = try ProxySelection(configuration.proxy, environment)
        variant.proxy = selection.proxy(for: parsed)
        let host = RequestURL.authority(of: url)
        if !unixSocket.isEmpty {
            variant.proxy = nil
            request.url =
                "\(parsed.scheme)+unix://\(PercentCoding.encodeQuery(unixSocket.utf8))\(url.dropFirst(RequestURL.originLength(url)))"
            request.headers.replaceOrAdd(name: "Host", value: host)
        } else if !configuration.tls.serverName.isEmpty, parsed.scheme == "https" {
            let name = configuration.tls.serverName
            variant.address = parsed.host
            request.url =
                "https://\(HostPort.joined(name, parsed.port ?? 443))\(url.dropFirst(RequestURL.originLength(url)))"
            request.headers.replaceOrAdd(name: "Host", value: host)
        }
        let limit = TimeAmount.nanoseconds(timeout.nanoseconds)
        var isReading = false
        do {
            if unixSocket.isEmpty, let proxy = selection.plainProxy(for: parsed) {
                return try await proxy.get(url, headers: request.headers, timeout: limit, bodyLimit: bodyLimit)
            }
            let client = try client(variant)
            let response = try await client.execute(request, timeout: limit)
            isReading = true
            return try await (Self.read(response, bodyLimit), response.headers.first(name: "location"))
        } catch let error as ScrapeFailure {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            dialers.note(error, for: dialer)
            let address = HostPort.joined(parsed.host, parsed.port ?? (parsed.scheme == "https" ? 443 : 80))
            let text = ClientErrorText.describe(error, address: address)
            // A body that is shorter than it was to be.
            if isReading, text.contains("stream ended") { throw ScrapeFailure("unexpected EOF") }
            throw ScrapeFailure("Get \"\(url)\": \(text)")
        }
    }

    private static func read(_ response: HTTPClientResponse, _ limit: Int) async throws -> Response {
        var result = Response(
            status: Int(response.status.code), reason: response.status.reasonPhrase,
            contentType: response.headers.first(name: "content-type") ?? "",
            contentEncoding: response.headers.first(name: "content-encoding") ?? "", body: [], isCut: false)
        if let length = response.headers.first(name: "content-length").flatMap({ Int($0) }) {
            let most = limit > 0 ? min(length, limit) : length
            result.body.reserveCapacity(min(most, 64 << 20) + 1)
        }
        for try await var chunk in response.body {
            if limit > 0, result.body.count + chunk.readableBytes > limit {
                result.isCut = true
                chunk = chunk.readSlice(length: max(0, limit - result.body.count)) ?? chunk
                chunk.withUnsafeReadableBytes { result.body.append(contentsOf: $0) }
                break
            }
            chunk.withUnsafeReadableBytes { result.body.append(contentsOf: $0) }
        }
        return result
    }

    /// Adds credentials and configured headers.
    private func addConfigured(_ headers: inout HTTPHeaders) async throws {
        for (name, header) in configuration.headers {
            for value in header.values { headers.add(name: name, value: value) }
            for secret in header.secrets { headers.add(name: name, value: secret.revealed) }
            for file in header.files {
                headers.add(name: name, value: try Credentials.read(file, "headers file"))
            }
        }
        if let authorization = try Credentials.header(configuration) {
            headers.replaceOrAdd(name: "Authorization", value: authorization)
        } else if let tokens {
            headers.replaceOrAdd(name: "Authorization", value: try await tokens.header())
        }
    }

    private func client(_ variant: Variant) throws -> HTTPClient {
        let stamps = TLSFiles.stamps(configuration.tls)
        return try clients.withLock { clients in
            if clients.isClosed { throw CancellationError() }
            if clients.stamps != stamps {
                // What was opened with the old certificates is used up, and closed with this client.
                clients.outdated += clients.open.values
                clients.open = [:]
                clients.stamps = stamps
            }
            if let known = clients.open[variant] { return known }
            var made = HTTPClient.Configuration(tlsConfiguration: try TLSFiles.configuration(configuration.tls))
            made.redirectConfiguration = .disallow
            made.timeout.connect = .seconds(30)
            made.connectionPool.idleTimeout = .seconds(300)
            made.connectionPool.retryConnectionEstablishment = false
            made.httpVersion = configuration.usesHTTP2 ? .automatic : .http1Only
            made.proxy = variant.proxy
            let note = { @Sendable [dialer, dialers] (channel: any Channel) in dialers.note(channel, for: dialer) }
            made.http1_1ConnectionDebugInitializer = note
            made.http2ConnectionDebugInitializer = note
            if !variant.address.isEmpty { made.dnsOverride = [configuration.tls.serverName: variant.address] }
            let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: made)
            clients.open[variant] = client
            return client
        }
    }
}

/// URLs of requests, and where redirects lead.
enum RequestURL {
    /// The bytes of `scheme://authority`.
    static func originLength(_ url: String) -> Int {
        guard let separator = url.firstRange(of: "://") else { return 0 }
        let rest = url[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        return url.distance(from: url.startIndex, to: end)
    }

    /// The host and port, without credentials.
    static func authority(of url: String) -> String {
        guard let separator = url.firstRange(of: "://") else { return "" }
        let authority = url[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return String(authority) }
        return String(authority[authority.index(after: at)...])
    }

    /// `location` seen from `base`; nil if it leaves HTTP.
    static func resolve(_ location: String, against base: String) -> String? {
        let origin = String(base.prefix(originLength(base)))
        if location.hasPrefix("http://") || location.hasPrefix("https://") { return location }
        if location.hasPrefix("//") { return String(base.prefix { $0 != ":" }) + ":" + location }
        if location.hasPrefix("/") { return origin + location }
        guard !location.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") else { return nil }
        let path = base.dropFirst(originLength(base)).prefix { $0 != "?" && $0 != "#" }
        if location.hasPrefix("?") { return origin + path + location }
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        let target = location.prefix { $0 != "?" }
        let joined = FilePath.cleaned(String(directory) + target)
        return origin + joined + (target.hasSuffix("/") && joined != "/" ? "/" : "") + location.dropFirst(target.count)
    }
}

/// Errors of the client in the words that operators know from Go.
enum ClientErrorText {
    /// - Parameter address: of the peer, where it is known.
    static func describe(_ error: any Error, address: String = "") -> String {
        if let error = error as? HTTPClientError {
            if error == .deadlineExceeded || error == .readTimeout { return "context deadline exceeded" }
            if error == .connectTimeout { return "dial tcp: i/o timeout" }
            if error == .remoteConnectionClosed { return "EOF" }
            return error.shortDescription
        }
        if case .handshakeFailed(let reason)? = error as? NIOSSLError {
            return "\(reason)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "tls: failed to verify certificate: x509: certificate signed by unknown authority"
                : "tls: handshake failure: \(reason)"
        }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "tls: failed to verify certificate: x509: certificate is not valid for the host: \(error)"
        }
        if let error = error as? NIOConnectionError {
            if let failure = error.connectionErrors.first {
                return "dial tcp \(error.host):\(error.port): connect: \(describe(failure.error))"
            }
            let problem = (error.dnsAError ?? error.dnsAAAAError).map { ": \($0)" } ?? ""
            return "dial tcp: lookup \(error.host): no such host\(problem)"
        }
        if let error = error as? IOError {
            let reason = SystemError.reason(error.errnoCode)
            return address.isEmpty ? reason : "dial tcp \(address): connect: \(reason)"
        }
        return "\(error)"
    }
}
