internal import ByteCoding
internal import Exposition
#if canImport(Glibc)
internal import Glibc
#endif
package import MetricModel

/// Turns the bodies that one target sends into samples for the store. Keeps what it learned from one to the next.
///
/// Not thread-safe: one task at a time.
/// Source: the behaviour of prometheus/prometheus scrape/scrape.go (`scrapeLoop.append`).
// SAFETY: a loop uses it from its one task; a loop that takes over waits until the one before is done.
package final class ScrapeAppender: @unchecked Sendable {
    /// What a scrape brought.
    package struct Counts: Sendable, Hashable {
        /// Samples in the body.
        package var scraped = 0
        /// Samples that relabelling left.
        package var added = 0
        /// Series that the last scrape did not have.
        package var seriesAdded = 0

        /// Nothing.
        package init() {}
    }

    /// The formats of a body.
    package enum Format: Sendable, Hashable {
        case text, openMetrics, protobuf
    }

    private(set) var options: Options
    let mutator: SampleMutator
    /// What the target says of its metrics.
    package let metadata: MetadataStore
    let metrics: ScrapeMetrics
    let cache: SeriesCache

    // State of one scrape.
    var counts = Counts()
    var timestamp: Timestamp = 0
    var type = MetricType.unknown
    var isSampleLimitHit = false
    var isBucketLimitHit = false
    var limited = 0
    /// Starts told by `_created` series, by their group, and the one told with the current sample.
    var starts: [UInt64: Int64] = [:]
    var currentStart: Timestamp?
    var hasStarts = false
    /// The labels of series whose keys are no text, by the hash of the key.
    var knownLabels: [UInt64: Labels] = [:]
    /// Whether the body at hand is OpenMetrics.
    var isOpenMetrics = false
    /// The last exemplar of each series that came without a time, by the series' hash.
    var untimedExemplars: [UInt64: Exemplar] = [:]
    /// The classic histogram whose parts are being read, to be made a native one.
    var classic = ClassicHistogram()
    private var latestAcceptable: Timestamp = 0
    var familySeen: [UInt32] = []
    /// In which group of series with one start each series is, and the start that was stored, by the hash of its key.
    var startGroups: [UInt64: UInt64] = [:]
    var storedStarts: [UInt64: Int64] = [:]
    private var pending: UnsafeMutableBufferPointer<BatchSample>
    private var pendingEntries: UnsafeMutableBufferPointer<Int32>
    private var pendingCount = 0
    private var batchFailure: ScrapeFailure?
    /// The family of the last metadata line, whose changes are passed on with its series.
    var family: (index: Int32, isChanged: Bool) = (-1, false)

    /// How far into the future a sample's own time may lie.
    static let maximumAhead: Timestamp = 10 * 60 * 1000
    private static let batchSize = 4096

    /// An appender for the target with `labels`.
    package init(labels: Labels, options: Options, metadata: MetadataStore, metrics: ScrapeMetrics) {
        self.options = options
        self.metadata = metadata
        self.metrics = metrics
        mutator = SampleMutator(target: labels, honorsLabels: options.honorsLabels, rules: options.rules)
        cache = SeriesCache()
        pending = .allocate(capacity: Self.batchSize)
        pendingEntries = .allocate(capacity: Self.batchSize)
    }

    deinit {
        pending.deallocate()
        pendingEntries.deallocate()
    }

    /// Adds the samples of `body` to `batch`, and staleness markers for the series that are gone.
    /// - Parameters:
    ///   - body: the exposition; read only within the call.
    ///   - format: what it is.
    ///   - timestamp: milliseconds since 1970, for samples without a time of their own.
    ///   - now: milliseconds since 1970.
    ///   - batch: is to be rolled back if this throws, and ``appendNothing(at:to:)`` called on another.
    /// - Returns: what was counted, also before a failure.
    /// - Complexity: O(body); no allocation for lines that the last scrape had.
    package func append(
        _ body: UnsafeBufferPointer<UInt8>, format: Format, at timestamp: Timestamp, now: Timestamp,
        to batch: any SampleBatch
    ) -> (counts: Counts, failure: ScrapeFailure?) {
        counts = Counts()
        self.timestamp = timestamp
        latestAcceptable = now &+ Self.maximumAhead
        type = .unknown
        isSampleLimitHit = false
        isBucketLimitHit = false
        limited = 0
        pendingCount = 0
        batchFailure = nil
        family = (-1, false)
        hasStarts = false
        currentStart = nil
        classic.reset()
        do throws(ScrapeFailure) {
            switch format {
            case .text: try readText(body, batch)
            case .openMetrics: try readOpenMetrics(body, batch)
            case .protobuf: try readProtobuf(body, batch)
            }
            try flushClassic(batch)
            flush(batch)
            if let batchFailure { throw batchFailure }
            if isSampleLimitHit {
                metrics.sampleLimitExceeded.increment()
                throw ScrapeFailure("sample limit exceeded")
            }
            if isBucketLimitHit {
                metrics.bucketLimitExceeded.increment()
                throw ScrapeFailure("histogram bucket limit exceeded")
            }
        } catch {
            cache.forgetTracked()
            return (counts, error.isSyntax ? Self.inUpstreamWords(error, body, format) : error)
        }
        markStale(batch, at: timestamp)
        forgetFamilies()
        if cache.endIteration(isSuccess: true) { metrics.cacheFlushForced.increment() }
        return (counts, nil)
    }

    /// The failure as upstream's lexer comes upon it, which shows the tokens that it had taken the line apart into. Slow
    /// to find out, so only once something is wrong.
    private static func inUpstreamWords(
        _ failure: ScrapeFailure, _ body: UnsafeBufferPointer<UInt8>, _ format: Format
    ) -> ScrapeFailure {
        guard format != .protobuf else { return failure }
        var reader = ExpositionReader(body, format == .text ? .text : .openMetrics)
        do throws(ParseError) {
            while try reader.next() != nil {}
        } catch {
            return ScrapeFailure(error.description, isSyntax: true)
        }
        return failure
    }

    /// Adds staleness markers for all series: the target sent nothing, or nothing that could be read.
    package func appendNothing(at timestamp: Timestamp, to batch: any SampleBatch) {
        markStale(batch, at: timestamp)
        if cache.endIteration(isSuccess: false) { metrics.cacheFlushForced.increment() }
    }

    /// Changes the limit, which a new configuration may do without making what was learned worthless.
    func setSampleLimit(_ limit: Int) { options.sampleLimit = limit }

    // MARK: Samples

    /// The entry for the series with the bytes `key`, made if it is new.
    /// - Returns: the entry, and whether this scrape saw it before; nil if the series is dropped.
    func entry(_ key: UnsafeBufferPointer<UInt8>) throws(ScrapeFailure) -> (index: Int, isNew: Bool) {
        let hash = ByteHash.hash(key)
        if let index = cache.find(key, hash: hash) { return (index, false) }
        let index = cache.insert(key, hash: hash, kind: .sample, type: type.rawValue)
        return (index, true)
    }

    /// Adds a sample of the series of entry `index`.
    /// - Parameters:
    ///   - ownTimestamp: the time that the target gave, or nil.
    ///   - isNew: whether the entry was just made.
    @inline(__always)
    func addSample(
        _ index: Int, isNew: Bool, value: Double, ownTimestamp: Timestamp?, _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        counts.scraped &+= 1
        let wasSeen = cache.appear(index)
        if isNew || cache.entries[index].reference == 0 {
            try addUnknown(index, wasSeen: wasSeen, value: value, ownTimestamp: ownTimestamp, batch)
            return
        }
        let own = options.honorsTimestamps ? ownTimestamp : nil
        counts.added &+= 1
        if wasSeen && own == nil {
            metrics.duplicateSamples.increment()
            return
        }
        let time = own ?? timestamp
        guard admit(time) else { return }
        let start = hasStarts ? noteStart(index, before: time, histogram: nil, batch) : 0
        if own == nil || options.tracksTimestampsStaleness { track(index) }
        if pendingCount == Self.batchSize { flush(batch) }
        // SAFETY: both buffers have `batchSize` places, and `pendingCount` is below.
        pending[pendingCount] = BatchSample(
            reference: cache.entries[index].reference, timestamp: time, value: value, start: start)
        pendingEntries[pendingCount] = Int32(truncatingIfNeeded: index)
        pendingCount &+= 1
        if family.isChanged { passMetadata(cache.entries[index].reference, batch) }
    }

    @inline(__always)
    private func track(_ index: Int) {
        if cache.entries[index].tracked == cache.iteration { return }
        cache.entries[index].tracked = cache.iteration
        cache.tracked.append(Int32(truncatingIfNeeded: index))
    }

    /// Whether a sample at `time` may be stored, as far as time and the limit go.
    func admit(_ time: Timestamp) -> Bool {
        if options.sampleLimit > 0 {
            limited &+= 1
            if limited > options.sampleLimit {
                isSampleLimitHit = true
                return false
            }
        }
        if time > latestAcceptable {
            metrics.outOfBoundsSamples.increment()
            return false
        }
        return true
    }

    /// The way of series whose reference is not known.
    private func addUnknown(
        _ index: Int, wasSeen: Bool, value: Double, ownTimestamp: Timestamp?, _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        guard let labels = try storedLabels(index) else { return }
        counts.added += 1
        let own = options.honorsTimestamps ? ownTimestamp : nil
        if wasSeen, own == nil {
            metrics.duplicateSamples.increment()
            return
        }
        let time = own ?? timestamp
        guard admit(time) else { return }
        let start = hasStarts ? noteStart(index, before: time, histogram: nil, batch) : 0
        // What is pending may hold an earlier sample of the same series.
        flush(batch)
        do throws(SampleRejection) {
            cache.entries[index].reference = try batch.append(
                labels, timestamp: time, value: value, start: start)
            if own == nil || options.tracksTimestampsStaleness { track(index) }
            if !isSampleLimitHit, !isBucketLimitHit { counts.seriesAdded += 1 }
            if family.index >= 0 { passMetadata(cache.entries[index].reference, batch) }
        } catch {
            if let failure = note(error) { throw failure }
        }
    }

    /// Hands the pending samples over.
    func flush(_ batch: any SampleBatch) {
        guard pendingCount > 0 else { return }
        let samples = UnsafeBufferPointer(rebasing: pending[..<pendingCount])
        let count = pendingCount
        pendingCount = 0
        var unknown: [Int] = []
        batch.append(samples) { position, rejection in
            guard position >= 0, position < count else { return }
            let index = Int(self.pendingEntries[position])
            if rejection == .unknownSeries {
                unknown.append(position)
                return
            }
            self.untrack(index)
            if let failure = self.note(rejection), self.batchFailure == nil { self.batchFailure = failure }
        }
        for position in unknown {
            let index = Int(pendingEntries[position])
            do throws(SampleRejection) {
                cache.entries[index].reference = try batch.append(
                    labelsAgain(index), timestamp: samples[position].timestamp, value: samples[position].value,
                    start: samples[position].start)
            } catch {
                untrack(index)
                if let failure = note(error), batchFailure == nil { batchFailure = failure }
            }
        }
    }

    private func untrack(_ index: Int) {
        guard cache.entries[index].tracked == cache.iteration else { return }
        cache.entries[index].tracked = 0
    }

    /// Counts a rejection.
    /// - Returns: a failure if the scrape cannot go on.
    func note(_ rejection: SampleRejection) -> ScrapeFailure? {
        switch rejection {
        case .outOfOrder: metrics.outOfOrderSamples.increment()
        case .duplicate: metrics.duplicateSamples.increment()
        case .outOfBounds: metrics.outOfBoundsSamples.increment()
        case .unknownSeries: return ScrapeFailure("not found")
        case .other(let reason): return ScrapeFailure(reason)
        }
        return nil
    }

    /// Marks that a series stored by other means (a histogram) is there.
    func trackStored(_ index: Int, hasOwnTimestamp: Bool) {
        if !hasOwnTimestamp || options.tracksTimestampsStaleness { track(index) }
    }

    // MARK: Staleness

    private func markStale(_ batch: any SampleBatch, at timestamp: Timestamp) {
        var markers: [BatchSample] = []
        cache.forEachStale { index in
            markers.append(
                BatchSample(
                    reference: cache.entries[index].reference, timestamp: timestamp,
                    value: Double(bitPattern: SampleValue.staleBits)))
        }
        guard !markers.isEmpty else { return }
        // Out of order is expected where a target goes and comes back with another loop; an unknown series has ended.
        markers.withUnsafeBufferPointer { batch.append($0) { _, _ in } }
    }
}
