import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct DatabaseCompactionTests {
    private static func lines(_ database: Database) throws -> [String] { try StoreContent.lines(database) }

    @Test func `blocks grow, and answers stay`() throws {
        let disk = SimulatedDisk(seed: 1)
        var options = Database.Options()
        options.minimumBlockDuration = 600_000
        options.maximumBlockDuration = 600_000 * 9
        options.retention = 0
        let database = try Database.open("data", options: options, fileSystem: disk)
        let start: Timestamp = 1_700_000_400_000
        for step in 0..<480 as Range<Int64> {
            let appender = database.appender()
            for index in 0..<3 {
                _ = try appender.append(
                    .none, labels: Labels(["__name__": "m", "i": "\(index)"]), timestamp: start + step * 15_000,
                    value: Double(step) * Double(index))
            }
            _ = try appender.commit(.synced)
            if step % 40 == 39 { try database.maintain(now: start + step * 15_000) }
        }
        let before = try Self.lines(database)
        #expect(before.count == 480 * 3)
        let levels = database.blocks.map(\.meta.level)
        #expect(levels.contains { $0 > 1 })
        #expect(levels.count < 8)
        let middle = start + 60 * 15_000
        try database.delete([Matcher("i", equals: "1")], from: start, to: middle)
        let kept = try Self.lines(database)
        #expect(kept.count == before.count - 61)
        try database.cleanTombstones()
        #expect(try Self.lines(database) == kept)
        try database.close()
        let again = try Database.open("data", options: options, fileSystem: disk)
        #expect(try Self.lines(again) == kept)
        try again.close()
    }
}
