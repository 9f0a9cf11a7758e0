import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct LabelledSamplesTests {
    private func bytes(_ text: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        Array(text.utf8).withUnsafeBytes(body)
    }

    private func add(_ pairs: [(String, String)], _ samples: [(Timestamp, Double)], to batch: inout LabelledSamples) {
        batch.beginSeries()
        for pair in pairs {
            let (name, value) = (Array(pair.0.utf8), Array(pair.1.utf8))
            name.withUnsafeBytes { name in
                value.withUnsafeBytes { value in _ = batch.addLabel(name, value) }
            }
        }
        for sample in samples { batch.addSample(sample.0, sample.1) }
    }

    private func lines(_ database: Database) throws -> [String] {
        var lines: [String] = []
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            lines += columns.timestamps.indices.map {
                "\(series.labels) \(columns.values[$0])@\(columns.timestamps[$0])"
            }
        }
        return lines
    }

    @Test func `series of a batch are found or made, and samples stay in order`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        let long = String(repeating: "x", count: 300)
        for round in 0..<2 {
            var batch = LabelledSamples()
            let time = Int64(round) * 10_000
            add([("__name__", "a"), ("l", long)], [(time + 1, 1), (time + 2, 2)], to: &batch)
            add([("__name__", "b")], [(time + 1, 3)], to: &batch)
            add([("__name__", "a"), ("l", long)], [(time + 3, 4)], to: &batch)
            add([("__name__", "dropped")], [(time, 5)], to: &batch)
            batch.discardSeries()
            let appender = database.appender()
            let taken = appender.append(batch, isSound: { _ in true }, rejected: { Issue.record("\($0) \($1)") })
            #expect(taken == 4)
            #expect(try appender.commit(.synced).appended == 4)
        }
        let a = "{__name__=\"a\", l=\"\(long)\"}"
        #expect(
            try lines(database) == [
                "\(a) 1.0@1", "\(a) 2.0@2", "\(a) 4.0@3", "\(a) 1.0@10001", "\(a) 2.0@10002", "\(a) 4.0@10003",
                "{__name__=\"b\"} 3.0@1", "{__name__=\"b\"} 3.0@10001",
            ])
    }

    @Test func `what is late, unsound or beyond the limit is rejected with its index`() throws {
        var options = Database.Options()
        options.maximumSeries = 2
        let database = try Database.open("data", options: options, fileSystem: SimulatedDisk(seed: 1))
        var first = LabelledSamples()
        add([("__name__", "a")], [(5_000, 1)], to: &first)
        let opening = database.appender()
        #expect(opening.append(first, isSound: { _ in true }, rejected: { _, _ in }) == 1)
        #expect(try opening.commit(.relaxed).appended == 1)
        var batch = LabelledSamples()
        add([("__name__", "bad")], [(6_000, 1), (6_001, 1)], to: &batch)
        add([("__name__", "a")], [(4_000, 1), (6_000, 1)], to: &batch)
        add([("__name__", "b")], [(6_000, 1)], to: &batch)
        add([("__name__", "c")], [(6_000, 1)], to: &batch)
        var rejected: [Int: AppendError] = [:]
        let appender = database.appender()
        let taken = appender.append(
            batch, isSound: { $0["__name__"] != "bad" }, rejected: { rejected[$0] = $1 })
        #expect(taken == 2)
        #expect(
            rejected == [
                0: .invalidLabels("{__name__=\"bad\"}"), 1: .invalidLabels("{__name__=\"bad\"}"), 2: .outOfOrder,
                5: .seriesLimit(2),
            ])
        #expect(batch.areOfOneSeries(0, 1) && !batch.areOfOneSeries(1, 2))
        #expect(try appender.commit(.relaxed).appended == 2)
    }

    @Test func `thousands of new series from many threads are all there once`() async throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for part in 0..<4 {
                        var batch = LabelledSamples()
                        for index in 0..<500 {
                            add(
                                [("__name__", "m"), ("i", "\(part * 500 + index)")],
                                [(Int64(thread) + 1_000, 1)], to: &batch)
                        }
                        let appender = database.appender()
                        _ = appender.append(batch, isSound: { _ in true }, rejected: { _, _ in })
                        _ = try appender.commit(.relaxed)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(database.headStatus.seriesCount == 2_000)
        #expect(try database.querier(from: .min, to: .max).select([]).count == 2_000)
    }
}
