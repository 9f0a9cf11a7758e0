package import MetricModel

/// A batch of samples that become visible to queries, and durable, as one.
///
/// Not thread-safe: one thread at a time. An appender that is released without ``commit(_:)`` is rolled back; series
/// that it created stay, without samples.
///
/// Source of the behaviour: prometheus/prometheus tsdb/head_append.go.
package final class Appender {
    private let database: Database
    private let head: Head
    private let buffer: AppendBuffer
    /// 0 while the batch is empty.
    private var number: UInt64 = 0
    private var limits = AppendLimits(minimumValidTime: .min, headMaximumTime: .min, outOfOrderWindow: 0)

    init(_ database: Database, _ head: Head, _ buffer: AppendBuffer) {
        self.database = database
        self.head = head
        self.buffer = buffer
    }

    deinit {
        rollback()
        database.keep(buffer)
    }

    /// The number of samples in the batch.
    package var count: Int { buffer.count }

    /// The reference of the series with `labels`, which is created if it is new.
    /// - Throws: ``AppendError/invalidLabels(_:)``, ``AppendError/seriesLimit(_:)``.
    package func reference(of labels: Labels) throws(AppendError) -> SeriesReference {
        begin()
        return SeriesReference(rawValue: try made(labels).reference)
    }

    /// Adds a number.
    /// - Parameters:
    ///   - reference: Of the series, or ``SeriesReference/none``.
    ///   - labels: Used where the reference is unknown.
    ///   - timestamp: Milliseconds since 1970.
    ///   - value: Any bits. The staleness marker takes the kind of the series' last sample.
    ///   - start: Start ("created") timestamp; 0 if not known. Kept as far as ``Database/Options`` say.
    /// - Returns: the reference of the series, for the next time.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp, value: Double,
        start: Timestamp = 0
    ) throws(AppendError) -> SeriesReference {
        begin()
        try checkBounds(timestamp)
        let series = try series(reference, labels)
        let (verdict, kind) = series.lock.withLock { _ in (series.verdict(timestamp, value, limits), series.kind) }
        if SampleValue.isStale(value), let stale = stale(series, kind) {
            return try append(timestamp, stale, start, to: series)
        }
        try accept(verdict, timestamp)
        let known = SeriesReference(rawValue: series.reference)
        buffer.add(ReferencedSample(known, timestamp, value), start: start, series)
        return known
    }

    /// Adds a histogram with integer counts.
    /// - Throws: also ``AppendError/invalidHistogram(_:)``.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp,
        histogram: NativeHistogram, start: Timestamp = 0
    ) throws(AppendError) -> SeriesReference {
        begin()
        try checkBounds(timestamp)
        do throws(HistogramError) { try histogram.validate() } catch { throw .invalidHistogram("\(error)") }
        return try append(timestamp, .integer(histogram), start, to: series(reference, labels))
    }

    /// Adds a histogram with floating-point counts.
    /// - Throws: also ``AppendError/invalidHistogram(_:)``.
    package func append(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, timestamp: Timestamp,
        floatHistogram: FloatHistogram, start: Timestamp = 0
    ) throws(AppendError) -> SeriesReference {
        begin()
        try checkBounds(timestamp)
        do throws(HistogramError) { try floatHistogram.validate() } catch { throw .invalidHistogram("\(error)") }
        return try append(timestamp, .float(floatHistogram), start, to: series(reference, labels))
    }

    /// Adds many numbers in one call: the way of scrapes and remote writes.
    /// - Parameters:
    ///   - samples: With references that are known.
    ///   - starts: One start timestamp for each sample, 0 where unknown; or none at all.
    ///   - rejected: Called for each sample that is not taken, with its index and the reason. It must not call the
    ///     database or this appender.
    /// - Returns: how many were taken.
    /// - Complexity: O(samples); no allocation a sample.
    package func append(
        _ samples: UnsafeBufferPointer<ReferencedSample>, starts: [Timestamp] = [],
        rejected: (Int, AppendError) -> Void
    ) -> Int {
        guard !samples.isEmpty else { return 0 }
        begin()
        let limits = self.limits
        let number = self.number
        let buffer = self.buffer
        var taken = 0
        head.series.forEach(of: samples) { index, found in
            let sample = samples[index]
            guard let found else { return rejected(index, .unknownSeries(sample.reference)) }
            found._withUnsafeGuaranteedRef { series in
                let start = index < starts.count ? starts[index] : 0
                switch add(sample.timestamp, sample.value, start, to: series, number, limits, buffer) {
                case nil: rejected(index, .unknownSeries(sample.reference))
                case .refused(let error): rejected(index, error)
                case .inOrder, .repeated, .outOfOrder: taken &+= 1
                }
            }
        }
        return taken
    }

    /// Adds many numbers, whose series are told by their labels; series that are new are made.
    ///
    /// The lock of all series is taken twice for some hundreds of samples, not for each: others that append at the same
    /// time would spend more on waiting than on their work.
    /// - Parameters:
    ///   - samples: With labels as ``LabelledSamples`` demands.
    ///   - isSound: Whether labels of a new series may be stored.
    ///   - rejected: Called for each sample that is not taken, with its index and the reason, in no order; unsound
    ///     labels are ``AppendError/invalidLabels(_:)``. It must not call the database or this appender.
    /// - Returns: how many were taken.
    /// - Complexity: O(bytes of the labels); no allocation a sample of a known series.
    package func append(
        _ samples: borrowing LabelledSamples, isSound: (Labels) -> Bool, rejected: (Int, AppendError) -> Void
    ) -> Int {
        guard samples.count > 0 else { return 0 }
        begin()
        let limits = self.limits
        let number = self.number
        let buffer = self.buffer
        var taken = 0
        var unknown: [Int] = []
        var start = 0
        while start < samples.count {
            let end = min(samples.count, start + SeriesMap.pieceSize)
            head.series.forEach(of: samples, in: start..<end) { index, row, series in
                let start = samples.start(at: index)
                switch series.map({ add(row.timestamp, row.value, start, to: $0, number, limits, buffer) }) ?? nil {
                case nil: unknown.append(index)
                case .refused(let error): rejected(index, error)
                case .inOrder, .repeated, .outOfOrder: taken &+= 1
                }
            }
            if !unknown.isEmpty {
                taken &+= appendNew(samples, unknown, isSound, rejected)
                unknown.removeAll(keepingCapacity: true)
            }
            start = end
        }
        return taken
    }

    /// Adds the samples at `indices`, whose series are to be made.
    private func appendNew(
        _ samples: borrowing LabelledSamples, _ indices: [Int], _ isSound: (Labels) -> Bool,
        _ rejected: (Int, AppendError) -> Void
    ) -> Int {
        var wanted: [SeriesMap.Wanted] = []
        wanted.reserveCapacity(indices.count)
        for index in indices {
            let labels = samples.labels(at: index)
            guard !labels.isEmpty, isSound(labels) else {
                rejected(index, .invalidLabels(labels.isEmpty ? "empty labelset" : labels.description))
                continue
            }
            wanted.append(SeriesMap.Wanted(index: index, labels: labels, hash: samples.rows[index].hash))
        }
        let limit = head.setup.maximumSeries
        var taken = 0
        var removed: [SeriesMap.Wanted] = []
        var created: UInt64 = 0
        head.series.forEachMade(wanted, limit: limit) { one, series, isNew in
            guard let series else { return rejected(one.index, .seriesLimit(limit)) }
            if isNew { created &+= 1 }
            let row = samples.rows[one.index]
            switch add(row.timestamp, row.value, samples.start(at: one.index), to: series, number, limits, buffer) {
            case nil: removed.append(one)
            case .refused(let error): rejected(one.index, error)
            case .inOrder, .repeated, .outOfOrder: taken &+= 1
            }
        }
        head.counters.seriesCreated.add(created, ordering: .relaxed)
        // A series that is just being removed leaves the map in a moment.
        for one in removed {
            let row = samples.rows[one.index]
            do throws(AppendError) {
                _ = try append(
                    .none, labels: one.labels, timestamp: row.timestamp, value: row.value,
                    start: samples.start(at: one.index))
                taken &+= 1
            } catch { rejected(one.index, error) }
        }
        return taken
    }

    /// Puts a number into the buffer, if it can be taken.
    /// - Returns: what was found; nil if the series was just removed from the head.
    @inline(__always)
    private func add(
        _ timestamp: Timestamp, _ value: Double, _ start: Timestamp, to series: MemorySeries, _ number: UInt64,
        _ limits: AppendLimits, _ buffer: AppendBuffer
    ) -> AppendVerdict? {
        var kind = SampleKind.none
        let verdict: AppendVerdict? = series.lock.withLock { _ in
            if series.isRemoved { return nil }
            series.touchedBy = max(series.touchedBy, number)
            kind = series.kind
            series.floats.prefetchEnd()
            return series.verdict(timestamp, value, limits)
        }
        switch verdict {
        case nil: break
        case .refused(let error):
            head.counters.count(error)
            head.counters.noteLateness(timestamp, limits)
        case .inOrder, .repeated, .outOfOrder:
            if case .outOfOrder = verdict { head.counters.noteLateness(timestamp, limits) }
            if SampleValue.isStale(value), let stale = stale(series, kind) {
                buffer.add(timestamp, stale, start: start, series)
            } else {
                let sample = ReferencedSample(SeriesReference(rawValue: series.reference), timestamp, value)
                buffer.add(sample, start: start, series)
            }
        }
        return verdict
    }

    /// Adds many numbers in one call.
    package func append(
        _ samples: [ReferencedSample], starts: [Timestamp] = [], rejected: (Int, AppendError) -> Void
    ) -> Int {
        samples.withUnsafeBufferPointer { append($0, starts: starts, rejected: rejected) }
    }

    /// Adds a zero where a counter started, if the series holds nothing at or after that time.
    /// - Parameters:
    ///   - reference: Of the series, or ``SeriesReference/none``.
    ///   - labels: Used where the reference is unknown.
    ///   - start: Milliseconds since 1970, before `timestamp`.
    ///   - timestamp: Of the sample that follows.
    package func appendStartZero(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, start: Timestamp, before timestamp: Timestamp
    ) throws(AppendError) -> SeriesReference {
        guard start < timestamp else { throw .startTimestampNotBeforeSample }
        begin()
        let series = try series(reference, labels)
        try acceptStart(series.lock.withLock { _ in series.verdict(start, 0, limits) })
        let known = SeriesReference(rawValue: series.reference)
        buffer.add(ReferencedSample(known, start, 0), series)
        return known
    }

    /// Adds a histogram without observations where a histogram started.
    package func appendStartZero(
        _ reference: SeriesReference, labels: @autoclosure () -> Labels, start: Timestamp, before timestamp: Timestamp,
        like histogram: HistogramValue.NativePart
    ) throws(AppendError) -> SeriesReference {
        guard start < timestamp else { throw .startTimestampNotBeforeSample }
        begin()
        let series = try series(reference, labels)
        let zero: HistogramSample =
            switch histogram {
            case .integer(let like):
                .integer(
                    NativeHistogram(
                        counterResetHint: .reset, schema: like.schema, zeroThreshold: like.zeroThreshold,
                        customValues: like.customValues))
            case .float(let like):
                .float(
                    FloatHistogram(
                        counterResetHint: .reset, schema: like.schema, zeroThreshold: like.zeroThreshold,
                        customValues: like.customValues))
            }
        try acceptStart(series.lock.withLock { _ in series.verdict(start, zero, limits) })
        buffer.add(start, zero, series)
        return SeriesReference(rawValue: series.reference)
    }

    /// Adds an exemplar to a series that exists; duplicates are left out silently, as upstream does.
    package func append(_ reference: SeriesReference, exemplar: Exemplar) throws(AppendError) {
        guard head.exemplars.isEnabled else { return }
        begin()
        guard let series = known(reference) else { throw .unknownSeries(reference) }
        do throws(AppendError) {
            if try head.exemplars.validate(exemplar, of: series.labels) { buffer.exemplars.append((series, exemplar)) }
        } catch {
            head.counters.count(error)
            throw error
        }
    }

    /// Notes the metadata of a series that exists.
    package func update(_ reference: SeriesReference, metadata: SeriesMetadata) throws(AppendError) {
        guard head.setup.keepsMetadata else { return }
        begin()
        guard let series = known(reference) else { throw .unknownSeries(reference) }
        let isNew = series.lock.withLock { _ in series.extra?.metadata != metadata }
        if isNew { buffer.metadata.append((series, metadata)) }
    }

    /// Writes the batch to the log and makes it visible. Afterwards the appender is empty and may be used again.
    /// - Parameter durability: What to wait for.
    /// - Returns: what was taken.
    /// - Throws: ``StoreError/diskFull(path:)`` or ``StoreError/readOnly(reason:)``; the batch is then rolled back,
    ///   except where only the sync failed, or the log of late samples: then it is visible, but may not survive a loss
    ///   of power. Sent again it is either refused or durable.
    package func commit(_ durability: Durability) throws(StoreError) -> CommitResult {
        guard number != 0 else { return CommitResult() }
        defer { rollback() }
        try database.checkWritable()
        let (result, position, latePosition) = try head.commit(buffer, limits)
        switch durability {
        case .relaxed: break
        case .synced:
            try head.wal.sync(upTo: position)
            if latePosition > 0 { try head.lateLog.withLock { $0 }?.sync(upTo: latePosition) }
        }
        return result
    }

    /// Forgets the batch.
    package func rollback() {
        guard number != 0 else { return }
        buffer.removeAll()
        head.isolation.closeAppender(number)
        number = 0
    }

    // MARK: Parts

    private func begin() {
        guard number == 0 else { return }
        number = head.isolation.openAppender()
        limits = head.limits
    }

    /// Fails fast, before a series is made for a sample that cannot be taken.
    private func checkBounds(_ timestamp: Timestamp) throws(AppendError) {
        if limits.outOfOrderWindow == 0 && timestamp < limits.minimumValidTime {
            head.counters.count(.outOfBounds)
            throw .outOfBounds
        }
    }

    /// The series of a reference, kept in the head while this appender is open; nil if there is none (any more).
    private func known(_ reference: SeriesReference) -> MemorySeries? {
        guard reference != .none, let series = head.series.series(reference.rawValue), touch(series) else { return nil }
        return series
    }

    private func touch(_ series: MemorySeries) -> Bool {
        series.lock.withLock { _ in
            if series.isRemoved { return false }
            series.touchedBy = max(series.touchedBy, number)
            return true
        }
    }

    private func series(
        _ reference: SeriesReference, _ labels: () -> Labels
    ) throws(AppendError) -> MemorySeries {
        if let known = known(reference) { return known }
        return try made(labels())
    }

    private func made(_ labels: Labels) throws(AppendError) -> MemorySeries {
        if labels.isEmpty { throw .invalidLabels("empty labelset") }
        let hash = labels.hash64
        while true {
            let limit = head.setup.maximumSeries
            guard let (series, isNew) = head.series.seriesMade(labels, hash: hash, limit: limit) else {
                throw .seriesLimit(limit)
            }
            if isNew { head.counters.seriesCreated.add(1, ordering: .relaxed) }
            // A series that is just being removed leaves the map in a moment.
            if touch(series) { return series }
        }
    }

    private func append(
        _ timestamp: Timestamp, _ histogram: HistogramSample, _ start: Timestamp, to series: MemorySeries
    ) throws(AppendError) -> SeriesReference {
        try accept(series.lock.withLock { _ in series.verdict(timestamp, histogram, limits) }, timestamp)
        buffer.add(timestamp, histogram, start: start, series)
        return SeriesReference(rawValue: series.reference)
    }

    /// A staleness marker of the kind that the series has in this batch or, failing that, in the head; nil for
    /// numbers.
    private func stale(_ series: MemorySeries, _ kind: SampleKind) -> HistogramSample? {
        switch buffer.histogramKinds[series.reference] {
        case .histograms, .customBucketHistograms: .stale(.histogram)
        case .floatHistograms, .customBucketFloatHistograms: .stale(.floatHistogram)
        default: .stale(kind)
        }
    }

    private func accept(_ verdict: AppendVerdict, _ timestamp: Timestamp) throws(AppendError) {
        switch verdict {
        case .inOrder, .repeated: break
        case .outOfOrder: head.counters.noteLateness(timestamp, limits)
        case .refused(let error):
            head.counters.count(error)
            head.counters.noteLateness(timestamp, limits)
            throw error
        }
    }

    private func acceptStart(_ verdict: AppendVerdict) throws(AppendError) {
        switch verdict {
        case .inOrder: return
        case .repeated, .outOfOrder: throw .startTimestampOutOfOrder
        case .refused(let error): throw error == .outOfOrder ? .startTimestampOutOfOrder : error
        }
    }
}

