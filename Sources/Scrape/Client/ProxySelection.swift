internal import AsyncHTTPClient
internal import ByteCoding
internal import NIOHTTP1

/// What the environment says of proxies, read once.
struct ProxyEnvironment: Sendable {
    let http: String
    let https: String
    let exceptions: String

    init(_ value: (String) -> String?) {
        func first(_ names: String...) -> String { names.lazy.compactMap(value).first { !$0.isEmpty } ?? "" }
        http = first("HTTP_PROXY", "http_proxy")
        https = first("HTTPS_PROXY", "https_proxy")
        exceptions = first("NO_PROXY", "no_proxy")
    }
}

/// Decides which proxy a request goes through.
///
/// Source of the rules: golang.org/x/net/http/httpproxy.
struct ProxySelection {
    private var http: HTTPClient.Configuration.Proxy?
    private var https: HTTPClient.Configuration.Proxy?
    private var exceptions: [Exception] = []
    private var isExcludingAll = false
    /// Whether the proxy for plain URLs speaks HTTP, and what it is told.
    private var isHTTP = false
    private var plainAuthorization = ""
    private let excludesLocal: Bool

    private enum Exception {
        case network(IPAddress, bits: Int)
        case domain(String, port: Int?, includesSelf: Bool)
    }

    /// - Throws: `ScrapeFailure` for a proxy of a kind that cannot be used.
    init(_ configuration: ProxyConfiguration, _ environment: ProxyEnvironment) throws(ScrapeFailure) {
        let list: String
        if configuration.isFromEnvironment {
            http = try Self.proxy(environment.http, configuration)
            https = try Self.proxy(environment.https, configuration)
            list = environment.exceptions
        } else if let url = configuration.url, !url.text.isEmpty {
            http = try Self.proxy(url.text, configuration)
            https = http
            list = configuration.exceptions
        } else {
            list = ""
        }
        let plain = configuration.isFromEnvironment ? environment.http : configuration.url?.text ?? ""
        if let url = ConfiguredURL(plain.firstRange(of: "://") == nil ? "http://" + plain : plain) {
            isHTTP = url.scheme == "http"
            if !url.user.isEmpty || url.password != nil {
                let credentials = "\(url.user):\(url.password?.revealed ?? "")"
                plainAuthorization = "Basic " + Base64.encodeStandard(Array(credentials.utf8))
            }
        }
        // A proxy without exceptions is used for everything, also for this machine.
        excludesLocal = configuration.isFromEnvironment || !configuration.exceptions.isEmpty
        for item in list.split(separator: ",") { add(String(item).trimmed.lowercased()) }
    }

    private mutating func add(_ item: String) {
        if item.isEmpty { return }
        if item == "*" {
            isExcludingAll = true
            return
        }
        if let slash = item.lastIndex(of: "/"), let address = IPAddress(String(item[..<slash])),
            let bits = Int(item[item.index(after: slash)...]), (0...address.bytes.count * 8).contains(bits)
        {
            exceptions.append(.network(address, bits: bits))
            return
        }
        if let address = IPAddress(item) {
            exceptions.append(.network(address, bits: address.bytes.count * 8))
            return
        }
        guard let (host, port) = HostPort.split(item), !host.isEmpty else { return }
        if host.hasPrefix("*.") {
            exceptions.append(.domain(String(host.dropFirst()), port: port, includesSelf: false))
        } else if host.hasPrefix(".") {
            exceptions.append(.domain(host, port: port, includesSelf: false))
        } else {
            exceptions.append(.domain("." + host, port: port, includesSelf: true))
        }
    }

    /// The proxy for `url`, or nil.
    func proxy(for url: ConfiguredURL) -> HTTPClient.Configuration.Proxy? {
        guard let proxy = url.scheme == "https" ? https : http else { return nil }
        if isExcludingAll { return nil }
        let host = url.host.lowercased()
        let address = IPAddress(host)
        if excludesLocal, host == "localhost" || address?.isLoopback == true { return nil }
        let port = url.port ?? (url.scheme == "https" ? 443 : 80)
        for exception in exceptions {
            switch exception {
            case .network(let network, let bits):
                if let address, address.isMember(of: network, bits: bits) { return nil }
            case .domain(let suffix, let wanted, let includesSelf):
                guard wanted == nil || wanted == port else { continue }
                if host.hasSuffix(suffix) || includesSelf && host == suffix.dropFirst() { return nil }
            }
        }
        return proxy
    }

