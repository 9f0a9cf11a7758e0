internal import MetricModel
internal import Synchronization

/// A series of the head: its open chunk, the chunks before it, and what is needed to append to it.
///
/// Source of the rules: prometheus/prometheus tsdb/head_append.go.
final class MemorySeries: @unchecked Sendable {
    let reference: UInt64
    let labels: Labels
    let lock = Mutex<Void>(())

    // SAFETY: all below is read and written under `lock` only. What every sample changes is not checked for overlapping
    // accesses, which costs more than the change; nothing that is called during one reaches the series.

    /// The open chunk, while ``kind`` is `float` and ``isOpen`` holds, but ``isXOR2`` does not.
    @exclusivity(unchecked) var floats = XORAppender()
    /// Kind of the newest sample in order.
    var kind = SampleKind.none
    /// Whether there is an open chunk.
    var isOpen = false
    /// Whether the open chunk is ``SeriesExtra/xor2``.
    var isXOR2 = false
    /// Whether the series was taken out of the head: it must not be appended to.
    var isRemoved = false
    /// Whether the histogram chunk's end was planned.
    var hasPlannedEnd = false
    /// Whether the value of the newest sample is known: not after a start from mapped chunks alone.
    var knowsLastValue = false
    /// Oldest sample of the open chunk.
    var openMinimumTime: Timestamp = 0
    /// The open chunk is cut before a sample at this time.
    var nextCut: Timestamp = .min
    /// Newest sample in order; `.min` while there is none.
    var lastTimestamp: Timestamp = .min
    /// The last commit that added samples in order, and how many samples there were before it.
    var markCommit: UInt64 = 0
    var markCount: UInt32 = 0
    /// Samples in order since the series was made; wraps.
    var appendedCount: UInt32 = 0
    /// The latest appender that named this series, by number: the series stays while that one is open.
    var touchedBy: UInt64 = 0
    /// By time.
    var mapped: [MappedChunk] = []
    /// What few series have.
    var extra: SeriesExtra?

    init(reference: UInt64, labels: Labels) {
        self.reference = reference
        self.labels = labels
    }

    /// The extra state, made if it is missing.
    var extraMade: SeriesExtra {
        if let extra { return extra }
        let made = SeriesExtra()
        extra = made
        return made
    }

    /// Whether the series holds no samples at all.
    var isEmpty: Bool {
        guard !isOpen && mapped.isEmpty else { return false }
        guard let extra else { return true }
        return extra.full.isEmpty && (extra.outOfOrder?.isEmpty ?? true)
    }
}

/// What few series have: histograms, full chunks that wait for being mapped, metadata, out-of-order samples.
final class SeriesExtra {
    /// Full chunks, by time, all after the mapped ones.
    var full: [FullChunk] = []
    /// Whether the series is on the head's list of those with full chunks.
    var isListedAsFull = false
    /// Whether the first of ``full`` are being written to a file.
    var isBeingMapped = false
    var xor2: XOR2Appender?
    var integerHistograms: HistogramAppender<NativeHistogram>?
    var floatHistograms: HistogramAppender<FloatHistogram>?
    var lastHistogram: HistogramSample?
    var metadata: MetricMetadata?
    var outOfOrder: OutOfOrderChunks?
    /// Marks of commits before the last that some reader must not see, ascending.
    var olderMarks: [(commit: UInt64, count: UInt32)] = []
}

// MARK: Checks

extension MemorySeries {
    /// Where a number goes. The lock must be held.
    @inline(__always)
    func verdict(_ timestamp: Timestamp, _ value: Double, _ limits: AppendLimits) -> AppendVerdict {
        if timestamp >= limits.minimumValidTime && timestamp > lastTimestamp { return .inOrder }
        return verdictOfLate(timestamp, value, limits)
    }

