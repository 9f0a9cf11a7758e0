#if canImport(Glibc)
internal import Glibc
#endif

/// Notices when somebody sets the clock: lifetimes end by the time that passes, not by what the clock is set to.
struct ClockWatch: Sendable {
    /// What both clocks of the machine say, in nanoseconds: since 1970, which may be set, and one that is never set and
    /// goes on while the machine sleeps.
    static func system() -> (wall: Int64, steady: Int64) { (nanoseconds(CLOCK_REALTIME), nanoseconds(CLOCK_BOOTTIME)) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Less than this is the work of those who keep clocks right.
    private static let tolerance: Int64 = 1_000_000_000

    private var last: (wall: Int64, steady: Int64)?

    /// By how much the clock was set forward (or, if negative, back) since the last call; 0 if it was not.
    mutating func jump(at now: (wall: Int64, steady: Int64)) -> Int64 {
        defer { last = now }
        guard let last else { return 0 }
        let jump = (now.wall &- last.wall) &- (now.steady &- last.steady)
        return jump.magnitude > UInt64(ClockWatch.tolerance) ? jump : 0
    }
}
