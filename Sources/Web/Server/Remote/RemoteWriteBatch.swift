internal import MetricModel
internal import TSDB

/// The samples of one remote write request on their way into the store.
///
/// Version 1 is all or nothing; version 2 keeps what can be kept, and reports the rest.
struct RemoteWriteBatch {
    typealias Fault = ServerAPI.RemoteFault

    private let database: Database
    private let version: RemoteWriteReader.Version
    private let appender: Appender
    /// The newest time that is believed, in milliseconds.
    private let latest: Timestamp
    /// Samples of series that the store knows, appended many at a time.
    private var pending: [ReferencedSample] = []
    /// What the samples in ``pending`` belong to, for messages: the index of the first and the labels.
    private var pendingSeries: [(first: Int, packed: [UInt8])] = []
    private var faults: [String] = []
    private var written = (samples: 0, histograms: 0, exemplars: 0)
    /// Samples that were left out for their labels.
    private(set) var invalidLabelSamples = 0

    private static let pendingLimit = 8192

    init(_ database: Database, _ version: RemoteWriteReader.Version, latest: Timestamp) {
        self.database = database
        self.version = version
        self.latest = latest
        appender = database.appender()
    }

    /// Appends everything that `reader` reads.
    mutating func append(_ reader: inout RemoteWriteReader) throws(Fault) {
        var series = RemoteWriteSeries()
        var isDone = false
        while !isDone {
            do throws(WireReader.Fault) {
                switch try reader.next(&series) {
                case .end: isDone = true
                case .badReference(let references):
                    faults.append("parsing labels for series \(references): labels refs outside of symbols")
                    invalidLabelSamples += series.samples.count + series.histograms.count
                    continue
                case .series: break
                }
            } catch {
                throw Fault(status: 400, message: error.description)
            }
            if !isDone { try append(&series, reader) }
        }
        try flush()
    }

    private mutating func append(_ series: inout RemoteWriteSeries, _ reader: RemoteWriteReader) throws(Fault) {
        series.pack(reader.bytes)
        var reference = series.packed.isEmpty ? nil : known(series)
        if reference == nil, !isAcceptable(series, reader) { return }
        if version == .two, series.samples.isEmpty, series.histograms.isEmpty {
            faults.append(
                "TimeSeries must contain at least one sample or histogram for series \(series.labelSet(reader.bytes))")
            return
        }
        if let reference, !series.samples.isEmpty {
            pendingSeries.append((pending.count, series.packed))
            for sample in series.samples {
                guard sample.timestamp <= latest else {
                    try refuse(.outOfBounds, "out of bounds: timestamp is too far in the future", series, reader)
                    continue
                }
                pending.append(ReferencedSample(reference, sample.timestamp, sample.value))
            }
            if pending.count >= Self.pendingLimit { try flush() }
        } else {
            for sample in series.samples { try append(sample, &reference, series, reader) }
        }
        if !series.histograms.isEmpty || !series.exemplars.isEmpty { try flush() }
        for range in series.histograms { try appendHistogram(range, &reference, series, reader) }
        for range in series.exemplars { try appendExemplar(range, reference, series, reader) }
    }

    private func known(_ series: RemoteWriteSeries) -> SeriesReference? {
        let hash = series.hash
        return series.packed.withUnsafeBytes { database.reference(packedLabels: $0, hash: hash) }
    }

    /// Whether the labels of a new series can be stored; notes why not.
    private mutating func isAcceptable(_ series: RemoteWriteSeries, _ reader: RemoteWriteReader) -> Bool {
        guard let fault = series.labelFault(reader.bytes) else { return true }
        invalidLabelSamples += version == .one ? 1 : series.samples.count + series.histograms.count
        if version == .one { return false }
        let labels = series.labelSet(reader.bytes)
        switch fault {
        case .invalid: faults.append("invalid metric name or labels, got \(labels)")
        case .duplicate(let name):
            faults.append("invalid labels for series, labels \(labels), duplicated label \(name)")
        }
        return false
    }

    private mutating func append(
        _ sample: (timestamp: Timestamp, value: Double, start: Timestamp), _ reference: inout SeriesReference?,
        _ series: RemoteWriteSeries, _ reader: RemoteWriteReader
    ) throws(Fault) {
        guard sample.timestamp <= latest else {
            return try refuse(.outOfBounds, "out of bounds: timestamp is too far in the future", series, reader)
        }
        do throws(AppendError) {
            reference = try appender.append(
                reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: sample.timestamp,
                value: sample.value)
            written.samples += 1
        } catch {
            try refuse(error, error.description, series, reader)
        }
    }

