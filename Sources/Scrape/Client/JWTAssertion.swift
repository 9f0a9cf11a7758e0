internal import ByteCoding
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
internal import MetricModel

/// The signed token that is shown to a token server in place of a password.
///
/// Source: RFC 7523 section 3; prometheus/common config/oauth_assertion.go.
struct JWTAssertion {
    let configuration: OAuth2Configuration
    /// Seconds since 1970.
    let time: Int64
    /// What no other token has.
    let identity: String

    /// How long a token server may take it, in seconds.
    private static let lifetime: Int64 = 600

    /// A token that is made now.
    init(_ configuration: OAuth2Configuration) {
        self.init(
            configuration, time: Int64(Date().timeIntervalSince1970), identity: UUID().uuidString.lowercased())
    }

    init(_ configuration: OAuth2Configuration, time: Int64, identity: String) {
        self.configuration = configuration
        self.time = time
        self.identity = identity
    }

    /// The token, signed with an RSA key in PEM.
    /// - Throws: `ScrapeFailure` if the key is none.
    func signed(with pem: String) throws(ScrapeFailure) -> String {
        guard let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) else {
            throw ScrapeFailure("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key")
        }
        let signed = Self.base64URL(header) + "." + Self.base64URL(OAuth2Claim.json(claims))
        let bytes = Array(signed.utf8)
        do {
            let padding = _RSA.Signing.Padding.insecurePKCS1v1_5
            let signature =
                switch configuration.signatureAlgorithm {
                case "RS384": try key.signature(for: SHA384.hash(data: bytes), padding: padding)
                case "RS512": try key.signature(for: SHA512.hash(data: bytes), padding: padding)
                default: try key.signature(for: SHA256.hash(data: bytes), padding: padding)
                }
            return signed + "." + Base64.encodeURL(Array(signature.rawRepresentation))
        } catch {
            throw ScrapeFailure("the key cannot sign: \(error)")
        }
    }

    private var header: JSONField {
        let algorithm = configuration.signatureAlgorithm
        var fields: [(String, JSONField)] = [("alg", .text(algorithm.isEmpty ? "RS256" : algorithm))]
        if !configuration.certificateKeyID.isEmpty { fields.append(("kid", .text(configuration.certificateKeyID))) }
        return .object(fields + [("typ", .text("JWT"))])
    }

    /// What is claimed; those of the configuration win.
    private var claims: [ByteString: OAuth2Claim] {
        let configuration = configuration
        func text(_ text: String, or other: String) -> OAuth2Claim { .text(ByteString(text.isEmpty ? other : text)) }
        var claims: [ByteString: OAuth2Claim] = [
            "iss": text(configuration.issuer, or: configuration.clientID),
            "sub": .text(ByteString(configuration.clientID)),
            "jti": .text(ByteString(identity)),
            "aud": text(configuration.audience, or: configuration.tokenURL),
            "iat": .whole(time),
            "exp": .whole(time + Self.lifetime),
        ]
        if !configuration.scopes.isEmpty {
            claims["scope"] = .text(ByteString(configuration.scopes.joined(separator: " ")))
        }
        return claims.merging(configuration.claims) { $1 }
    }

    private static func base64URL(_ field: JSONField) -> String {
        var json: [UInt8] = []
        field.append(to: &json)
        return Base64.encodeURL(json)
    }
}
