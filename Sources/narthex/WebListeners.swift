import Logging
import NIOPosix
import Web

/// Opens the sockets that the flags ask for.
///
/// Source: prometheus/exporter-toolkit web/tls_config.go (`ListenAndServe`).
struct WebListeners {
    let flags: ParsedFlags
    let logger: Logger

    /// Serves `service` on all of them, behind the passwords, certificates and limits that the flags ask for.
    /// - Parameter prepare: Called with the server before it listens.
    /// - Returns: The server, and the ports, as far as the sockets have some.
    /// - Throws: What keeps one of them, or the web configuration, from being used.
    func serve(
        _ service: any HTTPService, on group: MultiThreadedEventLoopGroup, prepare: (HTTPServer) -> Void
    ) async throws -> (server: HTTPServer, ports: [Int]) {
        let path = flags["web.config.file"]
        let access = path.isEmpty ? nil : try WebAccess(path: path, logger: logger)
        let tls = try access.flatMap { access in try TLSReloader(access, logger: logger) }
        let server = HTTPServer(
            service: access?.guarding(service) ?? service, limits: ServerFlags.limits(flags), group: group, tls: tls)
        prepare(server)
        let ports = try await open(on: server, isTLS: tls != nil, http2: access?.config?.http2 ?? true)
        return (server, ports)
    }

    private func open(on server: HTTPServer, isTLS: Bool, http2: Bool) async throws -> [Int] {
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
