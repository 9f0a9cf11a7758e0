import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `PATCH` and `Idempotency-Key`, as clients see them.
@Suite(.serialized, .enabled(if: Installed.narthex != nil)) struct AccumulationServingTests {
    private static let type = "Content-Type: text/plain"

    private func patch(
        _ client: PlainHTTP, _ path: String, _ body: String, key: String? = nil
    ) throws -> PlainHTTP.Answer {
        let fields = [Self.type] + (key.map { ["Idempotency-Key: \($0)"] } ?? [])
        return try client.request("PATCH", path, body, headers: fields)
    }

    @Test func `PATCH adds by the rules of each type`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        let body = """
            # TYPE c counter
            c 2
            # TYPE g gauge
            g 4
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="+Inf"} 3
            h_sum 5
            h_count 3
            # TYPE s summary
            s{quantile="0.5"} 1
            s_sum 2
            s_count 3
            u 7

            """
        for _ in 0..<3 { #expect(try patch(client, "/metrics/job/a", body).status == 200) }
        let scrape = try client.request("GET", "/metrics?self=false&match[]={job=\"a\",__name__!~\"push.*\"}").body
        #expect(
            scrape.split(separator: "\n").filter { !$0.hasPrefix("#") } == [
                "c{instance=\"\",job=\"a\"} 6", "g{instance=\"\",job=\"a\"} 4",
                "h_bucket{instance=\"\",job=\"a\",le=\"1\"} 3", "h_bucket{instance=\"\",job=\"a\",le=\"+Inf\"} 9",
                "h_sum{instance=\"\",job=\"a\"} 15", "h_count{instance=\"\",job=\"a\"} 9",
                "s_sum{instance=\"\",job=\"a\"} 6", "s_count{instance=\"\",job=\"a\"} 9",
                "u{instance=\"\",job=\"a\"} 7",
            ])
        let bounds = try patch(
            client, "/metrics/job/a",
            "# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n")
        #expect(bounds.status == 400)
        #expect(bounds.body.contains("has buckets at [2.0], which cannot be added to the stored ones at [1.0]"))
        let type = try patch(client, "/metrics/job/a", "# TYPE c gauge\nc 1\n")
        #expect(type.status == 400)
        #expect(type.body.contains("metric family c has type GAUGE but is stored with COUNTER"))
    }

    @Test(arguments: [("last", 2.0), ("sum", 9), ("min", 2), ("max", 4), ("mean", 3)])
    func `gauges follow the rule of the request`(rule: String, result: Double) throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        for value in [3, 4, 2] {
            let answer = try patch(
                gateway.client, "/metrics/job/a?gauges=\(rule)", "# TYPE g gauge\ng \(value)\n")
            #expect(answer.status == 200)
        }
        #expect(try gateway.value(of: "g{instance=\"\",job=\"a\"}") == result)
        let refused = try patch(gateway.client, "/metrics/job/a?gauges=median", "g 1\n")
        #expect(refused.status == 400 && refused.body.contains("last, sum, min, max, mean"))
    }

    @Test func `PATCH that does not say what it brings is answered as upstream answers it`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let answer = try gateway.client.request("PATCH", "/metrics/job/a", "x 1\n")
        #expect(answer.status == 405)
        #expect(answer.head.contains("Allow: DELETE, OPTIONS, POST, PUT\r\n"))
        #expect(answer.head.contains("Accept-Patch: text/plain"))
        #expect(try gateway.value(of: "narthex_gateway_groups") == 0)
    }

    @Test func `a repeated request is done once and answered as the first time`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let client = gateway.client
        let body = "# TYPE c counter\nc 5\n"
        let first = try patch(client, "/metrics/job/a", body, key: "one")
        #expect(first.status == 200 && !first.head.contains("Idempotency-Replayed"))
        let second = try patch(client, "/metrics/job/a", body, key: "one")
        #expect(second.status == 200 && second.head.contains("Idempotency-Replayed: true"))
        #expect(try gateway.value(of: "c{instance=\"\",job=\"a\"}") == 5)
        #expect(try patch(client, "/metrics/job/a", "# TYPE c counter\nc 6\n", key: "one").status == 422)
        #expect(try patch(client, "/metrics/job/b", body, key: "one").status == 422)
        let refused = try patch(client, "/metrics/job/a", "# TYPE c gauge\nc 5\n", key: "two")
        let again = try patch(client, "/metrics/job/a", "# TYPE c gauge\nc 5\n", key: "two")
        #expect(refused.status == 400 && again.status == 400 && again.body == refused.body)
        #expect(again.head.contains("Idempotency-Replayed: true"))
        let delete = { try client.request("DELETE", "/metrics/job/a", headers: ["Idempotency-Key: three"]) }
        #expect(try delete().status == 202)
        #expect(try patch(client, "/metrics/job/a", body, key: "four").status == 200)
        #expect(try delete().head.contains("Idempotency-Replayed: true"))
        #expect(try gateway.value(of: "c{instance=\"\",job=\"a\"}") == 5)
        let long = String(repeating: "k", count: 256)
        #expect(try patch(client, "/metrics/job/a", body, key: long).status == 400)
    }

    /// A client that retries as clients do: it may send a request twice, lose the answer, or change the order.
    private struct UnreliableClient {
        var client: PlainHTTP
        var random: SeededGenerator

        /// Sends requests, 30 % of them badly, until each was acknowledged.
        mutating func deliver(_ requests: [(path: String, body: String, key: String)]) throws {
            var waiting = requests
            while !waiting.isEmpty {
                var next: [(path: String, body: String, key: String)] = []
                if Int.random(in: 0..<10, using: &random) < 3 { waiting.shuffle(using: &random) }
                for request in waiting {
                    let fields = [AccumulationServingTests.type, "Idempotency-Key: \(request.key)"]
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0:
                        // Never sent.
                        next.append(request)
                    case 1:
                        // Sent, and the answer lost.
                        let text =
                            "PATCH \(request.path) HTTP/1.1\r\nHost: h\r\nContent-Length: \(request.body.utf8.count)"
                            + "\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n" + request.body
                        try client.begin(text)
                        client.close()
                        next.append(request)
                    case 2:
                        for _ in 0..<2 {
                            let answer = try client.request("PATCH", request.path, request.body, headers: fields)
                            #expect(answer.status == 200)
                        }
                    default:
                        let answer = try client.request("PATCH", request.path, request.body, headers: fields)
                        #expect(answer.status == 200)
                    }
                }
                waiting = next
            }
        }
    }

    @Test(arguments: [UInt64(1), 2])
    func `sums are exact though requests are repeated, lost and reordered`(seed: UInt64) throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        var random = SeededGenerator(seed: seed)
        var sums: [String: Int] = [:]
        var requests: [(path: String, body: String, key: String)] = []
        for number in 0..<500 {
            let job = "job\(Int.random(in: 0..<5, using: &random))"
            let value = Int.random(in: 1..<(1 << 40), using: &random)
            sums[job, default: 0] += value
            requests.append(("/metrics/job/\(job)", "# TYPE c counter\nc \(value)\n", "\(seed)-\(number)"))
        }
        var client = UnreliableClient(client: gateway.client, random: random)
        try client.deliver(requests)
        // What was sent without waiting may still be on its way.
        _ = try eventually("the sums are exact") {
            try gateway.valuesByJob("c").allSatisfy { $0.value == Double(sums[$0.key] ?? -1) } ? true : nil
        }
        #expect(try gateway.valuesByJob("c").count == sums.count)
    }

    @Test func `a thousand writers of one group lose nothing`() throws {
        let gateway = try RunningGateway(folder: try TemporaryFolder())
        let port = gateway.port
        let sum = Atomic<Int>(0)
        // As many connections as threads allow here, each with the writes of many writers.
        try Threads.run(50) { thread in
            let client = PlainHTTP(port: port)
            for writer in 0..<20 {
                let value = thread &* 20 &+ writer &+ 1
                let body = "# TYPE c counter\nc \(value)\n# TYPE g gauge\ng \(value)\n"
                if (try? client.request("PATCH", "/metrics/job/a?gauges=max", body))?.status == 200 {
                    sum.add(value, ordering: .relaxed)
                }
            }
        }
        #expect(sum.load(ordering: .relaxed) == 500_500)
        #expect(try gateway.value(of: "c{instance=\"\",job=\"a\"}") == 500_500)
        #expect(try gateway.value(of: "g{instance=\"\",job=\"a\"}") == 1000)
    }

    @Test func `each acknowledged increment counts once, and none twice, across crashes`() throws {
        let rounds = getenv("NARTHEX_KILLS").flatMap { Int(String(cString: $0)) } ?? 10
        let folder = try TemporaryFolder()
        let flags = ["--persistence.file=\(folder.path)/state", "--persistence.interval=200ms"]
        var generator = SystemRandomNumberGenerator()
        let increments = Increments(writers: 4)
        for _ in 0..<rounds {
            let gateway = try RunningGateway(flags, folder: folder)
            try increments.start(port: gateway.port)
            usleep(UInt32.random(in: 1000...150_000, using: &generator))
            gateway.kill()
            increments.stop()
        }
        let gateway = try RunningGateway(flags, folder: folder)
        increments.finish(port: gateway.port)
        let expected = increments.acknowledged
        #expect(expected.count == 4)
        for (job, value) in try gateway.valuesByJob("c") {
            #expect(value == Double(expected[job] ?? -1), "\(job)")
        }
        #expect(gateway.stop() == 0)
    }
}

