internal import MetricModel
internal import Synchronization

/// A series that has ended, as far as anybody knows: its newest sample in order is a staleness marker.
struct StaleSeries {
    let series: MemorySeries
    /// Time of the marker.
    let end: Timestamp
}

extension MemorySeries {
    /// Whether the newest sample in order is a staleness marker. The lock must be held.
    var isStale: Bool {
        guard knowsLastValue else { return false }
        switch kind {
        case .none: return false
        case .float: return isOpen && SampleValue.isStale(lastFloat)
        case .histogram, .floatHistogram: return extra?.lastHistogram?.isStale ?? false
        }
    }
}

/// How many series had a native histogram last, and how many buckets those have.
struct HistogramCount {
    var series = 0
    var buckets = 0

    mutating func add(_ histogram: HistogramSample) {
        series += 1
        switch histogram {
        case .integer(let one): buckets += one.positiveDeltas.count + one.negativeDeltas.count
        case .float(let one): buckets += one.positiveBuckets.count + one.negativeBuckets.count
        }
    }

    /// As counted last.
    final class Latest: Sendable {
        private let count = Mutex(HistogramCount())

        func store(_ new: HistogramCount) { count.withLock { $0 = new } }

        var current: HistogramCount { count.withLock { $0 } }
    }
}

extension Head {
    /// The series that have ended and have no late samples, and what the others hold of native histograms.
    ///
    /// Source: prometheus/prometheus tsdb/head.go (`staleSeriesRefsNoOOOData`, `NumNativeHistogramBuckets`).
    /// - Complexity: O(series).
    var census: (stale: [StaleSeries], histograms: HistogramCount) {
        var stale: [StaleSeries] = []
        var histograms = HistogramCount()
        for one in series.all {
            one.lock.withLock { _ in
                let hasLate = !(one.extra?.outOfOrder?.isEmpty ?? true)
                if one.isStale && !hasLate { stale.append(StaleSeries(series: one, end: one.lastTimestamp)) }
                if one.knowsLastValue, let histogram = one.extra?.lastHistogram { histograms.add(histogram) }
            }
        }
        return (stale, histograms)
    }

    /// Forgets series whose samples are all in blocks, but those that have gone on meanwhile.
    func removeStale(_ stale: [StaleSeries]) throws(StoreError) {
        let oldestAppender = isolation.oldestAppender
        var gone: [MemorySeries] = []
        var chunks = 0
        for one in stale {
            one.series.lock.withLock { _ in
                let hasLate = !(one.series.extra?.outOfOrder?.isEmpty ?? true)
                guard one.series.isStale, one.series.lastTimestamp == one.end, !hasLate, !one.series.isRemoved,
                    one.series.touchedBy < oldestAppender, !(one.series.extra?.isBeingMapped ?? false)
                else { return }
                chunks += one.series.mapped.count + (one.series.extra?.full.count ?? 0) + 1
                one.series.isRemoved = true
                gone.append(one.series)
            }
        }
        counters.chunksRemoved.add(UInt64(chunks), ordering: .relaxed)
        counters.seriesRemoved.add(UInt64(gone.count), ordering: .relaxed)
        expireRecords(of: gone.map { $0.reference }, after: wal.currentSegment)
        series.remove(gone)
    }
}
