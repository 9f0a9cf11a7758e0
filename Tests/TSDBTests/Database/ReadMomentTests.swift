import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// What several queriers of one moment see while others write and blocks are made.
@Suite struct ReadMomentTests {
    private static func total(_ querier: Querier) throws -> (samples: Int, last: Timestamp) {
        var (samples, last) = (0, Timestamp.min)
        for series in try querier.select([try Matcher("__name__", .equal, "m")]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            samples += columns.count
            last = max(last, columns.timestamps.last ?? .min)
        }
        return (samples, last)
    }

    @Test func `all see the same commits, whatever is written, persisted and merged meanwhile`() throws {
        var options = Database.Options()
        options.minimumBlockDuration = 1000
        options.maximumBlockDuration = 4000
        let database = try Database.open("data", options: options, fileSystem: SimulatedDisk(seed: 1))
        func append(_ range: Range<Timestamp>) throws {
            for time in range {
                let appender = database.appender()
                for index in 0..<3 {
                    let labels = Labels(["__name__": "m", "i": "\(index)"])
                    _ = try appender.append(.none, labels: labels, timestamp: time * 100, value: Double(time))
                }
                _ = try appender.commit(.relaxed)
            }
        }
        try append(1..<35)
        let moment = try database.moment()
        for round in 0..<6 {
            let seen = try Self.total(moment.querier(from: .min, to: .max))
            #expect(seen.samples == 102 && seen.last == 3400, "round \(round)")
            let start = Timestamp(35 + round * 20)
            try append(start..<(start + 20))
            try database.maintain(now: start * 100)
        }
        let present = try Self.total(database.querier(from: .min, to: .max))
        #expect(present.samples == 102 + 360 && present.last == 15_400)
    }
}
