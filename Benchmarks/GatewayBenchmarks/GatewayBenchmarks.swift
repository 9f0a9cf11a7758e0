import CAllocationCounter
import DurableFiles
import Exposition
import Gateway
import MetricModel
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// What a push, a scrape and a restart cost in the store itself, without HTTP.
///
///     BENCHMARKS=1 NARTHEX_CORE=1 swift run -c release --scratch-path .build-bench GatewayBenchmarks [push|journal]
///
/// Times are those of the processor, so that other programs on the machine disturb them little.
@main
struct GatewayBenchmarks {
    static func main() throws {
        print("one push: 20 samples in 5 families, \(Batch.body(0).count) bytes")
        let bodies = (0..<64).map { Batch.body($0) }
        measure("parse a push", rounds: 20_000) { round in (try? TextParser.parse(bodies[round % 64]))?.count ?? 0 }
        let only = CommandLine.arguments.dropFirst().first
        if only == "push" { return try pushes([1, 1000, 10_000, 100_000]) }
        if only != "journal" { for count in [1, 1000, 10_000, 100_000] { try groups(count) } }
        try journal()
    }

    /// Pushes alone, at random over all groups.
    static func pushes(_ counts: [Int]) throws {
        let pushes = try (0..<64).map { try Batch.families($0) }
        for count in counts {
            print("\n\(count) groups")
            let store = GatewayStore()
            for group in 0..<count { push(store, group, pushes[group % 64]) }
            for (name, mode) in [("PUT", .replaceGroup), ("POST", .replaceFamilies), ("PATCH", .accumulate)]
                as [(String, Push.Mode)]
            {
                measure(name, rounds: 40_000) { round in
                    push(store, (round &* 7919) % count, pushes[round % 64], mode)
                }
            }
        }
    }

    /// Everything that depends on how much is stored.
    static func groups(_ count: Int) throws {
        print("\n\(count) groups")
        let before = residentBytes()
        let store = GatewayStore()
        let pushes = try (0..<64).map { try Batch.families($0) }
        measureOnce("fill", count: count) {
            for group in 0..<count { push(store, group, pushes[group % 64]) }
        }
        let after = residentBytes()
        print("  resident: \((after - before) / max(1, count * 22)) bytes a series (20 and two push times a group)")
        measure("push (prepare and apply)", rounds: 20_000) { round in
            push(store, (round &* 7919) % count, pushes[round % 64])
        }
        measure("POST", rounds: 20_000) { round in
            push(store, (round &* 7919) % count, pushes[round % 64], .replaceFamilies)
        }
        measure("PATCH", rounds: 20_000) { round in
            push(store, (round &* 7919) % count, pushes[round % 64], .accumulate)
        }
        for coding in [Scrape.Coding.identity, .gzip] {
            measureOnce("scrape, cold, \(coding)", count: 1) { _ = taken(store.scrape().text(own: [], coding: coding)) }
            measure("scrape, warm, \(coding)", rounds: count > 1000 ? 5 : 100) { _ in
                taken(store.scrape().text(own: [], coding: coding))
            }
            measure("scrape after a push, \(coding)", rounds: count > 1000 ? 5 : 100) { round in
                push(store, round % count, pushes[round % 64])
                return taken(store.scrape().text(own: [], coding: coding))
            }
        }
        var longest = Duration.zero
        for round in 0..<5 {
            push(store, round % count, pushes[round % 64])
            let start = ContinuousClock.now
            _ = store.scrape()
            longest = max(longest, start.duration(to: .now))
        }
        print("  a scrape holds the lock for at most \(longest)")
        let size = taken(store.scrape().text(own: [], coding: .identity))
        print("  body: \(size) bytes; resident \(residentBytes() >> 20) MiB")
        measureOnce("wipe", count: count) { store.submit(.wipe) { _ in } }
        try lifetimes(count, store, pushes)
    }

    /// Takes a body piece by piece, as the server does.
    /// - Returns: Its bytes.
    static func taken(_ body: ScrapeBody) -> Int {
        var count = 0
        while let pieces = body.next(atLeast: 128 << 10) { count += pieces.reduce(0) { $0 + $1.count } }
        return count
    }

    /// All groups end at once: how long that takes, and the longest that a push in between waits.
    static func lifetimes(_ count: Int, _ store: GatewayStore, _ pushes: [[MetricFamily]]) throws {
        for group in 0..<count { push(store, group, pushes[group % 64], lifetime: .nanoseconds(1)) }
        let longest = Mutex(Duration.zero)
        let isDone = Mutex(false)
        let pusher = try WorkerThread(name: "pusher") {
            while !isDone.withLock({ $0 }) {
                let start = ContinuousClock.now
                push(store, count, pushes[0])
                let time = start.duration(to: .now)
                longest.withLock { $0 = max($0, time) }
            }
        }
        measureOnce("expiry of all", count: count) { store.expire(at: .max) }
        isDone.withLock { $0 = true }
        pusher.join()
        print("  the longest push meanwhile: \(longest.withLock { $0 })")
    }

