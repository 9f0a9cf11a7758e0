internal import ByteCoding
internal import MetricModel
internal import Synchronization

/// All series of the head, by reference and by labels, and those that the log does not know yet.
final class SeriesMap: Sendable {
    private struct State: ~Copyable {
        var byReference = SeriesTable()
        var byHash = SeriesTable()
        var lastReference: UInt64 = 0
        /// Series whose record is not in the log yet, in the order in which they were made.
        var unlogged: [MemorySeries] = []
    }

    private let lock = Mutex<Void>(())
    // SAFETY: read and written under `lock` only.
    private nonisolated(unsafe) var state = State()
    let postings: HeadPostings

    init(postings: HeadPostings) { self.postings = postings }

    /// Number of series.
    var count: Int { lock.withLock { _ in state.byReference.count } }

    /// The highest reference given out.
    var lastReference: UInt64 { lock.withLock { _ in state.lastReference } }

    /// The series of a reference.
    func series(_ reference: UInt64) -> MemorySeries? {
        lock.withLock { _ in
            state.byReference.find(reference: reference)?.takeUnretainedValue()
        }
    }

    /// The series of many numbers, in order; those that are gone are left out.
    func series(numbers: [UInt32]) -> [MemorySeries] {
        var found: [MemorySeries] = []
        found.reserveCapacity(numbers.count)
        var start = 0
        while start < numbers.count {
            let end = min(numbers.count, start + 1024)
            lock.withLock { _ in
                for number in numbers[start..<end] {
                    if let series = state.byReference.find(number: number) {
                        found.append(series.takeUnretainedValue())
                    }
                }
            }
            start = end
        }
        return found
    }

