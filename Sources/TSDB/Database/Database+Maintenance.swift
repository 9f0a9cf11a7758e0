internal import DurableFiles
package import MetricModel
internal import Synchronization

extension Database {
    /// Persists what the head holds beyond its range, compacts blocks, applies retention, writes full chunks to disk.
    ///
    /// One call at a time does the work; another waits for it. What fails is told as an event and tried again at the
    /// next call; the rest is done all the same.
    /// - Parameter now: Milliseconds since 1970.
    package func maintain(now: Timestamp) throws(StoreError) {
        try checkOpen()
        try maintenance.withLock { (pending) throws(StoreError) in
            checkSpace()
            if head.wal.failure != nil { return }
            attempt { () throws(StoreError) in try head.mapFullChunks() }
            attempt { () throws(StoreError) in try head.wal.sync() }
            counters.compactionsTriggered.add(1, ordering: .relaxed)
            if !options.compacts { counters.compactionsSkipped.add(1, ordering: .relaxed) }
            if options.compacts {
                attempt { () throws(StoreError) in try compact(&pending, now) }
            }
            attempt { () throws(StoreError) in try forget(&pending) }
            attempt { () throws(StoreError) in try applyRetention() }
        }
    }

    private func attempt(_ body: () throws(StoreError) -> Void) {
        do throws(StoreError) { try body() } catch { events(.maintenanceFailed(error.description)) }
    }

    /// What is in blocks but still in the head, because a reader may need it there.
    struct PendingTruncation {
        /// Samples in order before this time.
        var time: Timestamp?
        /// Late chunks up to this reference, and the segment of their log that comes after them.
        var late: (reference: UInt64, segment: Int)?
        /// Series that have ended.
        var stale: [StaleSeries] = []
        /// The first commit whose readers see the blocks.
        var commit: UInt64 = 0

        var isEmpty: Bool { time == nil && late == nil && stale.isEmpty }
    }

    private func compact(_ pending: inout PendingTruncation, _ now: Timestamp) throws(StoreError) {
        var didPersist = false
        while let range = head.persistableRange(after: inOrderEnd) {
            try persist(range, &pending, now)
            didPersist = true
        }
        if didPersist || head.lateSamplesAreOld { try persistLate(&pending, now) }
        try persistStale(&pending, now)
        try compactBlocks(now)
    }

    // MARK: The head

    /// Writes a block of a range of the head, shows it, and forgets the range as soon as no reader needs it there.
    private func persist(
        _ range: TimeInterval, _ pending: inout PendingTruncation, _ now: Timestamp
    ) throws(StoreError) {
        // From here on nothing is taken in that range, so that the block is all there will be.
        try head.closeRange(upTo: range.maximumTime)
        let source = try HeadBlockSource(head, range: range)
        let meta = blockMeta(range, now)
        let written = try counting { () throws(StoreError) in
            try headWriter.write(source, as: meta)
        }
        let end = range.maximumTime == .max ? .max : range.maximumTime + 1
        pending.commit = try publish(adding: written.map { [$0] } ?? [], removing: [], headStart: end)
        pending.time = max(pending.time ?? .min, end)
        try forget(&pending)
    }

    /// Late samples go into blocks of their own, one for each block range that they touch.
    private func persistLate(_ pending: inout PendingTruncation, _ now: Timestamp) throws(StoreError) {
        guard let cut = try head.cutLateSamples() else { return }
        var written: [BlockMeta] = []
        let width = options.minimumBlockDuration
        var start = Database.floor(cut.range.minimumTime, width)
        while start <= cut.range.maximumTime {
            let next = start.addingReportingOverflow(width)
            let end = next.overflow ? .max : next.partialValue
            let range = TimeInterval(minimumTime: start, maximumTime: end - 1)
            let source = try HeadBlockSource(lateSamplesOf: head, range: range)
            if !source.isEmpty {
                var meta = blockMeta(range, now)
                meta.hints = [BlockMeta.outOfOrderHint]
                let one = try counting { () throws(StoreError) in
                    try headWriter.write(source, as: meta)
                }
                if let one { written.append(one) }
            }
            if next.overflow { break }
            start = end
        }
        pending.commit = try publish(adding: written, removing: [], headStart: nil)
        pending.late = (cut.lastReference, cut.segment)
        try forget(&pending)
    }

    private static func floor(_ time: Timestamp, _ width: Int64) -> Timestamp {
        let rest = time % width
        return rest < 0 ? time &- rest &- width : time - rest
    }

    func blockMeta(_ range: TimeInterval, _ now: Timestamp) -> BlockMeta {
        var generator = SystemRandomNumberGenerator()
        var meta = BlockMeta(
            ulid: ULID(time: now, using: &generator), minimumTime: range.minimumTime,
            maximumTime: range.maximumTime == .max ? .max : range.maximumTime + 1)
        meta.sources = [meta.ulid]
        return meta
    }

    /// Writes blocks of the head, whose chunks are counted.
    var headWriter: BlockWriter {
        BlockWriter(directory: path, fileSystem: fileSystem) { [counters] full in
            counters.chunkSizes.note(Double(full.chunk.byteCount))
            counters.chunkSamples.note(Double(full.chunk.sampleCount))
            counters.chunkRanges.note(Double(full.maximumTime - full.minimumTime) / 1000)
        }
    }

