import CAllocationCounter

/// Prints nanoseconds and allocations per call of `body`: the best of sixty rounds.
///
/// `body` returns a number that depends on its work, so that the work cannot be left out.
func measure(_ name: String, bytes: Int = 0, _ body: () -> Int) {
    let clock = ContinuousClock()
    var sink = 0
    var iterations = 1
    while true {
        let time = clock.measure { for _ in 0..<iterations { sink &+= body() } }
        if time > .milliseconds(2) { break }
        iterations *= 2
    }
    var best = Double.infinity
    var allocations = 0.0
    for _ in 0..<60 {
        let before = allocation_count()
        let time = clock.measure { for _ in 0..<iterations { sink &+= body() } }
        allocations = Double(allocation_count() - before) / Double(iterations)
        let nanoseconds = Double(time.components.attoseconds) / 1e9 + Double(time.components.seconds) * 1e9
        best = min(best, nanoseconds / Double(iterations))
    }
    let rate = bytes > 0 ? ", \((Double(bytes) / best * 1000).rounded()) MB/s" : ""
    print("\(name): \((best * 10).rounded() / 10) ns, \(allocations) allocations\(rate) (\(sink & 1))")
}
