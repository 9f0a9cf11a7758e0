import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct CompactionPlannerTests {
    private static let hour: Int64 = 3_600_000
    private static let planner = CompactionPlanner(smallest: 2 * hour, largest: 54 * hour)

    private static func block(
        _ number: UInt64, _ from: Int64, _ to: Int64, tombstones: UInt64 = 0, failed: Bool = false, hint: String? = nil
    ) -> BlockMeta {
        var random = SeededGenerator(seed: number)
        var meta = BlockMeta(
            ulid: ULID(time: Int64(number), using: &random), minimumTime: from * hour, maximumTime: to * hour)
        meta.stats.series = 10
        meta.stats.tombstones = tombstones
        meta.compactionFailed = failed
        if let hint { meta.hints = [hint] }
        return meta
    }

    private static func plan(_ blocks: [BlockMeta]) -> [Int] {
        let chosen = planner.plan(blocks)
        return blocks.indices.filter { chosen.contains(blocks[$0].ulid) }
    }

    @Test func `ranges grow by three`() {
        #expect(Self.planner.ranges == [2, 6, 18, 54].map { $0 * Self.hour })
    }

    @Test func `a full range is merged once a newer block is there`() {
        let three = [Self.block(1, 0, 2), Self.block(2, 2, 4), Self.block(3, 4, 6)]
        #expect(Self.plan(three) == [])
        #expect(Self.plan(three + [Self.block(4, 6, 8)]) == [0, 1, 2])
        #expect(Self.plan([Self.block(1, 0, 2), Self.block(3, 4, 6), Self.block(4, 6, 8)]) == [0, 1])
        #expect(
            Self.plan([Self.block(1, 0, 2), Self.block(2, 2, 4), Self.block(3, 6, 8), Self.block(4, 8, 10)]) == [0, 1])
        #expect(
            Self.plan([
                Self.block(1, 0, 2), Self.block(2, 2, 4), Self.block(3, 4, 6, failed: true), Self.block(4, 6, 8),
            ]) == [])
    }

    @Test func `blocks that overlap are merged first`() {
        #expect(
            Self.plan([Self.block(1, 0, 2), Self.block(2, 1, 4), Self.block(3, 3, 6), Self.block(4, 6, 8)]) == [
                0, 1, 2,
            ])
        #expect(Self.plan([Self.block(1, 0, 2), Self.block(2, 0, 2, hint: "from-stale-series")]) == [])
        #expect(Self.plan([Self.block(1, 0, 2), Self.block(2, 0, 2, hint: "from-out-of-order")]) == [0, 1])
    }

    @Test func `blocks with many deletions are rewritten`() {
        #expect(Self.plan([Self.block(1, 0, 18, tombstones: 1), Self.block(2, 18, 20)]) == [0])
        #expect(Self.plan([Self.block(1, 0, 2, tombstones: 1), Self.block(2, 18, 20)]) == [])
        #expect(Self.plan([Self.block(1, 0, 2, tombstones: 10), Self.block(2, 18, 20)]) == [0])
    }

    @Test func `ranges before 1970 are aligned too`() {
        #expect(
            Self.plan([Self.block(1, -6, -4), Self.block(2, -4, -2), Self.block(3, -2, 0), Self.block(4, 0, 2)]) == [
                0, 1, 2,
            ])
    }
}

@Suite struct CompactionTests {
    private static func ulid(_ seed: UInt64) -> ULID {
        var random = SeededGenerator(seed: seed)
        return ULID(time: BlockFixture.start + 1_000 + Int64(seed), using: &random)
    }

    @Test(arguments: 0..<6 as Range<UInt64>) func `a merged block answers as its parts did`(seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        try disk.makeDirectory("data")
        let step: Int64 = 200 * 15_000
        let lists = (0..<3).map { part in
            BlockFixture.floats(
                series: 20 + part * 5, samples: 200, seed: seed * 10 + UInt64(part),
                from: BlockFixture.start + Int64(part) * step)
        }
        let blocks = try lists.enumerated().map { try BlockFixture.write($1, "data", seed: UInt64($0 + 1), on: disk) }
        let from = BlockFixture.start + step - 300_000
        let to = BlockFixture.start + step + 400_000
        let matcher = Matcher("job", equals: "j1")
        for block in blocks { _ = try block.delete([matcher], from: from, to: to) }
        let meta = try #require(try Compactor("data", on: disk).compact(blocks, into: Self.ulid(seed)))
        let merged = try Block("data/\(meta.ulid)", on: disk)
        try merged.verify()
        let expected = lists.flatMap { list in
            BlockFixture.lines(list) { labels, time in !(matcher.matches(labels) && time >= from && time <= to) }
        }
        #expect(try BlockFixture.lines(merged) == expected.sorted())
        #expect(meta.level == 2 && meta.sources == blocks.map(\.meta.ulid).sorted())
        #expect(meta.parents.map(\.ulid) == blocks.map(\.meta.ulid))
        #expect(meta.stats.tombstones == 0 && meta.stats.samples == UInt64(expected.count))
    }

