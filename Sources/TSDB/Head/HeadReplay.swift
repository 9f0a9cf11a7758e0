internal import DurableFiles
internal import MetricModel

/// Rebuilds the head from what is on disk: mapped chunks, checkpoint, log, log of late samples.
///
/// Damaged records are left out and told; everything else is used. Used by one thread, before the head is shared.
/// Source of the behaviour: prometheus/prometheus tsdb/head_wal.go.
final class HeadReplay {
    let head: Head
    let directory: String
    let fileSystem: any FileSystem
    let events: @Sendable (StoreEvent) -> Void
    let scanner = WALScanner()

    private var mapped: [UInt64: [MappedChunk]] = [:]
    private var lateMapped: [UInt64: [MappedChunk]] = [:]
    /// References of the log that stand for a series with another reference.
    var aliases: [UInt64: UInt64] = [:]
    /// Numbers that are not applied yet, and their series.
    var samples: [ReferencedSample] = []
    /// One start timestamp for each of them, as far as the last that has one.
    var starts: [Timestamp] = []
    var owners: [Unmanaged<MemorySeries>?] = []
    var minimumTime = Timestamp.max
    var maximumTime = Timestamp.min
    private var full: [MemorySeries] = []
    /// Whether the log of late samples names a chunk that is not there.
    var isLateChunkMissing = false
    var unknownRecord: (kind: String, path: String, offset: Int)?

    /// Samples read from the log.
    var sampleCount = 0
    /// Segments read.
    var segmentCount = 0
    /// Records that were damaged.
    var damageCount = 0
    /// Rows whose series no record names.
    var orphanCount = 0

    init(
        _ head: Head, directory: String, on fileSystem: any FileSystem,
        events: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.head = head
        self.directory = directory
        self.fileSystem = fileSystem
        self.events = events
    }

    /// Reads everything.
    /// - Parameter usesSnapshot: Whether a memory snapshot is looked for.
    func run(usesSnapshot: Bool = false) throws(StoreError) {
        let isSound = try loadMappedChunks()
        var start = (segment: 0, offset: 0)
        // Chunks that are missing in the files are in the log only: no snapshot may hide that, now or at a later start.
        if !isSound { try MemorySnapshot.removeAll(in: directory, on: fileSystem) }
        if usesSnapshot && isSound { start = try loadSnapshot() ?? start }
        try replayLog(from: start)
        try replayLateLog()
        if isLateChunkMissing { tryToMap { () throws(StoreError) in try self.head.restoreLateChunks() } }
        // What the checkpoint alone filled is not handed over yet.
        try mapFullChunks()
        finish()
    }

    /// - Returns: false if files were damaged.
    private func loadMappedChunks() throws(StoreError) -> Bool {
        let valid = head.minimumValidTime.load(ordering: .relaxed)
        let damage = try head.chunkFiles.load { stored in
            if stored.isOutOfOrder {
                lateMapped[stored.series, default: []].append(stored.chunk)
            } else if stored.chunk.maximumTime >= valid {
                mapped[stored.series, default: []].append(stored.chunk)
            }
        }
        if let damage {
            damageCount += 1
            events(.repaired(path: damage.path, offset: damage.offset, reason: damage.reason))
        }
        return damage == nil
    }

