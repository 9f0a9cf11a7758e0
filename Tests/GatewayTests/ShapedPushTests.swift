import Exposition
import Gateway
import MetricModel
import Synchronization
import TestSupport
import Testing

/// Bodies of one shape, read by comparing them and put in place number by number, beside the long way.
@Suite struct ShapedPushTests {
    /// Bodies whose numbers are `%`.
    private static let bodies = [
        "# HELP x One.\n# TYPE x gauge\nx{l=\"1\"} %\nx{l=\"2\"} %\n# TYPE y counter\ny_total %\n",
        "# TYPE x gauge\nx{l=\"2\"} %\nx{l=\"1\"} %\n",
        "x{l=\"1\"} %\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} %\nh_bucket{le=\"+Inf\"} %\nh_sum %\nh_count %\n# a comment\nz   %\n",
        "# TYPE s summary\ns{quantile=\"0.5\"} %\ns_sum %\ns_count %\ns{l=\"1\",quantile=\"0.5\"} %\n",
        "# TYPE x_count gauge\nx_count %\n", "# TYPE x summary\nx_count %\nx_sum %\n",
        "y{instance=\"other\"} %\n", "y{instance=\"more\"} %\n", "push_time_seconds %\nv %\n", "twice %\ntwice %\n",
        "h_sum %\nbase{job=\"j\"} % \n", "w-1\n", "w+%\n", "w{}%\n",
        "# HELP x Two.\n# TYPE x gauge\nx{l=\"1\"} %\nx{l=\"2\"} %\n",
    ]
    private static let numbers = [
        "0", "1", "-1", "2.5", "1e3", "NaN", "+Inf", "-Inf", "1e400", "9007199254740993", "-0", "0x1p-2", "7", "12",
        "x",
    ]

    /// Learns bodies as they come.
    private struct Known {
        var all: [(template: TextTemplate, shape: PushShape)] = []

        mutating func learn(_ body: [UInt8]) throws {
            let learned = try body.withUnsafeBufferPointer { bytes -> (TextTemplate, PushShape)? in
                var places: [TextTemplate.Place] = []
                guard (try? TextParser.parse(bytes, places: &places)) != nil,
                    let template = TextTemplate(bytes, places: places)
                else { return nil }
                let probes = PushShape.probes(count: places.count)
                let probed = try TextParser.parse(template.body(with: probes.map { String(Int64($0)) }))
                return PushShape(probing: probed, with: probes).map { (template, $0) }
            }
            if let learned { all.append(learned) }
        }

        func find(_ body: [UInt8]) -> (shape: PushShape, numbers: [Double])? {
            body.withUnsafeBufferPointer { bytes in
                for known in all {
                    if let numbers = known.template.numbers(of: bytes) { return (known.shape, numbers) }
                }
                return nil
            }
        }
    }

    private static func body(_ number: Int, _ random: inout SeededGenerator) -> [UInt8] {
        var body: [UInt8] = []
        let isOdd = Int.random(in: 0..<6, using: &random) == 0
        for byte in bodies[number].utf8 {
            guard byte == UInt8(ascii: "%") else {
                body.append(byte)
                continue
            }
            body += numbers[Int.random(in: 0..<(isOdd ? numbers.count : 2), using: &random)].utf8
        }
        if Int.random(in: 0..<20, using: &random) == 0 {
            body[Int.random(in: body.indices, using: &random)] =
                [0x20, 0x0A, 0x31, 0x78, 0x0D].randomElement(
                    using: &random) ?? 0
        }
        return body
    }

