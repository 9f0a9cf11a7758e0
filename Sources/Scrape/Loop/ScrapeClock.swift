#if canImport(Glibc)
internal import Glibc
#endif

/// The time, and waiting for it to pass.
package protocol ScrapeClock: Sendable {
    /// Nanoseconds since 1970.
    var now: Int64 { get }

    /// Returns when `nanoseconds` have passed.
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(nanoseconds: Int64) async throws
}

/// The machine's clock.
package struct SystemScrapeClock: ScrapeClock {
    /// The machine's clock.
    package init() {}

    package var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    package func sleep(nanoseconds: Int64) async throws {
        try await Task.sleep(nanoseconds: UInt64(max(0, nanoseconds)))
    }
}
