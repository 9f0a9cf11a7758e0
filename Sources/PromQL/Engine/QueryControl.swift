internal import Synchronization

/// Lets a query be cancelled from another thread, as when its client leaves.
package final class QueryCancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Not cancelled.
    package init() {}

    /// Ends the query at its next check.
    package func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether ``cancel()`` was called.
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }
}

/// Watches a running query: its deadline, its cancellation, the samples it holds.
final class QueryControl: Sendable {
    private let cancellation: QueryCancellation?
    private let deadline: ContinuousClock.Instant?
    private let maximumSamples: Int
    private let samples = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)

    init(cancellation: QueryCancellation?, deadline: ContinuousClock.Instant?, maximumSamples: Int) {
        self.cancellation = cancellation
        self.deadline = deadline
        self.maximumSamples = maximumSamples
    }

    /// Throws if the query is to end now. Cheap enough to be called for each series.
    func check(_ phase: String = "expression evaluation") throws(QueryError) {
        if let cancellation, cancellation.isCancelled { throw .cancelled(during: phase) }
        if let deadline, ContinuousClock.now >= deadline { throw .timedOut(during: phase) }
    }

    /// Notes that `count` more samples are held.
    func hold(_ count: Int) throws(QueryError) {
        let now = samples.wrappingAdd(count, ordering: .relaxed).newValue
        if now > peak.load(ordering: .relaxed) { peak.max(now, ordering: .relaxed) }
        if now > maximumSamples { throw .tooManySamples }
    }

    /// Notes that samples are given back, so that `count` are held.
    func resetHeld(to count: Int) { samples.store(count, ordering: .relaxed) }

    /// Throws if `count` cells can never be held.
    func checkCells(_ count: Int) throws(QueryError) {
        if count > maximumSamples { throw .tooManySamples }
    }

    /// How many samples are held.
    var held: Int { samples.load(ordering: .relaxed) }

    /// The most samples held at once.
    var peakSamples: Int { peak.load(ordering: .relaxed) }
}
