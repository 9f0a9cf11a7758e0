internal import Dispatch
internal import DurableFiles
internal import MetricModel

/// Rebuilds the head from what is on disk: mapped chunks, checkpoint, log, log of late samples.
///
/// Damaged records are left out and told; everything else is used. Used by one thread, before the head is shared.
/// Source of the behaviour: prometheus/prometheus tsdb/head_wal.go.
final class HeadReplay {
    private let head: Head
    private let directory: String
    private let fileSystem: any FileSystem
    private let events: @Sendable (StoreEvent) -> Void
    private let scanner = WALScanner()

    /// Numbers that are applied in one go.
    private static let batchSize = 1 << 16
    /// Below it one core does.
    private static let parallelThreshold = 1 << 13

    private var mapped: [UInt64: [MappedChunk]] = [:]
    private var lateMapped: [UInt64: [MappedChunk]] = [:]
    /// References of the log that stand for a series with another reference.
    private var aliases: [UInt64: UInt64] = [:]
    /// Numbers that are not applied yet, and their series.
    private var samples: [ReferencedSample] = []
    /// One start timestamp for each of them, as far as the last that has one.
    private var starts: [Timestamp] = []
    private var owners: [Unmanaged<MemorySeries>?] = []
    private var minimumTime = Timestamp.max
    private var maximumTime = Timestamp.min
    private var full: [MemorySeries] = []
    /// Whether the log of late samples names a chunk that is not there.
    private var isLateChunkMissing = false
    private var unknownRecord: (kind: String, path: String, offset: Int)?

    /// Samples read from the log.
    private(set) var sampleCount = 0
    /// Segments read.
    private(set) var segmentCount = 0
    /// Records that were damaged.
    private(set) var damageCount = 0
    /// Rows whose series no record names.
    private(set) var orphanCount = 0

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

    // MARK: The log

    private func replayLog(from start: (segment: Int, offset: Int)) throws(StoreError) {
        let wal = PathName.join(directory, StoreLayout.wal)
        let listing = try WALListing(wal, on: fileSystem)
        var first = 0
        if let checkpoint = listing.checkpoints.last, checkpoint >= start.segment {
            let path = PathName.join(wal, WALFormat.checkpointName(checkpoint))
            let segments = try WALListing(path, on: fileSystem).segments
            if segments.isEmpty { throw .corrupt(path: path, offset: 0, reason: "checkpoint without segments") }
            for segment in segments {
                try replay(PathName.join(path, WALFormat.segmentName(segment)), isLast: segment == segments.last) {
                    self.apply($0, $1, $2)
                }
            }
            first = checkpoint + 1
        }
        first = max(first, start.segment)
        let current = head.wal.currentSegment
        let segments = listing.segments.filter { $0 >= first && $0 < current }
        for segment in segments {
            events(.replaying(segment: segment, first: first, last: segments.last ?? first))
            let offset = segment == start.segment ? start.offset : 0
            let path = PathName.join(wal, WALFormat.segmentName(segment))
            try replay(path, from: offset, isLast: segment == segments.last) {
                self.apply($0, $1, $2)
            }
            try mapFullChunks()
        }
    }

    /// Reads one segment, and rewrites it without what is damaged.
    private func replay(
        _ path: String, from start: Int = 0, isLast: Bool, _ body: (UnsafeRawBufferPointer, String, Int) -> Void
    ) throws(StoreError) {
        let file: MappedFile
        do throws(FileError) { file = try fileSystem.map(path) } catch { throw .file(error) }
        var badRecords: [WALScanner.Damage] = []
        let outcome = file.withUnsafeBytes { bytes in
            scanner.scan(bytes, from: min(start, bytes.count)) { record, offset in body(record, path, offset) }
        }
        applySamples()
        segmentCount += 1
        badRecords += outcome.damages
        if let unknownRecord {
            throw .corrupt(path: unknownRecord.path, offset: Int64(unknownRecord.offset), reason: unknownRecord.kind)
        }
        guard !badRecords.isEmpty else { return }
        damageCount += badRecords.count
        for damage in badRecords {
            events(.repaired(path: path, offset: Int64(damage.offset), reason: damage.reason))
        }
        try WALRepair.rewrite(path, file, outcome, isLast: isLast, on: fileSystem)
    }

    private func apply(_ record: UnsafeRawBufferPointer, _ path: String, _ offset: Int) {
        do throws(WALRecordError) {
            try apply(record)
        } catch {
            if record.first.flatMap({ WALRecordKind(rawValue: $0) }) == nil {
                // A newer program wrote it: going on could lose what it means.
                if unknownRecord == nil { unknownRecord = (error.reason, path, offset) }
                return
            }
            damageCount += 1
            events(.repaired(path: path, offset: Int64(offset), reason: error.reason))
        }
    }

