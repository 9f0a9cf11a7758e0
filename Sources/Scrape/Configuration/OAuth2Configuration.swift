internal import MetricModel
internal import YAML

/// Where and as whom a client fetches its OAuth 2 token.
///
/// Source: prometheus/common config/http_config.go (`OAuth2`).
package struct OAuth2Configuration: Sendable, Hashable {
    /// The grant type in which a signed token stands for the client's secret.
    package static let jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

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
    /// `grant_type`; empty for `client_credentials`.
    package var grantType = ""
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
            case "grant_type":
                configuration.grantType = try decoder.string(value)
                if configuration.grantType == OAuth2Configuration.jwtBearer { throw unsupported(key, value) }
            case "tls_config": configuration.tls = try TLSClientConfiguration(value, decoder)
            case "client_certificate_key_id", "client_certificate_key", "client_certificate_key_file",
                "signature_algorithm", "iss", "audience", "claims":
                if !value.isNull { throw unsupported(key, value) }
            default: return try configuration.proxy.read(key, value, decoder)
            }
            return true
        }

        private func unsupported(_ key: String, _ value: YAMLNode) -> YAMLError {
            .invalid(
                "oauth2 \(key) belongs to the grant type \(OAuth2Configuration.jwtBearer), which this version of narthex"
                    + " does not support; use client_credentials", line: value.line)
        }
    }

    func validate(line: Int) throws(YAMLError) {
        var problem: String?
        if clientID.isEmpty {
            problem = "oauth2 client_id must be configured"
        } else if tokenURL.isEmpty {
            problem = "oauth2 token_url must be configured"
        } else if !clientSecret.isEmpty, !clientSecretFile.isEmpty {
            problem =
                "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured using"
                + " grant-type=client_credentials"
        }
        if let problem { throw .invalid(problem, line: line) }
        try proxy.validate(line: line)
    }

    mutating func setDirectory(_ directory: String) {
        clientSecretFile = FilePath.joined(directory, clientSecretFile)
        tls.setDirectory(directory)
    }

    var fields: YAMLFields {
        var fields = YAMLFields()
        fields.text("client_id", clientID)
        fields.secret("client_secret", clientSecret)
        fields.text("client_secret_file", clientSecretFile)
        fields.text("grant_type", grantType)
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
