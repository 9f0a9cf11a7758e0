import Matching
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// What went wrong in Prometheus once, and must not here. Damage to the log is in ``WALDamageTests``, fast paths of
/// regular expressions in `PatternShapeTests`.
@Suite struct UpstreamBugTests {
    /// A multiple of two hours.
    private static let start: Timestamp = 1_700_006_400_000
    private static let hour: Int64 = 3_600_000

    private static func options(_ change: (inout Database.Options) -> Void = { _ in }) -> Database.Options {
        var options = Database.Options()
        options.minimumFreeBytes = 0
        options.walSegmentSize = 32 << 10
        change(&options)
        return options
    }

    private static func append(
        _ database: Database, _ index: Int, _ time: Timestamp, _ value: Double
    ) throws {
        let appender = database.appender()
        let labels = Labels(["__name__": "m", "i": "\(index)"])
        _ = try appender.append(.none, labels: labels, timestamp: time, value: value)
        #expect(try appender.commit(.synced).appended == 1)
    }

    /// Restarts twice, once by a crash, and expects the same content each time.
    private static func expectKept(
        _ disk: SimulatedDisk, _ options: Database.Options, _ database: Database, _ expected: [String]
    ) throws {
        #expect(try StoreContent.lines(database) == expected)
        disk.restart(.keepAll)
        let crashed = try Database.open("data", options: options, fileSystem: disk)
        #expect(try StoreContent.lines(crashed) == expected)
        try crashed.maintain(now: start + 48 * hour)
        #expect(try StoreContent.lines(crashed) == expected)
        try crashed.close()
        let stopped = try Database.open("data", options: options, fileSystem: disk)
        #expect(try StoreContent.lines(stopped) == expected)
        try stopped.close()
    }

