import DurableFiles
import Gateway
import MetricModel
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct PersistenceTests {
    private static let path = "/data/gateway"

    private func open(
        _ disk: SimulatedDisk, _ events: EventLog = EventLog(), interval: Duration? = nil, step: Int = 300
    ) throws -> GatewayStore {
        var persistence = GatewayStore.Persistence(
            path: Self.path, snapshotInterval: interval, fileSystem: disk, onEvent: { events.append($0) })
        persistence.journalStep = step
        return try GatewayStore(persistence: persistence)
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func `what was acknowledged is there after a restart`(seed: UInt64) throws
    {
        let disk = SimulatedDisk(seed: seed)
        let twin = GatewayStore()
        var generator = CommandGenerator(seed: seed)
        for _ in 0..<3 {
            let store = try open(disk)
            #expect(store.fingerprint == twin.fingerprint)
            for step in 0..<30 {
                let command = generator.next()
                #expect(store.run(command) == twin.run(command))
                if step % 11 == 10 { #expect(store.writeSnapshot()) }
            }
            #expect(store.fingerprint == twin.fingerprint)
            store.close()
            disk.restart(.dropUnsynced)
        }
        #expect(disk.paths == [Self.path, Self.path + ".lock"])
    }

    /// `NARTHEX_CRASH_SEEDS` sets how many sequences of commands are cut after each of their first 70 operations.
    private static let crashSeeds: Range<UInt64> =
        0..<(getenv("NARTHEX_CRASH_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 6)

    /// Promise D2: whatever operation is the last, and whatever the disk made of unsynced writes.
    @Test(arguments: SimulatedDisk.Damage.allCases, crashSeeds)
    func `a crash after any operation loses nothing acknowledged and invents nothing`(
        damage: SimulatedDisk.Damage, seed: UInt64
    ) throws {
        for last in 0..<70 {
            let disk = SimulatedDisk(seed: seed)
            disk.faults.crashAfterOperation = last
            let twin = GatewayStore()
            var allowed = [twin.fingerprint]
            var generator = CommandGenerator(seed: seed)
            if let store = try? open(disk) {
                for step in 0..<12 where !disk.isCrashed {
                    let command = generator.next()
                    let outcome = store.run(command)
                    _ = twin.run(command)
                    let isAcknowledged: Bool
                    if case .refused(.unavailable) = outcome { isAcknowledged = false } else { isAcknowledged = true }
                    if isAcknowledged { allowed = [] }
                    allowed.append(twin.fingerprint)
                    if step == 5 { store.writeSnapshot() }
                }
                store.close()
            }
            disk.restart(damage)
            let reopened = try open(disk)
            #expect(allowed.contains(reopened.fingerprint), "operation \(last)")
            reopened.close()
        }
    }

    @Test func `every flipped byte and every cut is noticed, and all other records are used`() throws {
        let disk = SimulatedDisk()
        var store = try open(disk, step: 40)
        for job in ["a", "b", "c"] {
            let push = Push(
                group: GroupingKey(["job": job]),
                families: [MetricFamily(name: "x", type: .gauge, metrics: [Metric(labels: [], value: .gauge(1))])],
                mode: .replaceGroup, time: 1_600_000_000_000_000_000)
            #expect(store.run(.push(push)) == .accepted)
        }
        let segment = Self.path + ".journal-00000001"
        let whole = try #require(disk.peek(segment))
        let end = try #require(whole.lastIndex { $0 != 0 }) + 1
        #expect(end < whole.count)
        disk.restart(.keepAll)
        store.close()
        for position in whole.indices {
            for isCut in [false, true] {
                let copy = SimulatedDisk()
                try copy.makeDirectory("/data")
                var bytes = whole
                if isCut { bytes.removeSubrange(position...) } else { bytes[position] ^= 0x41 }
                copy.poke(segment, bytes)
                let events = EventLog()
                store = try open(copy, events)
                if position < end - 1, position > 28, !isCut { #expect(store.groupCount == 2, "\(position)") }
                // Behind the last frame nothing is stored, but nothing but zeros is taken either.
                #expect((store.groupCount == 3) == (position >= end))
                if !isCut { #expect(events.all.contains { $0.isDamage }, "\(position)") }
                if events.all.contains(where: { $0.isDamage }) {
                    #expect(copy.peek(segment + ".damaged") == bytes)
                    #expect(copy.peek(segment) == nil)
                }
                store.close()
            }
        }
    }

    @Test func `every flipped byte of a snapshot is noticed`() throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        var generator = CommandGenerator(seed: 3)
        for _ in 0..<10 { _ = store.run(generator.next()) }
        store.close()
        let whole = try #require(disk.peek(Self.path))
        for position in whole.indices {
            let copy = SimulatedDisk()
            try copy.makeDirectory("/data")
            var bytes = whole
            bytes[position] ^= 0x10
            copy.poke(Self.path, bytes)
            let events = EventLog()
            try open(copy, events).close()
            #expect(events.all.contains { $0.isDamage }, "\(position)")
            #expect(copy.peek(Self.path + ".damaged") == bytes)
        }
    }

    @Test func `a full disk refuses pushes, scrapes go on, and all is well when space returns`() throws {
        let disk = SimulatedDisk()
        let events = EventLog()
        let store = try open(disk, events)
        var generator = CommandGenerator(seed: 1)
        disk.faults.capacity = 2000
        var refused = 0
        while refused == 0 {
            let push = Push(group: generator.group(), families: generator.families(), mode: .replaceFamilies, time: 5)
            if case .refused(.unavailable(let text, let isRetriable)) = store.run(.push(push)) {
                #expect(isRetriable && text.contains("No space left on device"))
                refused += 1
            }
        }
        #expect(store.refusal != nil)
        let before = store.fingerprint
        disk.faults.capacity = nil
        // Reported once pushes are taken again.
        events.wait(for: .spaceReturned)
        #expect(store.refusal == nil)
        #expect(store.run(.delete(GroupingKey(["job": "none"]))) == .accepted)
        store.close()
        disk.restart(.dropUnsynced)
        let reopened = try open(disk)
        #expect(reopened.fingerprint == before)
        reopened.close()
    }

    @Test(arguments: 1..<14) func `a failed sync is never taken for a good one`(sync: Int) throws {
        let disk = SimulatedDisk()
        let events = EventLog()
        disk.faults.failingSync = sync
        let store = try open(disk, events)
        let twin = GatewayStore()
        var states = [twin.fingerprint]
        var generator = CommandGenerator(seed: 9)
        var isFailed = false
        for _ in 0..<12 {
            let command = generator.next()
            if case .refused(.unavailable(_, isRetriable: false)) = store.run(command) { isFailed = true }
            if !isFailed {
                _ = twin.run(command)
                states.append(twin.fingerprint)
            }
        }
        #expect(isFailed == (store.refusal != nil))
        _ = store.scrape().text(own: [], coding: .identity)
        store.close()
        disk.restart(.dropUnsynced)
        let reopened = try open(disk)
        #expect(reopened.fingerprint == states.last)
        reopened.close()
    }

    @Test func `a second process is refused`() throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        #expect(throws: StoreError.inUse(path: Self.path)) { _ = try open(disk) }
        store.close()
        try open(disk).close()
    }

    @Test func `many clients at once lose nothing, also while snapshots are written`() throws {
        let directory = try TemporaryFolder()
        let persistence = GatewayStore.Persistence(path: directory.file("g"), snapshotInterval: nil)
        let store = try GatewayStore(persistence: persistence)
        let threads = try (0..<8).map { worker in
            try WorkerThread(name: "client") {
                for step in 0..<40 {
                    let metric = Metric(labels: [LabelPair("step", ByteString("\(step)"))], value: .gauge(1))
                    let push = Push(
                        group: GroupingKey(["job": "\(worker)", "step": "\(step)"]),
                        families: [MetricFamily(name: "x", type: .gauge, metrics: [metric])], mode: .replaceGroup,
                        time: 1)
                    #expect(store.run(.push(push)) == .accepted)
                    if step % 13 == worker { store.writeSnapshot() }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(store.groupCount == 320)
        let before = store.fingerprint
        store.close()
        let reopened = try GatewayStore(persistence: persistence)
        #expect(reopened.fingerprint == before)
        reopened.close()
    }
}

/// Collects what a store reports.
final class EventLog: Sendable {
    private let condition = Condition()
    // SAFETY: only used within `condition.withLock`.
    private nonisolated(unsafe) var events: [StoreEvent] = []

    func append(_ event: StoreEvent) {
        condition.withLock {
            events.append(event)
            condition.broadcast()
        }
    }

    var all: [StoreEvent] { condition.withLock { events } }

    /// Waits until `event` has been reported.
    func wait(for event: StoreEvent) {
        condition.withLock { while !events.contains(event) { condition.wait() } }
    }
}

extension StoreEvent {
    var isDamage: Bool {
        switch self {
        case .damaged, .tornTail: true
        default: false
        }
    }
}