    /// The proxy that is asked for the whole of `url`, or nil where it is reached otherwise.
    func plainProxy(for url: ConfiguredURL) -> PlainProxyRequest? {
        guard url.scheme == "http", let proxy = proxy(for: url), isHTTP else { return nil }
        return PlainProxyRequest(host: proxy.host, port: proxy.port, authorization: plainAuthorization)
    }

    private static func proxy(
        _ text: String, _ configuration: ProxyConfiguration
    ) throws(ScrapeFailure) -> HTTPClient.Configuration.Proxy? {
        if text.isEmpty { return nil }
        guard let url = ConfiguredURL(text.firstRange(of: "://") == nil ? "http://" + text : text), !url.host.isEmpty
        else { throw ScrapeFailure("invalid proxy address \"\(text)\"") }
        switch url.scheme {
        case "http":
            var proxy = HTTPClient.Configuration.Proxy.server(host: url.host, port: url.port ?? 80)
            if !url.user.isEmpty || url.password != nil {
                proxy.authorization = .basic(username: url.user, password: url.password?.revealed ?? "")
            }
            for (name, values) in configuration.connectHeaders {
                for value in values { proxy.connectHeaders.add(name: name, value: value.revealed) }
            }
            return proxy
        case "socks5", "socks5h": return .socksServer(host: url.host, port: url.port ?? 1080)
        default:
            throw ScrapeFailure(
                "proxy_url \(url.redacted): narthex speaks to proxies by http or socks5, not by \(url.scheme)")
        }
    }
}

/// An IPv4 or IPv6 address, for matching networks.
package struct IPAddress: Sendable, Hashable {
    /// Four or sixteen.
    package let bytes: [UInt8]

    /// Reads `10.0.0.1` or `fe80::1`; nil for anything else.
    package init?(_ text: String) {
        if let four = Self.four(text) {
            bytes = four
        } else if let sixteen = Self.sixteen(text) {
            bytes = sixteen
        } else {
            return nil
        }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    private static func four(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part in
            part.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && part.count <= 3 ? UInt8(part) : nil
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func sixteen(_ text: String) -> [UInt8]? {
        guard text.contains(":") else { return nil }
        var text = text
        if let last = text.lastIndex(of: ":"), let tail = four(String(text[text.index(after: last)...])) {
            let words = [UInt16(tail[0]) << 8 | UInt16(tail[1]), UInt16(tail[2]) << 8 | UInt16(tail[3])]
            text = text[...last] + words.map { String($0, radix: 16) }.joined(separator: ":")
        }
        func words(_ text: Substring) -> [UInt16]? {
            if text.isEmpty { return [] }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { $0.count <= 4 ? UInt16($0, radix: 16) : nil }
            return numbers.count == parts.count ? numbers : nil
        }
        var all: [UInt16]
        if let gap = text.firstRange(of: "::") {
            guard let head = words(text[..<gap.lowerBound]), let tail = words(text[gap.upperBound...]),
                head.count + tail.count < 8
            else { return nil }
            all = head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        } else {
            guard let exact = words(text[...]), exact.count == 8 else { return nil }
            all = exact
        }
        return all.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes.first == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// Whether the first `bits` bits are those of `network`.
    package func isMember(of network: IPAddress, bits: Int) -> Bool {
        guard bytes.count == network.bytes.count else { return false }
        for index in bytes.indices {
            let counted = min(8, bits - index * 8)
            if counted <= 0 { return true }
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> counted)
            if bytes[index] & mask != network.bytes[index] & mask { return false }
        }
        return true
    }

    /// As it is written: `10.0.0.1`, `fe80::1`.
    package var text: String {
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        let words = stride(from: 0, to: 15, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, words[end] == 0 { end += 1 }
            if end - index > max(1, best.count) { best = index..<end }
            index = max(end, index + 1)
        }
        func hex(_ words: ArraySlice<UInt16>) -> String { words.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return hex(words[...]) }
        return hex(words[..<best.lowerBound]) + "::" + hex(words[best.upperBound...])
    }
}