    @Test(.bug("https://github.com/prometheus/prometheus/issues/6934"))
    func `full chunks leave the memory while the log is replayed, segment by segment`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options { $0.samplesPerChunk = 20 }
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<3_000 {
            let appender = database.appender()
            for index in 0..<10 {
                _ = try appender.append(
                    .none, labels: Labels(["__name__": "m", "i": "\(index)"]),
                    timestamp: Self.start + Int64(step) * 1_000, value: Double(step &* 7_919 &+ index))
            }
            _ = try appender.commit(.synced)
        }
        let content = try StoreContent.lines(database)
        disk.restart(.keepAll)
        // As if nothing had been written out before the crash: all of it is in the log only.
        let chunks = "data/chunks_head/000001"
        if disk.peek(chunks) != nil { try disk.remove(chunks) }
        let sizes = Mutex<[Int]>([])
        let reopened = try Database.open("data", options: options, fileSystem: disk) { event in
            guard case .replaying = event else { return }
            sizes.withLock { $0.append(disk.peek(chunks)?.count ?? 0) }
        }
        #expect(try StoreContent.lines(reopened) == content)
        let written = sizes.withLock { $0 }
        try #require(written.count > 5)
        // What is in the files grows with each segment, so that memory holds one segment's chunks at most.
        #expect(zip(written.dropFirst(2), written.dropFirst()).allSatisfy { $0 > $1 }, "\(written)")
        try reopened.close()
    }

    @Test(
        .bug("https://github.com/prometheus/prometheus/pull/19016"),
        .bug("https://github.com/prometheus/prometheus/pull/18847"),
        arguments: [0, 14_400_000] as [Int64])
    func `series that ended early lose nothing, late samples included`(_ window: Int64) throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options {
            $0.staleSeriesThreshold = 0.3
            $0.outOfOrderWindow = window
        }
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<120 {
            let time = Self.start + Int64(step) * 30_000
            for index in 0..<4 {
                try Self.append(database, index, time, step == 119 && index < 2 ? SampleValue.stale : Double(step))
            }
            if window > 0, step % 10 == 5 { try Self.append(database, 1, time - 17_001, 1) }
        }
        let expected = try StoreContent.lines(database)
        try database.maintain(now: Self.start + Self.hour)
        // Enough traffic that the log is condensed: the records of series that are gone must not be missed.
        for step in 0..<3 { try database.maintain(now: Self.start + Self.hour + Int64(step)) }
        try Self.expectKept(disk, options, database, expected)
    }

    @Test(.bug("https://github.com/prometheus/prometheus/pull/18849"))
    func `a series that ends at the edge of a range keeps its last sample`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options { $0.staleSeriesThreshold = 0.3 }
        let database = try Database.open("data", options: options, fileSystem: disk)
        let edge = Self.start + 2 * Self.hour
        for index in 0..<2 {
            try Self.append(database, index, edge - 60_000, 1)
            try Self.append(database, index, edge - 1, 2)
            try Self.append(database, index, edge, index == 0 ? SampleValue.stale : 3)
        }
        let expected = try StoreContent.lines(database)
        #expect(expected.count == 6)
        try database.maintain(now: edge)
        #expect(database.headStatus.seriesCount == 1)
        try Self.expectKept(disk, options, database, expected)
    }

    @Test(.bug("https://github.com/prometheus/prometheus/pull/19183"))
    func `a series that changes its kind of samples has not ended`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options { $0.staleSeriesThreshold = 0.1 }
        let database = try Database.open("data", options: options, fileSystem: disk)
        let labels = Labels(["__name__": "mixed"])
        func add(_ time: Timestamp, _ histogram: NativeHistogram?) throws {
            let appender = database.appender()
            if let histogram {
                _ = try appender.append(.none, labels: labels, timestamp: time, histogram: histogram)
            } else {
                _ = try appender.append(.none, labels: labels, timestamp: time, value: 1)
            }
            _ = try appender.commit(.synced)
        }
        let full = NativeHistogram(
            count: 2, sum: 3, positiveSpans: [BucketSpan(offset: 0, length: 1)], positiveDeltas: [2])
        try add(Self.start, nil)
        try Self.append(database, 0, Self.start, SampleValue.stale)
        try add(Self.start + 1000, NativeHistogram(sum: SampleValue.stale))
        try add(Self.start + 2000, full)
        try add(Self.start + 3000, NativeHistogram(sum: SampleValue.stale))
        try add(Self.start + 4000, nil)
        let expected = try StoreContent.lines(database)
        try database.maintain(now: Self.start)
        #expect(database.headStatus.staleSeriesCount == 1)
        #expect(database.headStatus.seriesCount == 1)
        try Self.expectKept(disk, options, database, expected)
    }

    @Test(.bug("https://github.com/prometheus/prometheus/pull/19140"))
    func `deleted series leave no gap in others, and no error, after a restart`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options { $0.outOfOrderWindow = Self.hour }
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<500 {
            let time = Self.start + Int64(step) * 60_000
            for index in 0..<3 { try Self.append(database, index, time, Double(step)) }
            if step == 200 {
                try database.delete([Matcher("i", equals: "1")], from: .min, to: .max)
                try database.maintain(now: time)
            }
            if step == 300 { try database.delete([Matcher("i", equals: "2")], from: Self.start, to: time) }
            if step % 100 == 99 { try database.maintain(now: time) }
        }
        let expected = try StoreContent.lines(database)
        #expect(expected.count == 500 + 299 + 199)
        try Self.expectKept(disk, options, database, expected)
    }

    @Test(
        .bug("https://github.com/prometheus/prometheus/pull/19202"),
        .bug("https://github.com/prometheus/prometheus/pull/18739"), arguments: [false, true])
    func `histograms are the same after a restart, from the log and from a snapshot`(_ hasSnapshot: Bool) throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options {
            $0.memorySnapshotOnShutdown = hasSnapshot
            $0.floatEncoding = .xor2
        }
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<300 {
            let appender = database.appender()
            let time = Self.start + Int64(step) * 15_000
            let count = Int64(step % 40) + 1
            // Buckets come and go, counters are reset, two series share a batch.
            for (index, offset) in [Int32(step % 3), Int32(step % 5) - 2].enumerated() {
                let histogram = NativeHistogram(
                    schema: index == 0 ? 1 : Int32(step / 100), zeroCount: 1, count: UInt64(2 * count + 1),
                    sum: Double(step),
                    positiveSpans: [BucketSpan(offset: offset, length: 1), BucketSpan(offset: 2, length: 1)],
                    positiveDeltas: [count, 0])
                _ = try appender.append(
                    .none, labels: Labels(["__name__": "h", "i": "\(index)"]), timestamp: time, histogram: histogram)
            }
            _ = try appender.append(.none, labels: Labels(["__name__": "f"]), timestamp: time, value: Double(step))
            _ = try appender.commit(.relaxed)
        }
        let expected = try StoreContent.lines(database)
        try database.close()
        let again = try Database.open("data", options: options, fileSystem: disk)
        try Self.expectKept(disk, options, again, expected)
    }

    @Test(.bug("https://github.com/prometheus/prometheus/issues/18552"))
    func `damage behind a running store does not keep its log from being condensed`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options { $0.walCompression = .none }
        let repairs = Atomic<Int>(0)
        let database = try Database.open("data", options: options, fileSystem: disk) { event in
            if case .repaired = event { repairs.add(1, ordering: .relaxed) }
        }
        for step in 0..<3000 {
            for index in 0..<2 { try Self.append(database, index, Self.start + Int64(step) * 10_000, Double(step)) }
            if step == 1000 {
                var content = try #require(disk.peek("data/wal/00000001"))
                content[content.count / 2] ^= 0x55
                disk.poke("data/wal/00000001", content)
            }
            if step % 500 == 499 { try database.maintain(now: Self.start + Int64(step) * 10_000) }
        }
        #expect(repairs.load(ordering: .relaxed) > 0)
        #expect(database.metrics.checkpoints > 0)
        #expect(!disk.paths.contains("data/wal/00000001"))
        #expect(try StoreContent.lines(database).count == 6000)
        try database.close()
        #expect(try StoreContent.lines(Database.open("data", options: options, fileSystem: disk)).count == 6000)
    }

    @Test(
        .bug("https://github.com/prometheus/prometheus/pull/19120"),
        .bug("https://github.com/prometheus/prometheus/pull/19134"))
    func `a reader keeps its chunks while the head moves on, and is told where one is damaged`() throws {
        let disk = SimulatedDisk(seed: 1)
        let options = Self.options()
        let database = try Database.open("data", options: options, fileSystem: disk)
        for step in 0..<700 { try Self.append(database, 0, Self.start + Int64(step) * 15_000, Double(step)) }
        try database.maintain(now: Self.start)
        let querier = try database.querier(from: .min, to: .max)
        let series = try #require(try querier.select([]).first)
        for step in 700..<2000 { try Self.append(database, 0, Self.start + Int64(step) * 15_000, Double(step)) }
        try database.maintain(now: Self.start + 8 * Self.hour)
        #expect(!database.blocks.isEmpty)
        var columns = SampleColumns()
        try series.read(into: &columns)
        #expect(columns.values == (0..<700).map { Double($0) })
        let path = try #require(disk.paths.last { $0.contains("/chunks_head/") })
        var content = try #require(disk.peek(path))
        // The last chunk is of the head still.
        content[content.count - 20] ^= 0x10
        disk.poke(path, content)
        #expect(throws: StoreError.self) {
            var columns = SampleColumns()
            for series in try database.querier(from: .min, to: .max).select([]) { try series.read(into: &columns) }
        }
    }
}