    private mutating func appendHistogram(
        _ range: Range<Int>, _ reference: inout SeriesReference?, _ series: RemoteWriteSeries,
        _ reader: RemoteWriteReader
    ) throws(Fault) {
        let histogram: RemoteHistogram
        do throws(WireReader.Fault) {
            histogram = try RemoteHistogram(reader.bytes, range)
        } catch {
            throw Fault(status: 400, message: error.description)
        }
        guard histogram.timestamp <= latest else {
            return try refuse(.outOfBounds, "out of bounds: timestamp is too far in the future", series, reader)
        }
        let counts: RemoteHistogram.Counts
        do throws(HistogramError) {
            counts = try histogram.counts()
        } catch {
            return try refuse(.invalidHistogram(error.description), error.description, series, reader)
        }
        do throws(AppendError) {
            switch counts {
            case .integer(let counts):
                reference = try appender.append(
                    reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: histogram.timestamp,
                    histogram: counts)
            case .float(let counts):
                reference = try appender.append(
                    reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: histogram.timestamp,
                    floatHistogram: counts)
            }
            written.histograms += 1
        } catch {
            try refuse(error, error.description, series, reader)
        }
    }

    private mutating func appendExemplar(
        _ range: Range<Int>, _ reference: SeriesReference?, _ series: RemoteWriteSeries, _ reader: RemoteWriteReader
    ) throws(Fault) {
        let exemplar: Exemplar?
        do throws(WireReader.Fault) {
            exemplar = try reader.exemplar(range)
        } catch {
            throw Fault(status: 400, message: error.description)
        }
        guard let exemplar else {
            faults.append(
                "parsing exemplar for series \(series.labelSet(reader.bytes)): labels refs outside of symbols")
            return
        }
        guard let reference else { return }
        do throws(AppendError) {
            try appender.append(reference, exemplar: exemplar)
            written.exemplars += 1
        } catch {
            // Only what is out of order is reported; other exemplars are dropped, as upstream does.
            if version == .two, error == .outOfOrderExemplar {
                faults.append("\(error) for series \(series.labelSet(reader.bytes))")
            }
        }
    }

    /// Notes a sample that was not taken; version 1 ends with it.
    private mutating func refuse(
        _ error: AppendError, _ message: String, _ series: RemoteWriteSeries, _ reader: RemoteWriteReader
    ) throws(Fault) {
        try refuse(error, message) { series.labelSet(reader.bytes).description }
    }

    private mutating func refuse(_ error: AppendError, _ message: String, _ series: () -> String) throws(Fault) {
        guard error.isSendersFault else { throw Fault(status: 500, message: message) }
        if version == .one { throw Fault(status: 400, message: message) }
        faults.append("\(message) for series \(series())")
    }

    /// Appends the samples that wait.
    private mutating func flush() throws(Fault) {
        if pending.isEmpty { return pendingSeries.removeAll(keepingCapacity: true) }
        var rejected: [(index: Int, error: AppendError)] = []
        written.samples += appender.append(pending) { rejected.append(($0, $1)) }
        for (index, error) in rejected {
            let packed = pendingSeries.last { $0.first <= index }?.packed ?? []
            if case .unknownSeries = error {
                try appendAgain(pending[index], packed)
            } else {
                try refuse(error, error.description) { Labels(assumingPacked: packed).description }
            }
        }
        pending.removeAll(keepingCapacity: true)
        pendingSeries.removeAll(keepingCapacity: true)
    }

    /// A series left the head between look-up and append: makes it again.
    private mutating func appendAgain(_ sample: ReferencedSample, _ packed: [UInt8]) throws(Fault) {
        let labels = Labels(assumingPacked: packed)
        do throws(AppendError) {
            _ = try appender.append(.none, labels: labels, timestamp: sample.timestamp, value: sample.value)
            written.samples += 1
        } catch {
            try refuse(error, error.description) { labels.description }
        }
    }

    /// Makes the samples visible and durable.
    func commit(_ durability: Durability) throws(Fault) {
        do throws(StoreError) {
            _ = try appender.commit(durability)
        } catch {
            throw Fault(status: 500, message: error.description)
        }
    }

    /// The answer, once committed.
    var response: ServerResponse {
        var response =
            faults.isEmpty ? ServerResponse(204) : ServerResponse.plainError(400, faults.joined(separator: "\n"))
        if version == .two {
            response.fields += [
                ("X-Prometheus-Remote-Write-Samples-Written", "\(written.samples)"),
                ("X-Prometheus-Remote-Write-Histograms-Written", "\(written.histograms)"),
                ("X-Prometheus-Remote-Write-Exemplars-Written", "\(written.exemplars)"),
            ]
        }
        return response
    }
}

extension AppendError {
    /// Whether the sample is refused for what it is, so that sending it again is of no use.
    fileprivate var isSendersFault: Bool {
        switch self {
        case .outOfOrder, .outOfBounds, .tooOld, .duplicateFloat, .duplicateFloatOverHistogram, .duplicateHistogram,
            .invalidHistogram:
            true
        default: false
        }
    }
}
