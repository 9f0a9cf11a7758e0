import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite(.enabled(if: RealProgram.isInstalled(RealProgram.promtool)))
struct PromtoolTests {
    private static let start: Timestamp = 1_700_000_000_000

    @Test(arguments: [WALCompression.none, .snappy])
    func `promtool reads what a killed process left, and what a stopped one left`(
        _ compression: WALCompression
    ) throws {
        let folder = try TemporaryFolder()
        let directory = folder.path
        var options = Database.Options()
        options.walCompression = compression
        options.walSegmentSize = 64 << 10
        let database = try Database.open(directory, options: options)
        try PromtoolTests.fill(database, seed: 7, steps: 300)
        let mine = try StoreContent.lines(database)
        #expect(mine.count > 3_000)
        // Not closed: what is on disk now is what SIGKILL would leave.
        #expect(try PromtoolTests.dump(directory) == mine)
        try database.maintain(now: PromtoolTests.start)
        #expect(try PromtoolTests.dump(directory) == mine)
        try database.close()
        #expect(try PromtoolTests.dump(directory) == mine)
        let again = try Database.open(directory, options: options)
        #expect(try StoreContent.lines(again) == mine)
    }

    /// Custom buckets, metadata and exemplars in the log: 2.42 passes over the records that it does not know.
    @Test func `records that promtool does not know hide nothing else`() throws {
        let folder = try TemporaryFolder()
        let directory = folder.file("data")
        var options = Database.Options()
        options.metadataRecords = true
        options.maximumExemplars = 100
        let database = try Database.open(directory, options: options)
        try PromtoolTests.fill(database, seed: 11, steps: 50)
        let floats = try StoreContent.lines(database)
        let custom = Labels(["__name__": "custom"])
        for step in 0..<20 {
            let appender = database.appender()
            let reference = try appender.append(
                .none, labels: custom, timestamp: PromtoolTests.start + Int64(step) * 15_000,
                histogram: NativeHistogram(
                    schema: FloatHistogram.customBucketsSchema, count: 3, sum: 1,
                    positiveSpans: [BucketSpan(offset: 0, length: 2)], positiveDeltas: [1, 1], customValues: [0.5, 5]))
            try appender.update(reference, metadata: MetricMetadata(type: .histogram, help: ByteString("help \(step)")))
            try appender.append(
                reference, exemplar: Exemplar(labels: Labels(["t": "\(step)"]), value: 1, timestamp: Int64(step)))
            #expect(try appender.commit(.synced).appended == 1)
        }
        let all = try StoreContent.lines(database)
        #expect(all.count == floats.count + 20)
        #expect(try PromtoolTests.dump(directory) == floats)
        try database.close()
        #expect(try PromtoolTests.dump(directory) == floats)
        // It was there all the time.
        let again = try Database.open(directory, options: options)
        #expect(try StoreContent.lines(again) == all)
        #expect(try again.exemplars(matching: [[]], from: .min, to: .max).first?.exemplars.count == 20)
        try again.close()
    }

    @Test func `promtool reads blocks, the head behind them, and deletions`() throws {
        let folder = try TemporaryFolder()
        let directory = folder.path
        var options = Database.Options()
        options.walSegmentSize = 64 << 10
        options.minimumBlockDuration = 600_000
        options.maximumBlockDuration = 600_000 * 9
        options.outOfOrderWindow = 6_000_000
        let database = try Database.open(directory, options: options)
        try PromtoolTests.fill(database, seed: 9, steps: 500)
        let appender = database.appender()
        let last = PromtoolTests.start + 500 * 15_000
        // Older than what is in order in the head: promtool 2.42 takes all blocks for blocks of samples in order.
        for step in 0..<60 {
            _ = try appender.append(
                .none, labels: Labels(["__name__": "late"]), timestamp: last - 3_000_000 - Int64(step) * 7_001,
                value: Double(step))
        }
        #expect(try appender.commit(.synced).outOfOrder > 0)
        try database.maintain(now: last)
        #expect(database.blocks.count > 2)
        try database.delete(
            [Matcher("__name__", equals: "metric_1")], from: PromtoolTests.start + 1_000_000, to: last - 900_000)
        let mine = try StoreContent.lines(database)
        #expect(try PromtoolTests.dump(directory) == mine)
        try database.cleanTombstones()
        #expect(try StoreContent.lines(database) == mine)
        try database.close()
        #expect(try PromtoolTests.dump(directory) == mine)
        let listing = try RealProgram.run([RealProgram.promtool, "tsdb", "list", directory])
        #expect(listing.split(separator: "\n").count == database.blocks.count + 1)
        let again = try Database.open(directory, options: options)
        #expect(try StoreContent.lines(again) == mine)
        let copy = directory + "-snapshot"
        try again.snapshot(into: copy, skippingHead: false)
        #expect(try StoreContent.lines(Database.open(copy, options: options)) == mine)
    }

    static func dump(_ directory: String) throws -> [String] {
        let folder = try TemporaryFolder()
        let copy = folder.file("data")
        // promtool changes a directory that it opens; it gets a copy.
        _ = try RealProgram.run(["/bin/cp", "-r", directory, copy])
        return StoreContent.normalised(dump: try RealProgram.run([RealProgram.promtool, "tsdb", "dump", copy]))
    }

    /// Floats with gaps, churn, staleness markers and odd values.
    static func fill(_ database: Database, seed: UInt64, steps: Int) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<steps {
            let appender = database.appender()
            let time = start + Int64(step) * 15_000
            for index in 0..<16 where Int.random(in: 0..<5, using: &random) > 0 {
                let labels = Labels([
                    "__name__": "metric_\(index % 4)", "instance": "host \(index):\(step / 100)", "job": "j\"\\ü",
                ])
                let value: Double =
                    switch Int.random(in: 0..<30, using: &random) {
                    case 0: .infinity
                    case 1: -.infinity
                    case 2: SampleValue.stale
                    case 3: Double(bitPattern: SampleValue.normalNaNBits)
                    case 4: -0.0
                    case 5...9: Double.random(in: -1e9...1e9, using: &random)
                    default: Double(step * 10 + index)
                    }
                _ = try appender.append(.none, labels: labels, timestamp: time, value: value)
            }
            _ = try appender.commit(step % 3 == 0 ? .synced : .relaxed)
        }
    }
}
