internal import AsyncHTTPClient
internal import ByteCoding
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Fetches tokens by the client credentials grant or for a token of its own that a key signed, and keeps one until it
/// runs out.
///
/// Source: RFC 6749 section 4.4, RFC 7523; the behaviour of golang.org/x/oauth2/clientcredentials and of prometheus/common
/// config/oauth_assertion.go.
actor OAuth2TokenSource {
    private let configuration: OAuth2Configuration
    private let client: HTTPClient
    private var token: (header: String, expires: ContinuousClock.Instant?, secret: String)?

    /// The longest answer that is read.
    private static let maximumAnswer = 1 << 20
    /// How long before its end a token is no longer used.
    private static let margin = Duration.seconds(10)

    init(_ configuration: OAuth2Configuration) throws(ScrapeFailure) {
        self.configuration = configuration
        var made = HTTPClient.Configuration(tlsConfiguration: try TLSFiles.configuration(configuration.tls))
        if let url = ConfiguredURL(configuration.tokenURL) {
            made.proxy = try ProxySelection(configuration.proxy, ProxyEnvironment(ProcessEnvironment.value)).proxy(
                for: url)
        }
        client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: made)
    }

    func close() async {
        // A client that cannot be closed is closed already.
        try? await client.shutdown()
    }

    /// The value of the Authorization header.
    /// - Throws: `ScrapeFailure` if no token is to be had.
    func header() async throws -> String {
        let secret =
            configuration.isSigned
            ? try Self.secret(
                configuration.certificateKey, configuration.certificateKeyFile, "client certificate key file")
            : try Self.secret(configuration.clientSecret, configuration.clientSecretFile, "client secret file")
        if let token, token.secret == secret, token.expires.map({ $0 > .now }) ?? true { return token.header }
        let (header, lifetime) = try await fetch(secret)
        token = (header, lifetime.map { ContinuousClock.now + $0 - Self.margin }, secret)
        return header
    }

    /// A secret of the configuration, or the text of a file, which is read each time.
    private static func secret(_ secret: Secret, _ file: String, _ what: String) throws(ScrapeFailure) -> String {
        file.isEmpty ? secret.revealed : try Credentials.read(file, what)
    }

    /// The fields of the form that asks for a token; none of them has a name twice.
    private func form(_ secret: String) throws(ScrapeFailure) -> [(String, String)] {
        var fields = [("grant_type", configuration.isSigned ? OAuth2Configuration.jwtBearer : "client_credentials")]
        if configuration.isSigned {
            fields.append(("assertion", try JWTAssertion(configuration).signed(with: secret)))
        }
        if !configuration.scopes.isEmpty { fields.append(("scope", configuration.scopes.joined(separator: " "))) }
        for (name, value) in configuration.endpointParameters.sorted(by: { $0.key < $1.key }) {
            if let index = fields.firstIndex(where: { $0.0 == name }) {
                // Servers that are not quite by the book want another grant type.
                guard name == "grant_type" else {
                    throw ScrapeFailure("oauth2: cannot overwrite parameter \"\(name)\"")
                }
                fields[index].1 = value
            } else {
                fields.append((name, value))
            }
        }
        return fields
    }

    private func fetch(_ secret: String) async throws -> (String, Duration?) {
        var request = HTTPClientRequest(url: configuration.tokenURL)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "User-Agent", value: ScrapeRequest.userAgent)
        if !configuration.isSigned {
            let user = PercentCoding.encodeQuery(configuration.clientID.utf8)
            let credentials = Base64.encodeStandard(Array("\(user):\(PercentCoding.encodeQuery(secret.utf8))".utf8))
            request.headers.add(name: "Authorization", value: "Basic " + credentials)
        }
        let form = try form(secret).map {
            "\(PercentCoding.encodeQuery($0.0.utf8))=\(PercentCoding.encodeQuery($0.1.utf8))"
        }.joined(separator: "&")
        request.body = .bytes(ByteBuffer(string: form))
        do {
            let response = try await client.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: Self.maximumAnswer)
            guard (200...299).contains(response.status.code) else {
                throw ScrapeFailure(
                    "oauth2: cannot fetch token: \(response.status.code) \(response.status.reasonPhrase)\nResponse: "
                        + String(decoding: body.readableBytesView.prefix(1000), as: UTF8.self))
            }
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView)),
                !answer.access_token.isEmpty
            else { throw ScrapeFailure("oauth2: server response missing access_token") }
            let type = answer.token_type.map { $0.lowercased() == "bearer" ? "Bearer" : $0 } ?? "Bearer"
            return ("\(type) \(answer.access_token)", answer.lifetime)
        } catch let error as ScrapeFailure {
            throw error
        } catch {
            throw ScrapeFailure("oauth2: cannot fetch token: \(ClientErrorText.describe(error))")
        }
    }

    private struct Answer: Decodable {
        // The names are the protocol's.
        // swift-format-ignore
        var access_token: String
        // swift-format-ignore
        var token_type: String?
        // swift-format-ignore
        var expires_in: Seconds?

        /// nil where the token does not end, or nobody will see that it does.
        var lifetime: Duration? {
            guard let seconds = expires_in?.count, seconds > 0, seconds < 1e9 else { return nil }
            return .seconds(seconds)
        }
    }

    /// A number, or one in quotes, as some servers have it.
    private struct Seconds: Decodable {
        var count: Double

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            count = try (try? value.decode(Double.self)) ?? Double(value.decode(String.self)) ?? 0
        }
    }
}
