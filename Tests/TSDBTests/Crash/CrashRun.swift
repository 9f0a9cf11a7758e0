import Matching
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// A store at work on a simulated disk, and the record of what it promised.
final class CrashRun: Sendable {
    private struct State {
        var database: Database
        var history: CrashHistory
        var moments: [CrashMoment] = []
        var failures = 0
    }

    static let start: Timestamp = 1_700_000_400_000
    static let step: Int64 = 120_000

    let disk: SimulatedDisk
    private let state: Mutex<State>
    /// Whether failures are part of the test, so that work goes on after them.
    private let toleratesFailures: Bool
    /// After so many failures the disk works again.
    private static let failuresBeforeMending = 4

    init(
        _ disk: SimulatedDisk, _ options: Database.Options, _ history: CrashHistory = CrashHistory(),
        toleratesFailures: Bool = false
    ) throws {
        self.disk = disk
        self.toleratesFailures = toleratesFailures
        let database = try Database.open("data", options: options, fileSystem: disk)
        state = Mutex(State(database: database, history: history))
    }

    var database: Database { state.withLock { $0.database } }
    var history: CrashHistory { state.withLock { $0.history } }
    var moments: [CrashMoment] { state.withLock { $0.moments } }
    var failures: Int { state.withLock { $0.failures } }

    static func time(_ step: Int) -> Timestamp { start + Int64(step) * CrashRun.step }

    /// Keeps a copy of the disk before each of its operations from now on.
    func observe() {
        let disk = disk
        disk.beforeEachChange { [unowned self] in
            let copy = SimulatedDisk(copying: disk, seed: UInt64(disk.operationCount))
            self.state.withLock { $0.moments.append(CrashMoment(disk: copy, history: $0.history)) }
        }
    }

    func edit(_ change: (inout CrashHistory) -> Void) { state.withLock { change(&$0.history) } }

    /// - Returns: whether `body` succeeded.
    @discardableResult
    func attempt(_ body: () throws(StoreError) -> Void) throws -> Bool {
        do throws(StoreError) {
            try body()
            return true
        } catch {
            guard toleratesFailures else { throw error }
            let count = state.withLock { state in
                state.failures += 1
                return state.failures
            }
            if count == CrashRun.failuresBeforeMending { disk.faults = SimulatedDisk.Faults() }
            return false
        }
    }

    // MARK: Work

    /// Commits a batch of numbers and histograms of one time.
    /// - Parameters:
    ///   - padding: Bytes of a label of a series that has only this sample: they fill the log.
    ///   - late: How long before the time of the step the samples are.
    func append(_ step: Int, _ durability: Durability = .synced, padding: Int = 0, late: Int64 = 0) throws {
        let time = CrashRun.time(step) - late
        let appender = database.appender()
        // Samples of new series stand apart: a hole in an unsynced log may have taken what explains them.
        var records: [Set<CrashSample>] = [[], [], [], []]
        for index in 0..<3 {
            let labels = Labels(["__name__": "m", "i": "\(index)"])
            _ = try appender.append(.none, labels: labels, timestamp: time, value: Double(step))
            records[0].insert(CrashSample(labels, time, Double(step)))
        }
        if padding > 0 {
            let labels = Labels([
                "__name__": "long", "i": "\(step)", "text": "\(String(repeating: "x", count: padding))",
            ])
            _ = try appender.append(.none, labels: labels, timestamp: time, value: 1)
            records[3].insert(CrashSample(labels, time, 1))
        }
        let histogram = NativeHistogram(
            zeroCount: UInt64(step), count: UInt64(step) * 2, sum: Double(step),
            positiveSpans: [BucketSpan(offset: Int32(step % 3), length: 1)], positiveDeltas: [Int64(step)])
        let integers = Labels(["__name__": "h", "kind": "integer"])
        _ = try appender.append(.none, labels: integers, timestamp: time, histogram: histogram)
        records[1].insert(CrashSample(integers, time, histogram.float))
        let floats = Labels(["__name__": "h", "kind": "float"])
        _ = try appender.append(.none, labels: floats, timestamp: time, floatHistogram: histogram.float)
        records[2].insert(CrashSample(floats, time, histogram.float))
        edit { $0.begin(records, late: late > 0) }
        try commit(appender, durability, records.count, late: late > 0)
    }

    func end(series index: Int, _ step: Int) throws {
        let labels = Labels(["__name__": "m", "i": "\(index)"])
        let appender = database.appender()
        _ = try appender.append(.none, labels: labels, timestamp: CrashRun.time(step), value: SampleValue.stale)
        edit { $0.begin([[CrashSample(labels, CrashRun.time(step), SampleValue.stale)]]) }
        try commit(appender, .synced, 1, late: false)
    }

    private func commit(_ appender: Appender, _ durability: Durability, _ records: Int, late: Bool) throws {
        let isDone = try attempt { () throws(StoreError) in
            _ = try appender.commit(durability)
            if durability == .synced { edit { $0.acknowledge(late: late) } }
        }
        if !isDone { edit { $0.doubt(records, late: late) } }
    }

    func maintain(_ step: Int) throws {
        try attempt { () throws(StoreError) in try database.maintain(now: CrashRun.time(step)) }
    }

    /// Deletes a series' samples of the steps.
    func delete(series index: Int, _ steps: ClosedRange<Int>) throws {
        let labels = Labels(["__name__": "m", "i": "\(index)"])
        let times = Set(steps.map { CrashRun.time($0) })
        let isMeant = { (sample: CrashSample) in sample.series == labels.hash64 && times.contains(sample.time) }
        edit { $0.doom(isMeant) }
        try attempt { () throws(StoreError) in
            try database.delete(
                [Matcher("__name__", equals: "m"), Matcher("i", equals: ByteString("\(index)"))],
                from: CrashRun.time(steps.lowerBound), to: CrashRun.time(steps.upperBound))
            edit { $0.delete(isMeant) }
        }
    }

    /// Closes the store, and opens it again unless its writing has failed for good.
    func restart(_ options: Database.Options) throws {
        if database.writeFailure != nil { return }
        let isClosed = try attempt { () throws(StoreError) in
            try database.close()
            edit { $0.acknowledge() }
        }
        if !isClosed { disk.restart(.keepAll) }
        let opened = try? Database.open("data", options: options, fileSystem: disk)
        if let opened { return state.withLock { $0.database = opened } }
        guard toleratesFailures else {
            _ = try Database.open("data", options: options, fileSystem: disk)
            return
        }
        disk.faults = SimulatedDisk.Faults()
        let mended = try Database.open("data", options: options, fileSystem: disk)
        state.withLock { $0.database = mended }
    }
}
