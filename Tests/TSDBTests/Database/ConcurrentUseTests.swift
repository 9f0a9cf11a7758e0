import Matching
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// Appends, queries, compaction, deletion and snapshots at the same time: what each of them sees of the others.
@Suite struct ConcurrentUseTests {
    @Test func `queries see whole scrapes without gaps while the store is written, compacted and pruned`() async throws
    {
        let run = try ConcurrentRun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await run.write() }
            for reader in 0..<2 { group.addTask { try await run.read(reader) } }
            group.addTask { try await run.maintain() }
            group.addTask { try await run.prune() }
            try await group.waitForAll()
        }
        try run.checkWhole()
    }
}

/// One store and those who use it. Every scrape appends the number of its step to each series of its writer.
private final class ConcurrentRun: Sendable {
    private static let start: Timestamp = 1_700_000_000_000
    private static let interval: Timestamp = 1_000
    private static let steps = 600
    private static let writers = 2
    private static let seriesOfWriter = 20

    private let folder: TemporaryFolder
    private let database: Database
    /// The last step that was committed by all writers; negative before the first.
    private let committed = Atomic<Int>(-1)
    private let isDone = Atomic<Bool>(false)
    private let checks = Atomic<Int>(0)

    init() throws {
        folder = try TemporaryFolder()
        var options = Database.Options()
        options.minimumBlockDuration = 60 * Self.interval
        options.maximumBlockDuration = 540 * Self.interval
        options.samplesPerChunk = 20
        options.walSegmentSize = 64 << 10
        options.minimumFreeBytes = 0
        database = try Database.open(folder.file("data"), options: options)
    }

    private static func time(_ step: Int) -> Timestamp { start + Timestamp(step) * interval }

    private var now: Timestamp { Self.time(max(0, committed.load(ordering: .acquiring))) }

    /// Writers go step by step together, as no sample may be older than the head allows.
    func write() async throws {
        defer { isDone.store(true, ordering: .releasing) }
        for step in 0..<Self.steps {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<Self.writers {
                    group.addTask { try self.scrape(writer, step) }
                }
                try await group.waitForAll()
            }
            committed.store(step, ordering: .releasing)
        }
    }

    private func scrape(_ writer: Int, _ step: Int) throws {
        let appender = database.appender()
        for index in 0..<Self.seriesOfWriter {
            _ = try appender.append(
                .none, labels: Labels(["__name__": "kept", "writer": "\(writer)", "i": "\(index)"]),
                timestamp: Self.time(step), value: Double(step))
        }
        _ = try appender.append(
            .none, labels: Labels(["__name__": "churned", "writer": "\(writer)", "run": "\(step / 50)"]),
            timestamp: Self.time(step), value: Double(step))
        _ = try appender.commit(.relaxed)
    }

    func read(_ reader: Int) async throws {
        var random = SeededGenerator(seed: UInt64(reader) + 1)
        while !isDone.load(ordering: .acquiring) {
            let known = committed.load(ordering: .acquiring)
            await Task.yield()
            guard known >= 0 else { continue }
            let first = Int.random(in: 0...known, using: &random)
            let last = Bool.random(using: &random) ? Self.steps : Int.random(in: first...Self.steps, using: &random)
            try check(Int.random(in: 0..<Self.writers, using: &random), first...last, known: known)
        }
    }

    /// Every series of a writer holds the steps from the first that is asked for, up to one and the same.
    private func check(_ writer: Int, _ steps: ClosedRange<Int>, known: Int) throws {
        let querier = try database.querier(from: Self.time(steps.lowerBound), to: Self.time(steps.upperBound))
        let selected = try querier.select([
            Matcher("__name__", equals: "kept"), Matcher("writer", equals: ByteString("\(writer)")),
        ])
        try #require(selected.count == Self.seriesOfWriter)
        var newest: Int?
        for series in selected {
            var columns = SampleColumns()
            try series.read(into: &columns)
            let expected = steps.lowerBound..<(steps.lowerBound + columns.count)
            try #require(columns.values == expected.map(Double.init), "\(series.labels) in \(steps)")
            try #require(columns.timestamps == expected.map(Self.time))
            try #require(expected.upperBound > min(known, steps.upperBound))
            try #require(newest == nil || newest == expected.upperBound, "a scrape is seen in part")
            newest = expected.upperBound
        }
        checks.add(1, ordering: .relaxed)
    }

    /// Calls `body` again and again while there are writers, each time some steps after the last.
    private func repeatedly(every steps: Int, _ body: (_ round: Int) throws -> Void) async throws {
        var round = 0
        while !isDone.load(ordering: .acquiring) {
            if committed.load(ordering: .acquiring) >= round * steps {
                round += 1
                try body(round)
            }
            await Task.yield()
        }
    }

    func maintain() async throws {
        try await repeatedly(every: 5) { _ in try database.maintain(now: now) }
    }

    /// Deletes what nobody reads, and takes snapshots of everything.
    func prune() async throws {
        try await repeatedly(every: 7) { round in
            try database.delete(
                [Matcher("__name__", equals: "churned"), Matcher("run", equals: ByteString("\(round % 12)"))],
                from: .min, to: .max)
            if round % 3 == 0 { try database.cleanTombstones() }
            if round % 10 == 0 {
                try database.snapshot(into: folder.file("snapshot-\(round)"), skippingHead: round % 20 == 0)
            }
        }
    }

    /// After all of it nothing is lost, and everybody had something to do.
    func checkWhole() throws {
        for writer in 0..<Self.writers { try check(writer, 0...Self.steps, known: Self.steps - 1) }
        #expect(checks.load(ordering: .relaxed) > Self.writers)
        #expect(database.blocks.count >= 1)
        try database.close()
        let reopened = try Database.open(folder.file("data"))
        let series = try reopened.querier(from: .min, to: .max).select([Matcher("__name__", equals: "kept")])
        #expect(series.count == Self.writers * Self.seriesOfWriter)
        for one in series {
            var columns = SampleColumns()
            try one.read(into: &columns)
            #expect(columns.values == (0..<Self.steps).map(Double.init))
        }
        try reopened.close()
    }
}
