import TSDB
import TestSupport

/// What a store does while it is stopped: each case is small, so that every operation of the disk can be tried.
enum CrashWorkload: String, CaseIterable, Sendable {
    /// Synced and relaxed commits over several segments, and a restart.
    case log
    /// Blocks of the head, and the log behind it condensed and cut.
    case checkpoint
    /// Blocks merged into larger ones.
    case compaction
    /// Deletions in blocks and head, and blocks rewritten without what was deleted.
    case deletion
    /// Snapshots of memory at each stop.
    case memorySnapshot
    /// Late samples: their log, their chunks, blocks of them that overlap others, which are merged.
    case late
    /// Series that have ended go to blocks before their time.
    case stale
    /// Blocks that are too old.
    case retentionByTime
    /// Blocks that are too many.
    case retentionBySize

    /// How a store is opened that must not forget anything.
    var keepingOptions: Database.Options {
        var options = Database.Options()
        options.walSegmentSize = 32 << 10
        options.walCompression = self == .log || self == .checkpoint ? .none : .snappy
        options.minimumFreeBytes = 0
        options.samplesPerChunk = 2
        options.outOfOrderChunkCapacity = 4
        options.minimumBlockDuration = 600_000
        options.maximumBlockDuration = 600_000 * (self == .compaction || self == .late ? 9 : 1)
        options.retention = 0
        options.memorySnapshotOnShutdown = self == .memorySnapshot
        if self == .late { options.outOfOrderWindow = 3_600_000 }
        return options
    }

    /// How the store is opened while it works.
    var options: Database.Options {
        var options = keepingOptions
        switch self {
        case .stale: options.staleSeriesThreshold = 0.1
        case .retentionByTime: options.retention = 1_200_000
        case .retentionBySize: options.maximumBytes = 1
        default: break
        }
        return options
    }

    /// Steps that are done before the store is stopped or fails anywhere.
    private var preparedSteps: Int {
        switch self {
        case .log: 0
        case .checkpoint: 17
        case .compaction, .retentionByTime, .retentionBySize: 24
        case .deletion, .late: 12
        case .memorySnapshot, .stale: 6
        }
    }

    /// Fills an empty disk.
    /// - Returns: what is on it.
    func prepare(_ disk: SimulatedDisk) throws -> CrashHistory {
        var options = keepingOptions
        // Blocks stay small until the work begins.
        options.maximumBlockDuration = options.minimumBlockDuration
        options.compacts = self != .checkpoint
        let run = try CrashRun(disk, options)
        for step in 0..<preparedSteps {
            try run.append(step, .relaxed, padding: self == .checkpoint ? 5_000 : 0)
            if step % 5 == 4 { try run.maintain(step) }
        }
        try run.database.close()
        run.edit { $0.acknowledge() }
        return run.history
    }

    /// The work itself.
    func work(_ run: CrashRun) throws {
        let first = preparedSteps
        switch self {
        case .log:
            for step in 0..<18 {
                try run.append(step, step % 3 == 2 ? .synced : .relaxed, padding: step % 2 * 5_000)
                if step == 11 { try run.restart(options) }
            }
        case .checkpoint, .compaction:
            for step in first..<first + 4 {
                try run.append(step)
                if step % 2 == 0 { try run.maintain(step) }
            }
        case .deletion:
            try run.delete(series: 1, 3...9)
            try run.append(first)
            try run.delete(series: 2, 0...first - 1)
            try run.attempt { () throws(StoreError) in try run.database.cleanTombstones() }
            for step in first + 1..<first + 4 { try run.append(step) }
            try run.maintain(first + 4)
        case .memorySnapshot:
            for step in first..<first + 9 {
                try run.append(step, .relaxed)
                if step % 3 == 2 { try run.restart(options) }
            }
        case .late:
            for step in first..<first + 8 {
                try run.append(step, .relaxed)
                try run.append(step, step % 2 == 0 ? .synced : .relaxed, late: 1_000_001)
                if step % 3 == 2 { try run.maintain(step) }
                if step == first + 4 { try run.restart(options) }
            }
        case .stale:
            try run.end(series: 1, first)
            try run.maintain(first)
            for step in first + 1..<first + 4 {
                try run.append(step, .relaxed)
                try run.maintain(step)
            }
        case .retentionByTime, .retentionBySize:
            run.edit { $0.doom { _ in true } }
            try run.append(first)
            try run.maintain(first)
            try run.append(first + 1)
        }
    }
}
