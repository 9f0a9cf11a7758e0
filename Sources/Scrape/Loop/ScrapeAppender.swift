internal import ByteCoding
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
    private var untimedExemplars: [UInt64: Exemplar] = [:]
    /// The classic histogram whose parts are being read, to be made a native one.
    var classic = ClassicHistogram()
    private var latestAcceptable: Timestamp = 0
    private var familySeen: [UInt32] = []
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
    static let typeLabel: ByteString = "__type__"
    static let unitLabel: ByteString = "__unit__"

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
            return (counts, error)
        }
        markStale(batch, at: timestamp)
        forgetFamilies()
        if cache.endIteration(isSuccess: true) { metrics.cacheFlushForced.increment() }
        return (counts, nil)
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

    /// The labels to be stored for entry `index`, checked; nil if relabelling drops the series, which is remembered.
    func storedLabels(_ index: Int) throws(ScrapeFailure) -> Labels? {
        if cache.entries[index].kind == .dropped { return nil }
        guard let labels = mutator.apply(try scrapedLabels(index)) else {
            cache.entries[index].kind = .dropped
            return nil
        }
        if labels.isEmpty {
            cache.entries[index].kind = .dropped
            return nil
        }
        guard let name = labels.metricName else { throw ScrapeFailure("missing metric name (__name__ label)") }
        let isValid =
            options.validation.isMetricName(name)
            && labels.pairs.allSatisfy { options.validation.isLabelName($0.name) && $0.value.isValidUTF8 }
        guard isValid else { throw ScrapeFailure("invalid metric name or label names: \(labels)") }
        do throws(ScrapeFailure) {
            try options.limits.check(labels)
        } catch {
            metrics.labelLimitsExceeded.increment()
            throw error
        }
        return labels
    }

    func scrapedLabels(_ index: Int) throws(ScrapeFailure) -> Labels {
        let hash = cache.entries[index].hash
        if let known = knownLabels[hash] { return known }
        let type = MetricType(rawValue: cache.entries[index].type) ?? .unknown
        let labels: Labels
        do throws(ScrapeFailure) {
            labels = try SeriesText.labels(cache.key(index), type: type, isOpenMetrics: isOpenMetrics)
        } catch {
            // A line that cannot be read is no sample.
            if counts.scraped > 0 { counts.scraped &-= 1 }
            throw error
        }
        try SeriesText.checkUnique(labels)
        guard options.addsTypeAndUnitLabels else { return labels }
        // The unit is known only now.
        let complete = withTypeAndUnit(labels)
        keepLabels(complete, hash: hash)
        return complete
    }

    /// Keeps labels that cannot be read from a key again.
    func keepLabels(_ labels: Labels, hash: UInt64) {
        if knownLabels.count > 2 * cache.count + 1000 { knownLabels.removeAll(keepingCapacity: true) }
        knownLabels[hash] = labels
    }

    /// The labels with those that tell the type and unit of the present family, where that is asked for.
    ///
    /// Source: prometheus/prometheus schema/labels.go (`AddToLabels`).
    func withTypeAndUnit(_ labels: Labels) -> Labels {
        guard options.addsTypeAndUnitLabels else { return labels }
        var builder = LabelsBuilder(labels)
        builder.remove(Self.typeLabel)
        builder.remove(Self.unitLabel)
        if type != .unknown { builder.set(Self.typeLabel, ByteString(type.openMetricsName)) }
        let unit = family.index >= 0 ? metadata.family(Int(family.index))?.metadata.unit ?? "" : ""
        if !unit.isEmpty { builder.set(Self.unitLabel, unit) }
        return builder.labels()
    }

    /// The labels of a series that was stored before.
    func labelsAgain(_ index: Int) -> Labels {
        do throws(ScrapeFailure) {
            if cache.entries[index].kind == .report {
                return mutator.report(ByteString(Array(cache.key(index).dropLast())))
            }
            return mutator.apply(try scrapedLabels(index)) ?? .empty
        } catch {
            return .empty
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

    // MARK: Exemplars, starts, metadata

    /// Adds an exemplar to the series of entry `index`, whose sample is already handed over.
    func addExemplar(_ index: Int, _ exemplar: Exemplar, at time: Timestamp, _ batch: any SampleBatch) {
        let reference = cache.entries[index].reference
        guard reference != 0 else { return }
        var exemplar = exemplar
        let hash = cache.entries[index].hash
        if exemplar.timestamp == nil {
            // The target shows the one it showed before: without a time there is nothing new about it.
            if untimedExemplars[hash] == exemplar { return }
            if untimedExemplars.count > 2 * cache.count + 1000 { untimedExemplars.removeAll(keepingCapacity: true) }
            untimedExemplars[hash] = exemplar
            exemplar.timestamp = time
        } else if !untimedExemplars.isEmpty {
            untimedExemplars[hash] = nil
        }
        do throws(SampleRejection) {
            try batch.append(reference, exemplar: exemplar)
        } catch {
            if error == .outOfOrder { metrics.outOfOrderExemplars.increment() }
        }
    }

    /// Adds the zero of the series' start, if one is known and wanted.
    /// - Returns: the start to be stored with the sample; 0 for none.
    func noteStart(
        _ index: Int, before time: Timestamp, histogram: HistogramValue.NativePart?, _ batch: any SampleBatch
    ) -> Timestamp {
        guard let start = startTime(of: index) else { return 0 }
        if options.addsStartZeros, start < time, isNewStart(start, of: index) {
            addStart(index, start, before: time, histogram: histogram, batch)
        }
        return options.storesStarts ? start : 0
    }

    private func addStart(
        _ index: Int, _ start: Timestamp, before time: Timestamp, histogram: HistogramValue.NativePart?,
        _ batch: any SampleBatch
    ) {
        flush(batch)
        // Starts are a help, not a duty: what cannot be added is left out.
        do throws(SampleRejection) {
            try batch.appendStartZero(
                cache.entries[index].reference, { self.labelsAgain(index) }, start: start, before: time,
                histogram: histogram)
        } catch {}
    }

    /// Passes metadata on where a series is new or its metadata changed.
    func passMetadata(_ index: Int, isNew: Bool, _ batch: any SampleBatch) {
        if isNew || family.isChanged { passMetadata(cache.entries[index].reference, batch) }
    }

    private func passMetadata(_ reference: UInt64, _ batch: any SampleBatch) {
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
    private func forgetFamilies() {
        for index in familySeen.indices where familySeen[index] != 0 && cache.iteration &- familySeen[index] > 10 {
            metadata.remove(index)
            familySeen[index] = 0
        }
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
