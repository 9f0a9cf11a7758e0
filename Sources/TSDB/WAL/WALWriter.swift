internal import DurableFiles
internal import Synchronization

/// Appends records to a log's segments, and makes them durable in groups.
///
/// A batch goes into one segment, by one write. After a failed write the segment is cut back to where it was, so that
/// the log holds whole batches only; after a failed sync nothing is written any more.
///
/// Source of the format: prometheus/prometheus tsdb/wlog/wlog.go.
final class WALWriter: Sendable {
    /// What a write needs.
    private struct State: ~Copyable {
        var file: any File
        var segment: Int
        /// Bytes of the segment that are in the file.
        var offset: Int64 = 0
        var pageUsed = 0
        /// Bytes written since the log was opened: what a sync is asked to reach.
        var position: Int64 = 0
        var pending = WireBuffer(capacity: 64 * 1024)
        /// Segments that ended since the last sync.
        var unsynced: [any File] = []
        /// Whether the directory has names that are not durable yet.
        var hasNewNames = true
        /// Whether the file may hold bytes beyond ``offset``, from a failed write.
        var needsCut = false
        var failure: StoreError?
        var isClosed = false
    }

    private struct SyncState {
        /// Everything up to here is durable.
        var position: Int64 = 0
        var syncs: UInt64 = 0
    }

    /// Where the segments lie.
    let directory: String
    private let fileSystem: any FileSystem
    private let segmentSize: Int
    private let lock = Mutex<Void>(())
    // SAFETY: read and written under `lock` only.
    private nonisolated(unsafe) var state: State
    /// Held during a sync: who waits for it finds the work done.
    private let syncState = Mutex(SyncState())
    private let counters = Counters()

    /// Numbers for metrics.
    final class Counters: Sendable {
        let syncLengths = LengthRecorder()
        let bytes = Atomic<UInt64>(0)
        let failedWrites = Atomic<UInt64>(0)
        let completedPages = Atomic<UInt64>(0)
        let pageFlushes = Atomic<UInt64>(0)
    }