    @Test func `overlapping blocks lose duplicates only`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 10, samples: 300, seed: 4)
        func part(_ isIncluded: (Int) -> Bool) -> SeriesList {
            SeriesList(
                list.entries.map { entry in
                    let kept = entry.samples.indices.filter(isIncluded).map { entry.samples[$0] }
                    return SeriesList.Entry(labels: entry.labels, samples: kept)
                })
        }
        let blocks = [
            try BlockFixture.write(part { $0 % 3 != 0 }, "data", seed: 1, on: disk),
            try BlockFixture.write(part { $0 % 3 != 1 }, "data", seed: 2, on: disk),
        ]
        let meta = try #require(try Compactor("data", on: disk).compact(blocks, into: Self.ulid(9)))
        let merged = try Block("data/\(meta.ulid)", on: disk)
        #expect(try BlockFixture.lines(merged) == BlockFixture.lines(list))
    }

    @Test func `a merged block is of late samples just if all its parts are`() {
        func meta(_ number: UInt64, late: Bool) -> BlockMeta {
            var meta = BlockMeta(ulid: Self.ulid(number), minimumTime: 0, maximumTime: 100)
            if late { meta.hints = [BlockMeta.outOfOrderHint] }
            return meta
        }
        let late = BlockMeta(compacting: [meta(1, late: true), meta(2, late: true)], ulid: Self.ulid(3))
        #expect(late.hints == [BlockMeta.outOfOrderHint])
        #expect(late.isPartial)
        let mixed = BlockMeta(compacting: [meta(1, late: true), meta(2, late: false)], ulid: Self.ulid(3))
        #expect(mixed.hints.isEmpty)
        #expect(!mixed.isPartial)
    }

    @Test func `a block without samples left is not written`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("data")
        let block = try BlockFixture.write(
            BlockFixture.floats(series: 3, samples: 30, seed: 4), "data", on: disk)
        _ = try block.delete([], from: .min, to: .max)
        #expect(try block.select([], from: .min, to: .max).isEmpty)
        #expect(try Compactor("data", on: disk).rewrite(block, as: Self.ulid(3)) == nil)
        #expect(try disk.list("data") == [block.meta.ulid.description])
    }

    @Test func `histograms stay what they are`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.makeDirectory("data")
        let given = try HistogramChunkTests.run(8, startTimestamps: false) { $0 }.given
        let floats = given.map { ChunkSample.floatHistogram($0.0, $0.1.float, start: 0) }
        let list = SeriesList([
            .init(labels: Labels(["a": "b"]), samples: given.map { .histogram($0.0, $0.1, start: 0) }),
            .init(labels: Labels(["a": "c"]), samples: floats),
        ])
        let block = try BlockFixture.write(list, "data", on: disk)
        _ = try block.delete([], from: given[20].0, to: given[30].0)
        let meta = try #require(try Compactor("data", on: disk).rewrite(block, as: Self.ulid(3)))
        #expect(meta.level == 1 && meta.stats.histogramSamples == UInt64(2 * (given.count - 11)))
        for series in try Block("data/\(meta.ulid)", on: disk).select([], from: .min, to: .max) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            let kept = given.indices.filter { $0 < 20 || $0 > 30 }
            #expect(columns.timestamps == kept.map { given[$0].0 })
            for (index, sample) in columns.histograms.enumerated() where !sample.histogram.isStale {
                #expect(populated(sample.histogram) == populated(given[kept[index]].1.float))
            }
        }
    }

    @Test(arguments: 0..<60) func `a crash while a block is written leaves the old ones and no half`(stop: Int) throws {
        let disk = SimulatedDisk(seed: UInt64(stop))
        try disk.makeDirectory("data")
        try disk.syncDirectory(".")
        let blocks = try (1...2).map { part in
            try BlockFixture.write(
                BlockFixture.floats(
                    series: 4, samples: 20, seed: UInt64(part), from: BlockFixture.start + Int64(part) * 3_600_000),
                "data", seed: UInt64(part), on: disk)
        }
        let expected = try blocks.flatMap { try BlockFixture.lines($0) }.sorted()
        var faults = SimulatedDisk.Faults()
        faults.crashAfterOperation = disk.operationCount + stop
        disk.faults = faults
        let written = try? Compactor("data", on: disk).compact(blocks, into: Self.ulid(5))
        disk.restart(stop % 2 == 0 ? .random : .dropUnsynced)
        let names = try disk.list("data").filter { name in
            ULID(name) != nil && disk.peek("data/\(name)/meta.json") != nil
        }
        #expect(blocks.allSatisfy { names.contains($0.meta.ulid.description) })
        if names.count == 3 {
            #expect(try BlockFixture.lines(Block("data/\(Self.ulid(5))", on: disk)) == expected)
        } else {
            #expect(written == nil)
        }
    }
}
