internal import Matching
internal import MetricModel
internal import Synchronization

/// What was selected lately, of several sources: dashboards and rules ask for the same series again and again. What was
/// not asked for longest is forgotten first.
final class RecentSelections<Series: Sendable>: Sendable {
    /// What is remembered at most.
    struct Limits {
        /// Selections.
        let entries: Int
        /// Series of all of them together; of one selection, half as many.
        let series: Int
    }

    /// What was asked of whom.
    struct Key: Hashable {
        private struct Condition: Hashable {
            let name: ByteString
            let operation: Matcher.Operation
            let value: ByteString
        }

        let source: ObjectIdentifier
        private let conditions: [Condition]

        /// `matchers`, asked of `source`.
        init(_ source: ObjectIdentifier, _ matchers: [Matcher]) {
            self.source = source
            conditions = matchers.map { Condition(name: $0.name, operation: $0.operation, value: $0.value) }
        }
    }

    private struct Entry {
        var series: [Series]
        var version: UInt64
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var seriesCount = 0
        var uses: UInt64 = 0

        mutating func remove(_ key: Key) {
            if let old = entries.removeValue(forKey: key) { seriesCount -= old.series.count }
        }
    }

    private let limits: Limits
    private let state = Mutex(State())

    /// Remembers nothing yet.
    init(_ limits: Limits) { self.limits = limits }

    /// What was kept for `key`, if that was at the same version.
    func known(_ key: Key, version: UInt64 = 0) -> [Series]? {
        state.withLock { state in
            guard let index = state.entries.index(forKey: key), state.entries.values[index].version == version else {
                return nil
            }
            state.uses &+= 1
            state.entries.values[index].lastUse = state.uses
            return state.entries.values[index].series
        }
    }

    /// Remembers `series`, unless there are too many.
    func keep(_ series: [Series], _ key: Key, version: UInt64 = 0) {
        guard series.count <= limits.series / 2 else { return }
        state.withLock { state in
            state.remove(key)
            while state.entries.count >= limits.entries || state.seriesCount + series.count > limits.series {
                guard let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
                state.remove(oldest.key)
            }
            state.uses &+= 1
            state.entries[key] = Entry(series: series, version: version, lastUse: state.uses)
            state.seriesCount += series.count
        }
    }

    /// Forgets what was selected from `source`.
    func remove(_ source: ObjectIdentifier) {
        state.withLock { state in
            for key in state.entries.keys.filter({ $0.source == source }) { state.remove(key) }
        }
    }

    /// Forgets everything.
    func removeAll() { state.withLock { $0 = State() } }
}
