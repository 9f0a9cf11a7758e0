import DurableFiles
import Gateway
import MetricModel
import Synchronization
import TestSupport
import Testing

@Suite struct LifetimeTests {
    private static let second: Int64 = 1_000_000_000

    private func push(_ job: String, at time: Int64, _ lifetime: Lifetime, _ families: [MetricFamily] = []) -> Command {
        .push(
            Push(
                group: GroupingKey(["job": job]), families: families, mode: .replaceFamilies, time: time,
                lifetime: lifetime))
    }

    private func samples(_ state: inout GatewayState, _ name: String) -> [String] {
        String(decoding: state.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
            .split(separator: "\n").map(String.init).filter { $0.hasPrefix(name) }
    }

    @Test func `a group goes when its time has come, and shows when that is`() {
        var state = GatewayState()
        _ = state.apply(push("a", at: 100 * Self.second, .nanoseconds(10 * Self.second)))
        _ = state.apply(push("b", at: 100 * Self.second, .forever))
        #expect(samples(&state, "push_expiry") == [#"push_expiry_time_seconds{instance="",job="a"} 110"#])
        #expect(state.nextExpiry == 110 * Self.second)
        _ = state.apply(.expire(at: 110 * Self.second - 1))
        #expect(state.groupCount == 2)
        _ = state.apply(.expire(at: 110 * Self.second))
        #expect(state.groupCount == 1)
        #expect(state.expiredCount == 1)
        #expect(samples(&state, "push_expiry") == [])
    }

    @Test func `each push renews the lifetime, one without makes the group stay`() {
        var state = GatewayState()
        _ = state.apply(push("a", at: 0, .nanoseconds(10)))
        _ = state.apply(push("a", at: 5, .nanoseconds(10)))
        _ = state.apply(.expire(at: 12))
        #expect(state.groupCount == 1)
        _ = state.apply(push("a", at: 12, .forever))
        _ = state.apply(.expire(at: 1000))
        #expect(state.groupCount == 1)
        #expect(state.group(GroupingKey(["job": "a"]))?.lifetime == .forever)
    }

    @Test(arguments: 0..<5 as Range<UInt64>) func `groups end in order, however often they are renewed`(seed: UInt64) {
        var state = GatewayState()
        var random = SeededGenerator(seed: seed)
        var ends: [String: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<2000 {
            now += Int64.random(in: 0..<3, using: &random)
            let job = "\(Int.random(in: 0..<40, using: &random))"
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                _ = state.apply(.delete(GroupingKey(["job": job])))
                ends[job] = nil
            case 1:
                _ = state.apply(.expire(at: now))
                ends = ends.filter { $0.value > now }
            default:
                let duration = Int64.random(in: 1..<60, using: &random)
                _ = state.apply(push(job, at: now, .nanoseconds(duration)))
                ends[job] = now + duration
            }
            #expect(state.groupCount == ends.count)
        }
    }

    @Test func `a group that waits for two scrapers goes after the second, if it was not pushed since`() {
        let store = GatewayStore()
        _ = store.run(push("a", at: 1, .untilScraped(by: 2)))
        _ = store.run(push("b", at: 1, .forever))
        store.confirm(store.scrape(), by: "p1")
        store.confirm(store.scrape(), by: "p1")
        #expect(store.groupCount == 2)
        let early = store.scrape()
        _ = store.run(push("a", at: 2, .untilScraped(by: 2)))
        store.confirm(early, by: "p2")
        #expect(store.groupCount == 2)
        store.confirm(store.scrape(), by: "p1")
        store.confirm(store.scrape(), by: "p2")
        #expect(store.groupCount == 1)
    }

    @Test func `a part of a scrape confirms only groups it sends whole`() throws {
        let store = GatewayStore()
        for job in 0..<40 { _ = store.run(push("\(job)", at: 1, .untilScraped(by: 1))) }
        var names: Set<String> = []
        for index in 0..<4 {
            var scrape = store.scrape()
            scrape.filter.shard = ScrapeFilter.Shard(index: index, count: 4)
            let body = String(decoding: scrape.text(own: [], coding: .identity).bytes, as: UTF8.self)
            let lines = body.split(separator: "\n").filter { $0.hasPrefix("push_time_seconds{") }.map(String.init)
            #expect(names.isDisjoint(with: lines))
            names.formUnion(lines)
            let before = store.groupCount
            store.confirm(scrape, by: "p")
            #expect(before - store.groupCount == lines.count)
        }
        #expect(names.count == 40)
        #expect(store.groupCount == 0)
    }

    @Test func `lifetimes survive a restart, with and without a snapshot`() throws {
        let disk = SimulatedDisk()
        let persistence = GatewayStore.Persistence(path: "/data/g", snapshotInterval: nil, fileSystem: disk)
        for isSnapshot in [false, true] {
            let store = try GatewayStore(persistence: persistence)
            _ = store.run(push("a", at: 100, .nanoseconds(50)))
            _ = store.run(push("b", at: 100, .untilScraped(by: 2)))
            store.confirm(store.scrape(), by: "p1")
            if isSnapshot { store.writeSnapshot() }
            while !store.isIdle {}
            disk.restart(.dropUnsynced)
            store.close()
            let reopened = try GatewayStore(persistence: persistence)
            #expect(reopened.expire(at: 149) == 0)
            #expect(reopened.expire(at: 150) == 1)
            reopened.confirm(reopened.scrape(), by: "p1")
            #expect(reopened.groupCount == 1)
            reopened.confirm(reopened.scrape(), by: "p2")
            #expect(reopened.groupCount == 0)
            while !reopened.isIdle {}
            reopened.close()
        }
    }

    /// Promise D10.
    @Test func `lifetimes end by the time that passes, whatever the clock is set to`() throws {
        let clocks = Mutex((wall: 1_600_000_000 * Self.second, steady: 50 * Self.second))
        var options = GatewayStore.Options()
        options.clocks = { clocks.withLock { $0 } }
        let disk = SimulatedDisk()
        var store = try GatewayStore(
            options: options, persistence: .init(path: "/data/g", snapshotInterval: nil, fileSystem: disk))
        func pass(_ seconds: Int64, set jump: Int64 = 0) {
            clocks.withLock { clocks in
                clocks.wall += (seconds + jump) * Self.second
                clocks.steady += seconds * Self.second
            }
            store.expire(at: clocks.withLock { $0.wall })
        }
        let tenYears: Int64 = 315_360_000
        pass(0)
        #expect(
            store.run(push("a", at: clocks.withLock { $0.wall }, .nanoseconds(100 * Self.second))) == .accepted)
        pass(40, set: tenYears)
        #expect(store.groupCount == 1)
        pass(40, set: -2 * tenYears)
        #expect(store.groupCount == 1)
        // What was moved is on disk.
        #expect(store.run(.delete(GroupingKey(["job": "none"]))) == .accepted)
        while !store.isIdle {}
        disk.restart(.dropUnsynced)
        store.close()
        store = try GatewayStore(
            options: options, persistence: .init(path: "/data/g", snapshotInterval: nil, fileSystem: disk))
        pass(0)
        pass(19)
        #expect(store.groupCount == 1)
        pass(2)
        #expect(store.groupCount == 0)
        store.close()
    }
}
