import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// What the acknowledgement of a remote write is worth: the server is killed under load, and asked afterwards.
@Suite(.serialized, .enabled(if: Installed.narthex != nil))
struct StoreDurabilityTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let seriesOfWriter = 20

    /// A writer on a thread of its own: each request has one sample of each of its series, a second later than before.
    private final class Writer: Sendable {
        private let number: Int
        private let port: Int
        private let isStopping = Atomic<Bool>(false)
        /// The requests that were sent, and those that were acknowledged.
        let sent: Atomic<Int>
        let acknowledged: Atomic<Int>
        private let thread = Mutex<pthread_t?>(nil)

        init(_ number: Int, port: Int, after count: Int) {
            self.number = number
            self.port = port
            sent = Atomic(count)
            acknowledged = Atomic(count)
        }

        func start() {
            var started = pthread_t()
            let argument = Unmanaged.passRetained(self).toOpaque()
            pthread_create(
                &started, nil,
                { argument in
                    if let argument { Unmanaged<Writer>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, argument)
            thread.withLock { $0 = started }
        }

        func stop() {
            isStopping.store(true, ordering: .relaxed)
            if let thread = thread.withLock({ $0 }) { pthread_join(thread, nil) }
        }

        private func run() {
            let client = PlainHTTP(port: port)
            while !isStopping.load(ordering: .relaxed) {
                let next = sent.load(ordering: .relaxed) + 1
                var message = RemoteWriteMessage()
                for series in 0..<StoreDurabilityTests.seriesOfWriter {
                    message.add(
                        [("__name__", "progress"), ("i", "\(series)"), ("w", "\(number)")],
                        samples: [(StoreDurabilityTests.start + Int64(next) * 1000, Double(next))])
                }
                sent.store(next, ordering: .relaxed)
                let answer = try? client.request(
                    "POST", "/api/v1/write", bytes: message.compressed, headers: RemoteWriteMessage.headers)
                guard let answer else { return }
                if answer.status == 204 { acknowledged.store(next, ordering: .relaxed) }
            }
        }
    }

    @Test func `remote writes that were acknowledged survive SIGKILL, each as a whole`() throws {
        let rounds = getenv("NARTHEX_KILLS").flatMap { Int(String(cString: $0)) } ?? 12
        var generator = SystemRandomNumberGenerator()
        let folder = try TemporaryFolder()
        let flags = ["--web.enable-remote-write-receiver"]
        var counts = [Int](repeating: 0, count: 4)
        for round in 0...rounds {
            let server = try RunningServer(flags, folder: folder, configuration: "global: {}\n")
            var sentBefore = counts
            if round > 0 { sentBefore = try check(server, atLeast: counts) }
            if round == rounds {
                #expect(server.stop() == 0)
                break
            }
            let writers = counts.indices.map { Writer($0, port: server.port, after: sentBefore[$0]) }
            for writer in writers { writer.start() }
            usleep(UInt32.random(in: 1000...250_000, using: &generator))
            server.kill()
            for writer in writers { writer.stop() }
            counts = writers.map { $0.acknowledged.load(ordering: .relaxed) }
        }
        #expect(counts.allSatisfy { $0 > 0 })
    }

    @Test func `a damaged chunk is an error, never a short answer`() throws {
        let folder = try TemporaryFolder()
        let narthex = try #require(Installed.narthex)
        var text = "# TYPE whole counter\n# TYPE damaged counter\n"
        for name in ["damaged", "whole"] {
            for step in 0..<100 { text += "\(name)_total \(step * step) \(1_700_006_400 + step * 60)\n" }
        }
        let file = try folder.write("samples.om", text + "# EOF\n")
        let made = try ChildProcess(
            [narthex, "tsdb", "create-blocks-from", "openmetrics", file, folder.path + "/data"],
            output: folder.path + "/made.log")
        try #require(made.wait() == 0, "\(folder.read("made.log"))")
        // Within the first chunk of the segment.
        let damage =
            "for f in \(folder.path)/data/*/chunks/000001; do printf xx | dd of=$f bs=1 seek=60 conv=notrunc; done"
        try #require(try ChildProcess(["/bin/sh", "-c", damage], output: folder.path + "/dd.log").wait() == 0)
        let server = try RunningServer(["--storage.tsdb.retention.time=100y"], folder: folder)
        let end = 1_700_006_400 + 6000
        for path in [
            "query?query=damaged_total%5B2h%5D&time=\(end)",
            "query?query=count(%7B__name__%3D~%22.%2B%22%7D)&time=\(end)",
            "query_range?query=rate(damaged_total%5B5m%5D)&start=\(end - 6000)&end=\(end)&step=60",
        ] {
            let answer = try server.client.request("GET", "/api/v1/" + path)
            #expect(answer.status / 100 != 2, "\(path): \(answer.body)")
            #expect(answer.body.contains("checksum"), "\(answer.body)")
        }
        #expect(try server.query("whole_total", "&time=\(end - 60)").contains("9801"))
        #expect(server.stop() == 0)
    }

    @Test func `a server that is killed while it scrapes goes on where it was`() throws {
        let folder = try TemporaryFolder()
        let gateway = try RunningGateway(folder: folder)
        let flags = ["--web.enable-remote-write-receiver"]
        let configuration = """
            # No scrape may fail, so that each gets the time that one takes beside other tests.
            global: {scrape_interval: 250ms, scrape_timeout: 250ms}
            # What is written is years behind what is scraped.
            storage: {tsdb: {out_of_order_time_window: 100y}}
            scrape_configs:
            - job_name: g
              static_configs: [{targets: ["127.0.0.1:\(gateway.port)"]}]
            """
        var generator = SystemRandomNumberGenerator()
        var counts = [Int](repeating: 0, count: 4)
        var scrapes = 0.0
        for round in 0...5 {
            let server = try RunningServer(flags, folder: folder, configuration: configuration)
            var sentBefore = counts
            if round > 0 { sentBefore = try check(server, atLeast: counts) }
            let before = scrapes
            // All that was seen of scrapes before the kill is there, and new ones come.
            scrapes = try eventually("the gateway is scraped again") {
                let number = try server.value("count_over_time(up{job=\"g\"}[10m])") ?? 0
                return number >= before + 3 ? number : nil
            }
            #expect(try server.value("min_over_time(up{job=\"g\"}[10m])") == 1)
            #expect(try server.value("pushgateway_build_info{job=\"g\"}") == 1)
            if round == 5 {
                #expect(server.stop() == 0)
                break
            }
            let writers = counts.indices.map { Writer($0, port: server.port, after: sentBefore[$0]) }
            for writer in writers { writer.start() }
            usleep(UInt32.random(in: 1000...250_000, using: &generator))
            server.kill()
            for writer in writers { writer.stop() }
            counts = writers.map { $0.acknowledged.load(ordering: .relaxed) }
        }
        #expect(counts.contains { $0 > 0 })
        #expect(gateway.stop() == 0)
    }

    /// Each series of a writer has all samples up to one number, the same for all, and not below what was
    /// acknowledged.
    /// - Returns: how far each writer got.
    private func check(_ server: RunningServer, atLeast counts: [Int]) throws -> [Int] {
        let end = Self.start / 1000 + 1_000_000
        var reached: [Int] = []
        for (writer, count) in counts.enumerated() {
            func numbers(_ query: String) throws -> [Double] {
                let body = try server.query(query, "&time=\(end)")
                return body.split(separator: "\"value\":[").dropFirst().compactMap { part in
                    part.split(separator: "\"").dropFirst().first.flatMap { Double($0) }
                }
            }
            let selector = "progress%7Bw%3D%22\(writer)%22%7D%5B2000000s%5D"
            let newest = try numbers("max_over_time(\(selector))")
            let samples = try numbers("count_over_time(\(selector))")
            let last = Int(newest.first ?? 0)
            #expect(last >= count, "writer \(writer) lost what was acknowledged")
            #expect(last == 0 || newest.count == Self.seriesOfWriter)
            #expect(newest.allSatisfy { $0 == Double(last) }, "a request was kept by halves")
            #expect(samples.allSatisfy { $0 == Double(last) }, "samples in between were lost")
            reached.append(last)
        }
        return reached
    }
}