    private func apply(_ record: UnsafeRawBufferPointer) throws(WALRecordError) {
        let kind = try WALRecordDecoder.kind(record)
        switch kind {
        case .series: try WALRecordDecoder.series(record) { self.addSeries($0, $1) }
        case .samples, .samplesV2:
            try WALRecordDecoder.samples(record) { row in
                self.samples.append(
                    ReferencedSample(SeriesReference(rawValue: row.reference), row.timestamp, row.value))
                if row.start != 0 { self.addStart(row.start) }
            }
            if samples.count >= HeadReplay.batchSize { applySamples() }
        case .histograms, .floatHistograms, .customBucketHistograms, .customBucketFloatHistograms, .histogramsV2,
            .floatHistogramsV2:
            // A series may have both kinds of samples.
            applySamples()
            _ = try WALRecordDecoder.histograms(record, kind) { self.apply($0) }
        case .tombstones:
            // Late samples may be older than all that is in order, so that no deletion is too old here.
            for row in try WALRecordDecoder.tombstones(record) {
                let reference = aliases[row.reference] ?? row.reference
                guard head.series.series(reference) != nil else {
                    orphanCount += 1
                    continue
                }
                head.deletions.add(
                    reference, TimeInterval(minimumTime: row.minimumTime, maximumTime: row.maximumTime))
            }
        case .exemplars:
            for row in try WALRecordDecoder.exemplars(record) {
                guard let series = series(row.reference) else { continue }
                head.exemplars.add(
                    Exemplar(labels: row.labels, value: row.value, timestamp: row.timestamp), of: series.labels)
            }
        case .metadata:
            for row in try WALRecordDecoder.metadata(record) {
                guard let series = series(row.reference) else { continue }
                series.lock.withLock { _ in series.extraMade.metadata = row.metadata }
            }
        case .chunkMarkers: break
        }
    }

    /// Notes the start timestamp of the number that was added last.
    private func addStart(_ start: Timestamp) {
        starts.append(contentsOf: repeatElement(0, count: max(0, samples.count - 1 - starts.count)))
        starts.append(start)
    }

    private func series(_ reference: UInt64) -> MemorySeries? {
        if let found = head.series.series(aliases[reference] ?? reference) { return found }
        orphanCount += 1
        return nil
    }

