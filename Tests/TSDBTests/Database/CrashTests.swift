import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

@Suite struct CrashTests {
    /// What a workload did before it was stopped.
    private struct History {
        /// Batches in order: each is a set of samples of one time.
        var batches: [(time: Timestamp, series: Int)] = []
        /// How many of them were acknowledged as synced, and all before.
        var acknowledged = 0
        var isOpen = false
    }

    static let start: Timestamp = 1_700_000_000_000
    private static let seriesCount = 6

    private static var options: Database.Options {
        var options = Database.Options()
        options.walSegmentSize = 32 << 10
        options.walCompression = .none
        options.minimumFreeBytes = 0
        return options
    }

    @Test(arguments: SimulatedDisk.Damage.allCases)
    func `a crash at any operation loses nothing that was acknowledged, and invents nothing`(
        _ damage: SimulatedDisk.Damage
    ) throws {
        let whole = SimulatedDisk(seed: 1)
        _ = CrashTests.work(on: whole)
        let operations = whole.operationCount
        #expect(operations > 100)
        for stop in 1...operations {
            let disk = SimulatedDisk(seed: UInt64(stop))
            disk.faults.crashAfterOperation = stop
            let history = CrashTests.work(on: disk)
            disk.faults = SimulatedDisk.Faults()
            disk.restart(damage)
            try CrashTests.check(disk, history, "stopped after \(stop)")
        }
    }

    /// Appends batches, synced and relaxed, with maintenance and a restart in between.
    private static func work(on disk: SimulatedDisk) -> History {
        var history = History()
        do {
            var database = try Database.open("data", options: options, fileSystem: disk)
            for step in 0..<150 {
                let time = start + Int64(step) * 60_000
                let appender = database.appender()
                for index in 0..<seriesCount {
                    let labels = Labels([
                        "__name__": "m", "i": "\(index)", "text": "\(String(repeating: "x", count: 100))",
                    ])
                    _ = try appender.append(.none, labels: labels, timestamp: time, value: Double(step))
                }
                history.batches.append((time, seriesCount))
                let isSynced = step % 4 == 3
                _ = try appender.commit(isSynced ? .synced : .relaxed)
                if isSynced { history.acknowledged = history.batches.count }
                if step % 40 == 39 { try database.maintain(now: time) }
                if step == 100 {
                    try database.close()
                    history.acknowledged = history.batches.count
                    database = try Database.open("data", options: options, fileSystem: disk)
                }
            }
            try database.close()
            history.acknowledged = history.batches.count
        } catch {}
        return history
    }

