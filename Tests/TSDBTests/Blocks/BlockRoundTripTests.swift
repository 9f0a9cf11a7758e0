import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// Series of all kinds for blocks, and blocks of them.
enum BlockFixture {
    static let start: Timestamp = 1_700_000_000_000

    static func floats(series count: Int, samples: Int, seed: UInt64, from start: Timestamp = start) -> SeriesList {
        var random = SeededGenerator(seed: seed)
        return SeriesList(
            (0..<count).map { index in
                let labels = Labels([
                    "__name__": "metric_\(index % 7)", "instance": "host-\(index):80", "job": "j\(index % 3)",
                    "quoted": "\"\\ü\n",
                ])
                var value = 0.0
                let values = (0..<samples).compactMap { step -> ChunkSample? in
                    value += Double(Int.random(in: 0..<9, using: &random))
                    if Int.random(in: 0..<8, using: &random) == 0 { return nil }
                    let odd = Int.random(in: 0..<50, using: &random)
                    let sample = odd == 0 ? Double.infinity : odd == 1 ? SampleValue.stale : value
                    return .float(start + Int64(step) * 15_000, sample, start: 0)
                }
                return SeriesList.Entry(labels: labels, samples: values)
            })
    }

    static func write(
        _ list: SeriesList, _ directory: String, seed: UInt64 = 1, on disk: any FileSystem = POSIXFileSystem(),
        encoding: SampleEncoder.Options = .init()
    ) throws -> Block {
        var random = SeededGenerator(seed: seed)
        let ulid = ULID(time: start + Int64(seed), using: &random)
        let meta = try #require(try list.writeBlock(in: directory, ulid: ulid, encoding: encoding, on: disk))
        return try Block(PathName.join(directory, meta.ulid.description), on: disk)
    }

    /// `labels value time` of every sample, sorted, in the form of ``StoreContent``.
    static func lines(
        _ block: Block, _ matchers: [Matcher] = [], from start: Timestamp = .min, to end: Timestamp = .max
    ) throws -> [String] {
        var lines: [String] = []
        for series in try block.select(matchers, from: start, to: end) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            for index in 0..<columns.count {
                lines.append(
                    "\(series.labels) \(StoreContent.text(columns.values[index])) \(columns.timestamps[index])")
            }
        }
        return lines.sorted()
    }

    static func lines(
        _ list: SeriesList, where isIncluded: (Labels, Timestamp) -> Bool = { _, _ in true }
    ) -> [String] {
        list.entries.flatMap { entry in
            entry.samples.compactMap { sample -> String? in
                guard case .float(let time, let value, _) = sample, isIncluded(entry.labels, time) else { return nil }
                return "\(entry.labels) \(StoreContent.text(value)) \(time)"
            }
        }.sorted()
    }
}

