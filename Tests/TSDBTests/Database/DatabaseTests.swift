import MetricModel
import Matching
import TSDB
import TestSupport
import Testing

@Suite struct DatabaseTests {
    private let labels = Labels(["__name__": "up", "job": "api", "instance": "a:1"])

    @Test func `samples are there after commit, after a restart, and after a crash`() throws {
        let disk = SimulatedDisk(seed: 1)
        var expected: [Timestamp] = []
        do {
            let database = try Database.open("data", fileSystem: disk)
            var reference = SeriesReference.none
            for step in 0..<500 {
                let appender = database.appender()
                let time = 1_600_000_000_000 + Int64(step) * 15_000
                reference = try appender.append(reference, labels: labels, timestamp: time, value: Double(step))
                #expect(try appender.commit(.synced).appended == 1)
                expected.append(time)
            }
            #expect(try read(database).timestamps == expected)
            try database.maintain(now: 0)
            #expect(try read(database).timestamps == expected)
            try database.close()
        }
        do {
            let database = try Database.open("data", fileSystem: disk)
            #expect(try read(database).timestamps == expected)
            #expect(try read(database).values == (0..<500).map { Double($0) })
            let appender = database.appender()
            _ = try appender.append(.none, labels: labels, timestamp: expected[499] + 1, value: 7)
            #expect(try appender.commit(.synced).appended == 1)
        }
        disk.restart(.dropUnsynced)
        let database = try Database.open("data", fileSystem: disk)
        #expect(try read(database).count == 501)
    }

    @Test func `what is not committed is not seen, and a rollback leaves nothing`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        let appender = database.appender()
        _ = try appender.append(.none, labels: labels, timestamp: 1000, value: 1)
        #expect(try read(database).count == 0)
        appender.rollback()
        #expect(try appender.commit(.relaxed).appended == 0)
        #expect(try read(database).count == 0)
    }

    @Test func `late, repeated and contradicting samples are refused as upstream does`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        let appender = database.appender()
        let reference = try appender.append(.none, labels: labels, timestamp: 5_000, value: 1)
        #expect(try appender.commit(.relaxed).appended == 1)
        #expect(throws: AppendError.outOfOrder) {
            try appender.append(reference, labels: labels, timestamp: 4_000, value: 1)
        }
        #expect(throws: AppendError.duplicateFloat(timestamp: 5_000, existing: 1, new: 2)) {
            try appender.append(reference, labels: labels, timestamp: 5_000, value: 2)
        }
        _ = try appender.append(reference, labels: labels, timestamp: 5_000, value: 1)
        #expect(try appender.commit(.relaxed).appended == 0)
        #expect(throws: AppendError.outOfBounds) {
            try appender.append(reference, labels: labels, timestamp: -3_600_000, value: 1)
        }
        var refused: [Int] = []
        let taken = appender.append([
            ReferencedSample(reference, 6_000, 1), ReferencedSample(SeriesReference(rawValue: 99), 6_000, 1),
            ReferencedSample(reference, 1_000, 1),
        ]) { index, _ in refused.append(index) }
        #expect(taken == 1)
        #expect(refused == [1, 2])
    }

    private func read(_ database: Database) throws -> SampleColumns {
        let querier = try database.querier(from: .min, to: .max)
        var columns = SampleColumns()
        for series in try querier.select([Matcher("__name__", equals: "up")]) { try series.read(into: &columns) }
        return columns
    }
}
