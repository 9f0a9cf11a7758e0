import MetricModel
import TSDB
import TestSupport
import Testing

/// Label names and values of several blocks and the head together.
@Suite struct LabelAnswerTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `names and values of blocks and head are listed once, in order`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var options = Database.Options()
        options.minimumBlockDuration = 60_000
        options.maximumBlockDuration = 60_000
        options.minimumFreeBytes = 0
        let database = try Database.open("data", options: options, fileSystem: SimulatedDisk(seed: seed))
        var values: Set<ByteString> = []
        var names: Set<ByteString> = ["__name__", "value"]
        for step in 0..<40 {
            let time = 1_700_000_000_000 + Timestamp(step) * 10_000
            let appender = database.appender()
            for _ in 0..<Int.random(in: 1..<6, using: &random) {
                // Some values come again in every block, some never.
                let value = "\(Int.random(in: 0..<40, using: &random))", name = "n\(value.count)\(step / 20)"
                _ = try? appender.append(
                    .none, labels: Labels(["__name__": "m", "value": value, name: "x"]), timestamp: time, value: 1)
                values.insert(ByteString(value))
                names.insert(ByteString(name))
            }
            _ = try appender.commit(.relaxed)
            try database.maintain(now: time)
        }
        #expect(database.blocks.count > 2)
        let querier = try database.querier(from: .min, to: .max)
        #expect(try querier.labelValues(of: "value").texts == values.sorted())
        #expect(try querier.labelValues(of: "value").texts == values.sorted(), "asked again")
        #expect(try querier.labelNames().texts == names.sorted())
        let limited = try querier.labelValues(of: "value", limit: 3)
        #expect(limited.texts == Array(values.sorted().prefix(3)) && limited.isTruncated)
        #expect(try querier.labelValues(of: "missing").texts.isEmpty)
    }
}