@Suite struct BlockRoundTripTests {
    @Test(arguments: 0..<4 as Range<UInt64>) func `a block gives back what was written`(seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 40, samples: 300, seed: seed)
        let block = try BlockFixture.write(list, "data", on: disk)
        #expect(try BlockFixture.lines(block) == BlockFixture.lines(list))
        try block.verify()
        #expect(block.meta.stats.series == 40)
        let names = try block.index.labelNames()
        #expect(names == ["__name__", "instance", "job", "quoted"])
        let middle = BlockFixture.start + 100 * 15_000
        let job: [Matcher] = [
            Matcher("job", equals: "j1"), try Matcher("instance", .matches, "host-[0-9]:80|host-22.*"),
        ]
        let expected = BlockFixture.lines(list) { labels, time in
            time >= middle && time <= middle + 600_000 && job.allSatisfy { $0.matches(labels) }
        }
        #expect(try BlockFixture.lines(block, job, from: middle, to: middle + 600_000) == expected)
        #expect(!expected.isEmpty)
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func `selection agrees with testing every series`(seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 60, samples: 12, seed: 5)
        let block = try BlockFixture.write(list, "data", on: disk)
        var random = SeededGenerator(seed: seed)
        let names: [ByteString] = ["job", "instance", "__name__", "missing"]
        let values: [ByteString] = [
            "", "j1", "j.", "j[01]", ".*", ".+", "host-1:80", "host-1.*", "host-(1|2|33):80", ".*3.*", "metric_[0-3]",
            "j1|", "metric_1|metric_5", "x",
        ]
        let operations: [Matcher.Operation] = [.equal, .notEqual, .matches, .matchesNot]
        for _ in 0..<40 {
            let matchers = try (0..<Int.random(in: 1...3, using: &random)).map { _ in
                try Matcher(
                    names[Int.random(in: 0..<names.count, using: &random)],
                    operations[Int.random(in: 0..<4, using: &random)],
                    values[Int.random(in: 0..<values.count, using: &random)])
            }
            let found = try block.select(matchers, from: .min, to: .max).map(\.labels)
            let expected = list.entries.map(\.labels).filter { labels in matchers.allSatisfy { $0.matches(labels) } }
            #expect(found == expected, "\(matchers)")
            let jobs = try block.index.labelValues(of: "job", matchers)
            #expect(jobs == Set(expected.compactMap { $0["job"] }).sorted(), "\(matchers)")
            let nameSet = Set(expected.flatMap { $0.pairs.map(\.name) }).sorted()
            #expect(try block.index.labelNames(matchers) == nameSet, "\(matchers)")
        }
    }

    @Test func `deletions hide samples and survive opening again`() throws {
        let disk = SimulatedDisk(seed: 3)
        try disk.makeDirectory("data")
        let list = BlockFixture.floats(series: 12, samples: 200, seed: 3)
        let block = try BlockFixture.write(list, "data", on: disk)
        let from = BlockFixture.start + 30 * 15_000
        let to = BlockFixture.start + 60 * 15_000
        let matcher = Matcher("job", equals: "j0")
        #expect(try block.delete([matcher], from: from, to: to) == 4)
        let expected = BlockFixture.lines(list) { labels, time in
            !(matcher.matches(labels) && time >= from && time <= to)
        }
        #expect(try BlockFixture.lines(block) == expected)
        let again = try Block(block.path, on: disk)
        #expect(try BlockFixture.lines(again) == expected)
        #expect(again.meta.stats.tombstones == 4)
    }

    @Test func `meta and ULIDs are written as Prometheus writes them`() throws {
        let ulid = try #require(ULID("01M8214AZQ0K6ES1TS1R16XHZ2"))
        #expect(ulid.description == "01M8214AZQ0K6ES1TS1R16XHZ2")
        #expect(ULID("81M8214AZQ0K6ES1TS1R16XHZ2") == nil && ULID("01M8214AZQ0K6ES1TS1R16XHZU") == nil)
        var meta = BlockMeta(ulid: ulid, minimumTime: 1_700_000_000_000, maximumTime: 1_700_000_015_001)
        meta.stats.samples = 2
        meta.stats.series = 1
        meta.stats.chunks = 1
        meta.sources = [ulid]
        let text = """
            {
            \t"ulid": "01M8214AZQ0K6ES1TS1R16XHZ2",
            \t"minTime": 1700000000000,
            \t"maxTime": 1700000015001,
            \t"stats": {
            \t\t"numSamples": 2,
            \t\t"numSeries": 1,
            \t\t"numChunks": 1
            \t},
            \t"compaction": {
            \t\t"level": 1,
            \t\t"sources": [
            \t\t\t"01M8214AZQ0K6ES1TS1R16XHZ2"
            \t\t]
            \t},
            \t"version": 1
            }
            """
        #expect(String(decoding: meta.json, as: UTF8.self) == text)
        #expect(try BlockMeta(json: meta.json, path: "meta.json") == meta)
    }
}
