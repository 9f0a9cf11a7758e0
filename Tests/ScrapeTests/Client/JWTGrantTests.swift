import Crypto
import CryptoExtras
import FoundationEssentials
import Scrape
import TestSupport
import Testing

/// Tokens that are fetched with a token of our own, signed by an RSA key.
@Suite struct JWTGrantTests {
    private func client(_ keys: [String]) throws -> ScrapeClient {
        let text =
            "scrape_configs:\n- job_name: j\n  oauth2:\n    client_id: me\n"
            + "    grant_type: urn:ietf:params:oauth:grant-type:jwt-bearer\n" + keys.map { "    \($0)\n" }.joined()
        let configuration = try Configuration(Array(text.utf8)) { _ in nil }
        return try ScrapeClient(try #require(configuration.scrapeConfigurations.first).client) { _ in nil }
    }

    private func outcome(_ url: String, _ client: ScrapeClient) async -> String {
        do {
            let response = try await client.get(url, headers: [], timeout: .seconds(20), bodyLimit: 0)
            return "\(response.status) " + String(decoding: response.body, as: UTF8.self)
        } catch {
            return "\(error)"
        }
    }

    private func decoded(_ part: Substring) throws -> Data {
        let text = part.replacing("-", with: "+").replacing("_", with: "/")
        return try #require(Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)))
    }

    /// The fields of a form whose values need no decoding but for blanks.
    private func fields(_ request: FakeServer.Request) -> [String: String] {
        let pairs = String(decoding: request.body, as: UTF8.self).split(separator: "&").map {
            $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        }
        return Dictionary(pairs.map { ($0[0], $0.last ?? "") }) { first, _ in first }
    }

    private struct Claims: Decodable, Equatable {
        var iss: String
        var sub: String
        var aud: String
        var scope: String?
        var iat: Int
        var exp: Int
        var jti: String
        var level: Int?
        var nested: [String: [Bool?]]?
    }

    private static let key = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    @Test(arguments: ["", "RS256", "RS384", "RS512"])
    func `a token is signed by the key, with the claims of the configuration`(algorithm: String) async throws {
        let key = try Self.key.get()
        let folder = try TemporaryFolder()
        try folder.write("key.pem", key.pemRepresentation)
        let tokens = try FakeServer { _ in .text("{\"access_token\":\"t\",\"expires_in\":3600}") }
        let server = try FakeServer { _ in .text("a 1\n") }
        defer {
            tokens.stop()
            server.stop()
        }
        let url = "http://127.0.0.1:\(tokens.port)/token"
        let client = try client([
            "client_certificate_key_file: \(folder.path)/key.pem", "client_certificate_key_id: k1",
            "token_url: \(url)", "scopes: [a, b]", "claims: {level: 3, nested: {x: [true, null]}}",
            "endpoint_params: {tenant: x}", algorithm.isEmpty ? "iss: they" : "signature_algorithm: \(algorithm)",
        ])
        #expect(await outcome("http://127.0.0.1:\(server.port)/metrics", client) == "200 a 1\n")
        #expect(await outcome("http://127.0.0.1:\(server.port)/metrics", client) == "200 a 1\n")
        await client.close()
        #expect(server.requests.map { $0.header("Authorization") } == ["Bearer t", "Bearer t"])
        #expect(tokens.requests.count == 1)
        let request = try #require(tokens.requests.first)
        #expect(request.header("Authorization") == nil)
        let form = fields(request)
        #expect(form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer")
        #expect(form["scope"] == "a+b" && form["tenant"] == "x")
        let parts = try #require(form["assertion"]).split(separator: ".")
        try #require(parts.count == 3)
        let name = algorithm.isEmpty ? "RS256" : algorithm
        #expect(try decoded(parts[0]) == Data("{\"alg\":\"\(name)\",\"kid\":\"k1\",\"typ\":\"JWT\"}".utf8))
        let claims = try JSONDecoder().decode(Claims.self, from: decoded(parts[1]))
        #expect(claims.iss == (algorithm.isEmpty ? "they" : "me") && claims.sub == "me" && claims.aud == url)
        #expect(claims.scope == "a b" && claims.level == 3 && claims.nested == ["x": [true, nil]])
        #expect(claims.exp - claims.iat == 600 && claims.jti.count == 36)
        let signature = _RSA.Signing.RSASignature(rawRepresentation: try decoded(parts[2]))
        let signed = Data("\(parts[0]).\(parts[1])".utf8)
        let isValid =
            switch name {
            case "RS384":
                key.publicKey.isValidSignature(
                    signature, for: SHA384.hash(data: signed), padding: .insecurePKCS1v1_5)
            case "RS512":
                key.publicKey.isValidSignature(
                    signature, for: SHA512.hash(data: signed), padding: .insecurePKCS1v1_5)
            default:
                key.publicKey.isValidSignature(
                    signature, for: SHA256.hash(data: signed), padding: .insecurePKCS1v1_5)
            }
        #expect(isValid)
    }

    @Test func `what cannot be signed or is refused fails the scrape with a reason`() async throws {
        let tokens = try FakeServer { _ in FakeServer.Response(status: "401 Unauthorized", body: Array("no\n".utf8)) }
        defer { tokens.stop() }
        let url = "token_url: http://127.0.0.1:\(tokens.port)/token"
        let broken = try client([url, "client_certificate_key: nonsense"])
        #expect(
            await outcome("http://127.0.0.1:1/metrics", broken).contains(
                "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key"))
        await broken.close()
        let lines = try Self.key.get().pemRepresentation.split(separator: "\n").map { "  \($0)" }
        let refused = try client([url, "client_certificate_key: |"] + lines)
        let outcome = await outcome("http://127.0.0.1:1/metrics", refused)
        #expect(outcome.contains("oauth2: cannot fetch token: 401 Unauthorized\nResponse: no"), "\(outcome)")
        await refused.close()
        let twice = try client([url, "endpoint_params: {assertion: x}", "client_certificate_key: |"] + lines)
        #expect(
            await self.outcome("http://127.0.0.1:1/metrics", twice).contains(
                "oauth2: cannot overwrite parameter \"assertion\""))
        await twice.close()
    }
}
