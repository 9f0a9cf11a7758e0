internal import MetricModel
internal import YAML

/// How an HTTP client reaches its peers: credentials, TLS, proxies, headers.
///
/// Source: prometheus/common config/http_config.go (`HTTPClientConfig`).
package struct HTTPClientConfiguration: Sendable, Hashable {
    /// A user's name and password, or the files that hold them.
    package struct BasicAuthentication: Sendable, Hashable {
        /// `username`.
        package var username = ""
        /// `username_file`; read with each request.
        package var usernameFile = ""
        /// `password`.
        package var password = Secret("")
        /// `password_file`; read with each request.
        package var passwordFile = ""

        /// Nothing set.
        package init() {}
    }

    /// An Authorization header.
    package struct Authorization: Sendable, Hashable {
        /// `type`: the word before the credentials.
        package var type = ""
        /// `credentials`.
        package var credentials = Secret("")
        /// `credentials_file`; read with each request.
        package var credentialsFile = ""

        /// Nothing set.
        package init() {}
    }

    /// A header's values, from here and from files; all are sent.
    package struct Header: Sendable, Hashable {
        /// `values`.
        package var values: [String] = []
        /// `secrets`: values that are not shown.
        package var secrets: [Secret] = []
        /// `files`: each holds a value.
        package var files: [String] = []

        /// No values.
        package init() {}
    }

    /// `basic_auth`.
    package var basicAuthentication: BasicAuthentication?
    /// `authorization`; also what `bearer_token` is turned into.
    package var authorization: Authorization?
    /// `oauth2`.
    package var oauth2: OAuth2Configuration?
    /// `tls_config`.
    package var tls = TLSClientConfiguration()
    /// `follow_redirects`.
    package var followsRedirects = true
    /// `enable_http2`.
    package var usesHTTP2 = true
    /// `proxy_url` and its kin.
    package var proxy = ProxyConfiguration()
    /// `http_headers`, by name.
    package var headers: [String: Header] = [:]

    // Read only to be turned into `authorization`.
    private var bearerToken = Secret("")
    private var bearerTokenFile = ""

    /// The defaults: redirects and HTTP/2, no credentials.
    package init() {}

    /// Headers that are not to be configured, since the client sets them itself.
    static let reservedHeaders: Set<String> = [
        "Authorization", "Host", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent", "Connection",
        "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Www-Authenticate", "Accept-Encoding",
        "X-Prometheus-Remote-Write-Version", "X-Prometheus-Remote-Read-Version", "X-Prometheus-Scrape-Timeout-Seconds",
        "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
    ]

    /// Reads the field `key`, if it is one of an HTTP client's, which other sections hold among their own.
    /// - Returns: whether it is.
    mutating func read(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
        switch key {
        case "basic_auth":
            basicAuthentication = value.isNull ? nil : try Self.basicAuthentication(value, decoder)
        case "authorization":
            authorization = value.isNull ? nil : try Self.authorization(value, decoder)
        case "oauth2":
            oauth2 = value.isNull ? nil : try OAuth2Configuration(value, decoder)
        case "bearer_token": bearerToken = try decoder.secret(value)
        case "bearer_token_file": bearerTokenFile = try decoder.string(value)
        case "tls_config": tls = try TLSClientConfiguration(value, decoder)
        case "follow_redirects": followsRedirects = decoder.boolean(value)
        case "enable_http2": usesHTTP2 = decoder.boolean(value)
        case "http_headers": headers = try Self.headers(value, decoder)
        default: return try proxy.read(key, value, decoder)
        }
        return true
    }

    /// Checks what was read, and turns the old `bearer_token` into an authorization.
    /// - Throws: `YAMLError.invalid` at `line`, in Prometheus' words.
    mutating func validate(line: Int) throws(YAMLError) {
        if let problem = credentialsProblem ?? authorizationProblem { throw .invalid(problem, line: line) }
        if var given = authorization {
            given.type = given.type.trimmed
            if given.type.isEmpty { given.type = "Bearer" }
            authorization = given
        } else if !bearerToken.isEmpty || !bearerTokenFile.isEmpty {
            var made = Authorization()
            made.type = "Bearer"
            made.credentials = bearerToken
            made.credentialsFile = bearerTokenFile
            authorization = made
        }
        bearerToken = Secret("")
        bearerTokenFile = ""
        try oauth2?.validate(line: line)
        try proxy.validate(line: line)
        for name in headers.keys.sorted() where Self.reservedHeaders.contains(Self.canonical(name)) {
            throw .invalid("setting header \"\(Self.canonical(name))\" is not allowed", line: line)
        }
    }

    private var credentialsProblem: String? {
        let hasToken = !bearerToken.isEmpty || !bearerTokenFile.isEmpty
        if !bearerToken.isEmpty, !bearerTokenFile.isEmpty {
            return "at most one of bearer_token & bearer_token_file must be configured"
        }
        if basicAuthentication != nil || oauth2 != nil, hasToken {
            return "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"
        }
        if let basic = basicAuthentication {
            if !basic.username.isEmpty, !basic.usernameFile.isEmpty {
                return "at most one of basic_auth username, username_file & username_ref must be configured"
            }
            if !basic.password.isEmpty, !basic.passwordFile.isEmpty {
                return "at most one of basic_auth password, password_file & password_ref must be configured"
            }
        }
        return nil
    }

    private var authorizationProblem: String? {
        if let authorization {
            if !bearerToken.isEmpty || !bearerTokenFile.isEmpty {
                return "authorization is not compatible with bearer_token & bearer_token_file"
            }
            if !authorization.credentials.isEmpty, !authorization.credentialsFile.isEmpty {
                return "at most one of authorization credentials & credentials_file must be configured"
            }
            if authorization.type.trimmed.lowercased() == "basic" {
                return "authorization type cannot be set to \"basic\", use \"basic_auth\" instead"
            }
            if basicAuthentication != nil || oauth2 != nil {
                return "at most one of basic_auth, oauth2 & authorization must be configured"
            }
        }
        if oauth2 != nil, basicAuthentication != nil {
            return "at most one of basic_auth, oauth2 & authorization must be configured"
        }
        return nil
    }

    private static func basicAuthentication(
        _ node: YAMLNode, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> BasicAuthentication {
        var basic = BasicAuthentication()
        try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            switch key {
            case "username": basic.username = try decoder.string(value)
            case "username_file": basic.usernameFile = try decoder.string(value)
            case "password": basic.password = try decoder.secret(value)
            case "password_file": basic.passwordFile = try decoder.string(value)
            case "username_ref", "password_ref": try refuseReference(key, value)
            default: return false
            }
            return true
        }
        return basic
    }

    private static func authorization(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Authorization {
        var authorization = Authorization()
        try decoder.fields(of: node, type: "config.Authorization") { key, value throws(YAMLError) in
            switch key {
            case "type": authorization.type = try decoder.string(value)
            case "credentials": authorization.credentials = try decoder.secret(value)
            case "credentials_file": authorization.credentialsFile = try decoder.string(value)
            case "credentials_ref": try refuseReference(key, value)
            default: return false
            }
            return true
        }
        return authorization
    }

    private static func headers(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> [String: Header] {
        var headers: [String: Header] = [:]
        for entry in try decoder.entries(node, type: "config.Headers") {
            var header = Header()
            try decoder.fields(of: entry.value, type: "config.Header") { key, value throws(YAMLError) in
                switch key {
                case "values": header.values = try decoder.strings(value)
                case "secrets": header.secrets = try decoder.secrets(value)
                case "files": header.files = try decoder.strings(value)
                default: return false
                }
                return true
            }
            headers[entry.key.string] = header
        }
        return headers
    }

    /// References into a secret manager: Prometheus itself has none to refer to, so that they would never resolve.
    static func refuseReference(_ key: String, _ value: YAMLNode) throws(YAMLError) {
        if value.isNull { return }
        throw .invalid(
            "\(key) refers to a secret manager, and there is none: give the value itself or a file", line: value.line)
    }

    /// `x-custom` as Go's `CanonicalHeaderKey` writes it: `X-Custom`.
    static func canonical(_ name: String) -> String {
        var upper = true
        var result = ""
        for character in name {
            result += upper ? character.uppercased() : character.lowercased()
            upper = character == "-"
        }
        return result
    }

    mutating func setDirectory(_ directory: String) {
        tls.setDirectory(directory)
        if var basic = basicAuthentication {
            basic.usernameFile = FilePath.joined(directory, basic.usernameFile)
            basic.passwordFile = FilePath.joined(directory, basic.passwordFile)
            basicAuthentication = basic
        }
        if var given = authorization {
            given.credentialsFile = FilePath.joined(directory, given.credentialsFile)
            authorization = given
        }
        oauth2?.setDirectory(directory)
        for (name, header) in headers {
            var moved = header
            moved.files = header.files.map { FilePath.joined(directory, $0) }
            headers[name] = moved
        }
    }

    func append(to fields: inout YAMLFields) {
        if let basic = basicAuthentication {
            var inner = YAMLFields()
            inner.text("username", basic.username)
            inner.text("username_file", basic.usernameFile)
            inner.secret("password", basic.password)
            inner.text("password_file", basic.passwordFile)
            fields.set("basic_auth", inner.mapping)
        }
        if let authorization {
            var inner = YAMLFields()
            inner.text("type", authorization.type)
            inner.secret("credentials", authorization.credentials)
            inner.text("credentials_file", authorization.credentialsFile)
            fields.set("authorization", inner.mapping)
        }
        if let oauth2 { fields.set("oauth2", oauth2.fields.mapping) }
        fields.fields("tls_config", tls.fields)
        fields.always("follow_redirects", followsRedirects)
        fields.always("enable_http2", usesHTTP2)
        proxy.append(to: &fields)
        if !headers.isEmpty {
            var inner = YAMLFields()
            for (name, header) in headers.sorted(by: { $0.key < $1.key }) {
                var values = YAMLFields()
                values.texts("values", header.values)
                values.texts("secrets", header.secrets.map { _ in Secret.placeholder })
                values.texts("files", header.files)
                inner.set(ByteString(name), values.mapping)
            }
            fields.set("http_headers", inner.mapping)
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return String(view)
    }
}