/// What a commit took.
package struct CommitResult: Sendable, Hashable {
    /// Samples that are now stored.
    package var appended = 0
    /// Samples, among those appended, that are out of order.
    package var outOfOrder = 0
    /// Samples that another appender overtook between append and commit.
    package var rejected = 0

    /// Nothing.
    package init() {}
}

/// What an exposition says about a metric.
package struct SeriesMetadata: Sendable, Hashable {
    /// Counter, gauge, …
    package var type: MetricType
    /// Empty if unknown.
    package var unit: ByteString
    /// Empty if unknown.
    package var help: ByteString

    /// Metadata.
    package init(type: MetricType, unit: ByteString = "", help: ByteString = "") {
        self.type = type
        self.unit = unit
        self.help = help
    }

    /// The names of ``labels``.
    package static let labelNames: [ByteString] = ["__type__", "__unit__"]

    /// What tells the type and unit in a series' labels (feature `type-and-unit-labels`): only what is known.
    ///
    /// Source: prometheus/prometheus schema/labels.go (`AddToLabels`).
    package var labels: [(name: ByteString, value: ByteString)] {
        var labels: [(name: ByteString, value: ByteString)] = []
        if type != .unknown { labels.append((Self.labelNames[0], ByteString(type.openMetricsName))) }
        if !unit.isEmpty { labels.append((Self.labelNames[1], unit)) }
        return labels
    }
}
