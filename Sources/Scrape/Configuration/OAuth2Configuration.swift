package import MetricModel
internal import YAML

/// Where and as whom a client fetches its OAuth 2 token.
///
/// Source: prometheus/common config/http_config.go (`OAuth2`).
package struct OAuth2Configuration: Sendable, Hashable {
    /// The grant type in which a signed token stands for the client's secret.
    package static let jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    private static let signatureAlgorithms = ["RS256", "RS384", "RS512"]

    /// Whether tokens are fetched with a token signed by a key, not with a password.
    var isSigned: Bool { grantType == Self.jwtBearer }

    /// `client_id`.
    package var clientID = ""
    /// `client_secret`.
    package var clientSecret = Secret("")
    /// `client_secret_file`; read with each request for a token.
    package var clientSecretFile = ""
    /// `scopes`.
    package var scopes: [String] = []
    /// `token_url`.
    package var tokenURL = ""
    /// `endpoint_params`: sent along with the request for a token.
    package var endpointParameters: [String: String] = [:]
    /// `grant_type`: `client_credentials`, where it is empty, or ``jwtBearer``.
    package var grantType = ""
    /// `client_certificate_key`: what tokens are signed with, in PEM.
    package var certificateKey = Secret("")
    /// `client_certificate_key_file`; read with each request for a token.
    package var certificateKeyFile = ""
    /// `client_certificate_key_id`, which is told with the token.
    package var certificateKeyID = ""
    /// `signature_algorithm`: one of ``signatureAlgorithms``, or nothing for the first.
    package var signatureAlgorithm = ""
    /// `iss`; empty for the client's ID.
    package var issuer = ""
    /// `audience`; empty for the token server's URL.
    package var audience = ""
    /// `claims`: what else signed tokens say.
    package var claims: [ByteString: OAuth2Claim] = [:]
    /// `tls_config`, for the server that gives tokens.
    package var tls = TLSClientConfiguration()
    /// `proxy_url` and its kin, for the same server.
    package var proxy = ProxyConfiguration()

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = Unvalidated()
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            try read.read(key, value, decoder)
        }
        self = read.configuration
        if fits { try validate(line: node.line) }
    }

    private init() {}

    /// What is read before it is checked.
    private struct Unvalidated {
        var configuration = OAuth2Configuration()

        mutating func read(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
            switch key {
            case "client_id": configuration.clientID = try decoder.string(value)
            case "client_secret": configuration.clientSecret = try decoder.secret(value)
            case "client_secret_file": configuration.clientSecretFile = try decoder.string(value)
            case "client_secret_ref", "client_certificate_key_ref":
                try HTTPClientConfiguration.refuseReference(key, value)
            case "scopes": configuration.scopes = try decoder.strings(value)
            case "token_url": configuration.tokenURL = try decoder.string(value)
            case "endpoint_params":
                for entry in try decoder.entries(value, type: "map[string]string") {
                    configuration.endpointParameters[entry.key.string] = try decoder.string(entry.value)
                }
            case "grant_type": configuration.grantType = try decoder.string(value)
            case "client_certificate_key_id": configuration.certificateKeyID = try decoder.string(value)
            case "client_certificate_key": configuration.certificateKey = try decoder.secret(value)
            case "client_certificate_key_file": configuration.certificateKeyFile = try decoder.string(value)
            case "signature_algorithm": configuration.signatureAlgorithm = try decoder.string(value)
            case "iss": configuration.issuer = try decoder.string(value)
            case "audience": configuration.audience = try decoder.string(value)
            case "claims": if !value.isNull { configuration.claims = try OAuth2Claim.entries(value, decoder) }
            case "tls_config": configuration.tls = try TLSClientConfiguration(value, decoder)
            default: return try configuration.proxy.read(key, value, decoder)
            }
            return true
        }
    }

    func validate(line: Int) throws(YAMLError) {
        var problem: String?
        if clientID.isEmpty {
            problem = "oauth2 client_id must be configured"
        } else if tokenURL.isEmpty {
            problem = "oauth2 token_url must be configured"
        } else if isSigned {
            if !certificateKey.isEmpty, !certificateKeyFile.isEmpty {
                problem =
                    "at most one of oauth2 client_certificate_key, client_certificate_key_file &"
                    + " client_certificate_key_ref must be configured using grant-type=\(Self.jwtBearer)"
            } else if !signatureAlgorithm.isEmpty, !Self.signatureAlgorithms.contains(signatureAlgorithm) {
                problem = "valid signature algorithms are RS256, RS384 and RS512"
            }
        } else if !clientSecret.isEmpty, !clientSecretFile.isEmpty {
            problem =
                "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using"
                + " grant-type=client_credentials"
        }
        if let problem { throw .invalid(problem, line: line) }
        try proxy.validate(line: line)
    }

    /// Files are relative to the configuration's folder; as upstream has it, the key's is not.
    mutating func setDirectory(_ directory: String) {
        clientSecretFile = FilePath.joined(directory, clientSecretFile)
        tls.setDirectory(directory)
    }

    var fields: YAMLFields {
        var fields = YAMLFields()
        fields.text("client_id", clientID)
        fields.secret("client_secret", clientSecret)
        fields.text("client_secret_file", clientSecretFile)
        fields.text("client_certificate_key_id", certificateKeyID)
        fields.secret("client_certificate_key", certificateKey)
        fields.text("client_certificate_key_file", certificateKeyFile)
        fields.text("grant_type", grantType)
        fields.text("signature_algorithm", signatureAlgorithm)
        fields.text("iss", issuer)
        fields.text("audience", audience)
        if !claims.isEmpty { fields.set("claims", OAuth2Claim.yaml(claims)) }
        fields.texts("scopes", scopes)
        fields.text("token_url", tokenURL)
        if !endpointParameters.isEmpty {
            fields.set(
                "endpoint_params",
                .mapping(endpointParameters.sorted { $0.key < $1.key }.map { (ByteString($0.key), .text($0.value)) }))
        }
        fields.fields("tls_config", tls.fields)
        proxy.append(to: &fields)
        return fields
    }
}
