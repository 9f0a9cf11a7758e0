internal import MetricModel
internal import Synchronization

extension Database {
    /// Merges blocks into larger ones, and rewrites those with many deletions, until nothing is left to do.
    /// - Parameter now: Milliseconds since 1970: the time in the names of new blocks.
    func compactBlocks(_ now: Timestamp) throws(StoreError) {
        let options = options
        let planner = CompactionPlanner(
            smallest: options.minimumBlockDuration, largest: options.maximumBlockDuration,
            mergesOverlapping: options.mergesOverlappingBlocks)
        while !isClosing.load(ordering: .relaxed) {
            let blocks = openBlocks
            let planned = Set(planner.plan(blocks.map(\.meta)))
            let chosen = blocks.filter { planned.contains($0.meta.ulid) }
            guard !chosen.isEmpty else { return }
            let overlap = zip(BlockSet.sorted(chosen).dropFirst(), BlockSet.sorted(chosen)).contains { later, earlier in
                later.meta.minimumTime < earlier.meta.maximumTime
            }
            try replace(chosen, reason: "a larger block holds its samples") { (compactor, ulid) throws(StoreError) in
                try compactor.compact(chosen, into: ulid)
            }
            if overlap { counters.overlappingCompactions.add(1, ordering: .relaxed) }
        }
    }

    /// Rewrites the blocks that have deletions.
    package func cleanTombstones() throws(StoreError) {
        try checkOpen()
        try maintenance.withLock { (_) throws(StoreError) in
            let start = ContinuousClock.now
            defer { counters.tombstoneLengths.note(since: start) }
            for block in openBlocks where block.meta.stats.tombstones > 0 {
                try replace([block], reason: "rewritten without what was deleted") {
                    (compactor, ulid) throws(StoreError) in
                    try compactor.rewrite(block, as: ulid)
                }
            }
        }
    }

    /// Writes one block for others, shows it in their place, and removes them.
    private func replace(
        _ blocks: [Block], reason: String, _ write: (Compactor, ULID) throws(StoreError) -> BlockMeta?
    ) throws(StoreError) {
        var encoding = SampleEncoder.Options()
        encoding.floatEncoding = options.floatEncoding
        let compactor = Compactor(path, on: fileSystem, options: encoding) { self.isClosing.load(ordering: .relaxed) }
        var generator = SystemRandomNumberGenerator()
        let newest = blocks.map { $0.meta.ulid.time }.max() ?? 0
        let written: BlockMeta?
        let start = ContinuousClock.now
        counters.writing.add(1, ordering: .relaxed)
        defer { counters.writing.subtract(1, ordering: .relaxed) }
        do throws(StoreError) {
            written = try write(compactor, ULID(time: newest, using: &generator))
        } catch {
            counters.compactionsFailed.add(1, ordering: .relaxed)
            // Damage does not go away: leave these blocks alone from now on.
            if case .corrupt = error {
                for block in blocks { try block.noteFailedCompaction() }
            }
            throw error
        }
        counters.compactionLengths.note(since: start)
        counters.compactions.add(1, ordering: .relaxed)
        if let written {
            events(
                .blockWritten(
                    ulid: written.ulid.description, minimumTime: written.minimumTime,
                    maximumTime: written.maximumTime))
        }
        try publish(adding: written.map { [$0] } ?? [], removing: blocks, headStart: nil)
        let set = BlockSet(path, on: fileSystem, selections, events: events)
        for block in blocks { try set.remove(block, reason: reason) }
    }
}
