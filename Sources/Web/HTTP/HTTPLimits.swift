internal import Synchronization

/// What a server grants to its clients. Every limit has a flag; see `docs/limits.md`.
package struct HTTPLimits: Sendable {
    /// Bytes of request line and fields; beyond it 431.
    package var headBytes = 1 << 20
    /// Connections at a time; one more is answered 503 and closed.
    package var connections = 4096
    /// Bytes of bodies and unfinished heads held for all requests together; beyond it 503.
    package var bytesInFlight = 256 << 20
    /// From the first byte of a request, or from the connection, to the end of the head.
    package var headTimeout: Duration = .seconds(10)
    /// Between two pieces of a body.
    package var bodyStallTimeout: Duration = .seconds(30)
    /// From the head to the end of the body.
    package var bodyTimeout: Duration = .seconds(300)
    /// A connection without a request.
    package var idleTimeout: Duration = .seconds(300)
    /// A client that does not take the answer.
    package var writeTimeout: Duration = .seconds(60)

    /// The defaults.
    package init() {}
}

/// A count with an upper bound that all connections share: of connections, or of bytes in memory.
final class HTTPBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// How much is taken now.
    var current: Int { used.load(ordering: .relaxed) }

    /// Takes `amount`, or nothing if that would pass the limit.
    func take(_ amount: Int) -> Bool {
        let before = used.wrappingAdd(amount, ordering: .relaxed).oldValue
        if before &+ amount <= limit { return true }
        used.wrappingSubtract(amount, ordering: .relaxed)
        return false
    }

    /// Gives back what was taken.
    func give(_ amount: Int) {
        if amount != 0 { used.wrappingSubtract(amount, ordering: .relaxed) }
    }
}

/// Set once, when a server begins to stop.
final class DrainFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Whether the server is stopping.
    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Marks the server as stopping.
    func set() { flag.store(true, ordering: .relaxed) }
}