/// Writers that each send increments with keys, one after the other, and repeat one until it is acknowledged.
final class Increments: Sendable {
    private struct State {
        /// Increments of each writer that were acknowledged.
        var done: [Int]
        var isStopping = false
    }

    private let state: Mutex<State>
    private let writers: Int
    private let threads = Mutex<Threads?>(nil)

    init(writers: Int) {
        self.writers = writers
        state = Mutex(State(done: [Int](repeating: 0, count: writers)))
    }

    func start(port: Int) throws {
        state.withLock { $0.isStopping = false }
        let started = try Threads(writers) { [self] writer in
            let client = PlainHTTP(port: port)
            while !state.withLock({ $0.isStopping }) {
                if !push(writer, client) { usleep(1000) }
            }
        }
        threads.withLock { $0 = started }
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        threads.withLock { threads in
            threads?.join()
            threads = nil
        }
    }

    /// Sends what was under way when the gateway went.
    func finish(port: Int) {
        let client = PlainHTTP(port: port)
        for writer in 0..<writers { while !push(writer, client) { usleep(1000) } }
    }

    private func push(_ writer: Int, _ client: PlainHTTP) -> Bool {
        let number = state.withLock { $0.done[writer] } + 1
        let answer = try? client.request(
            "PATCH", "/metrics/job/job\(writer)", "# TYPE c counter\nc \(number)\n",
            headers: ["Content-Type: text/plain", "Idempotency-Key: \(writer)-\(number)"])
        guard answer?.status == 200 else { return false }
        state.withLock { $0.done[writer] = number }
        return true
    }

    /// The sum of what was acknowledged: 1 + 2 + … for each writer.
    var acknowledged: [String: Int] {
        let done = state.withLock { $0.done }
        return Dictionary(uniqueKeysWithValues: done.enumerated().map { ("job\($0)", $1 * ($1 + 1) / 2) })
    }
}
