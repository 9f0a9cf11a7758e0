internal import MetricModel
internal import YAML

/// The file behind `--web.config.file`: TLS, passwords, headers and a rate limit.
///
/// Source: prometheus/exporter-toolkit docs/web-configuration.md and web/tls_config.go.
package struct WebConfig: Sendable, Equatable {
    /// `tls_server_config`.
    package var tls = TLSConfig()
    /// `http_server_config.http2`.
    package var http2 = true
    /// Fields added to every answer, sorted by name.
    package var headers: [HTTPField] = []
    /// bcrypt hashes by user name.
    package var users: [String: String] = [:]
    /// `rate_limit`.
    package var rateLimit = RateLimit()

    /// The section `tls_server_config`.
    package struct TLSConfig: Sendable, Equatable {
        /// `cert`, PEM.
        package var certificate = ""
        /// `key`, PEM.
        package var key = ""
        /// `client_ca`: whose client certificates are taken, PEM.
        package var clientCA = ""
        /// `cert_file`.
        package var certificateFile = ""
        /// `key_file`.
        package var keyFile = ""
        /// `client_auth_type`, by Go's names; empty for none.
        package var clientAuth = ""
        /// `client_ca_file`.
        package var clientCAFile = ""
        /// `cipher_suites`, by their numbers; empty for the defaults.
        package var cipherSuites: [UInt16] = []
        /// `curve_preferences`, by their numbers; empty for the defaults.
        package var curves: [UInt16] = []
        /// `min_version`.
        package var minVersion: TLSVersion = .tls12
        /// `max_version`.
        package var maxVersion: TLSVersion = .tls13
        /// `client_allowed_sans`: names of which a client certificate must have one; nil for any.
        package var clientAllowedSANs: [String]?

        /// Whether anything about TLS is set.
        package var isEnabled: Bool {
            !(certificate.isEmpty && key.isEmpty && clientCA.isEmpty && certificateFile.isEmpty && keyFile.isEmpty
                && clientAuth.isEmpty && clientCAFile.isEmpty)
        }
    }

    /// The section `rate_limit`.
    package struct RateLimit: Sendable, Equatable {
        /// `interval`: time for one request; zero for no limit.
        package var interval: Duration = .zero
        /// `burst`: requests that may come at once.
        package var burst = 0
    }

    /// Versions that can be named in the file.
    package enum TLSVersion: String, Sendable, Comparable, CaseIterable {
        case tls10 = "TLS10"
        case tls11 = "TLS11"
        case tls12 = "TLS12"
        case tls13 = "TLS13"

        /// Older before newer.
        package static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
    }

    /// Why a file cannot be used, in upstream's words.
    package struct Invalid: Error, CustomStringConvertible, Equatable {
        package let description: String

        /// The reason `description`.
        package init(_ description: String) { self.description = description }
    }

    /// The defaults: no TLS, no passwords.
    package init() {}

    /// Reads a file strictly: unknown and repeated fields are errors.
    /// - Parameters:
    ///   - text: What the file holds.
    ///   - directory: The file's folder, which relative file names count from.
    /// - Throws: ``Invalid``.
    package init(_ text: [UInt8], directory: String) throws(Invalid) {
        do throws(YAMLError) {
            self = try YAMLDecoder.decode(text, empty: WebConfig()) { node, decoder throws(YAMLError) in
                try Self.read(node, decoder)
            }
        } catch {
            throw Invalid(error.description)
        }
        try validateHeaders()
        tls.certificateFile = Self.join(directory, tls.certificateFile)
        tls.keyFile = Self.join(directory, tls.keyFile)
        tls.clientCAFile = Self.join(directory, tls.clientCAFile)
    }

    /// Checks that each hash is one of bcrypt.
    /// - Throws: ``Invalid`` with the message of golang.org/x/crypto/bcrypt.
    package func validateUsers() throws(Invalid) {
        for (_, hash) in users.sorted(by: { $0.key < $1.key }) { _ = try BcryptHash(hash) }
    }

    private static func join(_ directory: String, _ file: String) -> String {
        file.isEmpty || file.hasPrefix("/") ? file : directory + "/" + file
    }

    // MARK: Reading

    private static func read(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> WebConfig {
        var config = WebConfig()
        try decoder.fields(of: node, type: "web.Config") { name, value throws(YAMLError) in
            switch name {
            case "tls_server_config": config.tls = try readTLS(value, decoder)
            case "http_server_config": try readHTTP(value, decoder, into: &config)
            case "rate_limit": config.rateLimit = try readRateLimit(value, decoder)
            case "basic_auth_users":
                for (user, hash) in try decoder.entries(value, type: "map[string]config.Secret") {
                    config.users[user.string] = try decoder.string(hash)
                }
            default: return false
            }
            return true
        }
        return config
    }

    private static func readTLS(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> TLSConfig {
        var tls = TLSConfig()
        try decoder.fields(of: node, type: "web.TLSConfig") { name, value throws(YAMLError) in
            switch name {
            case "cert": tls.certificate = try decoder.string(value)
            case "key": tls.key = try decoder.string(value)
            case "client_ca": tls.clientCA = try decoder.string(value)
            case "cert_file": tls.certificateFile = try decoder.string(value)
            case "key_file": tls.keyFile = try decoder.string(value)
            case "client_auth_type": tls.clientAuth = try decoder.string(value)
            case "client_ca_file": tls.clientCAFile = try decoder.string(value)
            case "cipher_suites":
                for item in try decoder.strings(value, type: "[]web.Cipher") {
                    guard let suite = TLSNames.cipherSuites[item] else {
                        throw .invalid("unknown cipher: \(item)", line: 0)
                    }
                    tls.cipherSuites.append(suite)
                }
            case "curve_preferences":
                for item in try decoder.strings(value, type: "[]web.Curve") {
                    guard let curve = TLSNames.curves[item] else { throw .invalid("unknown curve: \(item)", line: 0) }
                    tls.curves.append(curve)
                }
            case "min_version": tls.minVersion = try readVersion(value, decoder) ?? tls.minVersion
            case "max_version": tls.maxVersion = try readVersion(value, decoder) ?? tls.maxVersion
            case "prefer_server_cipher_suites": _ = decoder.boolean(value)
            case "client_allowed_sans": tls.clientAllowedSANs = value.isNull ? nil : try decoder.strings(value)
            default: return false
            }
            return true
        }
        return tls
    }

    private static func readVersion(
        _ node: YAMLNode, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> TLSVersion? {
        if node.isNull { return nil }
        let name = try decoder.string(node)
        guard let version = TLSVersion(rawValue: name) else { throw .invalid("unknown TLS version: \(name)", line: 0) }
        return version
    }

    private static func readHTTP(
        _ node: YAMLNode, _ decoder: YAMLDecoder, into config: inout WebConfig
    ) throws(YAMLError) {
        try decoder.fields(of: node, type: "web.HTTPConfig") { name, value throws(YAMLError) in
            switch name {
            case "http2": config.http2 = value.isNull ? true : decoder.boolean(value)
            case "headers":
                for (name, value) in try decoder.entries(value, type: "map[string]string") {
                    config.headers.append(HTTPField(name.string, try decoder.string(value)))
                }
                config.headers.sort { $0.name < $1.name }
            default: return false
            }
            return true
        }
    }

    private static func readRateLimit(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> RateLimit {
        var limit = RateLimit()
        try decoder.fields(of: node, type: "web.RateLimiterConfig") { name, value throws(YAMLError) in
            switch name {
            case "burst": limit.burst = Int(decoder.integer(value))
            case "interval":
                // go-yaml v2 takes a whole number for a time.Duration as nanoseconds.
                if case .integer(let nanoseconds) = value.resolved {
                    limit.interval = .nanoseconds(nanoseconds)
                } else if let interval = GoDuration(try decoder.string(value, into: "time.Duration")) {
                    limit.interval = interval.duration
                } else {
                    decoder.mismatch(value, into: "time.Duration")
                }
            default: return false
            }
            return true
        }
        return limit
    }

    /// Source: prometheus/exporter-toolkit web/handler.go (`validateHeaderConfig`).
    private func validateHeaders() throws(Invalid) {
        for field in headers {
            let allowed: [String]
            switch field.name {
            case "Strict-Transport-Security", "X-XSS-Protection", "Content-Security-Policy": allowed = []
            case "X-Content-Type-Options": allowed = ["nosniff"]
            case "X-Frame-Options": allowed = ["deny", "sameorigin"]
            default: throw Invalid("HTTP header \(Quoting.quote(ByteString(field.name))) can not be configured")
            }
            guard allowed.isEmpty || allowed.contains(field.value) else {
                let list = allowed.map { Quoting.quote(ByteString($0)) }.joined(separator: " ")
                let got = Quoting.quote(ByteString(field.value))
                throw Invalid("invalid value for \(field.name). Expected one of: [\(list)], but got: \(got)")
            }
        }
    }
}

/// The names that Go's crypto/tls gives to suites and curves.
enum TLSNames {
    static let cipherSuites: [String: UInt16] = [
        "TLS_AES_128_GCM_SHA256": 0x1301, "TLS_AES_256_GCM_SHA384": 0x1302, "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": 0xC009, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": 0xC00A,
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": 0xC013, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": 0xC014,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": 0xC02C,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 0xC02F, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": 0xC030,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA8,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA9,
    ]
    static let curves: [String: UInt16] = ["CurveP256": 0x17, "CurveP384": 0x18, "CurveP521": 0x19, "X25519": 0x1D]
}
