import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Data directories change hands between the real Prometheus and Narthex, in both directions, after a stop and after
/// SIGKILL; what is asked of them gives the same bytes before and after.
@Suite(.serialized, .enabled(if: Installed.narthex != nil && Installed.prometheus != nil))
struct StoreExchangeTests {
    private static let start: Int64 = 1_700_006_400_000
    private static let configuration =
        "global: {}\nstorage:\n  tsdb:\n    out_of_order_time_window: 1h\n  exemplars:\n    max_exemplars: 1000\n"

    /// How a program ends: a stop, a kill, a stop with a memory snapshot.
    enum Ending: CaseIterable {
        case stopped, killed, snapshot

        var signal: Int32 { self == .killed ? SIGKILL : SIGTERM }

        var flags: [String] {
            [
                "--web.enable-remote-write-receiver", "--web.enable-admin-api",
                "--enable-feature=native-histograms,exemplar-storage"
                    + (self == .snapshot ? ",memory-snapshot-on-shutdown" : ""),
            ]
        }
    }

    /// Debian's Prometheus on the data of a folder.
    private final class RunningPrometheus {
        let port: Int
        let process: ChildProcess

        init(folder: TemporaryFolder, _ flags: [String]) throws {
            let program = try #require(Installed.prometheus)
            let file = try folder.write("prometheus.yml", StoreExchangeTests.configuration)
            let port = try FreePort.find()
            self.port = port
            let process = try ChildProcess(
                [
                    program, "--web.listen-address=127.0.0.1:\(port)", "--config.file=\(file)",
                    "--storage.tsdb.path=\(folder.path)/data",
                ] + flags, output: folder.path + "/prometheus.log")
            self.process = process
            _ = try eventually("prometheus is ready") { () -> Bool? in
                try #require(process.isRunning, "prometheus ended: \(folder.read("prometheus.log"))")
                let answer = try? PlainHTTP(port: port).request("GET", "/-/ready")
                return answer?.status == 200 ? true : nil
            }
        }
    }

