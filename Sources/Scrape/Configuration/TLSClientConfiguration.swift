internal import YAML

/// How a client speaks TLS.
///
/// Source: prometheus/common config/http_config.go (`TLSConfig`).
package struct TLSClientConfiguration: Sendable, Hashable {
    /// A TLS version by the name that Prometheus' files use.
    package enum Version: String, Sendable, Hashable, Comparable {
        case tls10 = "TLS10"
        case tls11 = "TLS11"
        case tls12 = "TLS12"
        case tls13 = "TLS13"

        package static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
    }

    /// The text of the authorities' certificates, PEM.
    package var authority = ""
    /// `cert`: the client's own, PEM.
    package var certificate = ""
    /// `key`, PEM.
    package var key = Secret("")
    /// `ca_file`.
    package var authorityFile = ""
    /// `cert_file`.
    package var certificateFile = ""
    /// `key_file`.
    package var keyFile = ""
    /// `server_name`: the name that the server's certificate must have; empty for that of the URL.
    package var serverName = ""
    /// `insecure_skip_verify`.
    package var skipsVerification = false
    /// `min_version`; nil for TLS 1.2.
    package var minimumVersion: Version?
    /// `max_version`; nil for the newest.
    package var maximumVersion: Version?

    /// Nothing set: the system's authorities, no client certificate.
    package init() {}

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = TLSClientConfiguration()
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            switch key {
            case "ca": read.authority = try decoder.string(value)
            case "cert": read.certificate = try decoder.string(value)
            case "key": read.key = try decoder.secret(value)
            case "ca_file": read.authorityFile = try decoder.string(value)
            case "cert_file": read.certificateFile = try decoder.string(value)
            case "key_file": read.keyFile = try decoder.string(value)
            case "ca_ref", "cert_ref", "key_ref": try HTTPClientConfiguration.refuseReference(key, value)
            case "server_name": read.serverName = try decoder.string(value)
            case "insecure_skip_verify": read.skipsVerification = decoder.boolean(value)
            case "min_version": read.minimumVersion = try Self.version(value, decoder)
            case "max_version": read.maximumVersion = try Self.version(value, decoder)
            default: return false
            }
            return true
        }
        self = read
        if fits { try validate(line: node.line) }
    }

    private static func version(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Version? {
        if node.isNull { return nil }
        let before = decoder.mismatches.count
        let name = try decoder.string(node)
        guard decoder.mismatches.count == before else { return nil }
        guard let version = Version(rawValue: name) else {
            throw .invalid("unknown TLS version: \(name)", line: node.line)
        }
        return version
    }

    private func validate(line: Int) throws(YAMLError) {
        let hasCertificate = !certificate.isEmpty || !certificateFile.isEmpty
        let hasKey = !key.isEmpty || !keyFile.isEmpty
        var problem: String?
        if !authority.isEmpty, !authorityFile.isEmpty {
            problem = "at most one of ca, ca_file & ca_ref must be configured"
        } else if !certificate.isEmpty, !certificateFile.isEmpty {
            problem = "at most one of cert, cert_file & cert_ref must be configured"
        } else if !key.isEmpty, !keyFile.isEmpty {
            problem = "at most one of key and key_file must be configured"
        } else if hasCertificate, !hasKey {
            problem = "exactly one of key or key_file must be configured when a client certificate is configured"
        } else if hasKey, !hasCertificate {
            problem = "exactly one of cert or cert_file must be configured when a client key is configured"
        } else if let minimumVersion, let maximumVersion, maximumVersion < minimumVersion {
            problem =
                "tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified"
        }
        if let problem { throw .invalid(problem, line: line) }
    }

    mutating func setDirectory(_ directory: String) {
        authorityFile = FilePath.joined(directory, authorityFile)
        certificateFile = FilePath.joined(directory, certificateFile)
        keyFile = FilePath.joined(directory, keyFile)
    }

    /// The fields to be written; none if nothing is set.
    var fields: YAMLFields {
        var fields = YAMLFields()
        guard self != TLSClientConfiguration() else { return fields }
        fields.text("ca", authority)
        fields.text("cert", certificate)
        fields.secret("key", key)
        fields.text("ca_file", authorityFile)
        fields.text("cert_file", certificateFile)
        fields.text("key_file", keyFile)
        fields.text("server_name", serverName)
        fields.always("insecure_skip_verify", skipsVerification)
        fields.text("min_version", minimumVersion?.rawValue ?? "")
        fields.text("max_version", maximumVersion?.rawValue ?? "")
        return fields
    }
}