    private static func check(_ disk: SimulatedDisk, _ history: History, _ comment: Comment) throws {
        let database = try Database.open("data", options: options, fileSystem: disk)
        var found: [Timestamp: Int] = [:]
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            for (index, time) in columns.timestamps.enumerated() {
                found[time, default: 0] += 1
                #expect(columns.values[index] == Double((time - start) / 60_000), comment)
            }
        }
        for (index, batch) in history.batches.enumerated() {
            let count = found.removeValue(forKey: batch.time) ?? 0
            if index < history.acknowledged {
                #expect(count == batch.series, "batch \(index) of \(history.acknowledged) acknowledged; \(comment)")
            } else {
                #expect(count == 0 || count == batch.series, "batch \(index) in part; \(comment)")
            }
        }
        #expect(found.isEmpty, comment)
        // The store works on.
        let appender = database.appender()
        _ = try appender.append(.none, labels: Labels(["__name__": "n"]), timestamp: start + 86_400_000, value: 1)
        #expect(try appender.commit(.synced).appended == 1, comment)
        try database.close()
    }

    /// Blocks of ten minutes, late samples, deletions of old blocks by compaction: all of it is stopped everywhere.
    @Test(arguments: [SimulatedDisk.Damage.dropUnsynced, .random])
    func `a crash while blocks are written or compacted loses nothing either`(
        _ damage: SimulatedDisk.Damage
    ) throws {
        var options = CrashTests.options
        options.minimumBlockDuration = 600_000
        options.maximumBlockDuration = 600_000 * 9
        options.outOfOrderWindow = 3_600_000
        options.memorySnapshotOnShutdown = damage == .random
        let whole = SimulatedDisk(seed: 1)
        _ = CrashTests.workWithBlocks(on: whole, options)
        let operations = whole.operationCount
        for stop in stride(from: 1, through: operations, by: 13) {
            let disk = SimulatedDisk(seed: UInt64(stop))
            disk.faults.crashAfterOperation = stop
            let acknowledged = CrashTests.workWithBlocks(on: disk, options)
            disk.restart(damage)
            let database = try Database.open("data", options: options, fileSystem: disk)
            var found: Set<Timestamp> = []
            for series in try database.querier(from: .min, to: .max).select([]) {
                var columns = SampleColumns()
                try series.read(into: &columns)
                found.formUnion(columns.timestamps)
            }
            #expect(acknowledged.isSubset(of: found), "stopped after \(stop) of \(operations)")
            try database.maintain(now: CrashTests.start + 86_400_000)
            try database.close()
        }
    }

    /// - Returns: the times of samples that were acknowledged.
    private static func workWithBlocks(on disk: SimulatedDisk, _ options: Database.Options) -> Set<Timestamp> {
        var acknowledged: Set<Timestamp> = []
        do {
            var database = try Database.open("data", options: options, fileSystem: disk)
            for step in 0..<60 {
                var times: Set<Timestamp> = [start + Int64(step) * 60_000]
                if step % 5 == 4 { times.insert(start + Int64(step) * 60_000 - 1_234_567) }
                let appender = database.appender()
                for time in times.sorted(by: >) {
                    let labels = Labels(["__name__": "m", "i": "\(step % 3)"])
                    _ = try appender.append(.none, labels: labels, timestamp: time, value: Double(step))
                }
                _ = try appender.commit(.synced)
                acknowledged.formUnion(times)
                if step % 7 == 6 { try database.maintain(now: start + Int64(step) * 60_000) }
                if step == 40 {
                    try database.close()
                    database = try Database.open("data", options: options, fileSystem: disk)
                }
            }
            try database.close()
        } catch {}
        return acknowledged
    }

    @Test func `a failed sync makes the store read-only for good, and reads go on`() throws {
        let disk = SimulatedDisk(seed: 1)
        let database = try Database.open("data", options: CrashTests.options, fileSystem: disk)
        let labels = Labels(["__name__": "m"])
        let appender = database.appender()
        _ = try appender.append(.none, labels: labels, timestamp: 1, value: 1)
        #expect(try appender.commit(.synced).appended == 1)
        disk.faults.failingSync = disk.syncCount + 1
        _ = try appender.append(.none, labels: labels, timestamp: 2, value: 2)
        #expect(throws: StoreError.self) { try appender.commit(.synced) }
        disk.faults = SimulatedDisk.Faults()
        _ = try appender.append(.none, labels: labels, timestamp: 3, value: 3)
        #expect(throws: StoreError.self) { try appender.commit(.relaxed) }
        #expect(database.writeFailure != nil)
        #expect(try database.querier(from: 0, to: 10).select([]).count == 1)
    }

    @Test func `a full disk refuses batches whole, and takes them again once there is space`() throws {
        let disk = SimulatedDisk(seed: 1)
        let database = try Database.open("data", options: CrashTests.options, fileSystem: disk)
        let labels = (0..<50).map { Labels(["__name__": "m", "i": "\($0)"]) }
        var stored: [Timestamp] = []
        disk.faults.capacity = 20_000
        var failures = 0
        for step in 0..<100 {
            if step == 80 { disk.faults.capacity = nil }
            let appender = database.appender()
            for set in labels {
                _ = try appender.append(.none, labels: set, timestamp: Int64(step) * 1000, value: 1)
            }
            if try CrashTests.commits(appender) { stored.append(Int64(step) * 1000) } else { failures += 1 }
        }
        #expect(failures > 0)
        #expect(stored.last == 99_000)
        try CrashTests.expect(database, stored)
        try database.close()
        let again = try Database.open("data", options: CrashTests.options, fileSystem: disk)
        try CrashTests.expect(again, stored)
    }

    /// Whether a commit succeeds; false if the disk is full.
    private static func commits(_ appender: Appender) throws -> Bool {
        do throws(StoreError) {
            _ = try appender.commit(.synced)
            return true
        } catch {
            guard case .diskFull = error else { throw error }
            return false
        }
    }

    private static func expect(_ database: Database, _ times: [Timestamp]) throws {
        let selected = try database.querier(from: .min, to: .max).select([])
        #expect(selected.count == 50)
        for series in selected {
            var columns = SampleColumns()
            try series.read(into: &columns)
            #expect(columns.timestamps == times)
        }
    }
}
