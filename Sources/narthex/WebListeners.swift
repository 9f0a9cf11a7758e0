import Logging
import Web

/// Opens the sockets that the flags ask for.
///
/// Source: prometheus/exporter-toolkit web/tls_config.go (`ListenAndServe`).
struct WebListeners {
    let flags: ParsedFlags
    let logger: Logger

    /// Listens on all of them.
    /// - Throws: What keeps one of them from being used.
    func open(on server: HTTPServer, isTLS: Bool, http2: Bool) async throws {
        if flags.isOn("web.systemd-socket") {
            logger.info("Listening on systemd activated listeners instead of port listeners.")
            let descriptors = SystemdSockets.descriptors()
            guard !descriptors.isEmpty else {
                throw CommandLineError("no socket activation file descriptors found")
            }
            for descriptor in descriptors {
                announce(try await server.listen(on: descriptor), isTLS: isTLS, http2: http2)
            }
            return
        }
        for text in flags.all("web.listen-address") {
            announce(try await server.listen(try ListenAddress(text)), isTLS: isTLS, http2: http2)
        }
    }

    private func announce(_ address: String, isTLS: Bool, http2: Bool) {
        logger.info("Listening on", metadata: ["address": "\(address)"])
        logger.info(
            isTLS ? "TLS is enabled." : "TLS is disabled.",
            metadata: ["http2": "\(isTLS && http2)", "address": "\(address)"])
    }
}
