internal import ByteCoding
internal import MetricModel

/// Type, help and unit of families: remembered for the API, and passed on with series where that is asked for.
extension ScrapeAppender {
    /// Passes metadata on where a series is new or its metadata changed.
    func passMetadata(_ index: Int, isNew: Bool, _ batch: any SampleBatch) {
        if isNew || family.isChanged { passMetadata(cache.entries[index].reference, batch) }
    }

    func passMetadata(_ reference: UInt64, _ batch: any SampleBatch) {
        guard options.passesMetadata, reference != 0, family.index >= 0,
            let known = metadata.family(Int(family.index))
        else { return }
        batch.update(reference, metadata: known.metadata)
    }

    /// Notes a metadata line for `name`; the line's bytes are remembered, so that it is not read again.
    func noteMetadata(
        _ name: ByteString, line: UnsafeBufferPointer<UInt8>, _ change: (inout MetricMetadata) -> Void
    ) {
        let (index, isChanged) = metadata.update(name, change)
        let hash = ByteHash.hash(line)
        let entry =
            cache.find(line, hash: hash)
            ?? cache.insert(line, hash: hash, kind: .metadata, type: type.rawValue)
        cache.entries[entry].family = Int32(truncatingIfNeeded: index)
        cache.entries[entry].type = type.rawValue
        seeMetadata(entry)
        seeFamily(Int32(truncatingIfNeeded: index), isChanged: isChanged)
    }

    /// Notes that a metadata line of the last scrape is there again.
    @inline(__always)
    func seeMetadata(_ entry: Int) {
        _ = cache.appear(entry)
        let index = cache.entries[entry].family
        guard index >= 0 else { return }
        seeFamily(index, isChanged: false)
    }

    /// Notes that what is known of a metric was told again, or has changed.
    func seeFamily(_ index: Int32, isChanged: Bool) {
        family = (index, isChanged && options.passesMetadata)
        while familySeen.count <= Int(index) { familySeen.append(cache.iteration) }
        familySeen[Int(index)] = cache.iteration
    }

    /// Forgets what is known of metrics that were not there for ten scrapes.
    func forgetFamilies() {
        for index in familySeen.indices where familySeen[index] != 0 && cache.iteration &- familySeen[index] > 10 {
            metadata.remove(index)
            familySeen[index] = 0
        }
    }
}
