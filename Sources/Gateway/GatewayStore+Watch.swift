internal import Synchronization

/// Those who want to know of changes.
final class ChangeWatchers: Sendable {
    private struct State {
        var callbacks: [UInt64: @Sendable () -> Void] = [:]
        var nextID: UInt64 = 1
    }

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)

    func add(_ callback: @escaping @Sendable () -> Void) -> UInt64 {
        count.add(1, ordering: .relaxed)
        return state.withLock { state in
            defer { state.nextID += 1 }
            state.callbacks[state.nextID] = callback
            return state.nextID
        }
    }

    func remove(_ id: UInt64) {
        if state.withLock({ $0.callbacks.removeValue(forKey: id) }) != nil { count.subtract(1, ordering: .relaxed) }
    }

    /// Tells everybody that something may have changed.
    func notify() {
        guard count.load(ordering: .relaxed) > 0 else { return }
        for callback in state.withLock({ Array($0.callbacks.values) }) { callback() }
    }
}

/// Keeps a callback in place for as long as it lives.
package final class ChangeSubscription: Sendable {
    private let watchers: ChangeWatchers
    private let id: UInt64

    init(_ watchers: ChangeWatchers, _ callback: @escaping @Sendable () -> Void) {
        self.watchers = watchers
        id = watchers.add(callback)
    }

    deinit { watchers.remove(id) }
}

extension GatewayStore {
    /// Calls `callback` after each change, from whatever thread made it, until the subscription is let go. The callback
    /// must return at once: typically it wakes somebody who then asks for ``changes(after:limit:)``.
    package func subscribe(_ callback: @escaping @Sendable () -> Void) -> ChangeSubscription {
        ChangeSubscription(watchers, callback)
    }

    /// Up to `limit` changes after the one with `id`, oldest first.
    /// - Returns: nil if some of them are gone: begin again with ``lastChangeID`` and look at all groups.
    package func changes(after id: UInt64, limit: Int = 256) -> [GroupChange]? {
        state.withLock { $0.changes.changes(after: id, limit: limit) }
    }

    /// The id of the latest change; 0 if there was none since the start of the process.
    package var lastChangeID: UInt64 { state.withLock { $0.changes.lastID } }

    /// What was answered to requests with an idempotency key.
    var remembered: [RememberedOutcomes.Entry] { state.withLock { $0.remembered }.all }
}
