package import DurableFiles
package import Matching
package import MetricModel
internal import Synchronization

/// A time series database in a data directory of Prometheus' own format.
///
/// All calls are synchronous, block, and may come from any thread but those of Swift's cooperative pool. Background
/// work (persisting the head, compaction, retention) is done by ``maintain(now:)``, which the owner calls about once
/// a minute from a thread of its own.
package final class Database: Sendable {
    struct State: ~Copyable {
        var options: Options
        var isClosed = false
        /// Why appends are refused for now.
        var refusal: StoreError?
        var spareBuffers: [AppendBuffer] = []
        var replayMilliseconds: Int64 = 0
        /// By time.
        var blocks: [Block] = []
        /// Samples in order of the head before it are in blocks.
        var headStart: Timestamp = .min
    }

    /// Counters since the start.
    final class Counters: Sendable {
        let compactionLengths = LengthRecorder(bounds: LengthRecord.compactionBounds)
        let staleCompactionLengths = LengthRecorder(bounds: LengthRecord.compactionBounds)
        let tombstoneLengths = LengthRecorder()
        /// Of chunks that leave the head for a block: bytes, samples, seconds.
        let chunkSizes = LengthRecorder(bounds: LengthRecord.exponentialBounds(32, 1.5, count: 12))
        let chunkSamples = LengthRecorder(bounds: LengthRecord.exponentialBounds(4, 1.5, count: 12))
        let chunkRanges = LengthRecorder(bounds: LengthRecord.exponentialBounds(100, 4, count: 10))
        let headLengths = LengthRecorder()
        let logLengths = LengthRecorder()
        let compactions = Atomic<UInt64>(0)
        let compactionsTriggered = Atomic<UInt64>(0)
        let compactionsSkipped = Atomic<UInt64>(0)
        let overlappingCompactions = Atomic<UInt64>(0)
        /// Blocks that are being written.
        let writing = Atomic<Int>(0)
        let compactionsFailed = Atomic<UInt64>(0)
        let truncations = Atomic<UInt64>(0)
        let truncationsFailed = Atomic<UInt64>(0)
        let reloads = Atomic<UInt64>(0)
        let reloadsFailed = Atomic<UInt64>(0)
        let staleCompactions = Atomic<UInt64>(0)
        let staleCompactionsFailed = Atomic<UInt64>(0)
        let checkpoints = Atomic<UInt64>(0)
        let checkpointsFailed = Atomic<UInt64>(0)
        let blocksByTime = Atomic<UInt64>(0)
        let blocksBySize = Atomic<UInt64>(0)
        let corruptions = Atomic<UInt64>(0)
    }

    /// Where the data lies.
    package let path: String
    let fileSystem: any FileSystem
    let events: @Sendable (StoreEvent) -> Void
    let selections = BlockSelections()
    let head: Head
    let counters = Counters()
    /// Held by whoever persists, compacts, deletes or copies.
    let maintenance = Mutex(PendingTruncation())
    /// Whether long work should stop.
    let isClosing = Atomic<Bool>(false)
    private let directoryLock: (any FileLock)?
    private let lock = Mutex<Void>(())
    // SAFETY: read and written under `lock` only.
    private nonisolated(unsafe) var state: State

    /// Append buffers that are kept between batches.
    private static let spareBufferLimit = 4

    /// Opens or creates the data directory at `path`: takes the lock, opens the blocks, replays the log.
    /// - Parameters:
    ///   - path: The data directory.
    ///   - options: How it is kept.
    ///   - fileSystem: The disk.
    ///   - events: Told what happens that an operator should know: repairs, blocks set aside, failed syncs.
    /// - Throws: ``StoreError/locked(path:)`` if another process has it; ``StoreError/corrupt(path:offset:reason:)``
    ///   for what cannot be repaired; ``StoreError/file(_:)``.
    package static func open(
        _ path: String, options: Options = Options(), fileSystem: any FileSystem = POSIXFileSystem(),
        events: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(StoreError) -> Database {
        try options.validate()
        let lock = try takeLock(path, options, fileSystem)
        do throws(StoreError) {
            return try Database(path, options, fileSystem, events, lock)
        } catch {
            lock?.release()
            throw error
        }
    }

    private static func takeLock(
        _ path: String, _ options: Options, _ fileSystem: any FileSystem
    ) throws(StoreError) -> (any FileLock)? {
        let lockPath = PathName.join(path, StoreLayout.lock)
        do throws(FileError) {
            try fileSystem.makeDirectory(path)
            return options.noLockFile ? nil : try fileSystem.lock(lockPath)
        } catch {
            throw error.isLockedElsewhere ? .locked(path: lockPath) : .file(error)
        }
    }

    private init(
        _ path: String, _ options: Options, _ fileSystem: any FileSystem,
        _ events: @escaping @Sendable (StoreEvent) -> Void, _ directoryLock: (any FileLock)?
    ) throws(StoreError) {
        self.path = path
        self.fileSystem = fileSystem
        self.events = events
        self.directoryLock = directoryLock
        let clock = ContinuousClock()
        let begin = clock.now
        let set = BlockSet(path, on: fileSystem, selections, events: events)
        try set.removeUnfinished()
        let blocks = try set.open()
        let end = BlockSet.inOrderEnd(blocks)
        head = try Database.openHead(path, options, fileSystem, minimumValidTime: end)
        state = State(options: options)
        state.blocks = blocks
        state.headStart = end
        let replay = HeadReplay(head, directory: path, on: fileSystem, events: events)
        try replay.run(usesSnapshot: options.memorySnapshotOnShutdown)
        counters.corruptions.add(UInt64(replay.damageCount), ordering: .relaxed)
        // Series whose samples are all in blocks are not needed here.
        try head.collectGarbage(before: end)
        let elapsed = begin.duration(to: clock.now).components
        state.replayMilliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
        events(
            .replayed(
                segments: replay.segmentCount, samples: replay.sampleCount, milliseconds: state.replayMilliseconds))
    }

    private static func openHead(
        _ path: String, _ options: Options, _ fileSystem: any FileSystem, minimumValidTime: Timestamp
    ) throws(StoreError) -> Head {
        let wal = try WALWriter(
            PathName.join(path, StoreLayout.wal), segmentSize: options.walSegmentSize, on: fileSystem)
        let latePath = PathName.join(path, StoreLayout.lateLog)
        var lateLog: WALWriter?
        let hasLateLog: Bool
        do throws(FileError) { hasLateLog = try fileSystem.exists(latePath) } catch { throw .file(error) }
        if options.outOfOrderWindow > 0 || hasLateLog {
            lateLog = try WALWriter(latePath, segmentSize: options.walSegmentSize, on: fileSystem)
        }
        let chunkFiles = try HeadChunkFiles(PathName.join(path, StoreLayout.headChunks), on: fileSystem)
        let setup = Head.Setup(
            rules: ChunkRules(
                range: options.minimumBlockDuration, samplesPerChunk: options.samplesPerChunk,
                usesXOR2: options.floatEncoding == .xor2, encodesHistogramStarts: options.encodesHistogramStarts,
                storesStarts: options.storesStartTimestamps),
            walCompression: options.walCompression, maximumSeries: options.maximumSeries,
            outOfOrderChunkCapacity: options.outOfOrderChunkCapacity, keepsMetadata: options.metadataRecords)
        return Head(
            setup: setup, wal: wal, lateLog: lateLog, chunkFiles: chunkFiles, minimumValidTime: minimumValidTime,
            outOfOrderWindow: options.outOfOrderWindow, maximumExemplars: options.maximumExemplars)
    }

    // MARK: Appending

    /// A new batch of samples: applied as one by ``Appender/commit(_:)``, or not at all.
    /// Use each appender from one thread at a time.
    package func appender() -> Appender {
        let buffer = lock.withLock { _ in state.spareBuffers.popLast() } ?? AppendBuffer()
        return Appender(self, head, buffer)
    }

    /// Takes an empty buffer back.
    func keep(_ buffer: AppendBuffer) {
        lock.withLock { _ in
            if state.spareBuffers.count < Database.spareBufferLimit { state.spareBuffers.append(buffer) }
        }
    }

    /// Throws if appends are refused now.
    func checkWritable() throws(StoreError) {
        if let failure = writeFailure { throw failure }
    }

    /// The reference of a series that the head knows.
    package func reference(of labels: Labels) -> SeriesReference? {
        head.series.series(labels, hash: labels.hash64).map { SeriesReference(rawValue: $0.reference) }
    }

    // MARK: Queries

    /// A view of all samples from `start` to `end`, both included, as they are now: later appends, compactions and
    /// deletions do not change it. Blocks that it reads stay on disk until it is released.
    package func querier(from start: Timestamp, to end: Timestamp) throws(StoreError) -> Querier {
        // Blocks and head belong together: what moves from one to the other moves under the same lock.
        try lock.withLock { (_) throws(StoreError) -> Querier in
            if state.isClosed { throw .closed }
            let blocks = state.blocks.filter { $0.meta.overlaps(start, end) }
            let view = HeadView(head, from: start, inOrderFrom: max(start, state.headStart), to: end)
            return Querier(from: start, to: end, head: view, blocks: blocks)
        }
    }

    /// The database as it is now, for several queriers that belong together.
    package func moment() throws(StoreError) -> ReadMoment {
        try lock.withLock { (_) throws(StoreError) -> ReadMoment in
            if state.isClosed { throw .closed }
            return ReadMoment(head, blocks: state.blocks, headStart: state.headStart)
        }
    }

    /// The blocks that are served, by time.
    var openBlocks: [Block] { lock.withLock { _ in state.blocks } }

    /// Where the samples in order end that blocks hold.
    var inOrderEnd: Timestamp { lock.withLock { _ in state.headStart } }

    /// Changes what is served; the isolation of readers changes with it.
    func replaceBlocks(headStart: Timestamp?, _ change: (inout [Block]) -> Void) {
        lock.withLock { _ in
            change(&state.blocks)
            if let headStart { state.headStart = max(state.headStart, headStart) }
        }
    }

    /// Refuses appends for `error`, or takes them again.
    func setRefusal(_ error: StoreError?) {
        let old = lock.withLock { _ in
            defer { state.refusal = error }
            return state.refusal
        }
        if let error, old == nil { events(.writesStopped(error.description)) }
        if error == nil, old != nil { events(.writesResumed) }
    }

    /// The exemplars of series that fulfil all matchers of at least one of the lists, by series, each by time.
    package func exemplars(
        matching selectors: [[Matcher]], from start: Timestamp, to end: Timestamp
    ) throws(StoreError) -> [SeriesExemplars] {
        try checkOpen()
        return head.exemplars.select(from: start, to: end) { labels in
            selectors.contains { $0.allSatisfy { $0.matches(labels) } }
        }
    }

    // MARK: Administration

    /// Changes what may change while the database is open: retention, out-of-order window, exemplars, the encoding of
    /// floats.
    package func update(_ change: @Sendable (inout Options) -> Void) throws(StoreError) {
        try checkOpen()
        var options = lock.withLock { _ in state.options }
        change(&options)
        try options.validate()
        if options.outOfOrderWindow > 0 {
            let segmentSize = options.walSegmentSize
            let path = PathName.join(path, StoreLayout.lateLog)
            if head.lateLog.withLock({ $0 }) == nil {
                let log = try WALWriter(path, segmentSize: segmentSize, on: fileSystem)
                head.lateLog.withLock { $0 = log }
            }
        }
        head.outOfOrderWindow.store(options.outOfOrderWindow, ordering: .relaxed)
        head.usesXOR2.store(options.floatEncoding == .xor2, ordering: .relaxed)
        head.exemplars.resize(to: options.maximumExemplars)
        lock.withLock { _ in state.options = options }
    }

    /// The options as they are now.
    package var options: Options { lock.withLock { _ in state.options } }

    /// Why appends are refused, or nil while they are taken.
    package var writeFailure: StoreError? {
        let own: StoreError? = lock.withLock { _ in state.isClosed ? .closed : state.refusal }
        return own ?? head.wal.failure ?? head.lateLog.withLock { $0 }?.failure
    }

    func checkOpen() throws(StoreError) {
        if lock.withLock({ _ in state.isClosed }) { throw .closed }
    }

    /// Milliseconds that the replay at the start took.
    var replayMilliseconds: Int64 { lock.withLock { _ in state.replayMilliseconds } }

    /// Stops: waits for running appends, syncs the log, writes a memory snapshot if asked for, gives up the lock.
    /// Later calls throw ``StoreError/closed``.
    package func close() throws(StoreError) {
        isClosing.store(true, ordering: .relaxed)
        let wasClosed = lock.withLock { _ in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        defer { directoryLock?.release() }
        try maintenance.withLock { (_) throws(StoreError) in try closeFiles() }
    }

    private func closeFiles() throws(StoreError) {
        // A commit that runs ends first; those that wait for it are refused by the closed log.
        try head.withCommitState { (_) throws(StoreError) in
            try head.wal.close()
            try head.lateLog.withLock { $0 }?.close()
        }
        if options.memorySnapshotOnShutdown && head.wal.failure == nil {
            try head.mapFullChunks()
            // Their log may name series by references that only older records of the other log explain.
            _ = try head.cutLateSamples(beginsSegment: false)
            // The snapshot stands for what the log says only together with these files.
            try head.chunkFiles.sync()
            let end = head.wal.end
            try MemorySnapshot.write(
                head, segment: end.segment, offset: end.offset, into: path, on: fileSystem)
        }
        try head.chunkFiles.close()
    }
}

extension Database.Options {
    /// Throws for options that contradict each other.
    func validate() throws(StoreError) {
        guard walSegmentSize > 0, walSegmentSize % WALFormat.pageSize == 0 else {
            throw .invalidOptions("the WAL segment size must be a multiple of 32 KiB")
        }
        guard minimumBlockDuration > 0, maximumBlockDuration >= minimumBlockDuration else {
            throw .invalidOptions("the maximum block duration must not be below the minimum")
        }
        guard floatEncoding == .xor2 || !storesStartTimestamps else {
            throw .invalidOptions(
                "float chunk encoding \"xor\" is incompatible with start-timestamp storage; XOR chunks do not store "
                    + "start timestamps, use \"xor2\"")
        }
        guard samplesPerChunk > 0, samplesPerChunk <= 16_000, outOfOrderChunkCapacity > 0,
            outOfOrderChunkCapacity <= 255
        else {
            throw .invalidOptions("a chunk holds 1 to 16,000 samples, an out-of-order chunk 1 to 255")
        }
        guard retention >= 0, maximumBytes >= 0, outOfOrderWindow >= 0, maximumExemplars >= 0, maximumSeries >= 0,
            maximumDiskPercentage >= 0, maximumDiskPercentage <= 100, staleSeriesThreshold >= 0
        else {
            throw .invalidOptions("limits must not be negative")
        }
    }
}
