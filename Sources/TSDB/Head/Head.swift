internal import DurableFiles
internal import Matching
internal import MetricModel
internal import Synchronization

/// The newest samples, in memory, behind the write-ahead log.
///
/// Commits are applied one at a time, under one lock; queries and look-ups take other locks, briefly.
/// Source of the behaviour: prometheus/prometheus tsdb/head.go.
final class Head: Sendable {
    /// What does not change while the database is open.
    struct Setup: Sendable {
        /// With the encoding of floats as it was at the start.
        var rules: ChunkRules
        var walCompression: WALCompression
        var maximumSeries: Int
        var outOfOrderChunkCapacity: Int
        var keepsMetadata: Bool
    }

    /// What belongs to whoever applies commits.
    struct CommitState: ~Copyable {
        /// Series with full chunks in memory, each once.
        var fullSeries: [MemorySeries] = []
        var seriesBatch = WALRecordBatch()
        var lateBatch = WALRecordBatch()
        /// What the log of late samples lacks because it could not be written.
        var unloggedLate = LateRows()
    }

    let setup: Setup
    let postings: HeadPostings
    let series: SeriesMap
    let isolation = Isolation()
    let wal: WALWriter
    /// The log of late samples; nil until the out-of-order window was open once.
    let lateLog: Mutex<WALWriter?>
    let chunkFiles: HeadChunkFiles
    let exemplars: ExemplarRing
    let deletions = HeadDeletions()
    let counters = HeadCounters()

    /// Oldest sample in order; `.max` while there is none.
    let minimumTime = Atomic<Int64>(.max)
    /// Newest sample in order; `.min` while there is none.
    let maximumTime = Atomic<Int64>(.min)
    /// Samples before it are in blocks: they are neither taken nor shown.
    let minimumValidTime: Atomic<Int64>
    /// Oldest and newest late sample.
    let lateMinimumTime = Atomic<Int64>(.max)
    let lateMaximumTime = Atomic<Int64>(.min)
    let outOfOrderWindow: Atomic<Int64>
    /// Whether new chunks of numbers are of the encoding XOR2.
    let usesXOR2: Atomic<Bool>
    /// Series that have ended, as counted by the last maintenance.
    let staleSeriesCount = Atomic<Int>(0)
    /// As counted by the last maintenance.
    let histogramCount = HistogramCount.Latest()
    /// References whose series records the log must keep until the segment given is condensed, though the head has
    /// no such series (any more).
    let recordExpiry = Mutex<[UInt64: Int]>([:])

    private let commitLock = Mutex<Void>(())
    // SAFETY: read and written under `commitLock` only.
    private nonisolated(unsafe) var commitState = CommitState()

    init(
        setup: Setup, wal: WALWriter, lateLog: WALWriter?, chunkFiles: HeadChunkFiles, minimumValidTime: Timestamp,
        outOfOrderWindow: Int64, maximumExemplars: Int
    ) {
        self.setup = setup
        self.wal = wal
        self.lateLog = Mutex(lateLog)
        self.chunkFiles = chunkFiles
        self.minimumValidTime = Atomic(minimumValidTime)
        self.outOfOrderWindow = Atomic(outOfOrderWindow)
        usesXOR2 = Atomic(setup.rules.usesXOR2)
        exemplars = ExemplarRing(capacity: maximumExemplars)
        postings = HeadPostings()
        series = SeriesMap(postings: postings)
    }

    /// The times that appends are held against from now on.
    ///
    /// Half a chunk range behind the newest sample nothing is taken in order, so that what is being persisted does
    /// not change.
    var limits: AppendLimits {
        let newest = maximumTime.load(ordering: .relaxed)
        let valid = minimumValidTime.load(ordering: .relaxed)
        let behind = newest.subtractingReportingOverflow(setup.rules.range / 2)
        return AppendLimits(
            minimumValidTime: newest == .min || behind.overflow ? valid : max(valid, behind.partialValue),
            headMaximumTime: newest, outOfOrderWindow: outOfOrderWindow.load(ordering: .relaxed))
    }

    /// How samples are written to the logs.
    var sampleForm: WALSampleForm { setup.rules.storesStarts ? .started : .plain }

    /// How samples are put into chunks from now on.
    var rules: ChunkRules {
        var rules = setup.rules
        rules.usesXOR2 = usesXOR2.load(ordering: .relaxed)
        return rules
    }

    /// Calls `body` with what belongs to whoever applies commits; no commit is applied meanwhile.
    func withCommitState<Result>(
        _ body: (inout CommitState) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try commitLock.withLock { (_) throws(StoreError) -> Result in try body(&commitState) }
    }

    /// Widens the range of times that the head holds.
    func note(minimum: Timestamp, maximum: Timestamp) {
        if minimum < minimumTime.load(ordering: .relaxed) { minimumTime.min(minimum, ordering: .relaxed) }
        if maximum > maximumTime.load(ordering: .relaxed) { maximumTime.max(maximum, ordering: .relaxed) }
    }

    /// Widens the range of times of late samples.
    func noteLate(minimum: Timestamp, maximum: Timestamp) {
        lateMinimumTime.min(minimum, ordering: .relaxed)
        lateMaximumTime.max(maximum, ordering: .relaxed)
    }
}

/// Counters since the start.
final class HeadCounters: Sendable {
    let floats = Atomic<UInt64>(0)
    let histograms = Atomic<UInt64>(0)
    let exemplars = Atomic<UInt64>(0)
    let late = Atomic<UInt64>(0)
    let outOfOrder = Atomic<UInt64>(0)
    let outOfBounds = Atomic<UInt64>(0)
    let tooOld = Atomic<UInt64>(0)
    let seriesCreated = Atomic<UInt64>(0)
    let seriesRemoved = Atomic<UInt64>(0)
    let chunksCreated = Atomic<UInt64>(0)
    let chunksRemoved = Atomic<UInt64>(0)
    let lateLogFailures = Atomic<UInt64>(0)
    let chunksMapped = Atomic<UInt64>(0)
    let outOfOrderExemplars = Atomic<UInt64>(0)
    /// By how many seconds late samples are older than the newest of all, whether taken or not.
    let lateness = LengthRecorder(bounds: [600, 1800, 3600, 7200, 10_800, 21_600, 43_200])

    /// Notes how late a sample is that did not come in order.
    func noteLateness(_ timestamp: Timestamp, _ limits: AppendLimits) {
        let (late, overflow) = limits.headMaximumTime.subtractingReportingOverflow(timestamp)
        if late > 0, !overflow { lateness.note(Double(late) / 1000) }
    }

    /// Counts a refusal.
    func count(_ error: AppendError) {
        switch error {
        case .outOfOrder: outOfOrder.add(1, ordering: .relaxed)
        case .outOfBounds: outOfBounds.add(1, ordering: .relaxed)
        case .tooOld: tooOld.add(1, ordering: .relaxed)
        case .outOfOrderExemplar: outOfOrderExemplars.add(1, ordering: .relaxed)
        case .duplicateFloat, .duplicateFloatOverHistogram, .duplicateHistogram, .unknownSeries, .invalidLabels,
            .invalidHistogram, .seriesLimit, .startTimestampOutOfOrder, .startTimestampNotBeforeSample,
            .exemplarLabelsTooLong:
            break
        }
    }
}