    /// The number of a series in postings: its reference, cut to 32 bits. No two series of the head have the same.
    static func number(_ reference: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: reference) }

    /// The series of many references, in one go: `body` gets each index with its series.
    /// The series are not retained: the caller has an open appender or reader and marks them before it lets go.
    func forEach(
        of samples: UnsafeBufferPointer<ReferencedSample>, _ body: (Int, Unmanaged<MemorySeries>?) -> Void
    ) {
        // In pieces, so that others need not wait for the whole batch.
        var start = 0
        while start < samples.count {
            let end = min(samples.count, start + 1024)
            lock.withLock { _ in
                for index in start..<end {
                    let reference = samples[index].reference.rawValue
                    body(index, state.byReference.find(reference: reference))
                }
            }
            start = end
        }
    }

    /// Series that are looked up under one lock: others need not wait for a whole batch.
    static let pieceSize = 256

    /// The series of the label sets of some samples, in one go; nil where there is none.
    /// The series are not retained, as above.
    func forEach(
        of samples: borrowing LabelledSamples, in range: Range<Int>,
        _ body: (Int, LabelledSamples.Row, MemorySeries?) -> Void
    ) {
        lock.withLock { _ in
            for index in range {
                prefetch(samples, behind: index, upTo: range.upperBound)
                let row = samples.rows[index]
                let packed = samples.packedLabels(row)
                if let found = state.byHash.find(row.hash, { $0.labels.isPacked(as: packed) }) {
                    found._withUnsafeGuaranteedRef { body(index, row, $0) }
                } else {
                    body(index, row, nil)
                }
            }
        }
    }

    @inline(__always)
    private func prefetch(_ samples: borrowing LabelledSamples, behind index: Int, upTo end: Int) {
        let distances = Prefetching.lookUpDistances
        if index &+ distances.slot < end { state.byHash.prefetch(samples.rows[index &+ distances.slot].hash) }
        if index &+ distances.series < end,
            let guess = state.byHash.firstGuess(samples.rows[index &+ distances.series].hash)
        {
            Prefetching.series(guess)
        }
    }

    /// A series that is to be there, for the sample at an index.
    struct Wanted {
        var index: Int
        var labels: Labels
        var hash: UInt64
    }

    /// Calls `body` with the series of each label set, made if it is missing; nil where the head has `limit` series
    /// already. The calls come in order, under one lock.
    func forEachMade(_ wanted: [Wanted], limit: Int, _ body: (Wanted, MemorySeries?, _ isNew: Bool) -> Void) {
        lock.withLock { _ in
            for one in wanted {
                let made = makeLocked(one.labels, one.hash, limit)
                body(one, made?.series, made?.isNew ?? false)
            }
        }
    }

    /// The series with `labels`.
    func series(_ labels: Labels, hash: UInt64) -> MemorySeries? {
        lock.withLock { _ in state.byHash.find(hash) { $0.labels == labels }?.takeUnretainedValue() }
    }

    /// The series with `labels`, which is made if it is missing and the head has fewer than `limit` series.
    /// - Returns: nil if the limit is reached.
    func seriesMade(_ labels: Labels, hash: UInt64, limit: Int) -> (series: MemorySeries, isNew: Bool)? {
        lock.withLock { _ in makeLocked(labels, hash, limit) }
    }

    private func makeLocked(
        _ labels: Labels, _ hash: UInt64, _ limit: Int
    ) -> (series: MemorySeries, isNew: Bool)? {
        if let found = state.byHash.find(hash, { $0.labels == labels }) { return (found.takeUnretainedValue(), false) }
        if limit > 0 && state.byReference.count >= limit { return nil }
        repeat {
            state.lastReference &+= 1
        } while SeriesMap.number(state.lastReference) == 0
            || state.byReference.find(number: SeriesMap.number(state.lastReference)) != nil
        let series = MemorySeries(reference: state.lastReference, labels: labels)
        insert(series, hash)
        state.unlogged.append(series)
        return (series, true)
    }

    /// Adds a series of the log, under its own reference.
    /// - Returns: the series, or the one that already has these labels or this reference; nil if its number is taken
    ///   by another series, four billion references away.
    func replay(_ reference: UInt64, _ labels: Labels) -> (series: MemorySeries, isNew: Bool)? {
        let hash = labels.hash64
        return lock.withLock { _ in
            state.lastReference = max(state.lastReference, reference)
            if let found = state.byReference.find(number: SeriesMap.number(reference)) {
                let series = found.takeUnretainedValue()
                return series.reference == reference ? (series, false) : nil
            }
            if let found = state.byHash.find(hash, { $0.labels == labels }) {
                return (found.takeUnretainedValue(), false)
            }
            let series = MemorySeries(reference: reference, labels: labels)
            insert(series, hash)
            return (series, true)
        }
    }

    private func insert(_ series: MemorySeries, _ hash: UInt64) {
        state.byReference.insert(series.reference, series)
        state.byHash.insert(hash, series)
        postings.add(SeriesMap.number(series.reference), series.labels)
    }

    /// Takes the series that the log does not know yet.
    func takeUnlogged() -> [MemorySeries] {
        lock.withLock { _ in
            guard !state.unlogged.isEmpty else { return [] }
            let taken = state.unlogged
            state.unlogged = []
            return taken
        }
    }

    /// Gives back what ``takeUnlogged()`` took, when it could not be logged.
    func returnUnlogged(_ series: [MemorySeries]) {
        lock.withLock { _ in state.unlogged.insert(contentsOf: series, at: 0) }
    }

    /// All series, in no order.
    var all: [MemorySeries] {
        lock.withLock { _ in
            var all: [MemorySeries] = []
            all.reserveCapacity(state.byReference.count)
            state.byReference.forEach { all.append($0) }
            return all
        }
    }

    /// Removes series that were marked as removed.
    func remove(_ series: [MemorySeries]) {
        guard !series.isEmpty else { return }
        lock.withLock { _ in
            for one in series {
                state.byReference.remove(one.reference, one)
                state.byHash.remove(one.labels.hash64, one)
            }
        }
        postings.remove(Set(series.map { SeriesMap.number($0.reference) }), series.map { $0.labels })
    }
}
