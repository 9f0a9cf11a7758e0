import Foundation
import DurableFiles
import Matching
import MetricModel
import Synchronization
import TSDB
import TestSupport
import Testing

/// The store is stopped before each operation on the disk, and each of its syncs, writes and reads fails; what it
/// acknowledged is there afterwards, whole, and nothing else.
///
/// `NARTHEX_CRASH_SEEDS` sets how many losses of power are drawn for each operation.
@Suite struct CrashTests {
    private static let seeds = ProcessInfo.processInfo.environment["NARTHEX_CRASH_SEEDS"].flatMap { UInt64($0) } ?? 1

    /// A disk that is ready for a workload, and what is on it.
    private static func prepared(_ workload: CrashWorkload) throws -> (disk: SimulatedDisk, history: CrashHistory) {
        let disk = SimulatedDisk(seed: 1)
        let history = try workload.prepare(disk)
        return (disk, history)
    }

    @Test(arguments: CrashWorkload.allCases, SimulatedDisk.Damage.allCases)
    func `a stop before any operation loses nothing that was acknowledged, and invents nothing`(
        _ workload: CrashWorkload, _ damage: SimulatedDisk.Damage
    ) throws {
        let (disk, history) = try CrashTests.prepared(workload)
        let run = try CrashRun(disk, workload.options, history)
        run.observe()
        try run.restart(workload.options)
        try workload.work(run)
        try run.database.close()
        disk.beforeEachChange(nil)
        let moments = run.moments
        #expect(moments.count > 30)
        for (index, moment) in moments.enumerated() {
            for seed in 0..<(damage == .random ? CrashTests.seeds : 1) {
                try CrashTests.check(
                    moment, workload, damage, seed: UInt64(index) << 20 | seed,
                    "\(workload), before operation \(index) of \(moments.count), seed \(seed)")
            }
        }
    }

    /// Power is lost, in every second case again while the store is opened; then it must answer, and go on.
    private static func check(
        _ moment: CrashMoment, _ workload: CrashWorkload, _ damage: SimulatedDisk.Damage, seed: UInt64,
        _ comment: Comment
    ) throws {
        let disk = SimulatedDisk(copying: moment.disk, seed: seed)
        disk.restart(damage)
        let options = workload.keepingOptions
        if seed & 1 == 1 || (seed >> 20) & 1 == 1 {
            disk.faults.crashAfterOperation = Int(seed >> 21) % 9
            _ = try? Database.open("data", options: options, fileSystem: disk)
            disk.restart(damage)
        }
        try expectKept(disk, moment.history, options, maintains: damage == .random, comment)
    }

    /// Opens the store, compares, and works on.
    private static func expectKept(
        _ disk: SimulatedDisk, _ history: CrashHistory, _ options: Database.Options, maintains: Bool = true,
        _ comment: Comment
    ) throws {
        let database = try Database.open("data", options: options, fileSystem: disk)
        var samples = try CrashSample.all(database)
        history.check(samples, comment)
        let appender = database.appender()
        let labels = Labels(["__name__": "n"])
        let time = CrashRun.time(48)
        _ = try appender.append(.none, labels: labels, timestamp: time, value: 1)
        #expect(try appender.commit(.synced).appended == 1, comment)
        if maintains { try database.maintain(now: time) }
        samples.append(CrashSample(labels, time, 1))
        #expect(try Set(CrashSample.all(database)) == Set(samples), "after maintenance; \(comment)")
        try database.close()
    }

    private static func work(
        _ workload: CrashWorkload, _ prepared: (disk: SimulatedDisk, history: CrashHistory),
        _ change: (inout SimulatedDisk.Faults) -> Void
    ) throws -> CrashRun {
        let disk = SimulatedDisk(copying: prepared.disk, seed: 1)
        disk.restart(.keepAll)
        let run = try CrashRun(disk, workload.options, prepared.history, toleratesFailures: true)
        var faults = SimulatedDisk.Faults()
        change(&faults)
        disk.faults = faults
        try workload.work(run)
        return run
    }

    /// How many operations, syncs, writes and reads a workload does.
    private static func counts(
        _ workload: CrashWorkload, _ prepared: (disk: SimulatedDisk, history: CrashHistory)
    ) throws -> (operations: Range<Int>, syncs: Range<Int>, writes: Range<Int>) {
        let disk = SimulatedDisk(copying: prepared.disk, seed: 1)
        disk.restart(.keepAll)
        let run = try CrashRun(disk, workload.options, prepared.history)
        let before = (disk.operationCount, disk.syncCount, disk.writeCount)
        try workload.work(run)
        return (
            before.0..<disk.operationCount, before.1 + 1..<disk.syncCount + 1, before.2 + 1..<disk.writeCount + 1
        )
    }