    private func addSeries(_ reference: UInt64, _ labels: Labels) {
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

    /// Applies the numbers that were read so far: each half of the series on a core of its own.
    private func applySamples() {
        guard !samples.isEmpty else { return }
        if !aliases.isEmpty {
            for index in samples.indices {
                if let other = aliases[samples[index].reference.rawValue] {
                    samples[index].reference = SeriesReference(rawValue: other)
                }
            }
        }
        sampleCount += samples.count
        owners.removeAll(keepingCapacity: true)
        samples.withUnsafeBufferPointer { samples in
            head.series.forEach(of: samples) { _, found in owners.append(found) }
        }
        let valid = head.minimumValidTime.load(ordering: .relaxed)
        let rules = head.rules
        let starts = starts
        let shards = samples.count >= HeadReplay.parallelThreshold ? 2 : 1
        var results = [ShardResult](repeating: ShardResult(), count: shards)
        samples.withUnsafeBufferPointer { samples in
            owners.withUnsafeBufferPointer { owners in
                results.withUnsafeMutableBufferPointer { results in
                    // SAFETY: the buffers outlive the call, which returns when all shards are done; each shard writes
                    // its own result and its own series, and nobody else has the head yet.
                    nonisolated(unsafe) let samples = samples
                    nonisolated(unsafe) let owners = owners
                    nonisolated(unsafe) let results = results
                    DispatchQueue.concurrentPerform(iterations: shards) { shard in
                        results[shard] = HeadReplay.apply(samples, starts, owners, shard, of: shards, valid, rules)
                    }
                }
            }
        }
        for result in results {
            orphanCount += result.orphans
            minimumTime = min(minimumTime, result.minimumTime)
            maximumTime = max(maximumTime, result.maximumTime)
            for series in result.full { noteFull(series) }
        }
        samples.removeAll(keepingCapacity: true)
        self.starts.removeAll(keepingCapacity: true)
    }

    /// What one core found out.
    private struct ShardResult {
        var minimumTime = Timestamp.max
        var maximumTime = Timestamp.min
        var orphans = 0
        var full: [MemorySeries] = []
    }

    private static func apply(
        _ samples: UnsafeBufferPointer<ReferencedSample>, _ starts: [Timestamp],
        _ owners: UnsafeBufferPointer<Unmanaged<MemorySeries>?>, _ shard: Int, of shards: Int, _ valid: Timestamp,
        _ rules: ChunkRules
    ) -> ShardResult {
        var result = ShardResult()
        let count = samples.count
        func isOwn(_ index: Int) -> Bool { shards == 1 || Int(samples[index].reference.rawValue & 1) == shard }
        for index in samples.indices {
            let sample = samples[index]
            let later = index &+ Prefetching.seriesDistance &* shards
            if later < count, isOwn(later), let owner = owners[later] { Prefetching.series(owner) }
            guard isOwn(index) else { continue }
            let soon = index &+ Prefetching.chunkDistance &* shards
            if soon < count, isOwn(soon), let owner = owners[soon] { Prefetching.openChunk(owner) }
            guard let owner = owners[index] else {
                result.orphans += 1
                continue
            }
            guard sample.timestamp >= valid else { continue }
            owner._withUnsafeGuaranteedRef { series in
                guard sample.timestamp > series.lastTimestamp else { return }
                let becameFull: Bool
                let start = index < starts.count ? starts[index] : 0
                if SampleValue.isStale(sample.value), let stale = HistogramSample.stale(series.kind) {
                    becameFull = series.append(sample.timestamp, stale, start: start, rules)
                } else {
                    becameFull = series.append(sample.timestamp, sample.value, start: start, rules)
                }
                if becameFull { result.full.append(series) }
                if sample.timestamp < result.minimumTime { result.minimumTime = sample.timestamp }
                if sample.timestamp > result.maximumTime { result.maximumTime = sample.timestamp }
            }
        }
        return result
    }

    private func apply(_ row: WALRow.Histogram) {
        sampleCount += 1
        guard row.timestamp >= head.minimumValidTime.load(ordering: .relaxed), let series = series(row.reference),
            row.timestamp > series.lastTimestamp
        else { return }
        if series.append(row.timestamp, row.histogram, start: row.start, head.rules) { noteFull(series) }
        minimumTime = min(minimumTime, row.timestamp)
        maximumTime = max(maximumTime, row.timestamp)
    }

    private func noteFull(_ series: MemorySeries) {
        let extra = series.extraMade
        guard !extra.isListedAsFull else { return }
        extra.isListedAsFull = true
        full.append(series)
    }

    /// Hands the full chunks over and writes them out, so that a long log needs no more memory than a short one.
    private func mapFullChunks() throws(StoreError) {
        guard !full.isEmpty else { return }
        let listed = full
        full = []
        try head.withCommitState { (state) throws(StoreError) in state.fullSeries += listed }
        tryToMap { () throws(StoreError) in try self.head.mapFullChunks() }
    }

    /// Without space samples stay in memory.
    private func tryToMap(_ body: () throws(StoreError) -> Void) {
        do throws(StoreError) { try body() } catch { events(.maintenanceFailed(error.description)) }
    }

    // MARK: Late samples

    private func replayLateLog() throws(StoreError) {
        let path = PathName.join(directory, StoreLayout.lateLog)
        let segments = try WALListing(path, on: fileSystem).segments
        let current = head.lateLog.withLock { $0?.currentSegment } ?? .max
        for segment in segments where segment < current {
            try replay(PathName.join(path, WALFormat.segmentName(segment)), isLast: segment == segments.last) {
                self.applyLate($0, $1, $2)
            }
        }
    }

    private func applyLate(_ record: UnsafeRawBufferPointer, _ path: String, _ offset: Int) {
        do throws(WALRecordError) {
            let kind = try WALRecordDecoder.kind(record)
            switch kind {
            case .samples, .samplesV2:
                try WALRecordDecoder.samples(record) { row in
                    self.insertLate(
                        row.reference,
                        LateSample(timestamp: row.timestamp, value: .float(row.value), start: row.start))
                }
            case .histograms, .floatHistograms, .customBucketHistograms, .customBucketFloatHistograms,
                .histogramsV2, .floatHistogramsV2:
                _ = try WALRecordDecoder.histograms(record, kind) { row in
                    self.insertLate(
                        row.reference,
                        LateSample(timestamp: row.timestamp, value: .histogram(row.histogram), start: row.start))
                }
            case .chunkMarkers:
                for marker in try WALRecordDecoder.chunkMarkers(record) { dropMapped(marker) }
            case .series, .tombstones, .exemplars, .metadata: break
            }
        } catch {
            damageCount += 1
            events(.repaired(path: path, offset: Int64(offset), reason: error.reason))
        }
    }

    /// Forgets the late samples that a chunk holds. The chunk itself tells which: after a crash another one may stand
    /// where the marker's was.
    private func dropMapped(_ marker: WALRow.ChunkMarker) {
        guard let series = head.series.series(aliases[marker.reference] ?? marker.reference),
            let extra = series.extra, var chunks = extra.outOfOrder
        else { return }
        guard let mapped = chunks.mapped.first(where: { $0.reference == marker.chunk }) else {
            // Prometheus notes the number 0 for a series' first chunk before there is one.
            if marker.chunk != 0 { isLateChunkMissing = true }
            return
        }
        var columns = SampleColumns()
        do throws(StoreError) {
            let chunk = try head.chunkFiles.read(mapped, of: series.reference)
            do throws(ChunkError) { try chunk.decode(into: &columns) } catch { return }
        } catch { return }
        let times = Set(columns.timestamps)
        chunks.buffer.removeAll { times.contains($0.timestamp) }
        extra.outOfOrder = chunks
    }

    private func insertLate(_ reference: UInt64, _ sample: LateSample) {
        guard let series = series(reference) else { return }
        sampleCount += 1
        let extra = series.extraMade
        var chunks = extra.outOfOrder ?? OutOfOrderChunks()
        extra.outOfOrder = nil
        _ = chunks.insert(sample)
        extra.outOfOrder = chunks
        head.noteLate(minimum: sample.timestamp, maximum: sample.timestamp)
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
