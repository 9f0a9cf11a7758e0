internal import DurableFiles
internal import Synchronization

extension GatewayStore {
    /// The keys of the groups that one of `selectors` selects (all groups if there is none), at most `limit`, in no
    /// particular order.
    ///
    /// The lock is taken for a few groups at a time.
    /// - Parameter time: If given, only groups whose last push, taken or refused, came before it (nanoseconds since
    ///   1970).
    package func keys(
        matching selectors: [GroupSelector], before time: Int64? = nil, limit: Int = .max
    ) -> [GroupingKey] {
        var keys: [GroupingKey] = []
        var next = 0
        while keys.count < limit {
            let (batch, end) = state.withLock { state -> ([GroupingKey], Int) in
                let end = min(next + 256, state.groups.count)
                let groups = state.groups[min(next, end)..<end]
                return (
                    groups.filter { $0.isUsed && max($0.pushTime, $0.failureTime) < time ?? .max }.map(\.key), end
                )
            }
            if next >= end { break }
            for key in batch where selectors.isEmpty || selectors.contains(where: { $0.selects(key) }) {
                keys.append(key)
                if keys.count == limit { break }
            }
            next = end
        }
        return keys
    }

    /// Those of `keys` that there are groups of.
    package func present(_ keys: [GroupingKey]) -> Set<GroupingKey> {
        var found: Set<GroupingKey> = []
        for start in stride(from: 0, to: keys.count, by: 256) {
            let part = keys[start..<min(start + 256, keys.count)]
            state.withLock { state in for key in part where state.groupNumbers[key] != nil { found.insert(key) } }
        }
        return found
    }

    /// Deletes groups, a few at a time, so that pushes between them wait for little; `completion` comes once, when all
    /// that was deleted is durable, or with the first refusal. Many groups take seconds: not for an event loop's thread.
    /// - Parameter time: Groups that were pushed since (nanoseconds since 1970) stay; `Int64.max`: all are deleted.
    package func delete(
        _ keys: [GroupingKey], before time: Int64, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let progress = DeletionProgress(completion)
        // The last first: if they are sorted, there is little behind what goes that would have to move.
        var left = keys[...]
        var count = -1
        while !left.isEmpty, left.count != count {
            count = left.count
            progress.begin()
            commit(nil, { progress.finish($0) }) { state, log in
                state.remove(portionOf: &left, before: time, &log)
                return .accepted
            }
            if !left.isEmpty { WorkerThread.pause() }
        }
        progress.finish(.accepted)
    }
}

/// Waits for all portions of a deletion, and for its end.
private final class DeletionProgress: Sendable {
    private let progress = Mutex((left: 1, outcome: Outcome.accepted))
    private let completion: @Sendable (Outcome) -> Void

    init(_ completion: @escaping @Sendable (Outcome) -> Void) { self.completion = completion }

    func begin() { progress.withLock { $0.left += 1 } }

    func finish(_ outcome: Outcome) {
        let final: Outcome? = progress.withLock { progress in
            progress.left -= 1
            if progress.outcome == .accepted { progress.outcome = outcome }
            return progress.left == 0 ? progress.outcome : nil
        }
        if let final { completion(final) }
    }
}
