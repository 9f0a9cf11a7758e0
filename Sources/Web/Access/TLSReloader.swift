internal import DurableFiles
package import Logging
internal import Synchronization

/// Gives each new connection the certificates and rules that are configured then.
///
/// Files are looked at, not read, for each handshake. While a new version cannot be used, as between the moments at
/// which a certificate and its key are replaced, the last good one stays in use, and the reason is logged once.
package final class TLSReloader: Sendable {
    private struct State {
        var session: TLSSession
        var stamps: [FileStamp?]
        var failure: String?
    }

    private let access: WebAccess
    private let logger: Logger
    private let state: Mutex<State>

    /// The TLS side of a configuration, or nil if it has none.
    /// - Throws: ``WebConfig/Invalid``.
    package init?(_ access: WebAccess, logger: Logger) throws(WebConfig.Invalid) {
        let config = try access.current().get().config
        guard config.tls.isEnabled else { return nil }
        self.access = access
        self.logger = logger
        let stamps = Self.stamps(access.path, config)
        state = Mutex(State(session: try TLSSession(config), stamps: stamps))
    }

    /// The rules for a connection that begins now.
    func current() throws -> TLSSession {
        let result = access.current()
        guard case .success(let snapshot) = result else { return state.withLock { $0.session } }
        let stamps = Self.stamps(access.path, snapshot.config)
        let known = state.withLock { state in
            FileStamp.areSame(stamps, as: state.stamps) ? state.session : nil
        }
        if let known { return known }
        do throws(WebConfig.Invalid) {
            let session = try TLSSession(snapshot.config)
            state.withLock { $0 = State(session: session, stamps: stamps) }
            return session
        } catch {
            let isNew = state.withLock { state in
                defer { state.failure = error.description }
                return state.failure != error.description
            }
            if isNew { logger.error("Unable to reload TLS configuration", metadata: ["err": "\(error)"]) }
            return state.withLock { $0.session }
        }
    }

    private static func stamps(_ path: String, _ config: WebConfig) -> [FileStamp?] {
        [path, config.tls.certificateFile, config.tls.keyFile, config.tls.clientCAFile]
            .filter { !$0.isEmpty }.map { FileStamp(path: $0) }
    }
}
