import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct StaleSeriesTests {
    private static let start: Timestamp = 1_700_006_400_000

    private static func options(_ threshold: Double) -> Database.Options {
        var options = Database.Options()
        options.staleSeriesThreshold = threshold
        options.minimumFreeBytes = 0
        return options
    }

    /// Ten series of one hour, of which `ended` have a staleness marker at their end.
    private static func fill(_ database: Database, ended: Int) throws {
        for step in 0..<240 {
            let appender = database.appender()
            for index in 0..<10 where step < 239 || index < ended {
                let labels = Labels(["__name__": "m", "i": "\(index)"])
                _ = try appender.append(
                    .none, labels: labels, timestamp: start + Int64(step) * 15_000,
                    value: step == 239 ? SampleValue.stale : Double(step))
            }
            _ = try appender.commit(.synced)
        }
    }

    @Test func `series that ended go to a block of their own, and the others stay`() throws {
        let disk = SimulatedDisk(seed: 1)
        let database = try Database.open("data", options: Self.options(0.5), fileSystem: disk)
        try Self.fill(database, ended: 6)
        let before = try StoreContent.lines(database)
        try database.maintain(now: Self.start)
        #expect(database.headStatus.seriesCount == 4)
        #expect(database.headStatus.staleSeriesCount == 6)
        #expect(database.blocks.count == 1)
        #expect(try StoreContent.lines(database) == before)
        #expect(database.metrics.staleCompactions == 1)
        let meta = try #require(disk.paths.first { $0.hasSuffix("meta.json") }.flatMap { disk.peek($0) })
        #expect(String(decoding: meta, as: UTF8.self).contains("\"from-stale-series\""))
        // One comes back, and is a series of the head again, beside its past in the block.
        let appender = database.appender()
        let labels = Labels(["__name__": "m", "i": "0"])
        _ = try appender.append(.none, labels: labels, timestamp: Self.start + 3_600_000, value: 7)
        #expect(try appender.commit(.synced).appended == 1)
        let after = try StoreContent.lines(database)
        #expect(after.count == before.count + 1)
        try database.close()
        let again = try Database.open("data", options: Self.options(0.5), fileSystem: disk)
        #expect(try StoreContent.lines(again) == after)
        try again.maintain(now: Self.start)
        #expect(try StoreContent.lines(again) == after)
    }

    @Test func `a reader that was open before keeps what it sees`() throws {
        let database = try Database.open("data", options: Self.options(0.1), fileSystem: SimulatedDisk(seed: 1))
        try Self.fill(database, ended: 3)
        let querier = try database.querier(from: .min, to: .max)
        try database.maintain(now: Self.start)
        #expect(database.headStatus.seriesCount == 10)
        var count = 0
        for series in try querier.select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            count += columns.count
        }
        #expect(count == 10 * 239 + 3)
    }

    @Test func `below the threshold nothing is written`() throws {
        let database = try Database.open("data", options: Self.options(0.5), fileSystem: SimulatedDisk(seed: 1))
        try Self.fill(database, ended: 4)
        try database.maintain(now: Self.start)
        #expect(database.headStatus.seriesCount == 10)
        #expect(database.blocks.isEmpty)
    }
}
