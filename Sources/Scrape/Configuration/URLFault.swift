internal import MetricModel

/// What keeps a text from being a URL, in Go's words.
///
/// Source: Go's net/url (`Parse`, `getScheme`, `parseAuthority`, `parseHost`, `unescape`).
enum URLFault {
    /// Why `text` is no URL; nil if it is one.
    static func reason(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "net/url: invalid control character in URL" }
        if bytes.first == UInt8(ascii: ":") { return "missing protocol scheme" }
        let scheme = scheme(of: text)
        var rest = bytes[(scheme.isEmpty ? 0 : scheme.utf8.count + 1)...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            if let fault = escapeFault(rest[(hash + 1)...]) { return fault }
            rest = rest[..<hash]
        }
        rest = rest.prefix { $0 != UInt8(ascii: "?") }
        if rest.first != UInt8(ascii: "/") {
            if !scheme.isEmpty { return nil }
            if rest.prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: ":")) {
                return "first path segment in URL cannot contain colon"
            }
        }
        if rest.starts(with: "//".utf8), !scheme.isEmpty || !rest.starts(with: "///".utf8) {
            let authority = rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            if let fault = authorityFault(authority) { return fault }
            rest = rest.dropFirst(2 + authority.count)
        }
        return escapeFault(rest)
    }

    /// The scheme in front of the first colon; empty if there is none.
    static func scheme(of text: String) -> String {
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                if index == 0 { return "" }
            case UInt8(ascii: ":"): return String(decoding: text.utf8.prefix(index), as: UTF8.self)
            default: return ""
            }
        }
        return ""
    }

    private static func authorityFault(_ authority: ArraySlice<UInt8>) -> String? {
        var host = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            let user = authority[..<at]
            host = authority[(at + 1)...]
            if let fault = hostFault(host) { return fault }
            let isValid = user.allSatisfy { isLetterOrDigit($0) || "-._:~!$&'()*+,;=%@".utf8.contains($0) }
            return isValid ? escapeFault(user) : "net/url: invalid userinfo"
        }
        return hostFault(host)
    }

    private static func hostFault(_ host: ArraySlice<UInt8>) -> String? {
        var port: ArraySlice<UInt8> = []
        if host.first == UInt8(ascii: "[") {
            guard let close = host.lastIndex(of: UInt8(ascii: "]")) else { return "missing ']' in host" }
            port = host[(close + 1)...]
        } else if let colon = host.lastIndex(of: UInt8(ascii: ":")) {
            port = host[colon...]
        }
        let isPort =
            port.isEmpty
            || port.first == UInt8(ascii: ":")
                && port.dropFirst().allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        if !isPort { return "invalid port \(Quoting.quote(ByteString(port))) after host" }
        let allowed = "!$&'()*+,;=:[]<>\"-_.~%"
        for byte in host where byte < 0x80 && !isLetterOrDigit(byte) && !allowed.utf8.contains(byte) {
            return "invalid character \(Quoting.quote(ByteString([byte]))) in host name"
        }
        return escapeFault(host)
    }

    /// Tells of the first percent sign that two hexadecimal digits do not follow.
    private static func escapeFault(_ text: ArraySlice<UInt8>) -> String? {
        for index in text.indices where text[index] == UInt8(ascii: "%") {
            let digits = text[(index + 1)...].prefix(2)
            if digits.count < 2 || !digits.allSatisfy(isHexadecimal) {
                return "invalid URL escape \(Quoting.quote(ByteString(text[index...].prefix(3))))"
            }
        }
        return nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x46 || byte >= 0x61 && byte <= 0x66
    }
}
