import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// Selections that are remembered, against testing every series.
@Suite struct HeadSelectionsTests {
    private static let start: Timestamp = 1_700_006_400_000

    private static func add(_ database: Database, _ sets: [Labels], at time: Timestamp, value: Double = 1) throws {
        let appender = database.appender()
        for labels in sets { _ = try appender.append(.none, labels: labels, timestamp: time, value: value) }
        _ = try appender.commit(.relaxed)
    }

    private static func labels(_ index: Int) -> Labels {
        Labels(["__name__": "m", "i": "\(index)", "third": "\(index % 3)"])
    }

    @Test func `a selection asked for again has the series that came since`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        let matchers = [Matcher("third", equals: "1")]
        var expected: [Labels] = []
        // Beyond two thousand series they are looked at on several cores.
        for round in 0..<11 {
            let fresh = (round * 300..<(round + 1) * 300).map(Self.labels)
            try Self.add(database, fresh, at: Self.start + Int64(round) * 1000)
            expected = (expected + fresh.filter { $0["third"] == "1" }).sorted()
            for _ in 0..<3 {
                let found = try database.querier(from: .min, to: .max).select(matchers)
                #expect(found.map(\.labels) == expected)
            }
        }
        let all = try database.querier(from: .min, to: .max).select([Matcher("__name__", equals: "m")])
        #expect(all.map(\.labels) == (0..<3300).map(Self.labels).sorted())
    }

    @Test func `a selection asked for again shows samples that came since, in the range only`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        let matchers = [Matcher("__name__", equals: "m")]
        for round in 0..<5 {
            let time = Self.start + Int64(round) * 1000
            try Self.add(database, (0...round).map(Self.labels), at: time, value: Double(round))
            let found = try database.querier(from: time, to: .max).select(matchers)
            #expect(found.map(\.labels) == (0...round).map(Self.labels))
            var columns = SampleColumns()
            for series in found { try series.read(into: &columns) }
            #expect(columns.values == [Double](repeating: Double(round), count: round + 1))
        }
    }

    @Test func `more selections than are remembered, one after the other and again`() throws {
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        try Self.add(database, (0..<200).map(Self.labels), at: Self.start)
        for _ in 0..<2 {
            for index in 0..<200 {
                let found = try database.querier(from: .min, to: .max).select([
                    Matcher("i", equals: ByteString("\(index)"))
                ])
                #expect(found.map(\.labels) == [Self.labels(index)])
            }
        }
    }

    @Test func `series that went are not selected any more`() throws {
        var options = Database.Options()
        options.staleSeriesThreshold = 0.1
        options.minimumFreeBytes = 0
        let database = try Database.open("data", options: options, fileSystem: SimulatedDisk(seed: 1))
        let sets = (0..<30).map(Self.labels)
        let matchers = [Matcher("__name__", equals: "m")]
        for step in 0..<240 {
            try Self.add(
                database, step == 239 ? Array(sets[..<10]) : sets, at: Self.start + Int64(step) * 15_000,
                value: step == 239 ? SampleValue.stale : 1)
        }
        let last = Self.start + 239 * 15_000
        #expect(try database.querier(from: last, to: .max).select(matchers).count == 10)
        #expect(try database.querier(from: last - 15_000, to: .max).select(matchers).count == 30)
        try database.maintain(now: Self.start)
        #expect(database.headStatus.seriesCount == 20)
        // Those that ended lie in a block, each as one series.
        let found = try database.querier(from: .min, to: .max).select(matchers)
        #expect(found.map(\.labels) == sets.sorted())
        #expect(try database.querier(from: last + 1, to: .max).select(matchers).isEmpty)
    }
}
