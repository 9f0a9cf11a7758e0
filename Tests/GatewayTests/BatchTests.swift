import Exposition
import Gateway
import Matching
import MetricModel
import Synchronization
import TestSupport
import Testing

@Suite struct BatchTests {
    private func pushes(_ text: String, by names: [ByteString] = ["job"]) throws -> [Push] {
        try GroupSplitter.split(try TextParser.parse(Array(text.utf8)), by: names).map {
            Push(group: $0.key, families: $0.families, mode: .replaceGroup, time: 7)
        }
    }

    @Test func `a body is split by labels`() throws {
        let groups = try pushes(
            "x{job=\"a\",instance=\"1\"} 1\nx{job=\"b\"} 2\ny{job=\"a\",instance=\"1\",l=\"v\"} 3\n", by: ["instance"])
        #expect(groups.map(\.group) == [GroupingKey(["job": "a", "instance": "1"]), GroupingKey(["job": "b"])])
        #expect(groups[0].families.map(\.name) == ["x", "y"])
        #expect(throws: GroupSplitter.Failure.self) { _ = try pushes("x{instance=\"1\"} 1\n") }
    }

    @Test func `an atomic batch is all or nothing`() throws {
        let store = GatewayStore()
        _ = store.run(.batch(try pushes("x{job=\"a\"} 1\nx{job=\"b\"} 1\n"), isAtomic: true))
        let before = String(decoding: store.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
        var bad = try pushes("x{job=\"a\"} 5\ny{job=\"c\"} 1\nx{job=\"d\"} 1\n")
        bad.append(
            Push(
                group: GroupingKey(["job": "b"]),
                families: [MetricFamily(name: "x", type: .gauge, metrics: [Metric(labels: [], value: .gauge(1))])],
                mode: .replaceGroup, time: 9))
        guard case .refused(.inconsistent) = store.run(.batch(bad, isAtomic: true)) else {
            Issue.record("taken")
            return
        }
        #expect(store.groupCount == 2)
        let after = String(decoding: store.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
        #expect(
            after
                == before.replacing(
                    #"push_failure_time_seconds{instance="",job="b"} 0"#,
                    with: #"push_failure_time_seconds{instance="",job="b"} 9e-09"#))
    }

    @Test func `a batch that is not atomic answers for each`() throws {
        let store = GatewayStore()
        _ = store.run(.batch(try pushes("# TYPE x counter\nx{job=\"a\"} 1\n"), isAtomic: true))
        let outcome = store.run(.batch(try pushes("x{job=\"b\"} 1\ny{job=\"c\"} 1\n"), isAtomic: false))
        guard case .each(let each) = outcome, each.count == 2, case .refused = each[0], each[1] == .accepted else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a batch on disk comes back whole or not at all`() throws {
        let families = [MetricFamily(name: "x", type: .gauge, metrics: [Metric(labels: [], value: .gauge(1))])]
        let batch = (0..<20).map {
            Push(group: GroupingKey(["job": "\($0)"]), families: families, mode: .replaceGroup, time: 1)
        }
        for last in 0..<16 {
            for damage in SimulatedDisk.Damage.allCases {
                let disk = SimulatedDisk(seed: UInt64(last))
                let persistence = GatewayStore.Persistence(path: "/data/g", snapshotInterval: nil, fileSystem: disk)
                disk.faults.crashAfterOperation = last
                var isAcknowledged = false
                if let store = try? GatewayStore(persistence: persistence) {
                    isAcknowledged = store.run(.batch(batch, isAtomic: true)) == .accepted
                    store.close()
                }
                disk.restart(damage)
                let reopened = try GatewayStore(persistence: persistence)
                #expect(reopened.groupCount == 20 || (!isAcknowledged && reopened.groupCount == 0))
                reopened.close()
            }
        }
    }

    @Test func `groups are found and deleted by selectors and age`() throws {
        let store = GatewayStore()
        for number in 0..<300 {
            let push = Push(
                group: GroupingKey(["job": number % 2 == 0 ? "even" : "odd", "n": "\(number)"]), families: [],
                mode: .replaceGroup, time: Int64(number))
            _ = store.run(.push(push))
        }
        let even = GroupSelector([Matcher("job", equals: "even")])
        let late = GroupSelector([try Matcher("n", .matches, "2..")])
        #expect(store.keys(matching: [even]).count == 150)
        #expect(store.keys(matching: [even, late]).count == 200)
        #expect(store.keys(matching: [], before: 10).count == 10)
        #expect(store.keys(matching: [even], limit: 7).count == 7)
        let outcomes = EventCounter()
        store.delete(store.keys(matching: [even]), before: 100) { outcomes.add($0) }
        #expect(outcomes.all == [.accepted])
        #expect(store.groupCount == 250)
        store.delete([], before: .max) { outcomes.add($0) }
        #expect(outcomes.all.count == 2)
    }

    @Test func `a scrape sends only series that are asked for`() throws {
        let store = GatewayStore()
        _ = store.run(.batch(try pushes("x{job=\"a\"} 1\nx{job=\"b\"} 2\ny{job=\"a\"} 3\n"), isAtomic: true))
        var scrape = store.scrape()
        scrape.filter.selectors = [[Matcher("__name__", equals: "x"), Matcher("job", equals: "b")]]
        let body = String(decoding: scrape.text(own: [], coding: .identity).bytes, as: UTF8.self)
        #expect(body == "# TYPE x untyped\nx{instance=\"\",job=\"b\"} 2\n")
    }

    @Test func `changes can be followed, and who is too slow is told so`() throws {
        let store = GatewayStore()
        let wakes = EventCounter()
        let subscription = store.subscribe { wakes.add(.accepted) }
        _ = store.run(.push(try pushes("x{job=\"a\"} 1\n")[0]))
        _ = store.run(.delete(GroupingKey(["job": "a"])))
        _ = store.run(.wipe)
        withExtendedLifetime(subscription) {}
        #expect(wakes.all.count == 3)
        let changes = try #require(store.changes(after: 0))
        #expect(changes.map(\.kind) == [.pushed, .deleted, .wiped])
        #expect(changes.map(\.id) == [1, 2, 3])
        #expect(store.changes(after: 3) == [])
        #expect(store.changes(after: 4) == nil)
        for _ in 0..<5000 { _ = store.run(.wipe) }
        #expect(store.changes(after: 3) == nil)
        #expect(store.changes(after: 5000, limit: 2)?.map(\.id) == [5001, 5002])
    }
}

/// Collects outcomes.
final class EventCounter: Sendable {
    private let outcomes = Mutex<[Outcome]>([])

    func add(_ outcome: Outcome) { outcomes.withLock { $0.append(outcome) } }

    var all: [Outcome] { outcomes.withLock { $0 } }
}
