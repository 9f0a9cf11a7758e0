internal import ByteCoding
internal import MetricModel
internal import TSDB

/// The samples of one remote write request on their way into the store.
///
/// Version 1 is all or nothing; version 2 keeps what can be kept, and reports the rest.
struct RemoteWriteBatch: ~Copyable {
    typealias Fault = ServerAPI.RemoteFault

    /// What feature flags make of messages of version 2.
    struct Options {
        /// A start becomes a zero.
        var addsStartZeros = false
        /// Series get the labels `__type__` and `__unit__`.
        var addsTypeAndUnitLabels = false
        var storesMetadata = false

        var isPlain: Bool { !addsStartZeros && !addsTypeAndUnitLabels && !storesMetadata }
    }

    private let options: Options
    private let database: Database
    private let version: RemoteWriteMessage
    private let appender: Appender
    /// The newest time that is believed, in milliseconds.
    private let latest: Timestamp
    /// Numbers of series with nothing else, appended many at a time.
    private var plain = LabelledSamples()
    private var faults: [String] = []
    private var written = (samples: 0, histograms: 0, exemplars: 0)
    /// Samples that were left out for their labels.
    private(set) var invalidLabelSamples = 0

    init(_ database: Database, _ version: RemoteWriteMessage, latest: Timestamp, _ options: Options) {
        self.options = version == .two ? options : Options()
        self.database = database
        self.version = version
        self.latest = latest
        appender = database.appender()
    }

    /// Appends everything that `reader` reads.
    mutating func append(_ reader: inout RemoteWriteReader) throws(Fault) {
        var series = RemoteWriteSeries()
        while true {
            var badReferences: String?
            var isPlain = false
            do throws(WireReader.Fault) {
                guard let range = try reader.next() else { break }
                if options.isPlain { isPlain = try reader.readPlain(range, latest: latest, into: &plain) }
                if !isPlain { badReferences = try reader.read(range, into: &series) }
            } catch {
                throw Fault(status: 400, message: error.description)
            }
            if isPlain {
                if plain.byteCount >= LabelledSamples.fullByteCount { try flush() }
            } else if let badReferences {
                faults.append("parsing labels for series \(badReferences): labels refs outside of symbols")
                invalidLabelSamples += series.samples.count + series.histograms.count
            } else {
                // Samples of one series stay in order.
                try flush()
                try append(series, reader)
            }
        }
        try flush()
    }

    private mutating func append(_ series: RemoteWriteSeries, _ reader: RemoteWriteReader) throws(Fault) {
        var series = series
        var metadata = MetricMetadata()
        if version == .two {
            let read: RemoteWriteReader.ReadMetadata
            do throws(WireReader.Fault) {
                read = try reader.metadata(series.metadata)
            } catch {
                throw Fault(status: 400, message: error.description)
            }
            switch read {
            case .known(let known): metadata = known
            case .unknownSymbol(let problem):
                faults.append("parsing metadata for series \(series.references): \(problem)")
                return
            }
            if options.addsTypeAndUnitLabels { series.addLabels(metadata) }
        }
        var reference = database.reference(of: series.labelSet(reader.bytes))
        if reference == nil, !isAcceptable(series, reader) { return }
        if version == .two, series.samples.isEmpty, series.histograms.isEmpty {
            faults.append(
                "TimeSeries must contain at least one sample or histogram for series \(series.labelSet(reader.bytes))")
            return
        }
        for sample in series.samples { try append(sample, &reference, series, reader) }
        for range in series.histograms { try appendHistogram(range, &reference, series, reader) }
        for range in series.exemplars { try appendExemplar(range, reference, series, reader) }
        // Samples are not refused for their metadata.
        if options.storesMetadata, let reference { try? appender.update(reference, metadata: metadata) }
    }

    /// Adds the zero of a start. Starts are a help, not a duty: what cannot be added is left out.
    private func appendZero(
        _ start: Timestamp, before time: Timestamp, _ reference: inout SeriesReference?, _ labels: () -> Labels,
        like histogram: RemoteHistogram.Counts?
    ) {
        guard options.addsStartZeros, start != 0, time != 0 else { return }
        do throws(AppendError) {
            switch histogram {
            case nil:
                reference = try appender.appendStartZero(
                    reference ?? .none, labels: labels(), start: start, before: time)
            case .integer(let counts):
                reference = try appender.appendStartZero(
                    reference ?? .none, labels: labels(), start: start, before: time, like: .integer(counts))
            case .float(let counts):
                reference = try appender.appendStartZero(
                    reference ?? .none, labels: labels(), start: start, before: time, like: .float(counts))
            }
        } catch {}
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
        appendZero(
            sample.start, before: sample.timestamp, &reference, { series.labelSet(reader.bytes) }, like: nil)
        do throws(AppendError) {
            reference = try appender.append(
                reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: sample.timestamp,
                value: sample.value, start: version == .two ? sample.start : 0)
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
        let start = version == .two ? histogram.startTimestamp : 0
        appendZero(start, before: histogram.timestamp, &reference, { series.labelSet(reader.bytes) }, like: counts)
        do throws(AppendError) {
            switch counts {
            case .integer(let counts):
                reference = try appender.append(
                    reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: histogram.timestamp,
                    histogram: counts, start: start)
            case .float(let counts):
                reference = try appender.append(
                    reference ?? .none, labels: series.labelSet(reader.bytes), timestamp: histogram.timestamp,
                    floatHistogram: counts, start: start)
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
        defer { plain.removeAll() }
        var rejected: [(index: Int, error: AppendError)] = []
        written.samples += appender.append(
            plain, isSound: { RemoteWriteSeries.isSound($0) }, rejected: { rejected.append(($0, $1)) })
        rejected.sort { $0.index < $1.index }
        var unsound: Int?
        for (index, error) in rejected {
            let labels = plain.labels(at: index)
            guard case .invalidLabels = error else {
                try refuse(error, error.description) { labels.description }
                continue
            }
            let isSameSeries = unsound.map { plain.areOfOneSeries($0, index) } ?? false
            unsound = index
            if version == .two || !isSameSeries { invalidLabelSamples += 1 }
            if version == .two, !isSameSeries { faults.append("invalid metric name or labels, got \(labels)") }
        }
    }

    /// Makes the samples visible and durable.
    func commit(_ durability: Durability) throws(Fault) {
        do throws(StoreError) {
            _ = try appender.commit(durability)
        } catch {
            throw Fault(status: ServerAPI.status(of: error), message: error.description)
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