    /// Takes over the newest snapshot, unless the log ends before it.
    /// - Returns: where the log goes on behind it; nil without one.
    private func loadSnapshot() throws(StoreError) -> (segment: Int, offset: Int)? {
        guard let snapshot = try MemorySnapshot.newest(in: directory, on: fileSystem, events: events) else {
            return nil
        }
        let wal = try WALListing(PathName.join(directory, StoreLayout.wal), on: fileSystem)
        guard let last = wal.segments.last, last >= snapshot.segment else { return nil }
        for entry in snapshot.entries {
            addSeries(entry.reference, entry.labels)
            guard let open = entry.open, let series = series(entry.reference), open.minimumTime > series.lastTimestamp
            else { continue }
            let isResumed = series.lock.withLock { _ in series.resume(open) }
            guard isResumed else {
                throw .corrupt(
                    path: directory, offset: 0, reason: "memory snapshot: open chunk of \(entry.labels) is unreadable")
            }
            if series.extra?.full.isEmpty == false { noteFull(series) }
            minimumTime = min(minimumTime, open.minimumTime)
            maximumTime = max(maximumTime, open.maximumTime)
        }
        for row in snapshot.tombstones {
            head.deletions.add(
                row.reference, TimeInterval(minimumTime: row.minimumTime, maximumTime: row.maximumTime))
        }
        for row in snapshot.exemplars {
            guard let series = series(row.reference) else { continue }
            head.exemplars.add(
                Exemplar(labels: row.labels, value: row.value, timestamp: row.timestamp), of: series.labels)
        }
        return (snapshot.segment, snapshot.offset)
    }

    func series(_ reference: UInt64) -> MemorySeries? {
        if let found = head.series.series(aliases[reference] ?? reference) { return found }
        orphanCount += 1
        return nil
    }

    func addSeries(_ reference: UInt64, _ labels: Labels) {
        guard let (series, isNew) = head.series.replay(reference, labels) else {
            orphanCount += 1
            return
        }
        if isNew { head.counters.seriesCreated.add(1, ordering: .relaxed) }
        if series.reference != reference {
            aliases[reference] = series.reference
            head.expireRecords(of: [reference], after: head.wal.currentSegment)
        }
        let chunks = mapped.removeValue(forKey: reference) ?? []
        let late = lateMapped.removeValue(forKey: reference) ?? []
        guard !chunks.isEmpty || !late.isEmpty else { return }
        series.lock.withLock { _ in
            if !chunks.isEmpty { attach(chunks, to: series, reference) }
            if !late.isEmpty {
                let extra = series.extraMade
                var own = extra.outOfOrder ?? OutOfOrderChunks()
                own.mapped += late
                extra.outOfOrder = own
                for chunk in late { head.noteLate(minimum: chunk.minimumTime, maximum: chunk.maximumTime) }
            }
        }
    }

    /// Gives a series its mapped chunks. Under a second reference of a series the newer ones of them.
    private func attach(_ chunks: [MappedChunk], to series: MemorySeries, _ reference: UInt64) {
        // The files tell whose chunks they are: those of an alias cannot be read under the series' own reference.
        guard series.reference == reference, !series.isOpen, series.extra?.full.isEmpty ?? true else { return }
        for chunk in chunks where chunk.minimumTime > series.lastTimestamp {
            series.mapped.append(chunk)
            series.lastTimestamp = chunk.maximumTime
            minimumTime = min(minimumTime, chunk.minimumTime)
            maximumTime = max(maximumTime, chunk.maximumTime)
        }
    }

    func noteFull(_ series: MemorySeries) {
        let extra = series.extraMade
        guard !extra.isListedAsFull else { return }
        extra.isListedAsFull = true
        full.append(series)
    }

    /// Hands the full chunks over and writes them out, so that a long log needs no more memory than a short one.
    func mapFullChunks() throws(StoreError) {
        guard !full.isEmpty else { return }
        let listed = full
        full = []
        try head.withCommitState { (state) throws(StoreError) in state.fullSeries += listed }
        tryToMap { () throws(StoreError) in try self.head.mapFullChunks() }
    }

    /// Without space samples stay in memory.
    func tryToMap(_ body: () throws(StoreError) -> Void) {
        do throws(StoreError) { try body() } catch { events(.maintenanceFailed(error.description)) }
    }

    private func finish() {
        head.postings.sort()
        if minimumTime <= maximumTime {
            let valid = head.minimumValidTime.load(ordering: .relaxed)
            head.note(minimum: max(minimumTime, valid), maximum: maximumTime)
        }
        mapped = [:]
        lateMapped = [:]
        samples = []
        owners = []
    }
}
