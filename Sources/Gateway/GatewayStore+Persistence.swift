package import DurableFiles
internal import Synchronization

extension GatewayStore {
    /// Where and how a store keeps its state on disk.
    package struct Persistence: Sendable {
        /// `--persistence.file`: the snapshot; the journal's segments lie beside it.
        package var path: String
        /// `--persistence.interval`: how often a snapshot replaces the journal, if anything changed. What is
        /// acknowledged is durable all the same. nil: only when the store is closed or the journal grows long.
        package var snapshotInterval: Duration?
        /// Bytes of journal after which a snapshot is made before its time, so that a start stays quick.
        package var maximumJournalBytes: Int64
        /// The disk.
        package var fileSystem: any FileSystem
        /// A segment of the journal grows by up to so many bytes of zeros before they are needed; 0: it does not.
        package var journalStep = 1 << 20
        /// Called with what an operator should know; from any thread.
        package var onEvent: @Sendable (StoreEvent) -> Void

        /// A store on disk.
        package init(
            path: String, snapshotInterval: Duration? = .seconds(300), maximumJournalBytes: Int64 = 256 << 20,
            fileSystem: any FileSystem = POSIXFileSystem(), onEvent: @escaping @Sendable (StoreEvent) -> Void = { _ in }
        ) {
            self.path = path
            self.snapshotInterval = snapshotInterval
            self.maximumJournalBytes = maximumJournalBytes
            self.fileSystem = fileSystem
            self.onEvent = onEvent
        }
    }
}

/// Keeps a store's files: makes snapshots when it is time, and removes the segments they cover.
final class SnapshotKeeper: Sendable {
    private let persistence: GatewayStore.Persistence
    private let journal: Journal
    private let fileLock: any FileLock
    private let condition = Condition()
    // SAFETY: only used within `condition.withLock`.
    private nonisolated(unsafe) var isClosing = false
    private nonisolated(unsafe) var thread: WorkerThread?
    /// One snapshot at a time.
    private let writing = Mutex(())

    init(_ persistence: GatewayStore.Persistence, _ journal: Journal, _ fileLock: any FileLock) {
        self.persistence = persistence
        self.journal = journal
        self.fileLock = fileLock
    }

    /// Starts the thread that watches the clock and the journal's length.
    func start(_ store: GatewayStore) throws(FileError) {
        thread = try WorkerThread(name: "snapshots") { [weak store, self] in
            var last = ContinuousClock.now
            while !waitOneSecond() {
                guard let store else { return }
                let bytes = journal.byteCount
                let isDue = persistence.snapshotInterval.map { last.duration(to: .now) >= $0 } ?? false
                guard bytes >= persistence.maximumJournalBytes || (isDue && bytes > 0) else { continue }
                writeSnapshot(store)
                last = .now
            }
        }
    }

    /// - Returns: Whether the store is being closed.
    private func waitOneSecond() -> Bool {
        condition.withLock {
            let interval = persistence.snapshotInterval ?? .seconds(1)
            let milliseconds =
                interval.components.seconds &* 1000 &+ interval.components.attoseconds / 1_000_000_000_000_000
            if !isClosing { condition.wait(milliseconds: max(10, min(1000, milliseconds))) }
            return isClosing
        }
    }

    /// Writes all groups to a new snapshot and removes the segments that it covers. Pushes go on meanwhile.
    /// - Returns: Whether it was written.
    @discardableResult
    func writeSnapshot(_ store: GatewayStore) -> Bool {
        writing.withLock { _ in
            guard let firstSegment = journal.rotate() else { return false }
            return publish(store, firstSegment: firstSegment)
        }
    }

    private func publish(_ store: GatewayStore, firstSegment: UInt64) -> Bool {
        do throws(FileError) {
            var result = (groups: 0, bytes: 0)
            try AtomicReplace(on: persistence.fileSystem).replace(persistence.path) { (file) throws(FileError) in
                var snapshot = try SnapshotFile(file, firstSegment: firstSegment)
                var failure: FileError?
                store.forEachGroup { group in
                    guard failure == nil else { return }
                    do throws(FileError) { try snapshot.append(group) } catch { failure = error }
                }
                if let failure { throw failure }
                for entry in store.remembered { try snapshot.append(.remembered(entry)) }
                try snapshot.finish()
                result = (snapshot.groupCount, snapshot.byteCount)
            }
            try removeSegments(before: firstSegment)
            persistence.onEvent(.snapshotWritten(groups: result.groups, bytes: result.bytes))
            return true
        } catch {
            persistence.onEvent(.snapshotFailed(error.description))
            return false
        }
    }

    private func removeSegments(before first: UInt64) throws(FileError) {
        let directory = PathName.parent(of: persistence.path)
        let covered = try persistence.fileSystem.list(directory)
            .compactMap { StoreLayout.segmentNumber($0, of: persistence.path) }.filter { $0 < first }
        guard !covered.isEmpty else { return }
        for number in covered { try persistence.fileSystem.remove(StoreLayout.segmentPath(persistence.path, number)) }
        try persistence.fileSystem.syncDirectory(directory)
    }

    /// Ends the journal, and leaves one snapshot of everything if anything changed since the last.
    func close(_ store: GatewayStore) {
        condition.withLock {
            isClosing = true
            condition.broadcast()
        }
        thread?.join()
        if journal.byteCount > 0 { writeSnapshot(store) }
        journal.close()
        fileLock.release()
    }
}
