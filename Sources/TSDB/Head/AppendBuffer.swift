internal import MetricModel

/// The samples of an appender: kept from batch to batch, so that a batch allocates only while it grows.
final class AppendBuffer {
    /// Samples of which no series has numbers after histograms.
    struct Section {
        var floats: [ReferencedSample] = []
        /// One start timestamp for each of ``floats``; empty if none is known.
        var floatStarts: [Timestamp] = []
        /// SAFETY: a series that an open appender has touched is not removed from the head, which retains it.
        var floatSeries: [Unmanaged<MemorySeries>] = []
        var histograms: [WALRow.Histogram] = []
        var histogramSeries: [MemorySeries] = []

        var isEmpty: Bool { floats.isEmpty && histograms.isEmpty }

        /// Notes the start timestamp of the number that is added next.
        mutating func addStart(_ start: Timestamp) {
            floatStarts.append(contentsOf: repeatElement(0, count: floats.count - floatStarts.count))
            floatStarts.append(start)
        }

        mutating func removeAll() {
            floats.removeAll(keepingCapacity: floats.capacity <= AppendBuffer.keptCapacity)
            floatStarts.removeAll(keepingCapacity: floatStarts.capacity <= AppendBuffer.keptCapacity)
            floatSeries.removeAll(keepingCapacity: floatSeries.capacity <= AppendBuffer.keptCapacity)
            histograms.removeAll()
            histogramSeries.removeAll()
        }
    }

    /// Samples for which memory is kept between batches.
    static let keptCapacity = 1 << 17

    var earlier: [Section] = []
    var section = Section()
    /// Series with histograms in ``section``, and of which kind.
    var histogramKinds: [UInt64: WALRecordKind] = [:]
    var exemplars: [(series: MemorySeries, exemplar: Exemplar)] = []
    var metadata: [(series: MemorySeries, metadata: MetricMetadata)] = []
    var records = WALRecordBatch()

    var count: Int {
        earlier.reduce(section.floats.count + section.histograms.count) {
            $0 + $1.floats.count + $1.histograms.count
        }
    }

    var isEmpty: Bool { section.isEmpty && earlier.isEmpty && exemplars.isEmpty && metadata.isEmpty }

    func removeAll() {
        earlier.removeAll()
        section.removeAll()
        histogramKinds.removeAll()
        exemplars.removeAll()
        metadata.removeAll()
        records.removeAll()
    }

    /// - Parameter start: Start timestamp; 0 if not known.
    func add(_ sample: ReferencedSample, start: Timestamp = 0, _ series: MemorySeries) {
        if !histogramKinds.isEmpty && histogramKinds[sample.reference.rawValue] != nil { beginSection() }
        if start != 0 || !section.floatStarts.isEmpty { section.addStart(start) }
        section.floats.append(sample)
        section.floatSeries.append(Unmanaged.passUnretained(series))
    }

    func add(
        _ timestamp: Timestamp, _ histogram: HistogramSample, start: Timestamp = 0, _ series: MemorySeries
    ) {
        let known = histogramKinds[series.reference]
        let kind = WALRecordEncoder.kind(of: histogram)
        if let known, known != kind { beginSection() }
        histogramKinds[series.reference] = kind
        section.histograms.append(
            WALRow.Histogram(
                reference: series.reference, timestamp: timestamp, histogram: histogram, start: start))
        section.histogramSeries.append(series)
    }

    private func beginSection() {
        earlier.append(section)
        section = Section()
        histogramKinds.removeAll()
    }

    /// Encodes all that is in the buffer into ``records``, in the order in which a replay must see it.
    /// - Parameter form: Of records of samples.
    func encode(_ compression: WALCompression, _ form: WALSampleForm) throws(StoreError) {
        records.removeAll()
        if !metadata.isEmpty {
            let rows = metadata.map { WALRow.Metadata(reference: $0.series.reference, metadata: $0.metadata) }
            WALRecordEncoder.metadata(rows, in: &records.record)
            try records.finishRecord(compression)
        }
        for part in earlier { try encode(part, compression, form) }
        try encode(section, compression, form)
        if !exemplars.isEmpty {
            let rows = exemplars.map {
                WALRow.Exemplar(
                    reference: $0.series.reference, timestamp: $0.exemplar.timestamp ?? 0, value: $0.exemplar.value,
                    labels: $0.exemplar.labels)
            }
            WALRecordEncoder.exemplars(rows, in: &records.record)
            try records.finishRecord(compression)
        }
    }

    private func encode(
        _ section: Section, _ compression: WALCompression, _ form: WALSampleForm
    ) throws(StoreError) {
        if !section.floats.isEmpty {
            WALRecordEncoder.samples(section.floats, starts: section.floatStarts, form, in: &records.record)
            try records.finishRecord(compression)
        }
        guard !section.histograms.isEmpty else { return }
        for kind in WALRecordKind.histogramKinds {
            let rows = section.histograms.filter { WALRecordEncoder.kind(of: $0.histogram) == kind }
            guard !rows.isEmpty else { continue }
            WALRecordEncoder.histograms(rows, kind, form, in: &records.record)
            try records.finishRecord(compression)
        }
    }
}