    @Test(arguments: [Push.Check.consistency, .none], 0..<12 as Range<UInt64>)
    func `a push of a known shape comes to the same as any other`(check: Push.Check, seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        let persistence = GatewayStore.Persistence(path: "/data/g", snapshotInterval: nil, fileSystem: disk)
        let store = try GatewayStore(persistence: persistence)
        let plain = GatewayStore()
        var generator = CommandGenerator(seed: seed, check: check)
        var known = Known()
        var shapedCount = 0
        var number = 0
        var time: Int64 = 1_600_000_000_000_000_000
        for step in 0..<400 {
            time += 1_000_000_007
            if Int.random(in: 0..<16, using: &generator.random) == 0 {
                let command = generator.next()
                #expect(store.run(command) == plain.run(command))
                continue
            }
            // Jobs push alike several times.
            if Int.random(in: 0..<8, using: &generator.random) == 0 {
                number = Int.random(in: 0..<Self.bodies.count, using: &generator.random)
            }
            let body = Self.body(number, &generator.random)
            let families = try? TextParser.parse(body)
            let found = known.find(body)
            // Whatever fits a template can be read.
            guard let families else {
                #expect(found == nil, "step \(step): \(String(decoding: body, as: UTF8.self))")
                continue
            }
            var push = Push(
                group: GroupingKey(["job": Bool.random(using: &generator.random) ? "a" : "b"]), families: families,
                mode: Bool.random(using: &generator.random) ? .replaceGroup : .replaceFamilies, check: check,
                time: time,
                lifetime: Int.random(in: 0..<9, using: &generator.random) == 0 ? .nanoseconds(1 << 40) : .forever)
            let expected = plain.run(.push(push))
            if let found {
                let shaped = ShapedPush(
                    group: push.group, shape: found.shape, numbers: found.numbers, mode: push.mode, check: check,
                    time: time, lifetime: push.lifetime)
                let outcomes = EventCounter()
                if store.submit(shaped, completion: { outcomes.add($0) }) {
                    shapedCount += 1
                    while outcomes.all.isEmpty {}
                    #expect(outcomes.all == [expected])
                } else {
                    push.shape = found.shape
                    #expect(store.run(.push(push)) == expected)
                }
            } else {
                #expect(store.run(.push(push)) == expected)
                try known.learn(body)
            }
            #expect(store.fingerprint == plain.fingerprint, "step \(step): \(String(decoding: body, as: UTF8.self))")
        }
        #expect(shapedCount > 20)
        store.close()
        let reopened = try GatewayStore(persistence: persistence)
        #expect(reopened.fingerprint == plain.fingerprint)
        reopened.close()
    }

    @Test(arguments: [Push.Check.consistency, .none], 0..<8 as Range<UInt64>)
    func `groups that go together leave what groups leave that go one by one`(check: Push.Check, seed: UInt64) {
        let together = GatewayStore()
        let alone = GatewayStore()
        var generator = CommandGenerator(seed: seed, check: check)
        for number in 0..<600 {
            var families = generator.families()
            families.append(
                MetricFamily(
                    name: "many", type: .gauge,
                    metrics: (0..<(number % 5)).map {
                        Metric(labels: [LabelPair("n", ByteString("\($0)"))], value: .gauge(Double(number)))
                    }))
            let push = Push(
                group: GroupingKey(["job": "\(number % 7)", "instance": "\(number)"]), families: families,
                mode: .replaceGroup, check: check, time: Int64(number))
            _ = together.run(.push(push))
            _ = alone.run(.push(push))
        }
        for _ in 0..<4 {
            var keys = alone.keys(matching: []).sorted().filter { _ in
                Int.random(in: 0..<3, using: &generator.random) == 0
            }
            keys += keys.prefix(3) + [GroupingKey(["job": "nobody"])]
            if Bool.random(using: &generator.random) { keys.shuffle(using: &generator.random) }
            let before = Int64.random(in: 300...900, using: &generator.random)
            let outcomes = EventCounter()
            together.delete(keys, before: before) { outcomes.add($0) }
            #expect(outcomes.all == [.accepted])
            for key in keys { _ = alone.run(.deleteAll([key], before: before)) }
            #expect(together.fingerprint == alone.fingerprint)
            #expect(together.removedCounts.deleted == alone.removedCounts.deleted)
            // Names and places that became free are used again.
            for _ in 0..<20 {
                let command = generator.next()
                if case .wipe = command { continue }
                _ = together.run(command)
                _ = alone.run(command)
            }
            #expect(together.fingerprint == alone.fingerprint)
        }
    }
}