    private func verdictOfLate(_ timestamp: Timestamp, _ value: Double, _ limits: AppendLimits) -> AppendVerdict {
        if timestamp >= limits.minimumValidTime && timestamp == lastTimestamp && knowsLastValue {
            switch kind {
            case .none: break
            case .histogram, .floatHistogram:
                return .refused(.duplicateFloatOverHistogram(timestamp: timestamp, new: value))
            case .float:
                let last = lastFloat
                if last.bitPattern == value.bitPattern { return .repeated }
                return .refused(.duplicateFloat(timestamp: timestamp, existing: last, new: value))
            }
        }
        if limits.takesOutOfOrder(timestamp) { return .outOfOrder }
        return .refused(limits.refusal(timestamp))
    }

    /// Where a histogram goes. The lock must be held.
    func verdict(_ timestamp: Timestamp, _ histogram: HistogramSample, _ limits: AppendLimits) -> AppendVerdict {
        if timestamp >= limits.minimumValidTime {
            if timestamp > lastTimestamp { return .inOrder }
            if timestamp == lastTimestamp && knowsLastValue {
                guard let last = extra?.lastHistogram, last.isSameData(as: histogram) else {
                    return .refused(.duplicateHistogram)
                }
                return .repeated
            }
        }
        if limits.takesOutOfOrder(timestamp) { return .outOfOrder }
        return .refused(limits.refusal(timestamp))
    }
}

// MARK: Appending in order

extension MemorySeries {
    /// The newest number, while the open chunk holds numbers. The lock must be held.
    var lastFloat: Double { isXOR2 ? extra?.xor2?.lastValue ?? 0 : floats.lastValue }

    /// Appends a number that is later than ``lastTimestamp``. The lock must be held.
    /// - Parameter start: Its start timestamp; 0 if not known. Chunks of the encoding XOR have no place for it.
    /// - Returns: whether a chunk became full by it.
    @inline(__always)
    func append(_ timestamp: Timestamp, _ value: Double, start: Timestamp = 0, _ rules: ChunkRules) -> Bool {
        if isXOR2 || rules.usesXOR2 { return appendWithEncoding(timestamp, value, start, rules) }
        var becameFull = false
        if kind == .float && isOpen {
            let count = floats.sampleCount
            if count == rules.samplesPerChunk / 4 {
                nextCut = ChunkRules.plannedEnd(
                    start: openMinimumTime, current: lastTimestamp, limit: nextCut, ratio: 4)
            }
            if timestamp >= nextCut || count >= rules.samplesPerChunk * 2
                || floats.byteCount > XORAppender.byteLimitBeforeAppend
            {
                becameFull = closeChunk()
                open(timestamp, .float, rules)
            }
        } else {
            becameFull = closeChunk()
            open(timestamp, .float, rules)
        }
        floats.append(timestamp, value)
        lastTimestamp = timestamp
        knowsLastValue = true
        appendedCount &+= 1
        return becameFull
    }

    /// The same where the open chunk or the next one is of the encoding XOR2.
    private func appendWithEncoding(
        _ timestamp: Timestamp, _ value: Double, _ start: Timestamp, _ rules: ChunkRules
    ) -> Bool {
        var becameFull = false
        // Without start timestamps either encoding does until the chunk is full.
        let fits = isXOR2 == rules.usesXOR2 || !rules.storesStarts
        if kind == .float && isOpen && fits {
            let count = isXOR2 ? extra?.xor2?.sampleCount ?? 0 : floats.sampleCount
            let bytes = isXOR2 ? extra?.xor2?.byteCount ?? 0 : floats.byteCount
            if count == rules.samplesPerChunk / 4 {
                nextCut = ChunkRules.plannedEnd(
                    start: openMinimumTime, current: lastTimestamp, limit: nextCut, ratio: 4)
            }
            if timestamp >= nextCut || count >= rules.samplesPerChunk * 2 || bytes > XORAppender.byteLimitBeforeAppend {
                becameFull = closeChunk()
                open(timestamp, .float, rules)
            }
        } else {
            becameFull = closeChunk()
            open(timestamp, .float, rules)
        }
        if isXOR2 {
            extra?.xor2?.append(timestamp, value, startTimestamp: start)
        } else {
            floats.append(timestamp, value)
        }
        lastTimestamp = timestamp
        knowsLastValue = true
        appendedCount &+= 1
        return becameFull
    }

