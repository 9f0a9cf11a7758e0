import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What an acknowledgement is worth: the gateway is killed, stopped and starved, and afterwards asked what it has.
@Suite(.serialized, .enabled(if: Installed.narthex != nil))
struct DurabilityTests {
    /// Pushers on threads of their own, each with a group of its own whose value only grows.
    private final class Pushers: Sendable {
        private struct State {
            var sent: [String: Int] = [:]
            var acknowledged: [String: Int] = [:]
            var refused = 0
        }

        private let state = Mutex(State())
        private let isStopping = Atomic<Bool>(false)
        private let threads = Mutex<[pthread_t]>([])

        /// Starts pushing.
        func start(_ count: Int, port: Int) {
            for number in 0..<count {
                let job = "job\(number)"
                let body = Body { [self] in run(job, port) }
                var thread = pthread_t()
                let argument = Unmanaged.passRetained(body).toOpaque()
                pthread_create(
                    &thread, nil,
                    { argument in
                        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                        return nil
                    }, argument)
                threads.withLock { $0.append(thread) }
            }
        }

        private final class Body {
            let run: () -> Void
            init(_ run: @escaping () -> Void) { self.run = run }
        }

        private func run(_ job: String, _ port: Int) {
            let client = PlainHTTP(port: port)
            while !isStopping.load(ordering: .relaxed) {
                let value = state.withLock { state in
                    let next = (state.sent[job] ?? 0) + 1
                    state.sent[job] = next
                    return next
                }
                let text = "# TYPE progress gauge\nprogress \(value)\nprogress_again{a=\"b\"} \(value)\n"
                guard let answer = try? client.request("PUT", "/metrics/job/\(job)", text) else {
                    usleep(1000)
                    continue
                }
                state.withLock { state in
                    if answer.status == 200 { state.acknowledged[job] = value } else { state.refused += 1 }
                }
            }
        }

        func stop() {
            isStopping.store(true, ordering: .relaxed)
            for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
            threads.withLock { $0 = [] }
            isStopping.store(false, ordering: .relaxed)
        }

        var sent: [String: Int] { state.withLock { $0.sent } }
        var acknowledged: [String: Int] { state.withLock { $0.acknowledged } }
        var refused: Int { state.withLock { $0.refused } }
    }

    private func check(_ gateway: RunningGateway, _ pushers: Pushers) throws {
        let first = try gateway.valuesByJob("progress")
        let second = try gateway.valuesByJob("progress_again")
        #expect(first == second, "a push was applied by halves")
        for (job, acknowledged) in pushers.acknowledged {
            let value = first[job] ?? 0
            #expect(value >= Double(acknowledged), "\(job) lost what was acknowledged")
            #expect(value <= Double(pushers.sent[job] ?? 0), "\(job) has what was never sent")
        }
    }

    @Test(arguments: [UInt64(1)]) func `nothing acknowledged is lost when the process is killed`(seed: UInt64) throws {
        let rounds = getenv("NARTHEX_KILLS").flatMap { Int(String(cString: $0)) } ?? 25
        var generator = SystemRandomNumberGenerator()
        let folder = try TemporaryFolder()
        let flags = ["--persistence.file=\(folder.path)/state", "--persistence.interval=200ms"]
        let pushers = Pushers()
        for _ in 0..<rounds {
            let gateway = try RunningGateway(flags, folder: folder)
            try check(gateway, pushers)
            pushers.start(8, port: gateway.port)
            usleep(UInt32.random(in: 1000...150_000, using: &generator))
            gateway.kill()
            pushers.stop()
        }
        let gateway = try RunningGateway(flags, folder: folder)
        try check(gateway, pushers)
        #expect(pushers.acknowledged.count == 8)
        #expect(gateway.stop() == 0)
    }

    @Test func `a stop under load answers what was begun, loses nothing, and exits with 0`() throws {
        let folder = try TemporaryFolder()
        let flags = ["--persistence.file=\(folder.path)/state"]
        let pushers = Pushers()
        for _ in 0..<5 {
            let gateway = try RunningGateway(flags, folder: folder)
            try check(gateway, pushers)
            pushers.start(8, port: gateway.port)
            usleep(100_000)
            #expect(gateway.stop() == 0)
            pushers.stop()
        }
        let gateway = try RunningGateway(flags, folder: folder)
        try check(gateway, pushers)
        #expect(pushers.refused == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a small file system needs root"))
    func `a full disk refuses pushes with 503, says so, and recovers when space returns`() throws {
        let folder = try TemporaryFolder()
        let disk = folder.path + "/disk"
        mkdir(disk, 0o755)
        guard mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0 else {
            try Test.cancel("this machine does not let us mount a tmpfs")
        }
        defer { umount(disk) }
        let gateway = try RunningGateway(["--persistence.file=\(disk)/state"], folder: folder)
        let client = gateway.client
        #expect(try client.request("PUT", "/metrics/job/before", "x 1\n").status == 200)
        let filler = try #require(fopen(disk + "/filler", "we"))
        let block = [UInt8](repeating: 0, count: 4096)
        while fwrite(block, 1, block.count, filler) == block.count, fflush(filler) == 0 {}
        fclose(filler)
        let text = (0..<200).map { "filling_\($0) \($0)\n" }.joined()
        let refusal = try eventually("the disk is full") {
            let answer = try client.request("PUT", "/metrics/job/during", text)
            return answer.status == 200 ? nil : answer
        }
        #expect(refusal.status == 503)
        #expect(refusal.head.contains("Retry-After"))
        #expect(try client.request("GET", "/-/ready").status == 503)
        #expect(try client.request("GET", "/metrics").status == 200)
        unlink(disk + "/filler")
        _ = try eventually("pushes are taken again") {
            try client.request("PUT", "/metrics/job/after", "x 3\n").status == 200 ? true : nil
        }
        #expect(try client.request("GET", "/-/ready").status == 200)
        gateway.kill()
        let again = try RunningGateway(["--persistence.file=\(disk)/state"], folder: folder)
        let values = try again.valuesByJob("x")
        #expect(values["before"] == 1)
        #expect(values["after"] == 3)
        #expect(again.stop() == 0)
    }
}
