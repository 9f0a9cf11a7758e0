internal import DurableFiles
internal import Matching
internal import MetricModel
internal import TSDB
internal import TestSupport

/// Chunks, postings, matchers, and compaction of blocks on disk.
enum BlockBenchmarks {
    /// Coding and decoding of float chunks: counters scraped every 15 s, without and with jitter, and constants.
    static func chunks() throws {
        var random = SeededGenerator(seed: 1)
        let kinds: [(String, Int64, (Double) -> Double)] = [
            ("constant", 0, { $0 }),
            ("counter", 0, { $0 + Double(Int.random(in: 0..<100, using: &random)) }),
            ("counter with jitter", 20, { $0 + Double(Int.random(in: 0..<100, using: &random)) }),
        ]
        for (name, jitter, next) in kinds {
            var times: [Timestamp] = []
            var values: [Double] = []
            var value = 1000.0
            for step in 0..<120 {
                let shift = jitter > 0 ? Int64.random(in: 0..<jitter, using: &random) : 0
                times.append(1_700_000_000_000 + Int64(step) * 15_000 + shift)
                value = next(value)
                values.append(value)
            }
            let rounds = 100_000
            var size = 0
            Usage.measure("encode \(name)", rounds * 120, "sample") {
                for _ in 0..<rounds {
                    var appender = XORAppender()
                    for index in 0..<120 { appender.append(times[index], values[index]) }
                    size &+= appender.byteCount
                }
            }
            var appender = XORAppender()
            for index in 0..<120 { appender.append(times[index], values[index]) }
            let chunk = Chunk(encoding: .xor, bytes: appender.chunk.bytes)
            var columns = SampleColumns()
            let before = Usage.cpuSeconds
            for _ in 0..<(rounds * 4) {
                columns.removeAll()
                try chunk.decode(into: &columns)
            }
            let rate = Double(rounds * 4 * 120) / (Usage.cpuSeconds - before) / 1e6
            print("decode \(name): \(Int(rate)) million samples a CPU second, \(size / rounds) bytes a chunk")
        }
    }

    /// Intersection of lists, and selection in an index of `seriesCount` series.
    static func postings(_ directory: String, _ seriesCount: Int) throws {
        let every = Postings((0..<1_000_000).map { UInt32($0) })
        let third = Postings((0..<333_333).map { UInt32($0) * 3 })
        let few = Postings((0..<1000).map { UInt32($0) * 997 })
        Usage.measure("intersect 1 M with 333 k", 50, "call") {
            for _ in 0..<50 { _ = Postings.intersection([every, third]) }
        }
        Usage.measure("intersect 1 M with 1 k", 5000, "call") {
            for _ in 0..<5000 { _ = Postings.intersection([every, few]) }
        }
        let system = POSIXFileSystem()
        try system.makeDirectory(directory)
        var random = SeededGenerator(seed: 4)
        let start: Timestamp = 1_700_000_000_000
        func list(_ part: Int64) -> SeriesList {
            SeriesList(
                (0..<seriesCount).map { index in
                    let samples = (0..<120 as Range<Int64>).map { step in
                        ChunkSample.float(start + (part * 120 + step) * 15_000, Double(index) + Double(step), start: 0)
                    }
                    return SeriesList.Entry(labels: HeadBenchmarks.labels(index), samples: samples)
                })
        }
        var blocks: [Block] = []
        for part in 0..<2 as Range<Int64> {
            let ulid = ULID(time: start + part, using: &random)
            try Usage.measure("write a block", seriesCount, "series") {
                _ = try list(part).writeBlock(in: directory, ulid: ulid, on: system)
            }
            try Usage.measure("open a block", 1, "block") {
                blocks.append(try Block(PathName.join(directory, ulid.description), on: system))
            }
        }
        let index = blocks[0].index
        for (name, value) in [
            ("namespace", "team-0[1-3]"), ("pod", "service-0.*"), ("pod", ".*-17.*"), ("pod", "service-(1|2)[0-9]-.+x"),
        ] {
            let matchers = [
                try Matcher("job", .matches, ".+"), try Matcher(ByteString(name), .matches, ByteString(value)),
            ]
            var found = 0
            try Usage.measure("select \(name)=~\(value)", 10, "call") {
                for _ in 0..<10 { found = try index.select(matchers).count }
            }
            print("  \(found) series")
        }
        var columns = SampleColumns()
        try Usage.measure("read every sample of a block", seriesCount * 120, "sample") {
            for series in try blocks[0].select([], from: .min, to: .max) {
                columns.removeAll()
                try series.read(into: &columns)
            }
        }
        let target = ULID(time: start + 9, using: &random)
        try Usage.measure("compact two blocks", seriesCount * 240, "sample") {
            _ = try Compactor(directory, on: system).compact(blocks, into: target)
        }
    }
}
