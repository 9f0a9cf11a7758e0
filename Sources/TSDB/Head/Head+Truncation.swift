internal import DurableFiles
internal import MetricModel
internal import Synchronization

extension Head {
    /// Forgets samples before `time`, which are in blocks now, and series without samples.
    ///
    /// Readers that were opened before keep what they have captured; those opened from now on do not look at the head
    /// before `time`.
    func forget(before time: Timestamp) throws(StoreError) {
        if time > minimumValidTime.load(ordering: .relaxed) { minimumValidTime.store(time, ordering: .relaxed) }
        try collectGarbage(before: time)
        if minimumTime.load(ordering: .relaxed) < time {
            let newest = maximumTime.load(ordering: .relaxed)
            minimumTime.store(newest < time ? .max : time, ordering: .relaxed)
            // An empty head has no range of times.
            if newest < time && newest != .min && series.count == 0 { maximumTime.store(.min, ordering: .relaxed) }
        }
    }

    /// Drops chunks that end before `time` and late chunks up to `lateReference`, then series without samples.
    func collectGarbage(before time: Timestamp, lateUpTo lateReference: UInt64 = 0) throws(StoreError) {
        let oldestAppender = isolation.oldestAppender
        var gone: [MemorySeries] = []
        var firstFile = chunkFiles.nextNumber
        var dropped = 0
        for one in series.all {
            one.lock.withLock { _ in
                dropped += one.drop(before: time, lateUpTo: lateReference)
                for chunk in one.mapped { firstFile = min(firstFile, Int(chunk.reference >> 32)) }
                for chunk in one.extra?.outOfOrder?.mapped ?? [] {
                    firstFile = min(firstFile, Int(chunk.reference >> 32))
                }
                if one.isEmpty && one.touchedBy < oldestAppender {
                    one.isRemoved = true
                    gone.append(one)
                }
            }
        }
        counters.chunksRemoved.add(UInt64(dropped), ordering: .relaxed)
        counters.seriesRemoved.add(UInt64(gone.count), ordering: .relaxed)
        expireRecords(of: gone.map { $0.reference }, after: wal.currentSegment)
        series.remove(gone)
        let removed = Set(gone.map { $0.reference })
        try chunkFiles.truncate(before: firstFile)
        deletions.truncate(before: oldestDeletion(time)) { removed.contains($0) }
    }

    /// Deletions that end before are not needed any more, though samples in order begin at `time` only: late samples
    /// may be older, also those that are in blocks and still in a chunk file.
    private func oldestDeletion(_ time: Timestamp) -> Timestamp {
        min(time, lateMinimumTime.load(ordering: .relaxed), chunkFiles.oldestLateTime)
    }

    /// Keeps the records of series that are gone until the segment that may hold samples of theirs is.
    func expireRecords(of references: [UInt64], after segment: Int) {
        guard !references.isEmpty else { return }
        recordExpiry.withLock { expiry in
            for reference in references { expiry[reference] = segment }
        }
    }

    /// Condenses the older two thirds of the log, if that is worth it.
    /// - Returns: whether a checkpoint was written.
    /// - Throws: what kept it from being written; the log is then as it was.
    func truncateLog(
        before time: Timestamp, on fileSystem: any FileSystem, segmentSize: Int,
        events: @escaping @Sendable (StoreEvent) -> Void
    ) throws(StoreError) -> Bool {
        // A new segment, so that a log of little traffic does not stay in one.
        let current = try wal.nextSegment()
        try wal.sync()
        let listing = try WALListing(wal.directory, on: fileSystem)
        guard let first = listing.segments.first, current - 1 > first else { return false }
        let last = first + (current - 1 - first) * 2 / 3
        guard last > first else { return false }
        let expiry = recordExpiry.withLock { $0 }
        let checkpoint = Checkpoint(
            wal.directory, on: fileSystem, compression: setup.walCompression, form: sampleForm,
            segmentSize: segmentSize,
            minimumTime: time, tombstoneMinimumTime: oldestDeletion(time),
            keeps: { reference in
                if let segment = expiry[reference], segment > last { return true }
                return self.series.series(reference) != nil
            }, events: events)
        try checkpoint.run(upTo: last)
        recordExpiry.withLock { expiry in expiry = expiry.filter { $0.value > last } }
        return true
    }
}

extension MemorySeries {
    /// Drops chunks that end before `time`. The lock must be held.
    /// - Returns: how many.
    func drop(before time: Timestamp, lateUpTo lateReference: UInt64) -> Int {
        var dropped = 0
        let oldMapped = mapped.prefix { $0.maximumTime < time }.count
        if oldMapped > 0 {
            mapped.removeFirst(oldMapped)
            dropped += oldMapped
        }
        if let extra {
            let oldFull = extra.full.prefix { $0.maximumTime < time }.count
            // Those on their way to a file are told apart by their number: leave the list alone while it is on it.
            if oldFull > 0 && !extra.isListedAsFull && !extra.isBeingMapped {
                extra.full.removeFirst(oldFull)
                dropped += oldFull
            }
            if var late = extra.outOfOrder, lateReference > 0 {
                let before = late.mapped.count
                late.mapped.removeAll { $0.reference <= lateReference }
                dropped += before - late.mapped.count
                extra.outOfOrder = late.isEmpty ? nil : late
            }
        }
        if isOpen && lastTimestamp < time {
            isOpen = false
            floats = XORAppender()
            isXOR2 = false
            extra?.xor2 = nil
            extra?.integerHistograms = nil
            extra?.floatHistograms = nil
            dropped += 1
        }
        return dropped
    }
}