    @Test(arguments: CrashWorkload.allCases)
    func `whichever sync fails, what was acknowledged survives a loss of power`(_ workload: CrashWorkload) throws {
        let prepared = try CrashTests.prepared(workload)
        for sync in try CrashTests.counts(workload, prepared).syncs {
            let run = try CrashTests.work(workload, prepared) { $0.failingSync = sync }
            run.history.check(try CrashSample.all(run.database), "\(workload), sync \(sync), in memory")
            run.disk.restart(.dropUnsynced)
            try CrashTests.expectKept(
                run.disk, run.history, workload.keepingOptions, maintains: false,
                "\(workload), sync \(sync), without power")
        }
    }

    @Test(arguments: CrashWorkload.allCases)
    func `whichever write fails, what was acknowledged is there`(_ workload: CrashWorkload) throws {
        let prepared = try CrashTests.prepared(workload)
        for write in try CrashTests.counts(workload, prepared).writes {
            let run = try CrashTests.work(workload, prepared) { $0.failingWrite = write }
            run.history.check(try CrashSample.all(run.database), "\(workload), write \(write), in memory")
            run.disk.restart(write % 2 == 0 ? .dropUnsynced : .keepAll)
            try CrashTests.expectKept(
                run.disk, run.history, workload.keepingOptions, maintains: false,
                "\(workload), write \(write), restarted")
        }
    }

    @Test(arguments: CrashWorkload.allCases)
    func `whenever the disk is full, nothing is lost, and work goes on once it is not`(
        _ workload: CrashWorkload
    ) throws {
        let prepared = try CrashTests.prepared(workload)
        for operation in try CrashTests.counts(workload, prepared).operations {
            let run = try CrashTests.work(workload, prepared) { $0.fullAfterOperation = operation }
            run.disk.faults = SimulatedDisk.Faults()
            let comment: Comment = "\(workload), full after operation \(operation)"
            try run.database.maintain(now: CrashRun.time(40))
            try run.append(40)
            run.history.check(try CrashSample.all(run.database), comment)
            #expect(run.database.writeFailure == nil, comment)
            #expect(run.history.open.isEmpty, "the last batch is acknowledged; \(comment)")
            run.disk.restart(operation % 2 == 0 ? .dropUnsynced : .random)
            try CrashTests.expectKept(run.disk, run.history, workload.keepingOptions, comment)
        }
    }

    @Test(arguments: CrashWorkload.allCases)
    func `whichever read fails, the answer is an error or whole, and nothing is forgotten`(
        _ workload: CrashWorkload
    ) throws {
        let prepared = try CrashTests.prepared(workload)
        let whole = SimulatedDisk(copying: prepared.disk, seed: 1)
        whole.restart(.keepAll)
        let run = try CrashRun(whole, workload.keepingOptions, prepared.history)
        try workload.work(run)
        let history = run.history
        whole.restart(.keepAll)
        let counted = SimulatedDisk(copying: whole, seed: 1)
        try CrashTests.expectKept(counted, history, workload.keepingOptions, "\(workload)")
        for read in 1...counted.readCount {
            let disk = SimulatedDisk(copying: whole, seed: 1)
            disk.faults.failingRead = read
            let setAside = Atomic(0)
            let opened = try? Database.open("data", options: workload.keepingOptions, fileSystem: disk) { event in
                if case .blockSetAside = event { setAside.add(1, ordering: .relaxed) }
            }
            if let database = opened {
                let samples = try? CrashSample.all(database)
                // A block that cannot be read is told of, and the rest is served.
                if let samples, setAside.load(ordering: .relaxed) == 0 {
                    history.check(samples, "\(workload), read \(read)")
                }
                try database.maintain(now: CrashRun.time(40))
                try? database.close()
            }
            disk.restart(.keepAll)
            try CrashTests.expectKept(
                disk, history, workload.keepingOptions, maintains: false, "\(workload), after read \(read)")
        }
    }

    private static var options: Database.Options {
        var options = Database.Options()
        options.walSegmentSize = 32 << 10
        options.walCompression = .none
        options.minimumFreeBytes = 0
        return options
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
