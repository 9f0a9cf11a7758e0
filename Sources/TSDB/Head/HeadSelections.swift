internal import Matching
internal import MetricModel
internal import Synchronization

/// What was selected lately, sorted by labels: dashboards and rules ask for the same series again and again.
///
/// A selection holds until a series comes or goes; which samples a reader sees of its series is not part of it.
final class HeadSelections: Sendable {
    private enum Limit {
        /// Selections.
        static let entries = 64
        /// Series of all of them together.
        static let series = 1 << 17
    }

    private struct Condition: Hashable {
        let name: ByteString
        let operation: Matcher.Operation
        let value: ByteString
    }

    private struct Entry {
        var series: [MemorySeries]
        /// ``version`` before the series were looked up.
        var version: UInt64
        var lastUse: UInt64
    }

    private struct State {
        var entries: [[Condition]: Entry] = [:]
        var seriesCount = 0
        var uses: UInt64 = 0

        mutating func remove(_ key: [Condition]) {
            if let old = entries.removeValue(forKey: key) { seriesCount -= old.series.count }
        }
    }

    /// How often series came or went.
    private let version = Atomic<UInt64>(0)
    private let state = Mutex(State())

    /// A series came: what was selected before it does not hold any more.
    ///
    /// To be called when a look-up finds the series, and before its first sample is committed.
    func invalidate() { version.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// Series went: lets go of them, too.
    func removeAll() {
        invalidate()
        state.withLock { $0 = State() }
    }

    /// The series that fulfil `matchers`, sorted by labels.
    /// - Parameter find: Looks them up, and sorts them.
    func series(
        _ matchers: [Matcher], _ find: () throws(StoreError) -> [MemorySeries]
    ) throws(StoreError) -> [MemorySeries] {
        let key = matchers.map { Condition(name: $0.name, operation: $0.operation, value: $0.value) }
        let current = version.load(ordering: .acquiring)
        if let known = known(key, current) { return known }
        let found = try find()
        keep(found, key, current)
        return found
    }

    private func known(_ key: [Condition], _ current: UInt64) -> [MemorySeries]? {
        state.withLock { state in
            guard let index = state.entries.index(forKey: key), state.entries.values[index].version == current else {
                return nil
            }
            state.uses &+= 1
            state.entries.values[index].lastUse = state.uses
            return state.entries.values[index].series
        }
    }

    private func keep(_ series: [MemorySeries], _ key: [Condition], _ current: UInt64) {
        guard series.count <= Limit.series / 2, version.load(ordering: .acquiring) == current else { return }
        state.withLock { state in
            state.remove(key)
            while state.entries.count >= Limit.entries || state.seriesCount + series.count > Limit.series {
                guard let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { break }
                state.remove(oldest.key)
            }
            state.uses &+= 1
            state.entries[key] = Entry(series: series, version: current, lastUse: state.uses)
            state.seriesCount += series.count
        }
    }
}
