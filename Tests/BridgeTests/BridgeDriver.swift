import Bridge
import Exposition
import Gateway
import Matching
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// A gateway in memory, a store on a simulated disk, and a bridge between them, with a clock that stands still.
final class BridgeDriver {
    private final class Clock: Sendable {
        let milliseconds = Mutex<Timestamp>(1_700_000_000_000)
    }

    private let clock = Clock()
    let bridge: PushBridge
    let store: GatewayStore
    let database: Database

    init(
        _ rules: BridgeRules = BridgeRules(), disk: SimulatedDisk = SimulatedDisk(seed: 1), exemplars: Int = 0,
        storesStarts: Bool = false
    ) throws {
        let clock = clock
        bridge = PushBridge(now: { clock.milliseconds.withLock { $0 } * 1_000_000 })
        store = GatewayStore(options: .init(observer: bridge))
        var options = Database.Options()
        options.maximumExemplars = exemplars
        options.storesStartTimestamps = storesStarts
        if storesStarts { options.floatEncoding = .xor2 }
        database = try Database.open("data", options: options, fileSystem: disk)
        bridge.setRules(rules)
        bridge.open(from: store)
        bridge.open(into: database)
    }

    deinit { bridge.close() }

    var now: Timestamp {
        get { clock.milliseconds.withLock { $0 } }
        set { clock.milliseconds.withLock { $0 = newValue } }
    }

    /// Pushes text at the present time.
    func push(
        _ text: String, to group: KeyValuePairs<String, String> = ["job": "a"], mode: Push.Mode = .replaceGroup,
        isOpenMetrics: Bool = false
    ) throws {
        let bytes = Array(text.utf8)
        let families =
            isOpenMetrics
            ? try OpenMetricsParser.parse(bytes)
            : try bytes.withUnsafeBufferPointer { try TextParser.parse($0) }
        let push = Push(group: GroupingKey(group), families: families, mode: mode, time: now * 1_000_000)
        store.submit(.push(push)) { outcome in #expect(outcome == .accepted) }
    }

    func delete(_ group: KeyValuePairs<String, String> = ["job": "a"]) {
        store.submit(.delete(GroupingKey(group))) { _ in }
    }

    /// All samples by series, times counted from the clock's start: `0=1 5=stale`.
    func samples(_ name: String? = nil) throws -> [String: String] {
        bridge.flush()
        return try Self.samples(of: database, name)
    }

    /// The start timestamps of a series, from the clock's start; 0 where none is known.
    func starts(_ name: ByteString) throws -> [Timestamp] {
        bridge.flush()
        let conditions = [try Matcher("__name__", .equal, name)]
        var columns = SampleColumns()
        for series in try database.querier(from: .min, to: .max).select(conditions) { try series.read(into: &columns) }
        return columns.startTimestamps.map { $0 == 0 ? 0 : $0 - 1_700_000_000_000 }
    }

    static func samples(of database: Database, _ name: String?) throws -> [String: String] {
        let conditions = [try Matcher("__name__", .matches, name.map { ByteString($0) } ?? ".+")]
        var result: [String: String] = [:]
        for series in try database.querier(from: .min, to: .max).select(conditions) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            var texts: [String] = []
            for index in 0..<columns.count {
                let time = columns.timestamps[index] - 1_700_000_000_000
                let histogram = columns.histograms.first { $0.index == index }?.histogram
                if let histogram {
                    texts.append("\(time)=\(histogram.isStale ? "stale" : "h\(histogram.count)")")
                } else {
                    let value = columns.values[index]
                    texts.append("\(time)=\(SampleValue.isStale(value) ? "stale" : "\(value)")")
                }
            }
            result["\(series.labels)"] = texts.joined(separator: " ")
        }
        return result
    }
}
