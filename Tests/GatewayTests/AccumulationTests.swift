import DurableFiles
import Exposition
import Gateway
import MetricModel
import Synchronization
import TestSupport
import Testing

@Suite struct AccumulationTests {
    private static let key = GroupingKey(["job": "a"])

    @discardableResult
    private func patch(_ state: inout GatewayState, _ text: String, _ rule: GaugeRule = .last) throws -> Outcome {
        let families = try TextParser.parse(Array(text.utf8))
        return state.apply(
            .push(Push(group: Self.key, families: families, mode: .accumulate, time: 1, gaugeRule: rule)))
    }

    private func samples(_ state: inout GatewayState) -> [String] {
        String(decoding: state.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
            .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") && !$0.hasPrefix("push_") }
            .map { $0.replacing("instance=\"\",job=\"a\"", with: "") }
    }

    @Test func `counters add, series that are not pushed stay, new ones come`() throws {
        var state = GatewayState()
        try patch(&state, "# TYPE c counter\nc{l=\"1\"} 1\nc{l=\"2\"} 2\n")
        try patch(&state, "# TYPE c counter\nc{l=\"2\"} 3\nc{l=\"3\"} 4\n# TYPE d counter\nd 1\n")
        #expect(samples(&state) == [#"c{,l="1"} 1"#, #"c{,l="2"} 5"#, #"c{,l="3"} 4"#, "d{} 1"])
    }

    @Test(arguments: [
        (GaugeRule.last, "3"), (.sum, "12"), (.minimum, "1"), (.maximum, "8"), (.mean, "4"),
    ]) func `gauges follow their rule`(rule: GaugeRule, expected: String) throws {
        var state = GatewayState()
        for value in [8, 1, 3] { try patch(&state, "# TYPE g gauge\ng \(value)\n", rule) }
        #expect(samples(&state) == ["g{} \(expected)"])
    }

    @Test func `summaries add and lose their quantiles, untyped takes the last`() throws {
        var state = GatewayState()
        try patch(&state, "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\nu 1\n")
        try patch(&state, "# TYPE s summary\ns{quantile=\"0.5\"} 9\ns_sum 4\ns_count 5\nu 7\n")
        #expect(samples(&state) == ["s_sum{} 6", "s_count{} 8", "u{} 7"])
    }

    @Test func `classic histograms add bucket by bucket, also when one has fewer bounds`() throws {
        var state = GatewayState()
        func body(_ bounds: [(String, Int)], _ sum: Int, _ count: Int) -> String {
            "# TYPE h histogram\n" + bounds.map { "h_bucket{le=\"\($0.0)\"} \($0.1)\n" }.joined()
                + "h_sum \(sum)\nh_count \(count)\n"
        }
        try patch(&state, body([("1", 1), ("2", 2), ("+Inf", 3)], 5, 3))
        try patch(&state, body([("1", 10), ("2", 20), ("+Inf", 30)], 50, 30))
        #expect(
            samples(&state) == [
                #"h_bucket{,le="1"} 11"#, #"h_bucket{,le="2"} 22"#, #"h_bucket{,le="+Inf"} 33"#, "h_sum{} 55",
                "h_count{} 33",
            ])
        try patch(&state, body([("2", 100)], 1, 200))
        #expect(
            samples(&state) == [#"h_bucket{,le="2"} 122"#, #"h_bucket{,le="+Inf"} 233"#, "h_sum{} 56", "h_count{} 233"])
        let before = samples(&state)
        guard case .refused(.inconsistent(let text)) = try patch(&state, body([("3", 1)], 1, 1)) else {
            Issue.record("taken")
            return
        }
        #expect(text.contains("has buckets at [3.0], which cannot be added to the stored ones at [2.0]"))
        #expect(samples(&state) == before)
    }

    @Test func `native histograms add with their schemas reconciled`() throws {
        var state = GatewayState()
        func push(_ native: NativeHistogram) {
            let value = HistogramValue(count: Double(native.count), sum: native.sum, native: .integer(native))
            let family = MetricFamily(
                name: "n", type: .histogram, metrics: [Metric(labels: [], value: .histogram(value))])
            _ = state.apply(.push(Push(group: Self.key, families: [family], mode: .accumulate, time: 1)))
        }
        push(
            NativeHistogram(
                schema: 1, count: 3, sum: 4, positiveSpans: [BucketSpan(offset: 1, length: 2)], positiveDeltas: [1, 1]))
        push(
            NativeHistogram(
                schema: 0, count: 2, sum: 1, positiveSpans: [BucketSpan(offset: 1, length: 1)], positiveDeltas: [2]))
        let metric = state.group(Self.key)?.families.first?.metrics.first
        guard case .histogram(let sum) = metric?.value, case .integer(let native) = sum.native else {
            Issue.record("no native histogram")
            return
        }
        #expect(native.schema == 0 && native.count == 5 && native.sum == 5 && sum.count == 5)
        #expect(native.positiveDeltas == [5] && native.positiveSpans == [BucketSpan(offset: 1, length: 1)])
    }

    @Test func `types must agree`() throws {
        var state = GatewayState()
        try patch(&state, "# TYPE x counter\nx 1\n")
        let outcome = try patch(&state, "# TYPE x gauge\nx 1\n")
        #expect(
            outcome
                == .refused(
                    .inconsistent(
                        "metric family x has type GAUGE but is stored with COUNTER; what is added must be of the same type"
                    )))
        #expect(samples(&state) == ["x{} 1"])
        #expect(state.group(Self.key)?.lastPushSuccessful == true)
    }

