import Exposition
import Gateway
import MetricModel
import TestSupport
import Testing

@Suite struct QuotaTests {
    private let quota = GroupQuota(id: 7, name: "{job=~\"ci-.*\"}", maximumGroups: 2, maximumSeries: 5)

    private func push(
        _ job: String, series: Int, mode: Push.Mode = .replaceGroup, name: ByteString = "x", quota: GroupQuota?
    ) -> Push {
        let metrics = (0..<series).map { Metric(labels: [LabelPair("n", ByteString("\($0)"))], value: .gauge(1)) }
        var push = Push(
            group: GroupingKey(["job": job]),
            families: [MetricFamily(name: name, type: .gauge, metrics: metrics)], mode: mode, time: 1)
        push.quota = quota
        return push
    }

    private func isRefused(_ outcome: Outcome) -> Bool {
        if case .refused(.limit) = outcome { true } else { false }
    }

    @Test func `a push beyond the groups of its quota is refused until one goes`() {
        let store = GatewayStore()
        #expect(store.run(.push(push("a", series: 1, quota: quota))) == .accepted)
        #expect(store.run(.push(push("b", series: 1, quota: quota))) == .accepted)
        #expect(store.run(.push(push("b", series: 1, quota: quota))) == .accepted)
        #expect(isRefused(store.run(.push(push("c", series: 1, quota: quota)))))
        #expect(store.run(.push(push("c", series: 1, quota: nil))) == .accepted)
        #expect(store.quotaUse(7) == QuotaUse(groups: 2, series: 2))
        _ = store.run(.delete(GroupingKey(["job": "a"])))
        #expect(store.run(.push(push("c", series: 1, quota: quota))) == .accepted)
        _ = store.run(.wipe)
        #expect(store.quotaUse(7) == QuotaUse())
    }

    @Test func `series count as they would be after the push`() {
        let store = GatewayStore()
        #expect(store.run(.push(push("a", series: 3, quota: quota))) == .accepted)
        #expect(store.run(.push(push("b", series: 2, quota: quota))) == .accepted)
        #expect(isRefused(store.run(.push(push("b", series: 3, quota: quota)))))
        #expect(isRefused(store.run(.push(push("b", series: 1, mode: .replaceFamilies, name: "y", quota: quota)))))
        #expect(isRefused(store.run(.push(push("b", series: 1, mode: .accumulate, name: "y", quota: quota)))))
        #expect(store.run(.push(push("a", series: 1, quota: quota))) == .accepted)
        #expect(store.run(.push(push("b", series: 1, mode: .replaceFamilies, name: "y", quota: quota))) == .accepted)
        #expect(store.quotaUse(7) == QuotaUse(groups: 2, series: 4))
    }

    @Test func `a batch that is taken back leaves the counts as they were`() {
        let store = GatewayStore()
        _ = store.run(.push(push("a", series: 2, quota: quota)))
        let batch = [
            push("a", series: 4, quota: quota), push("b", series: 1, quota: quota), push("c", series: 1, quota: quota),
        ]
        #expect(isRefused(store.run(.batch(batch, isAtomic: true))))
        #expect(store.quotaUse(7) == QuotaUse(groups: 1, series: 2))
    }

    @Test func `groups are counted anew when the rules change`() {
        let store = GatewayStore()
        for job in ["a", "b", "c"] { _ = store.run(.push(push(job, series: 2, quota: nil))) }
        store.assignQuotas { $0["job"] == "b" ? 0 : 9 }
        #expect(store.quotaUse(9) == QuotaUse(groups: 2, series: 4))
        store.assignQuotas { _ in 7 }
        #expect(store.quotaUse(9) == QuotaUse())
        #expect(store.quotaUse(7) == QuotaUse(groups: 3, series: 6))
        #expect(isRefused(store.run(.push(push("d", series: 1, quota: quota)))))
    }

    @Test func `gauges of named families are added by their own rule`() {
        var state = GatewayState()
        func push(_ value: Double) -> Push {
            let metric = Metric(labels: [], value: .gauge(value))
            var push = Push(
                group: GroupingKey(["job": "a"]),
                families: [
                    MetricFamily(name: "x", type: .gauge, metrics: [metric]),
                    MetricFamily(name: "peak", type: .gauge, metrics: [metric]),
                ], mode: .accumulate, time: 1, gaugeRule: .sum)
            push.gaugeRules = ["peak": .maximum]
            return push
        }
        for value in [3.0, 5, 2] { _ = state.apply(.push(push(value))) }
        let text = String(decoding: state.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
        #expect(text.contains(#"peak{instance="",job="a"} 5"#))
        #expect(text.contains(#"x{instance="",job="a"} 10"#))
    }
}
