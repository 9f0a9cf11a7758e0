#if canImport(Glibc)
internal import Glibc
#endif

/// The time of day. Everything below ``Web`` gets times as values.
package enum WallClock {
    /// Seconds since 1970 and nanoseconds within the second.
    package static func now() -> (second: Int64, nanosecond: Int) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec), Int(now.tv_nsec))
    }

    /// Nanoseconds since 1970.
    package static func nanoseconds() -> Int64 {
        let now = now()
        return now.second &* 1_000_000_000 &+ Int64(now.nanosecond)
    }
}
