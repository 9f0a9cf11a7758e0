/// Where the reader of a page reaches another port of the machine that the page came from.
package enum PortAddress {
    /// `http://HOST:PORT`.
    /// - Parameter host: The Host field of the request for the page; nil for this machine.
    package static func origin(host: String?, port: Int) -> String {
        "http://\(name(host ?? "localhost")):\(port)"
    }

    /// A Host field without its port.
    private static func name(_ host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }
}
