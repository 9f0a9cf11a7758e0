internal import MetricModel

extension Head {
    /// Writes full chunks to files, so that they need no memory. Chunks that cannot be written stay in memory.
    func mapFullChunks() throws(StoreError) {
        let listed = try withCommitState { (state) throws(StoreError) -> [MemorySeries] in
            let listed = state.fullSeries
            state.fullSeries = []
            return listed
        }
        var start = 0
        while start < listed.count {
            let end = min(listed.count, start + 4096)
            do throws(StoreError) {
                try map(listed[start..<end])
            } catch {
                let left = listed[start...]
                try withCommitState { (state) throws(StoreError) in state.fullSeries += left }
                throw error
            }
            start = end
        }
    }

    /// Writes the full chunks of some series, then takes them out of memory. A chunk that becomes full meanwhile
    /// waits for the next time.
    private func map(_ series: ArraySlice<MemorySeries>) throws(StoreError) {
        var written: [[MappedChunk]] = []
        for one in series {
            let full = one.lock.withLock { _ in
                guard let extra = one.extra, !extra.isBeingMapped else { return [FullChunk]() }
                extra.isListedAsFull = false
                extra.isBeingMapped = true
                return extra.full
            }
            var mapped: [MappedChunk] = []
            do throws(StoreError) {
                for chunk in full { mapped.append(try chunkFiles.append(one.reference, chunk, isOutOfOrder: false)) }
            } catch {
                relist(series)
                throw error
            }
            written.append(mapped)
        }
        do throws(StoreError) { try chunkFiles.flush() } catch {
            relist(series)
            throw error
        }
        for (one, mapped) in zip(series, written) {
            one.lock.withLock { _ in
                guard let extra = one.extra else { return }
                extra.isBeingMapped = false
                guard extra.full.count >= mapped.count else { return }
                extra.full.removeFirst(mapped.count)
                counters.chunksMapped.add(UInt64(mapped.count), ordering: .relaxed)
                one.mapped += mapped
            }
        }
    }

    private func relist(_ series: ArraySlice<MemorySeries>) {
        for one in series {
            one.lock.withLock { _ in
                one.extra?.isListedAsFull = true
                one.extra?.isBeingMapped = false
            }
        }
    }
}
