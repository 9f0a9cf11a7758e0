package import MetricModel

/// A batch of samples that become visible to queries, and durable, as one.
///
/// Not thread-safe: one thread at a time. An appender that is released without ``commit(_:)`` is rolled back; series
/// that it created stay, without samples.
///
/// Source of the behaviour: prometheus/prometheus tsdb/head_append.go.
package final class Appender {
    private let database: Database
    let head: Head
    let buffer: AppendBuffer
    /// 0 while the batch is empty.
    var number: UInt64 = 0
    var limits = AppendLimits(minimumValidTime: .min, headMaximumTime: .min, outOfOrderWindow: 0)

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
    package func update(_ reference: SeriesReference, metadata: MetricMetadata) throws(AppendError) {
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

    func begin() {
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
    func stale(_ series: MemorySeries, _ kind: SampleKind) -> HistogramSample? {
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
