package import NIOCore
internal import NIOPosix

/// Where to listen, as `--web.listen-address` gives it: `host:port`, `:port`, `[::1]:port`.
package struct ListenAddress: Sendable, Equatable {
    /// Why an address cannot be used.
    package struct Invalid: Error, CustomStringConvertible, Equatable {
        package let description: String
    }

    /// Empty for all addresses of the machine.
    package let host: String
    /// 0 for a port that the system chooses.
    package let port: Int

    /// Reads an address in the form of Go's `net.Listen`.
    /// - Throws: ``Invalid`` in Go's words.
    package init(_ text: String) throws(Invalid) {
        func fail(_ reason: String) -> Invalid { Invalid(description: "listen tcp: address \(text): \(reason)") }
        guard !text.hasPrefix("vsock://") else {
            throw Invalid(description: "listening on vsock is not supported: \(text)")
        }
        guard let colon = text.lastIndex(of: ":") else { throw fail("missing port in address") }
        var host = text[..<colon]
        let port = text[text.index(after: colon)...]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { throw fail("missing ']' in address") }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw fail("too many colons in address")
        }
        guard let number = Self.portNumber(port) else {
            throw Invalid(description: "listen tcp: lookup tcp/\(port): unknown port")
        }
        guard (0...65535).contains(number) else {
            throw Invalid(description: "listen tcp: address \(port): invalid port")
        }
        self.host = String(host)
        self.port = number
    }

    private static func portNumber(_ text: Substring) -> Int? {
        if text.isEmpty { return 0 }
        switch text {
        case "http": return 80
        case "https": return 443
        default: break
        }
        guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), text.utf8.count < 9 else { return nil }
        return Int(text)
    }

    /// The socket addresses to try in turn. Without a host that is every IPv6 address, which on Linux takes IPv4 as
    /// well, and every IPv4 address for machines without IPv6.
    /// - Throws: ``Invalid`` for a host name that nobody knows. May wait for a name server.
    package func resolve() throws -> [SocketAddress] {
        guard host.isEmpty else {
            do {
                return [try SocketAddress.makeAddressResolvingHost(host, port: port)]
            } catch is SocketAddressError.UnknownHost {
                throw Invalid(description: "listen tcp: lookup \(host): no such host")
            }
        }
        return [try SocketAddress(ipAddress: "::", port: port), try SocketAddress(ipAddress: "0.0.0.0", port: port)]
    }
}