    @Test(arguments: Ending.allCases)
    func `Prometheus answers from our directory as we did`(_ ending: Ending) throws {
        let folder = try TemporaryFolder()
        let ours = try RunningServer(ending.flags, folder: folder, configuration: Self.configuration)
        try Self.fill(ours.port)
        let before = try Self.answers(ours.port)
        ours.process.signal(ending.signal)
        ours.process.wait()
        if ending == .snapshot { #expect(try Self.hasSnapshot(folder)) }
        let theirs = try RunningPrometheus(folder: folder, ending.flags)
        let after = try Self.answers(theirs.port)
        #expect(before.count == after.count)
        for (mine, other) in zip(before, after) { #expect(Self.difference(mine, other) == nil) }
        theirs.process.signal(SIGTERM)
        theirs.process.wait()
    }

    /// What it would answer after a restart is what counts: 2.42's merge of two blocks of late samples forgets that they
    /// are late, so that readers of the directory, itself included, may leave out what the log has before their end.
    ///
    /// 2.42 writes no snapshot while native histograms are on; those of 3.14 are read in `StoreOracleTests`.
    @Test(arguments: [Ending.stopped, .killed])
    func `we answer from Prometheus' directory as it does`(_ ending: Ending) throws {
        let folder = try TemporaryFolder()
        let theirs = try RunningPrometheus(folder: folder, ending.flags)
        try Self.fill(theirs.port)
        let live = try Self.answers(theirs.port)
        theirs.process.signal(ending.signal)
        theirs.process.wait()
        let copied = try TemporaryFolder()
        let copy = try ChildProcess(["/bin/cp", "-a", folder.path + "/data", copied.path + "/data"])
        try #require(copy.wait() == 0)
        let again = try RunningPrometheus(folder: copied, ending.flags)
        // A restart forgets exemplars that are older than the head.
        let before = zip(live, try Self.answers(again.port)).map { $0.hasPrefix("query_exemplars") ? $0 : $1 }
        again.process.signal(SIGTERM)
        again.process.wait()
        let ours = try RunningServer(ending.flags, folder: folder, configuration: Self.configuration)
        let after = try Self.answers(ours.port)
        #expect(before.count == after.count)
        for (other, mine) in zip(before, after) { #expect(Self.difference(mine, other) == nil) }
        #expect(ours.stop() == 0)
    }

    private static func hasSnapshot(_ folder: TemporaryFolder) throws -> Bool {
        try ChildProcess(["/bin/sh", "-c", "ls -d \(folder.path)/data/chunk_snapshot.*"]).wait() == 0
    }

    /// Where two answers differ, and how; nil if they do not.
    private static func difference(_ mine: String, _ other: String) -> String? {
        let (a, b) = (Array(mine.utf8), Array(other.utf8))
        guard let index = (0..<max(a.count, b.count)).first(where: { $0 >= a.count || $0 >= b.count || a[$0] != b[$0] })
        else { return nil }
        func part(_ bytes: [UInt8]) -> String {
            String(
                decoding: bytes[max(0, min(index - 150, bytes.count))..<min(bytes.count, index + 100)], as: UTF8.self)
        }
        return "\(mine.prefix { $0 != "\n" }) at \(index): \(part(a)) / \(part(b))"
    }

    /// Six hours of series that come and go, with everything that Prometheus 2.42 takes.
    private static func fill(_ port: Int) throws {
        let client = PlainHTTP(port: port)
        var written = 0
        for step in 0..<360 {
            let time = start + Int64(step) * 60_000
            var message = RemoteWriteMessage()
            for index in 0..<6 where step % (index + 7) != 0 {
                let value: Double =
                    switch (step + index) % 17 {
                    case 0: .infinity
                    case 1: -.infinity
                    case 2: Double(bitPattern: 0x7FF0_0000_0000_0002)
                    case 3: Double(bitPattern: 0x7FF8_0000_0000_0123)
                    case 4: -0.0
                    default: Double(step * 31 + index) / 7
                    }
                message.add(
                    [("__name__", "churned"), ("i", "\(index)"), ("pod", "p\(step / 90)\" \\ ü")],
                    samples: [(time, value)],
                    exemplars: step % 10 == 0 ? [(time, Double(step), "trace\(step)")] : [])
            }
            let count = UInt64(step % 200) + 1
            let histogram = RemoteWriteMessage.Histogram(
                schema: step < 180 ? 1 : 2, counts: [count, 2 * count, 0, count + 3], sum: Double(step) * 1.5)
            message.add([("__name__", "h_integer")], histograms: [(time, histogram)])
            var float = histogram
            float.isFloat = true
            message.add([("__name__", "h_float")], histograms: [(time, float)])
            float.isGauge = true
            float.counts = [UInt64(step * 7919 % 50), 3]
            message.add([("__name__", "h_gauge")], histograms: [(time, float)])
            if step % 20 == 19 {
                message.add([("__name__", "late")], samples: [(time, Double(step))])
                message.add([("__name__", "late")], samples: [(time - 1_234_567, -Double(step))])
            }
            let answer = try client.request(
                "POST", "/api/v1/write", bytes: message.compressed, headers: RemoteWriteMessage.headers)
            #expect(answer.status / 100 == 2, "\(answer.status) \(answer.body)")
            written += 1
        }
        #expect(written == 360)
        let range = "&start=\(start / 1000 + 3_000)&end=\(start / 1000 + 5_000)"
        let deleted = try client.request(
            "POST", "/api/v1/admin/tsdb/delete_series?match%5B%5D=%7Bi%3D%222%22%7D\(range)")
        #expect(deleted.status == 204)
    }

    /// The bodies of the answers to some requests.
    private static func answers(_ port: Int) throws -> [String] {
        // Samples as they are stored, none of them at the edge of a range: 2.42 evaluates some of PromQL otherwise.
        let end = start / 1000 + 360 * 60
        let bounds = "&start=\(start / 1000)&end=\(end)"
        let match = "match%5B%5D=%7B__name__%3D~%22.%2B%22%7D"
        var paths = [
            "series?\(match)\(bounds)", "labels?\(match)\(bounds)", "label/pod/values?\(match)\(bounds)",
            "query_exemplars?query=churned\(bounds)",
            "query?query=count_over_time(churned%5B5h%5D)&time=\(end - 10)",
        ]
        for name in ["churned", "h_integer", "h_float", "h_gauge", "late"] {
            paths.append("query?query=\(name)%5B7h%5D&time=\(end + 10)")
            paths.append("query?query=\(name)%5B3h%5D&time=\(end - 4_999)")
        }
        return try paths.map { path in
            let text = try PlainHTTP(port: port).exchange("GET /api/v1/\(path) HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1)
            let body = try #require(parts.count == 2 ? parts[1] : nil, "\(path): \(text.prefix(200))")
            #expect(body.hasPrefix("{\"status\":\"success\""), "\(path): \(body.prefix(200))")
            return path + "\n" + body
        }
    }
}
