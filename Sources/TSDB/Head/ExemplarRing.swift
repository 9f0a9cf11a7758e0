internal import MetricModel
internal import Synchronization

/// The newest exemplars of all series, in one ring of fixed size.
///
/// Source of the rules: prometheus/prometheus tsdb/exemplar.go.
final class ExemplarRing: Sendable {
    /// An exemplar and the series it belongs to.
    struct Entry: Sendable {
        var series: Labels
        var exemplar: Exemplar

        var timestamp: Timestamp { exemplar.timestamp ?? 0 }
    }

    private struct State {
        var capacity: Int
        var entries: [Entry] = []
        /// Where the next one goes, once the ring is full.
        var next = 0
        /// Positions of each series' exemplars, oldest first.
        var bySeries: [Labels: [Int]] = [:]
    }

    /// Characters that names and values of an exemplar's labels may have together.
    static let maximumLabelCharacters = 128

    private let state: Mutex<State>

    init(capacity: Int) { state = Mutex(State(capacity: max(0, capacity))) }

    /// Whether exemplars are kept.
    var isEnabled: Bool { state.withLock { $0.capacity > 0 } }

    /// Checks an exemplar.
    /// - Returns: false for a duplicate of the newest one of the series.
    func validate(_ exemplar: Exemplar, of series: Labels) throws(AppendError) -> Bool {
        var characters = 0
        for pair in exemplar.labels.pairs {
            characters += pair.name.string.unicodeScalars.count + pair.value.string.unicodeScalars.count
        }
        if characters > ExemplarRing.maximumLabelCharacters { throw .exemplarLabelsTooLong }
        return try state.withLock { (state) throws(AppendError) -> Bool in
            guard let last = state.bySeries[series]?.last else { return true }
            let newest = state.entries[last]
            if ExemplarRing.isSame(newest.exemplar, exemplar) { return false }
            let time = exemplar.timestamp ?? 0
            // A second exemplar of one time may come in any order of values.
            if time < newest.timestamp
                || (time == newest.timestamp && exemplar.value < newest.exemplar.value)
            {
                throw .outOfOrderExemplar
            }
            return true
        }
    }

    private static func isSame(_ left: Exemplar, _ right: Exemplar) -> Bool {
        left.labels == right.labels && left.timestamp == right.timestamp
            && left.value.bitPattern == right.value.bitPattern
    }

    /// Adds an exemplar; the oldest of all goes if the ring is full. One that is older than its series' newest, or
    /// the same, is left out.
    /// - Returns: whether it was added.
    @discardableResult
    func add(_ exemplar: Exemplar, of series: Labels) -> Bool {
        guard (try? validate(exemplar, of: series)) == true else { return false }
        return state.withLock { state in
            guard state.capacity > 0 else { return false }
            let entry = Entry(series: series, exemplar: exemplar)
            let position: Int
            if state.entries.count < state.capacity {
                position = state.entries.count
                state.entries.append(entry)
            } else {
                position = state.next
                let evicted = state.entries[position].series
                state.bySeries[evicted]?.removeAll { $0 == position }
                if state.bySeries[evicted]?.isEmpty == true { state.bySeries[evicted] = nil }
                state.entries[position] = entry
                state.next = (position + 1) % state.capacity
            }
            state.bySeries[series, default: []].append(position)
            return true
        }
    }

    /// The exemplars of series for which `isWanted` holds, from `start` to `end`, by series and time.
    func select(from start: Timestamp, to end: Timestamp, _ isWanted: (Labels) -> Bool) -> [SeriesExemplars] {
        let (entries, bySeries) = state.withLock { ($0.entries, $0.bySeries) }
        var found: [SeriesExemplars] = []
        for (labels, positions) in bySeries {
            let exemplars = positions.map { entries[$0] }
                .filter { $0.timestamp >= start && $0.timestamp <= end }.map { $0.exemplar }
            if !exemplars.isEmpty && isWanted(labels) {
                found.append(SeriesExemplars(labels: labels, exemplars: exemplars))
            }
        }
        return found.sorted { $0.labels < $1.labels }
    }

    /// All exemplars, in the order in which they came.
    var all: [Entry] {
        state.withLock { state in
            state.entries.count < state.capacity
                ? state.entries : Array(state.entries[state.next...] + state.entries[..<state.next])
        }
    }

    /// How many exemplars there are, of how many series, and the time of the oldest; 0 while there is none.
    var status: (exemplars: Int, series: Int, oldest: Timestamp) {
        state.withLock { state in
            let oldest = state.entries.count < state.capacity ? 0 : state.next
            return (
                state.entries.count, state.bySeries.count,
                state.entries.indices.contains(oldest) ? state.entries[oldest].timestamp : 0
            )
        }
    }

    /// Changes the size; the newest stay.
    func resize(to capacity: Int) {
        let kept = all.suffix(max(0, capacity))
        state.withLock { $0 = State(capacity: max(0, capacity)) }
        for entry in kept { add(entry.exemplar, of: entry.series) }
    }
}
