internal import ByteCoding
internal import MetricModel
internal import YAML

/// Through which proxy a client reaches its peers.
package struct ProxyConfiguration: Sendable, Hashable {
    /// `proxy_url`.
    package var url: ConfiguredURL?
    /// Hosts, domains and networks that are reached directly, separated by commas.
    package var exceptions = ""
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` decide.
    package var isFromEnvironment = false
    /// Sent to the proxy with CONNECT.
    package var connectHeaders: [String: [Secret]] = [:]

    /// No proxy.
    package init() {}

    mutating func read(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
        switch key {
        case "proxy_url": url = value.isNull ? nil : try ConfiguredURL(value, decoder)
        case "no_proxy": exceptions = try decoder.string(value)
        case "proxy_from_environment": isFromEnvironment = decoder.boolean(value)
        case "proxy_connect_header":
            connectHeaders = [:]
            for entry in try decoder.entries(value, type: "config.ProxyHeader") {
                connectHeaders[entry.key.string] = try decoder.secrets(entry.value)
            }
        default: return false
        }
        return true
    }

    func validate(line: Int) throws(YAMLError) {
        let hasURL = url.map { !$0.text.isEmpty } ?? false
        var problem: String?
        if !connectHeaders.isEmpty, !isFromEnvironment, !hasURL {
            problem =
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
        } else if isFromEnvironment, hasURL {
            problem = "if proxy_from_environment is configured, proxy_url must not be configured"
        } else if isFromEnvironment, !exceptions.isEmpty {
            problem = "if proxy_from_environment is configured, no_proxy must not be configured"
        } else if url == nil, !exceptions.isEmpty {
            problem = "if no_proxy is configured, proxy_url must also be configured"
        }
        if let problem { throw .invalid(problem, line: line) }
    }

    func append(to fields: inout YAMLFields) {
        if let url { fields.set("proxy_url", .text(url.redacted)) }
        fields.text("no_proxy", exceptions)
        fields.flag("proxy_from_environment", isFromEnvironment)
        if !connectHeaders.isEmpty {
            fields.set(
                "proxy_connect_header",
                .mapping(
                    connectHeaders.sorted { $0.key < $1.key }.map { name, values in
                        (ByteString(name), .sequence(values.map { _ in .text(Secret.placeholder) }))
                    }))
        }
    }
}

/// A URL as a file gives it, its parts known; its password is never shown.
package struct ConfiguredURL: Sendable, Hashable {
    /// The whole, the password with it: not to be shown.
    package let text: String
    /// In lower case.
    package let scheme: String
    /// Decoded; empty without one.
    package let user: String
    /// Decoded; nil without one.
    package let password: Secret?
    /// Without brackets around IPv6 addresses.
    package let host: String
    /// As it is written; nil for the scheme's own.
    package let port: Int?

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        let text = try decoder.string(node)
        if let fault = URLFault.reason(text) {
            throw .invalid("parse \(Quoting.quote(ByteString(text))): \(fault)", line: node.line)
        }
        guard let url = ConfiguredURL(text) else {
            throw .invalid("parse \(Quoting.quote(ByteString(text))): invalid URL", line: node.line)
        }
        self = url
    }

    /// Splits `text`; nil if it is malformed (see ``URLFault``).
    package init?(_ text: String) {
        guard URLFault.reason(text) == nil else { return nil }
        self.text = text
        scheme = URLFault.scheme(of: text).lowercased()
        guard let separator = text.firstRange(of: "://"), text[..<separator.lowerBound].lowercased() == scheme else {
            (user, password, host, port) = ("", nil, "", nil)
            return
        }
        var authority = text[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = authority.lastIndex(of: "@") {
            let userInformation = authority[..<at]
            authority = authority[authority.index(after: at)...]
            if let colon = userInformation.firstIndex(of: ":") {
                user = Self.decoded(userInformation[..<colon])
                password = Secret(Self.decoded(userInformation[userInformation.index(after: colon)...]))
            } else {
                user = Self.decoded(userInformation)
                password = nil
            }
        } else {
            user = ""
            password = nil
        }
        guard let split = HostPort.split(String(authority)) else { return nil }
        (host, port) = split
    }

    private static func decoded(_ text: Substring) -> String {
        PercentCoding.decode(text.utf8).map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }

    /// The URL with `xxxxx` in place of its password.
    package var redacted: String {
        guard password != nil, let separator = text.firstRange(of: "://"),
            let at = text[separator.upperBound...].firstIndex(of: "@")
        else { return text }
        let authorityEnd = text[separator.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        let lastAt = text[separator.upperBound..<authorityEnd].lastIndex(of: "@") ?? at
        let userInformation = text[separator.upperBound..<lastAt]
        let name = userInformation.prefix { $0 != ":" }
        return "\(text[..<separator.upperBound])\(name):xxxxx\(text[lastAt...])"
    }
}

/// `host:port` texts.
package enum HostPort {
    /// The host without brackets and the port if there is one; nil if malformed.
    package static func split(_ text: String) -> (host: String, port: Int?)? {
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            if rest.isEmpty || rest == ":" { return (host, nil) }
            guard rest.hasPrefix(":"), let port = port(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
        let host = text[..<colon]
        let rest = text[text.index(after: colon)...]
        guard !host.contains(":") else { return nil }
        if rest.isEmpty { return (String(host), nil) }
        guard let port = port(rest) else { return nil }
        return (String(host), port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = Int(text), port <= 65535 else {
            return nil
        }
        return port
    }

    /// `host:port`, with brackets around an IPv6 address.
    package static func joined(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension String {
    /// Where `text` first occurs.
    func firstRange(of text: String) -> Range<String.Index>? {
        let bytes = Array(utf8)
        let wanted = Array(text.utf8)
        guard !wanted.isEmpty, bytes.count >= wanted.count else { return nil }
        for start in 0...(bytes.count - wanted.count) where bytes[start...].starts(with: wanted) {
            let lower = utf8.index(startIndex, offsetBy: start)
            return lower..<utf8.index(lower, offsetBy: wanted.count)
        }
        return nil
    }
}
