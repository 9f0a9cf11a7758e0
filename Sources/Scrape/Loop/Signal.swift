internal import Synchronization

/// Something that happens once, and can be waited for.
package final class Signal: Sendable {
    private struct State {
        var isSet = false
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// It has not happened.
    package init() {}

    /// Whether it has happened.
    package var isSet: Bool { state.withLock { $0.isSet } }

    /// It has happened; all who wait go on.
    package func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it has happened, or when the task is cancelled.
    package func wait() async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isSet || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume()
        }
    }

    /// Waits for `nanoseconds`, unless it happens before.
    /// - Returns: whether the time passed; false if it happened or the task was cancelled.
    func sleep(nanoseconds: Int64, _ clock: any ScrapeClock) async -> Bool {
        if isSet || Task.isCancelled { return false }
        guard nanoseconds > 0 else { return true }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await clock.sleep(nanoseconds: nanoseconds)
                    return true
                } catch {
                    return false
                }
            }
            group.addTask {
                await self.wait()
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }
}