    /// Opens the log at `directory` for appending, in a new segment behind those that are there.
    init(_ directory: String, segmentSize: Int, on fileSystem: any FileSystem) throws(StoreError) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.segmentSize = max(segmentSize, WALFormat.pageSize)
        do throws(FileError) {
            try fileSystem.makeDirectory(directory)
        } catch {
            throw .file(error)
        }
        let listing = try WALListing(directory, on: fileSystem)
        var number = 0
        if let last = listing.segments.last {
            number = last + 1
        } else if let checkpoint = listing.checkpoints.last {
            number = checkpoint + 1
        }
        do throws(FileError) {
            let file = try fileSystem.open(PathName.join(directory, WALFormat.segmentName(number)), .truncate)
            state = State(file: file, segment: number)
        } catch {
            throw .file(error)
        }
    }

    /// The segment that is being written.
    var currentSegment: Int { lock.withLock { _ in state.segment } }

    /// Where the log ends.
    var end: (segment: Int, offset: Int) { lock.withLock { _ in (state.segment, Int(state.offset)) } }

    /// Everything written so far, as a position for ``sync(upTo:)``.
    var position: Int64 { lock.withLock { _ in state.position } }

    /// Why nothing is written any more.
    var failure: StoreError? { lock.withLock { _ in state.failure } }

    /// Bytes and failures since the start.
    var metrics: (bytes: UInt64, failedWrites: UInt64, syncs: UInt64) {
        (
            counters.bytes.load(ordering: .relaxed), counters.failedWrites.load(ordering: .relaxed),
            syncState.withLock { $0.syncs }
        )
    }

    /// Pages that were filled, and how often a page, filled or not, was written.
    var pages: (completed: UInt64, flushes: UInt64) {
        (counters.completedPages.load(ordering: .relaxed), counters.pageFlushes.load(ordering: .relaxed))
    }

    /// How long syncs took.
    var syncLengths: LengthRecord { counters.syncLengths.current }

    /// Writes the records of `batch` to the operating system.
    /// - Returns: the position to sync up to.
    /// - Throws: ``StoreError/diskFull(path:)``, ``StoreError/readOnly(reason:)``, ``StoreError/file(_:)``; nothing of
    ///   the batch is then in the log.
    func write(_ batch: borrowing WALRecordBatch) throws(StoreError) -> Int64 {
        try lock.withLock { (_) throws(StoreError) -> Int64 in
            do throws(StoreError) { return try writeLocked(batch) } catch {
                counters.failedWrites.add(1, ordering: .relaxed)
                throw error
            }
        }
    }

    private func writeLocked(_ batch: borrowing WALRecordBatch) throws(StoreError) -> Int64 {
        try check()
        guard !batch.isEmpty else { return state.position }
        let bound = Int64(batch.sizeBound(pageUsed: state.pageUsed))
        if state.offset > 0 && state.offset + bound > Int64(segmentSize) { try rotate() }
        var pageUsed = state.pageUsed
        state.pending.removeAll()
        batch.appendFragments(to: &state.pending, pageUsed: &pageUsed)
        try flush()
        state.pageUsed = pageUsed
        state.pending.shrink(to: 4 << 20)
        return state.position
    }

    private func check() throws(StoreError) {
        if state.isClosed { throw .closed }
        if let failure = state.failure { throw failure }
        guard state.needsCut else { return }
        do throws(FileError) {
            try state.file.truncate(to: state.offset)
            state.needsCut = false
        } catch {
            throw WALWriter.storeError(error)
        }
    }

    /// Writes what is pending at the end of the segment, all or nothing.
    private func flush() throws(StoreError) {
        do throws(FileError) {
            try state.file.write(state.pending.bytes, at: state.offset)
        } catch {
            state.needsCut = true
            // A second failure leaves it to the next write, which tries again before it writes.
            if (try? state.file.truncate(to: state.offset)) != nil { state.needsCut = false }
            throw WALWriter.storeError(error)
        }
        let written = state.pending.count
        let pageSize = Int64(WALFormat.pageSize)
        let end = state.offset + Int64(written)
        let completed = UInt64(end / pageSize - state.offset / pageSize)
        counters.completedPages.add(completed, ordering: .relaxed)
        counters.pageFlushes.add(completed + (end % pageSize == 0 ? 0 : 1), ordering: .relaxed)
        state.offset += Int64(written)
        state.position += Int64(written)
        counters.bytes.add(UInt64(written), ordering: .relaxed)
    }

    /// Ends the segment: only the last page of the last segment may be partial.
    private func rotate() throws(StoreError) {
        if state.pageUsed > 0 {
            state.pending.removeAll()
            state.pending.put(zeros: WALFormat.pageSize - state.pageUsed)
            try flush()
            state.pageUsed = 0
        }
        do throws(FileError) {
            let path = PathName.join(directory, WALFormat.segmentName(state.segment + 1))
            let next = try fileSystem.open(path, .truncate)
            state.unsynced.append(state.file)
            state.file = next
        } catch {
            throw WALWriter.storeError(error)
        }
        state.segment += 1
        state.offset = 0
        state.hasNewNames = true
    }

    /// Begins a new segment, so that the ones before it are complete.
    /// - Returns: the number of the new segment.
    func nextSegment() throws(StoreError) -> Int {
        try lock.withLock { (_) throws(StoreError) -> Int in
            try check()
            if state.offset > 0 { try rotate() }
            return state.segment
        }
    }

    /// Returns once everything up to `position` is durable. Callers that wait at the same time share one sync.
    /// - Throws: ``StoreError/readOnly(reason:)`` after a failed sync, now and ever after.
    func sync(upTo position: Int64) throws(StoreError) {
        let failure: StoreError? = syncState.withLock { sync in
            if sync.position >= position { return nil }
            var files: [any File] = []
            var target: Int64 = 0
            var hasNewNames = false
            let earlier: StoreError? = lock.withLock { _ in
                files = state.unsynced + [state.file]
                state.unsynced = []
                target = state.position
                hasNewNames = state.hasNewNames
                state.hasNewNames = false
                return state.failure
            }
            if let earlier { return earlier }
            let start = ContinuousClock.now
            do throws(FileError) {
                for file in files { try file.sync(.data) }
                if hasNewNames { try fileSystem.syncDirectory(directory) }
            } catch {
                // Nothing is known about what was written since the last good sync, and a second one could succeed
                // without having written it.
                let failure = StoreError.readOnly(reason: error.description)
                lock.withLock { _ in state.failure = failure }
                return failure
            }
            counters.syncLengths.note(since: start)
            sync.position = target
            sync.syncs += 1
            return nil
        }
        if let failure { throw failure }
    }

    /// Syncs all that was written.
    func sync() throws(StoreError) { try sync(upTo: position) }

    /// Syncs and closes. Further writes throw ``StoreError/closed``.
    func close() throws(StoreError) {
        if failure == nil { try sync() }
        lock.withLock { _ in
            state.isClosed = true
            try? state.file.close()
            for file in state.unsynced { try? file.close() }
            state.unsynced = []
        }
    }

    private static func storeError(_ error: FileError) -> StoreError {
        error.isOutOfSpace ? .diskFull(path: error.path) : .file(error)
    }
}