    private func open(_ timestamp: Timestamp, _ newKind: SampleKind, _ rules: ChunkRules) {
        kind = newKind
        isOpen = true
        hasPlannedEnd = false
        openMinimumTime = timestamp
        nextCut = rules.end(of: timestamp)
        isXOR2 = newKind == .float && rules.usesXOR2
        if isXOR2 { extraMade.xor2 = XOR2Appender() } else { extra?.xor2 = nil }
        if newKind == .float {
            floats = XORAppender()
            extra?.integerHistograms = nil
            extra?.floatHistograms = nil
            extra?.lastHistogram = nil
        }
    }

    /// Goes on with an open chunk of a memory snapshot; the next sample begins a new one.
    /// - Returns: false if the chunk cannot be read.
    func resume(_ open: MemorySnapshot.Open) -> Bool {
        do throws(ChunkError) {
            switch open.chunk.encoding {
            case .xor:
                floats = try XORAppender(resuming: open.chunk)
                kind = .float
            case .xor2:
                extraMade.xor2 = try XOR2Appender(resuming: open.chunk)
                isXOR2 = true
                kind = .float
            case .histogram, .histogramST:
                extraMade.integerHistograms = try HistogramAppender(resuming: open.chunk)
                kind = .histogram
            case .floatHistogram, .floatHistogramST:
                extraMade.floatHistograms = try HistogramAppender(resuming: open.chunk)
                kind = .floatHistogram
            }
        } catch { return false }
        isOpen = true
        hasPlannedEnd = false
        openMinimumTime = open.minimumTime
        lastTimestamp = open.maximumTime
        nextCut = open.maximumTime
        extra?.lastHistogram = open.lastHistogram
        knowsLastValue = true
        return true
    }

    /// Makes the open chunk a full one.
    /// - Returns: whether there was one.
    @discardableResult
    func closeChunk() -> Bool {
        guard isOpen, let chunk = openChunk else { return false }
        isOpen = false
        guard chunk.sampleCount > 0 else { return false }
        keep(chunk)
        return true
    }

    /// Adds a full chunk that ends at ``lastTimestamp``. The copy has no spare bytes.
    private func keep(_ chunk: Chunk) {
        extraMade.full.append(
            FullChunk(
                minimumTime: openMinimumTime, maximumTime: lastTimestamp,
                chunk: Chunk(encoding: chunk.encoding, bytes: chunk.bytes)))
    }

    /// A snapshot of the open chunk.
    var openChunk: Chunk? {
        guard isOpen else { return nil }
        switch kind {
        case .none: return nil
        case .float: return isXOR2 ? extra?.xor2?.chunk : floats.chunk
        case .histogram: return extra?.integerHistograms?.chunk
        case .floatHistogram: return extra?.floatHistograms?.chunk
        }
    }

    /// Whether the open histogram chunk has a place for start timestamps just if `rules` ask for one.
    private func isEncoded(by rules: ChunkRules, _ extra: SeriesExtra) -> Bool {
        guard let encoding = extra.integerHistograms?.encoding ?? extra.floatHistograms?.encoding else { return true }
        return encoding.hasStartHeader == rules.encodesHistogramStarts
    }