    @Test func `a thousand writers lose nothing, and each key counts once, across a crash`() throws {
        let directory = try TemporaryFolder()
        let persistence = GatewayStore.Persistence(path: directory.file("g"), snapshotInterval: nil)
        let store = try GatewayStore(persistence: persistence)
        let family = MetricFamily(
            name: "c", type: .counter, metrics: [Metric(labels: [], value: .counter(CounterValue(1)))])
        let push = Push(group: Self.key, families: [family], mode: .accumulate, time: 5)
        let repeats = Atomic<Int>(0)
        let threads = try (0..<8).map { worker in
            try WorkerThread(name: "writer") {
                for step in 0..<125 {
                    let key = IdempotencyKey(ByteString("\(worker)-\(step)"), fingerprint: 7, time: 5)
                    for _ in 0..<2 {
                        switch store.run(.once(key, .push(push))) {
                        case .accepted: break
                        case .repeated(.accepted): repeats.add(1, ordering: .relaxed)
                        case let other: Issue.record("\(other)")
                        }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(repeats.load(ordering: .relaxed) == 1000)
        var store2 = store
        for isClosed in [false, true] {
            if isClosed {
                store2.close()
                store2 = try GatewayStore(persistence: persistence)
                let key = IdempotencyKey("3-77", fingerprint: 7, time: 6)
                #expect(store2.run(.once(key, .push(push))) == .repeated(.accepted))
                let other = IdempotencyKey("3-77", fingerprint: 8, time: 6)
                guard case .refused(.keyReused) = store2.run(.once(other, .push(push))) else {
                    Issue.record("taken")
                    return
                }
            }
            #expect(store2.group(Self.key)?.families.first?.metrics.first?.value == .counter(CounterValue(1000)))
        }
        store2.close()
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `adding in place and adding piece by piece give the same`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var inPlace = GatewayState()
        var pieceByPiece = GatewayState()
        for _ in 0..<30 {
            let number = Int.random(in: 0..<1000, using: &random)
            let text = """
                # TYPE c counter
                c{a="1"} \(number)
                c{a="2"} 0.\(number)
                # TYPE h histogram
                h_bucket{le="1"} \(number)
                h_bucket{le="5"} \(number * 2)
                h_bucket{le="+Inf"} \(number * 3)
                h_sum \(number)
                h_count \(number * 3)

                """
            try patch(&inPlace, text)
            // The same series in another order, so that nothing is where it was.
            let lines = text.split(separator: "\n")
            let other = [lines[0], lines[2], lines[1]] + lines[3...]
            let isTurned = Bool.random(using: &random)
            try patch(&pieceByPiece, (isTurned ? other : Array(lines)).joined(separator: "\n") + "\n")
            #expect(samples(&inPlace) == samples(&pieceByPiece))
        }
    }
}