    func counting(
        _ body: () throws(StoreError) -> BlockMeta?
    ) throws(StoreError) -> BlockMeta? {
        do throws(StoreError) {
            let start = ContinuousClock.now
            counters.writing.add(1, ordering: .relaxed)
            defer { counters.writing.subtract(1, ordering: .relaxed) }
            let written = try body()
            counters.compactionLengths.note(since: start)
            counters.compactions.add(1, ordering: .relaxed)
            if let written {
                events(
                    .blockWritten(
                        ulid: written.ulid.description, minimumTime: written.minimumTime,
                        maximumTime: written.maximumTime))
            }
            return written
        } catch {
            counters.compactionsFailed.add(1, ordering: .relaxed)
            throw error
        }
    }

    /// Drops from the head what is in blocks, if no reader needs it there; else the next call does.
    func forget(_ pending: inout PendingTruncation) throws(StoreError) {
        guard !pending.isEmpty, head.isolation.oldestReader >= pending.commit else { return }
        if !pending.stale.isEmpty {
            try head.removeStale(pending.stale)
            pending.stale = []
        }
        if let time = pending.time {
            try forgetHead(before: time)
            pending.time = nil
            counters.truncations.add(1, ordering: .relaxed)
            let didWrite = try checkpoint(before: time)
            if didWrite { counters.checkpoints.add(1, ordering: .relaxed) }
        }
        if let late = pending.late {
            try head.forgetLate(upTo: late.reference, segment: late.segment, on: fileSystem)
            pending.late = nil
        }
    }

    private func forgetHead(before time: Timestamp) throws(StoreError) {
        let start = ContinuousClock.now
        do throws(StoreError) {
            try head.forget(before: time)
            counters.headLengths.note(since: start)
        } catch {
            counters.truncationsFailed.add(1, ordering: .relaxed)
            throw error
        }
    }

    private func checkpoint(before time: Timestamp) throws(StoreError) -> Bool {
        let start = ContinuousClock.now
        do throws(StoreError) {
            let didWrite = try head.truncateLog(
                before: time, on: fileSystem, segmentSize: options.walSegmentSize, events: events)
            counters.logLengths.note(since: start)
            return didWrite
        } catch {
            counters.checkpointsFailed.add(1, ordering: .relaxed)
            throw error
        }
    }

    // MARK: Blocks

    /// Shows readers that are opened from now on other blocks, and the head from `headStart` on.
    /// - Returns: the first commit whose readers see it so.
    @discardableResult
    func publish(
        adding metas: [BlockMeta], removing: [Block], headStart: Timestamp?
    ) throws(StoreError) -> UInt64 {
        let set = BlockSet(path, on: fileSystem, selections, events: events)
        var added: [Block] = []
        do throws(StoreError) {
            for meta in metas { added.append(try set.open(meta.ulid)) }
        } catch {
            counters.reloadsFailed.add(1, ordering: .relaxed)
            throw error
        }
        counters.reloads.add(1, ordering: .relaxed)
        let gone = Set(removing.map { $0.meta.ulid })
        let commit = try head.withCommitState { (_) throws(StoreError) -> UInt64 in
            let ticket = head.isolation.beginCommit()
            replaceBlocks(headStart: headStart) { blocks in
                blocks = BlockSet.sorted(blocks.filter { !gone.contains($0.meta.ulid) } + added)
                head.isolation.endCommit(ticket)
            }
            return ticket.number
        }
        return commit
    }

    /// Removes blocks that are too old or too many.
    func applyRetention() throws(StoreError) {
        let options = options
        let set = BlockSet(path, on: fileSystem, selections, events: events)
        let old = Retention.beyondTime(openBlocks, options.retention)
        if !old.isEmpty {
            try publish(adding: [], removing: old, headStart: nil)
            for block in old { try set.remove(block, reason: "retention time") }
            counters.blocksByTime.add(UInt64(old.count), ordering: .relaxed)
        }
        var limit = options.maximumBytes
        let logs = logSize
        if options.maximumDiskPercentage > 0 {
            let own = openBlocks.reduce(logs) { $0 + $1.byteCount }
            let free: Int64
            do throws(FileError) { free = try fileSystem.freeSpace(path) } catch { throw .file(error) }
            limit = Int64(Double(own + free) * options.maximumDiskPercentage / 100)
        }
        let large = Retention.beyondSize(openBlocks, other: logs, limit: limit)
        guard !large.isEmpty else { return }
        try publish(adding: [], removing: large, headStart: nil)
        for block in large { try set.remove(block, reason: "retention size") }
        counters.blocksBySize.add(UInt64(large.count), ordering: .relaxed)
    }

    /// Bytes of the logs and of the head's chunk files.
    var logSize: Int64 { size(of: [StoreLayout.wal, StoreLayout.lateLog, StoreLayout.headChunks]) }

    /// Bytes of the files in `directories`, which lie in the data directory; what goes meanwhile counts nothing.
    func size(of directories: [String]) -> Int64 {
        func size(_ directory: String, _ depth: Int) -> Int64 {
            guard depth < 3, let names = try? fileSystem.list(directory) else { return 0 }
            return names.reduce(0) { sum, name in
                let entry = PathName.join(directory, name)
                guard let found = (try? fileSystem.metadata(entry)) ?? nil else { return sum }
                return sum + (found.isDirectory ? size(entry, depth + 1) : found.size)
            }
        }
        return directories.reduce(0) {
            $0 + size(PathName.join(path, $1), 0)
        }
    }

    // MARK: Space

    /// Pauses appends while the disk has too little space left, and takes them again once it has.
    func checkSpace() {
        let minimum = options.minimumFreeBytes
        guard minimum > 0, let free = try? fileSystem.freeSpace(path) else { return setRefusal(nil) }
        setRefusal(free < minimum ? .diskFull(path: path) : nil)
    }
}
