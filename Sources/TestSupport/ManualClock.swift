internal import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: Clock, Sendable {
    /// A point on this clock: the time since it was made.
    package struct Instant: InstantProtocol, Sendable {
        /// Since the clock was made.
        package var offset: Duration

        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let id: UInt64
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Sleeper] = []
        var cancelled: Set<UInt64> = []
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Milliseconds since 1970 at offset zero.
    private let epoch: Int64

    /// A clock that shows `epoch` (milliseconds since 1970) as the time of day.
    package init(epochMilliseconds epoch: Int64 = 1_700_000_000_000) { self.epoch = epoch }

    /// The time on this clock.
    package var now: Instant { state.withLock { $0.now } }

    /// Any wait is exact.
    package var minimumResolution: Duration { .nanoseconds(1) }

    /// The time of day, in milliseconds since 1970.
    package var milliseconds: Int64 {
        let parts = now.offset.components
        return epoch &+ parts.seconds &* 1000 &+ parts.attoseconds / 1_000_000_000_000_000
    }

    /// How many tasks wait for this clock.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Moves the clock on and wakes whoever waited for what has come, in the order of their deadlines.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let now = state.now
            let due = state.sleepers.filter { $0.deadline <= now }
            state.sleepers.removeAll { $0.deadline <= now }
            return due.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Waits until the clock was moved to `deadline`, or the task is cancelled.
    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.nextID &+= 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper: Sleeper? = state.withLock { state in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
