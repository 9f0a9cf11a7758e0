import DurableFiles
import Gateway
import MetricModel
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Promise D9: files of every version that was ever given away can be read. A version's fixture is written once, with
/// `NARTHEX_WRITE_FIXTURES=1`, and never again.
@Suite struct FormatFixtureTests {
    private static let folder = PathName.join(PathName.parent(of: #filePath), "Fixtures/format-1")
    private static let path = "/data/state"
    private static let names = ["state", "state.journal-00000002"]

    private func open(_ disk: SimulatedDisk, _ events: EventLog = EventLog()) throws -> GatewayStore {
        var persistence = GatewayStore.Persistence(
            path: Self.path, snapshotInterval: nil, fileSystem: disk, onEvent: { events.append($0) })
        persistence.journalStep = 32
        return try GatewayStore(persistence: persistence)
    }

    @Test func `snapshot and journal of format 1 give what was stored`() throws {
        let real = POSIXFileSystem()
        if getenv("NARTHEX_WRITE_FIXTURES") != nil { try write(to: real) }
        let disk = SimulatedDisk()
        try disk.makeDirectory("/data")
        for name in Self.names {
            disk.poke("/data/" + name, try real.contents(PathName.join(Self.folder, name)))
        }
        let events = EventLog()
        let store = try open(disk, events)
        #expect(!events.all.contains { $0.isDamage })
        let expected = String(decoding: try real.contents(PathName.join(Self.folder, "expected.txt")), as: UTF8.self)
        #expect(store.fingerprint == expected)
        #expect(store.run(Self.repeated) == .repeated(.accepted))
        store.close()
    }

    private static func push(
        _ job: String, _ families: [MetricFamily], _ mode: Push.Mode = .replaceFamilies, lifetime: Lifetime = .forever,
        time: Int64 = 1_700_000_000_123_456_789
    ) -> Command {
        .push(
            Push(
                group: GroupingKey(["job": job, "étage": "2"]), families: families, mode: mode, time: time,
                lifetime: lifetime, gaugeRule: .mean))
    }

    private static let repeated = Command.once(
        IdempotencyKey("key-1", fingerprint: 7, time: 1_700_000_000_000_000_000), .delete(GroupingKey(["job": "gone"])))

    private func write(to real: POSIXFileSystem) throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        for command in Self.beforeSnapshot { #expect(store.run(command) == .accepted) }
        #expect(store.writeSnapshot())
        for command in Self.afterSnapshot { _ = store.run(command) }
        let expected = store.fingerprint
        try real.makeDirectory(Self.folder)
        for name in Self.names {
            let file = try real.open(PathName.join(Self.folder, name), .truncate)
            try file.append(try #require(disk.peek("/data/" + name)))
        }
        let file = try real.open(PathName.join(Self.folder, "expected.txt"), .truncate)
        try file.append(Array(expected.utf8))
        store.close()
    }

    private static var beforeSnapshot: [Command] {
        var native = NativeHistogram()
        native.schema = 2
        native.count = 9
        native.sum = 4.5
        native.zeroCount = 2
        native.zeroThreshold = 1e-9
        native.positiveSpans = [BucketSpan(offset: 0, length: 2), BucketSpan(offset: 3, length: 1)]
        native.positiveDeltas = [1, 2, 0]
        var histogram = HistogramValue(
            count: 9, sum: 4.5, buckets: [.init(upperBound: 1, count: 4), .init(upperBound: .infinity, count: 9)])
        histogram.native = .integer(native)
        var counter = CounterValue(12)
        counter.created = 1_699_999_999_000
        counter.exemplar = Exemplar(labels: Labels([("trace", "abc")]), value: 3, timestamp: 1_699_999_999_500)
        let value: [MetricFamily] = [
            MetricFamily(
                name: "c_total", help: "Counts\nthings.", type: .counter,
                metrics: [Metric(labels: [LabelPair("l", "\"v\"")], value: .counter(counter))]),
            MetricFamily(name: "g", type: .gauge, metrics: [Metric(labels: [], value: .gauge(-0.0))]),
            MetricFamily(name: "u.tf8", type: .unknown, metrics: [Metric(labels: [], value: .untyped(.nan))]),
            MetricFamily(
                name: "s", type: .summary,
                metrics: [
                    Metric(labels: [], value: .summary(SummaryValue(count: 3, sum: 6, quantiles: [.init(0.5, 2)])))
                ]),
            MetricFamily(name: "h", type: .histogram, metrics: [Metric(labels: [], value: .histogram(histogram))]),
        ]
        return [push("all", value), push("gone", value.dropLast(4)), repeated]
    }

    private static var afterSnapshot: [Command] {
        func gauge(_ value: Double) -> [MetricFamily] {
            [MetricFamily(name: "m", type: .gauge, metrics: [Metric(labels: [], value: .gauge(value))])]
        }
        return [
            push("mean", gauge(1), .accumulate), push("mean", gauge(4), .accumulate),
            push("short", gauge(2), lifetime: .nanoseconds(60_000_000_000)),
            push("seen", gauge(3), lifetime: .untilScraped(by: 2)),
            .scraped(
                [ScrapedGroup(key: GroupingKey(["job": "seen", "étage": "2"]), pushTime: 1_700_000_000_123_456_789)],
                by: "scraper"),
            // Refused: the type is another.
            push(
                "bad",
                [
                    MetricFamily(
                        name: "m", type: .counter, metrics: [Metric(labels: [], value: .counter(CounterValue(1)))])
                ]),
            .delete(GroupingKey(["job": "gone", "étage": "2"])),
        ]
    }
}
