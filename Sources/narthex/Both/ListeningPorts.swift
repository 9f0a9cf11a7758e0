import Synchronization

/// Where the two halves of one process listen, once they do, for links between their pages.
final class ListeningPorts: Sendable {
    private let ports = Mutex<(gateway: Int?, server: Int?)>((nil, nil))

    var gateway: Int? {
        get { ports.withLock { $0.gateway } }
        set { ports.withLock { $0.gateway = newValue } }
    }

    var server: Int? {
        get { ports.withLock { $0.server } }
        set { ports.withLock { $0.server = newValue } }
    }
}
