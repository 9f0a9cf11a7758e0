#if canImport(Glibc)
internal import Glibc
#endif

/// What the process took so far.
enum Usage {
    /// User and system time of the process, in seconds.
    static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(0, &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// Runs `body` and prints its CPU time.
    static func measure(_ title: String, _ body: () throws -> Void) rethrows {
        let begin = cpuSeconds
        try body()
        print("\(title): \(cpuSeconds - begin) s CPU")
    }
}
