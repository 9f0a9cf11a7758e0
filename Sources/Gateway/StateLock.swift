internal import DurableFiles

/// The store's state and the lock that it is behind.
///
/// A lock of the system's threads: who finds it taken sleeps, where `Mutex` would spin first, at the cost of the thread
/// that holds it where processors are few. Thread sanitizers know it, too.
final class StateLock: @unchecked Sendable {
    private let lock = Condition()
    // SAFETY of `@unchecked Sendable`: only used within `lock.withLock`, which nobody enters twice.
    @exclusivity(unchecked) private var state: GatewayState

    init(_ state: GatewayState) { self.state = state }

    /// Runs `body` with the state while holding the lock.
    func withLock<Result>(_ body: (inout GatewayState) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(&state) }
    }
}