    /// Appends a histogram that is later than ``lastTimestamp``. The lock must be held.
    /// - Parameter start: Its start timestamp; 0 if not known. Not all encodings have a place for it.
    /// - Returns: whether a chunk became full by it.
    func append(
        _ timestamp: Timestamp, _ histogram: HistogramSample, start: Timestamp = 0, _ rules: ChunkRules
    ) -> Bool {
        let newKind = histogram.kind
        var becameFull = false
        let extra = extraMade
        // The chunk before tells a new one whether the counter was reset between them.
        var previousInteger: HistogramAppender<NativeHistogram>?
        var previousFloat: HistogramAppender<FloatHistogram>?
        if !isOpen || kind != newKind || !isEncoded(by: rules, extra)
            || endsHistogramChunk(before: timestamp, extra, rules)
        {
            if kind == newKind {
                previousInteger = extra.integerHistograms
                previousFloat = extra.floatHistograms
            }
            becameFull = closeChunk()
            open(timestamp, newKind, rules)
            let starts = rules.encodesHistogramStarts
            extra.integerHistograms = newKind == .histogram ? HistogramAppender(startTimestamps: starts) : nil
            extra.floatHistograms = newKind == .floatHistogram ? HistogramAppender(startTimestamps: starts) : nil
        }
        let outcome: HistogramAppendOutcome? =
            switch histogram {
            case .integer(let value):
                extra.integerHistograms?.append(timestamp, value, startTimestamp: start, previous: previousInteger)
            case .float(let value):
                extra.floatHistograms?.append(timestamp, value, startTimestamp: start, previous: previousFloat)
            }
        if case .cut(let finished) = outcome {
            if finished.sampleCount > 0 {
                keep(finished)
                becameFull = true
            }
            openMinimumTime = timestamp
            nextCut = rules.end(of: timestamp)
            hasPlannedEnd = false
        }
        extra.lastHistogram = histogram
        lastTimestamp = timestamp
        knowsLastValue = true
        appendedCount &+= 1
        return becameFull
    }

    /// Whether the open histogram chunk ends before a sample at `timestamp`, by its size and the end of its range.
    private func endsHistogramChunk(
        before timestamp: Timestamp, _ extra: SeriesExtra, _ rules: ChunkRules
    ) -> Bool {
        let bytes = extra.integerHistograms?.byteCount ?? extra.floatHistograms?.byteCount ?? 0
        let samples = extra.integerHistograms?.sampleCount ?? extra.floatHistograms?.sampleCount ?? 0
        let target = HistogramAppender<NativeHistogram>.targetBytes
        let rangeEnd = hasPlannedEnd ? rules.end(of: openMinimumTime) : nextCut
        if !hasPlannedEnd && bytes >= target / 4 {
            nextCut = ChunkRules.plannedEnd(
                start: openMinimumTime, current: lastTimestamp, limit: nextCut,
                ratio: Double(target) / Double(max(1, bytes)))
            hasPlannedEnd = true
        }
        let isMature = samples >= HistogramAppender<NativeHistogram>.minimumSamples || timestamp >= rangeEnd
        return (timestamp >= nextCut || bytes >= target * 2) && isMature
    }
}

// MARK: Isolation

extension MemorySeries {
    /// Notes that a commit is about to add samples. The lock must be held.
    @inline(__always)
    func mark(_ commit: CommitTicket) {
        if markCommit == commit.number { return }
        if markCommit > commit.oldestReader {
            keepMark(commit)
        } else if let extra, !extra.olderMarks.isEmpty {
            extra.olderMarks.removeAll { $0.commit <= commit.oldestReader }
        }
        markCommit = commit.number
        markCount = appendedCount
    }

    /// A reader needs the first mark after its snapshot only.
    private func keepMark(_ commit: CommitTicket) {
        let extra = extraMade
        if let last = extra.olderMarks.last, last.commit > commit.newestReader { return }
        extra.olderMarks.append((markCommit, markCount))
    }

    /// How many of the newest samples in order belong to commits after `snapshot`. The lock must be held.
    func hiddenSamples(after snapshot: UInt64) -> Int {
        guard markCommit > snapshot else { return 0 }
        if let first = extra?.olderMarks.first(where: { $0.commit > snapshot }) {
            return Int(appendedCount &- first.count)
        }
        return Int(appendedCount &- markCount)
    }
}
