internal import Synchronization

/// The gateway's store: one state behind one lock, and a journal that makes what is acknowledged durable.
///
/// All calls may come from any thread and return soon: what takes long (parsing, packing, encoding, freeing) happens
/// outside of the lock.
package final class GatewayStore: Sendable {
    /// Limits and surroundings.
    package struct Options: Sendable {
        /// What the process exposes itself; pushes are checked against it.
        package var ownFamilies: [OwnFamily]
        /// A push that would make one more group is refused with ``Refusal/limit(_:)``.
        package var maximumGroups: Int

        /// Options; by default nothing is limited.
        package init(ownFamilies: [OwnFamily] = [], maximumGroups: Int = .max) {
            self.ownFamilies = ownFamilies
            self.maximumGroups = maximumGroups
        }
    }

    private let state: Mutex<GatewayState>

    /// A store that keeps its state in memory only.
    package init(options: Options = Options()) {
        state = Mutex(GatewayState(ownFamilies: options.ownFamilies, maximumGroups: options.maximumGroups))
    }

    /// Does what `command` says; `completion` is called once, when the outcome is durable or the command refused:
    /// before this call returns, or later from the journal's thread.
    package func submit(_ command: Command, completion: @escaping @Sendable (Outcome) -> Void) {
        switch command {
        case .push(let push):
            let prepared = PreparedPush(push)
            completion(state.withLock { $0.apply(prepared) }.outcome)
        case .delete(let key):
            _ = state.withLock { $0.delete(key) }
            completion(.accepted)
        case .wipe:
            let old = state.withLock { $0.wipe() }
            completion(.accepted)
            // What was wiped is freed here, outside of the lock.
            _ = consume old
        }
    }

    /// What a scrape sees at this moment: whole pushes only. Encode it with ``Scrape``'s methods, at leisure.
    /// - Complexity: O(families).
    package func scrape() -> Scrape { state.withLock { $0.scrape() } }

    /// Number of groups.
    package var groupCount: Int { state.withLock { $0.groupCount } }

    /// One group, or nil if it is not there.
    package func group(_ key: GroupingKey) -> GroupView? { state.withLock { $0.group(key) } }

    /// Calls `body` with all groups, in no particular order, a few at a time; the lock is not held meanwhile, so that
    /// groups that change during the walk may be seen before or after.
    package func forEachGroup(_ body: (GroupView) throws -> Void) rethrows {
        var next = 0
        while true {
            let (batch, end) = state.withLock { state in
                let end = min(next + 64, state.groups.count)
                return ((next..<end).compactMap { state.groupView($0) }, end)
            }
            if next >= end { return }
            for group in batch { try body(group) }
            next = end
        }
    }

    /// All groups, by their keys.
    /// - Complexity: O(n log n) in the number of groups.
    package func groups() -> [GroupView] {
        var groups: [GroupView] = []
        forEachGroup { groups.append($0) }
        return groups.sorted { $0.key < $1.key }
    }
}