    /// The journal on the real disk, and what a restart costs.
    static func journal() throws {
        let directory = "/tmp/narthex-benchmark-\(getpid())"
        let persistence = GatewayStore.Persistence(path: directory + "/g", snapshotInterval: nil)
        print("\njournal in \(directory)")
        let pushes = try (0..<64).map { try Batch.families($0) }
        let store = try GatewayStore(persistence: persistence)
        measureOnce("durable push, 10,000 groups, all in flight", count: 10_000) {
            for group in 0..<10_000 { push(store, group, pushes[group % 64]) }
            while !store.isIdle {}
        }
        measureOnce("snapshot", count: 1) { store.writeSnapshot() }
        for group in 0..<10_000 { push(store, group, pushes[group % 64]) }
        store.close()
        measureOnce("restart with 10,000 groups", count: 1) {
            (try? GatewayStore(persistence: persistence))?.close()
        }
        try POSIXFileSystem().removeTree(directory)
    }

    @discardableResult
    static func push(
        _ store: GatewayStore, _ group: Int, _ families: [MetricFamily], _ mode: Push.Mode = .replaceGroup,
        lifetime: Lifetime = .forever
    ) -> Int {
        let key = GroupingKey([
            LabelPair("job", "nightly_batch"), LabelPair("instance", ByteString("worker-\(100_000 + group)")),
        ])
        let push = Push(
            group: key, families: families, mode: mode, time: 1_600_000_000_000_000_000, lifetime: lifetime)
        store.submit(.push(push)) { outcome in
            if outcome != .accepted { print(outcome) }
        }
        return 1
    }
}

/// What a nightly batch job pushes.
enum Batch {
    static func body(_ seed: Int) -> [UInt8] {
        var text = "# HELP batch_last_success_timestamp_seconds When the batch last succeeded.\n"
        text += "# TYPE batch_last_success_timestamp_seconds gauge\nbatch_last_success_timestamp_seconds 1.7e9\n"
        text += "# HELP batch_stage_duration_seconds How long each stage took.\n"
        text += "# TYPE batch_stage_duration_seconds gauge\n"
        for stage in ["extract", "transform", "load"] {
            text += "batch_stage_duration_seconds{stage=\"\(stage)\"} \(Double(seed) * 1.372_915 + 0.5)\n"
        }
        text += "# HELP batch_records_total Records handled, by table and result.\n# TYPE batch_records_total counter\n"
        for table in ["orders", "customers"] {
            for result in ["ok", "rejected"] {
                text += "batch_records_total{table=\"\(table)\",result=\"\(result)\"} \(seed * 1311)\n"
            }
        }
        text += "# HELP batch_bytes_total Bytes moved, by direction.\n# TYPE batch_bytes_total counter\n"
        for way in ["in", "out"] { text += "batch_bytes_total{direction=\"\(way)\"} \(seed * 104_729_001)\n" }
        text += "# HELP batch_query_duration_seconds Time of the database queries.\n"
        text += "# TYPE batch_query_duration_seconds histogram\n"
        for bound in ["0.005", "0.025", "0.1", "0.5", "1", "2.5", "10", "+Inf"] {
            text += "batch_query_duration_seconds_bucket{le=\"\(bound)\"} \(seed + 7)\n"
        }
        text += "batch_query_duration_seconds_sum \(Double(seed) * 0.731)\n"
        text += "batch_query_duration_seconds_count \(seed + 7)\n"
        return Array(text.utf8)
    }

    static func families(_ seed: Int) throws -> [MetricFamily] { try TextParser.parse(body(seed)) }
}

@discardableResult
func measure(_ name: String, rounds: Int, _ body: (Int) -> Int) -> Int {
    var sum = 0
    sum &+= body(0)
    let allocations = allocation_count()
    let start = processorTime()
    for round in 0..<rounds { sum &+= body(round) }
    let time = processorTime() - start
    let each = Double(allocation_count() - allocations) / Double(max(1, rounds))
    print("  \(name): \(text(time, rounds)) each, \((each * 10).rounded() / 10) allocations")
    return sum
}

func measureOnce(_ name: String, count: Int, _ body: () -> Void) {
    let wall = ContinuousClock.now
    let start = processorTime()
    body()
    let time = processorTime() - start
    print("  \(name): \(text(time, count))\(count > 1 ? " each" : ""), in all \(wall.duration(to: .now))")
}

/// Nanoseconds that this thread has had a processor.
func processorTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func text(_ nanoseconds: Int, _ count: Int) -> String {
    let each = Double(nanoseconds) / Double(max(1, count))
    return each > 1e6 ? "\((each / 1e4).rounded() / 100) ms" : "\((each / 10).rounded() / 100) µs"
}

func residentBytes() -> Int {
    let file = try? POSIXFileSystem().open("/proc/self/statm", .read)
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = bytes.withUnsafeMutableBytes { (try? file?.read(into: $0, at: 0)) ?? 0 }
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
}
