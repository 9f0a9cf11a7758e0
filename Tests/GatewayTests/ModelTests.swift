import Gateway
import MetricModel
import TestSupport
import Testing

/// Random commands to the state and to a naive one that looks at everything each time.
@Suite struct ModelTests {
    @Test(arguments: [Push.Check.consistency, .none], 0..<20 as Range<UInt64>)
    func `the state does what plain rules say`(check: Push.Check, seed: UInt64) {
        var state = GatewayState()
        var naive = NaiveGateway()
        var generator = CommandGenerator(seed: seed, check: check)
        for step in 0..<120 {
            let command = generator.next()
            let isTaken = naive.apply(command)
            let outcome = state.apply(command)
            #expect((outcome == .accepted) == isTaken, "step \(step): \(command) \(outcome)")
            #expect(shown(&state) == naive.exposition, "step \(step)")
            #expect(state.groupCount == naive.groups.count)
        }
        for (key, group) in naive.groups {
            let view = state.group(key)
            #expect(view?.pushTime == group.pushTime)
            #expect(view?.failureTime == group.failureTime)
            #expect(view?.families.map(\.name) == group.families.keys.sorted())
            for family in view?.families ?? [] {
                #expect(family.metrics == group.families[family.name]?.metrics)
                #expect(family.help == group.families[family.name]?.help)
                #expect(family.type == group.families[family.name]?.type)
            }
        }
    }

    private func shown(_ state: inout GatewayState) -> [String] {
        let text = String(decoding: state.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter {
            !$0.contains("push_time_seconds") && !$0.contains("push_failure_time_seconds")
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>) func `many series in few families stay in order`(seed: UInt64) {
        var state = GatewayState()
        var random = SeededGenerator(seed: seed)
        var expected: [GroupingKey: Int] = [:]
        for _ in 0..<1500 {
            let number = Int.random(in: 0..<900, using: &random)
            let key = GroupingKey(["job": "\(number % 7)", "instance": "\(number)"])
            if Int.random(in: 0..<3, using: &random) == 0 {
                _ = state.apply(.delete(key))
                expected[key] = nil
            } else {
                let metrics = (0..<(number % 4 + 1)).map {
                    Metric(labels: [LabelPair("part", ByteString("\($0)"))], value: .gauge(Double(number)))
                }
                let push = Push(
                    group: key, families: [MetricFamily(name: "x", type: .gauge, metrics: metrics)],
                    mode: .replaceGroup, time: 1)
                #expect(state.apply(.push(push)) == .accepted)
                expected[key] = metrics.count
            }
        }
        let families = state.scrape().families
        #expect(families.first { $0.name == "push_time_seconds" }?.shownCount == expected.count)
        let metrics = families.first { $0.name == "x" }?.family.metrics ?? []
        #expect(metrics.count == expected.values.reduce(0, +))
        let keys = metrics.map { $0.labels.map(\.value) }
        #expect(keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func `a scrape keeps what it saw while pushes go on`() {
        var state = GatewayState()
        func push(_ value: Double) -> Command {
            .push(
                Push(
                    group: GroupingKey(["job": "a"]),
                    families: [
                        MetricFamily(name: "x", type: .gauge, metrics: [Metric(labels: [], value: .gauge(value))])
                    ],
                    mode: .replaceGroup, time: 1))
        }
        _ = state.apply(push(1))
        let first = state.scrape()
        _ = state.apply(push(2))
        let second = state.scrape()
        _ = state.apply(.wipe)
        #expect(first.families.last?.family.metrics.first?.value == .gauge(1))
        #expect(second.families.last?.family.metrics.first?.value == .gauge(2))
        #expect(state.scrape().families.isEmpty)
    }
}
