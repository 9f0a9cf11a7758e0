#if canImport(Glibc)
internal import Glibc
#endif

/// A lock that threads can wait on until another thread signals: what `Mutex` lacks.
package final class Condition: Sendable {
    // SAFETY: both are initialised once, used through their addresses only, and destroyed with the object, when no
    // thread can hold or await them any more.
    private nonisolated(unsafe) let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private nonisolated(unsafe) let condition: UnsafeMutablePointer<pthread_cond_t>

    /// Unlocked, nobody waiting.
    package init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waiting must not depend on somebody setting the clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while holding the lock.
    package func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Gives the lock up until another thread signals; it is held again on return. The lock must be held, and what was
    /// waited for must be checked again: threads also wake for no reason.
    package func wait() { pthread_cond_wait(condition, mutex) }

    /// ``wait()``, but for at most `milliseconds`.
    package func wait(milliseconds: Int64) {
        wait(until: Condition.now() + max(0, min(milliseconds, 1 << 40)) * 1_000_000)
    }

    /// ``wait()``, but not beyond a moment, in nanoseconds of ``now()``.
    package func wait(until moment: Int64) {
        var deadline = timespec()
        deadline.tv_sec = Int(moment / 1_000_000_000)
        deadline.tv_nsec = Int(moment % 1_000_000_000)
        pthread_cond_timedwait(condition, mutex, &deadline)
    }

    /// Nanoseconds of a clock that nobody sets.
    package static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    /// Wakes one thread that waits.
    package func signal() { pthread_cond_signal(condition) }

    /// Wakes all threads that wait.
    package func broadcast() { pthread_cond_broadcast(condition) }
}
