import Logging
import Web

/// Opens the sockets that the flags ask for.
///
/// Source: prometheus/exporter-toolkit web/tls_config.go (`ListenAndServe`).
struct WebListeners {
    let flags: ParsedFlags
    let logger: Logger

    /// Listens on all of them.
    /// - Returns: The ports, as far as they have some.
    /// - Throws: What keeps one of them from being used.
    @discardableResult
    func open(on server: HTTPServer, isTLS: Bool, http2: Bool) async throws -> [Int] {
        var ports: [Int] = []
        func opened(_ address: String) {
            announce(address, isTLS: isTLS, http2: http2)
            if let port = address.split(separator: ":").last.flatMap({ Int($0) }) { ports.append(port) }
        }
        if flags.isOn("web.systemd-socket") {
            logger.info("Listening on systemd activated listeners instead of port listeners.")
            let descriptors = SystemdSockets.descriptors()
            guard !descriptors.isEmpty else {
                throw CommandLineError("no socket activation file descriptors found")
            }
            for descriptor in descriptors {
                opened(try await server.listen(on: descriptor))
            }
            return ports
        }
        for text in flags.all("web.listen-address") {
            opened(try await server.listen(try ListenAddress(text)))
        }
        return ports
    }

    private func announce(_ address: String, isTLS: Bool, http2: Bool) {
        logger.info("Listening on", metadata: ["address": "\(address)"])
        logger.info(
            isTLS ? "TLS is enabled." : "TLS is disabled.",
            metadata: ["http2": "\(isTLS && http2)", "address": "\(address)"])
    }
}
