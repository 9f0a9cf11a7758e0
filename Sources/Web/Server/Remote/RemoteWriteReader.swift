internal import ByteCoding
internal import MetricModel
internal import TSDB

/// The version of the remote write protocol, by the message that it sends.
package enum RemoteWriteMessage: String, Sendable, Hashable, CaseIterable {
    case one = "prometheus.WriteRequest"
    case two = "io.prometheus.write.v2.Request"

    /// The names of the messages.
    package static var allNames: [String] { allCases.map(\.rawValue) }
}

/// Reads remote write messages series by series: plain ones at once into a batch, others into one reused value.
struct RemoteWriteReader {
    let version: RemoteWriteMessage
    /// The message; lent for as long as the reader lives.
    let bytes: UnsafeRawBufferPointer
    private var reader: WireReader
    /// Of version 2: the texts that labels refer to.
    private(set) var symbols: [Range<Int>] = []

    /// - Throws: Where the message cannot be read.
    init(_ bytes: UnsafeRawBufferPointer, _ version: RemoteWriteMessage) throws(WireReader.Fault) {
        self.bytes = bytes
        self.version = version
        reader = WireReader(bytes, 0..<bytes.count)
        guard version == .two else { return }
        // Symbols come first by convention only.
        var scan = reader
        while let (number, value) = try scan.next() {
            if number == 4 { symbols.append(value.range) }
        }
    }

    /// Where the message of the next series lies; nil at the end.
    mutating func next() throws(WireReader.Fault) -> Range<Int>? {
        let wanted = version == .one ? 1 : 5
        while let (number, value) = try reader.next() {
            if number == wanted { return value.range }
        }
        return nil
    }

    /// Reads a series that has sorted labels and numbers not after `latest` alone into `samples`, in one pass.
    /// - Returns: false for any other series, of which nothing is added.
    func readPlain(
        _ range: Range<Int>, latest: Timestamp, into samples: inout LabelledSamples
    ) throws(WireReader.Fault) -> Bool {
        samples.beginSeries()
        let isPlain =
            try version == .one
            ? readPlainOne(range, latest, &samples) : readPlainTwo(range, latest, &samples)
        if !isPlain { samples.discardSeries() }
        return isPlain
    }

    private func readPlainOne(
        _ range: Range<Int>, _ latest: Timestamp, _ samples: inout LabelledSamples
    ) throws(WireReader.Fault) -> Bool {
        var message = WireReader(bytes, range)
        var previous = 0..<0
        var sampleCount = 0
        while let (number, value) = try message.next() {
            switch number {
            case 1:
                let label = try label(value.range)
                // Labels behind samples would change what those belong to.
                guard sampleCount == 0, add(label, after: &previous, to: &samples) else { return false }
            case 2:
                let sample = try sample(value.range)
                guard sample.timestamp <= latest, !previous.isEmpty else { return false }
                samples.addSample(sample.timestamp, sample.value)
                sampleCount &+= 1
            case 3, 4: return false
            default: break
            }
        }
        return sampleCount > 0
    }

    private func readPlainTwo(
        _ range: Range<Int>, _ latest: Timestamp, _ samples: inout LabelledSamples
    ) throws(WireReader.Fault) -> Bool {
        var message = WireReader(bytes, range)
        var previous = 0..<0
        var sampleCount = 0
        while let (number, value) = try message.next() {
            switch number {
            case 1:
                guard sampleCount == 0, case .bytes(let packed) = value else { return false }
                var references = WireReader(bytes, packed)
                while !references.isAtEnd {
                    let name = Int(truncatingIfNeeded: try references.varint() & 0xFFFF_FFFF)
                    guard !references.isAtEnd else { return false }
                    let text = Int(truncatingIfNeeded: try references.varint() & 0xFFFF_FFFF)
                    guard name < symbols.count, text < symbols.count,
                        add((symbols[name], symbols[text]), after: &previous, to: &samples)
                    else { return false }
                }
            case 2:
                let sample = try sample(value.range)
                guard sample.timestamp <= latest, !previous.isEmpty else { return false }
                samples.addSample(sample.timestamp, sample.value, start: sample.start)
                sampleCount &+= 1
            case 3, 4: return false
            // Metadata that refers to no symbol is told of elsewhere.
            case 5: guard case .known = try metadata(value.range) else { return false }
            default: break
            }
        }
        return sampleCount > 0
    }

    @inline(__always)
    private func add(
        _ label: (name: Range<Int>, value: Range<Int>), after previous: inout Range<Int>,
        to samples: inout LabelledSamples
    ) -> Bool {
        guard !label.value.isEmpty, RemoteWriteSeries.isAscending(bytes, previous, label.name) else { return false }
        previous = label.name
        return samples.addLabel(
            UnsafeRawBufferPointer(rebasing: bytes[label.name]), UnsafeRawBufferPointer(rebasing: bytes[label.value]))
    }

    /// Reads any series into `series`.
    /// - Returns: nil, or the references as upstream prints them where labels refer to no symbol.
    func read(_ range: Range<Int>, into series: inout RemoteWriteSeries) throws(WireReader.Fault) -> String? {
        series.removeAll()
        if version == .two { return try readVersionTwo(range, &series) }
        try readVersionOne(range, &series)
        return nil
    }

    private func readVersionOne(_ range: Range<Int>, _ series: inout RemoteWriteSeries) throws(WireReader.Fault) {
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            switch number {
            case 1: series.labels.append(try label(value.range))
            case 2: series.samples.append(try sample(value.range))
            case 3: series.exemplars.append(value.range)
            case 4: series.histograms.append(value.range)
            default: break
            }
        }
    }

    private func readVersionTwo(
        _ range: Range<Int>, _ series: inout RemoteWriteSeries
    ) throws(WireReader.Fault) -> String? {
        var references: [Int] = []
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            switch number {
            case 1: try value.append(to: &references, in: bytes) { Int(truncatingIfNeeded: $0 & 0xFFFF_FFFF) }
            case 2: series.samples.append(try sample(value.range))
            case 3: series.histograms.append(value.range)
            case 4: series.exemplars.append(value.range)
            case 5: series.metadata = value.range
            default: break
            }
        }
        guard let labels = pairs(references) else { return "\(references)".replacing(",", with: "") }
        series.labels = labels
        series.labelReferences = references
        return nil
    }

    /// The texts that pairs of references stand for.
    private func pairs(_ references: [Int]) -> [(name: Range<Int>, value: Range<Int>)]? {
        guard references.count % 2 == 0, references.allSatisfy({ $0 < symbols.count }) else { return nil }
        return stride(from: 0, to: references.count, by: 2).map { index in
            (symbols[references[index]], symbols[references[index + 1]])
        }
    }

    private func label(_ range: Range<Int>) throws(WireReader.Fault) -> (name: Range<Int>, value: Range<Int>) {
        var label = (name: 0..<0, value: 0..<0)
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            if number == 1 { label.name = value.range } else if number == 2 { label.value = value.range }
        }
        return label
    }

    private func sample(
        _ range: Range<Int>
    ) throws(WireReader.Fault) -> (timestamp: Timestamp, value: Double, start: Timestamp) {
        var sample: (timestamp: Timestamp, value: Double, start: Timestamp) = (0, 0, 0)
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            switch number {
            case 1: sample.value = value.double
            case 2: sample.timestamp = value.integer
            case 3: sample.start = value.integer
            default: break
            }
        }
        return sample
    }

    /// An exemplar; nil where it refers to no symbol.
    func exemplar(_ range: Range<Int>) throws(WireReader.Fault) -> Exemplar? {
        var labels: [(name: Range<Int>, value: Range<Int>)] = []
        var references: [Int] = []
        var exemplar = Exemplar(labels: .empty, value: 0)
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            switch (number, version) {
            case (1, .one): labels.append(try label(value.range))
            case (1, .two): try value.append(to: &references, in: bytes) { Int(truncatingIfNeeded: $0 & 0xFFFF_FFFF) }
            case (2, _): exemplar.value = value.double
            case (3, _): exemplar.timestamp = value.integer
            default: break
            }
        }
        if version == .two {
            guard let found = pairs(references) else { return nil }
            labels = found
        }
        exemplar.labels = Labels(labels.map { (ByteString(bytes[$0.name]), ByteString(bytes[$0.value])) })
        return exemplar
    }

    /// What a series of version 2 says of its metric.
    enum ReadMetadata {
        case known(MetricMetadata)
        /// It refers to no symbol, in upstream's words.
        case unknownSymbol(String)
    }

    /// Metadata of version 2. A series without the message has that of an empty one.
    ///
    /// Source: prometheus/prometheus prompb/io/prometheus/write/v2/codec.go (`ToMetadata`).
    func metadata(_ range: Range<Int>?) throws(WireReader.Fault) -> ReadMetadata {
        var type: Int64 = 0
        var references = (help: 0, unit: 0)
        var message = WireReader(bytes, range ?? 0..<0)
        while let (number, value) = try message.next() {
            switch number {
            case 1: type = value.integer
            case 3: references.help = Int(UInt32(truncatingIfNeeded: value.integer))
            case 4: references.unit = Int(UInt32(truncatingIfNeeded: value.integer))
            default: break
            }
        }
        for (name, reference) in [("unit_ref", references.unit), ("help_ref", references.help)]
        where !symbols.indices.contains(reference) {
            return .unknownSymbol("metadata \(name) \(reference) outside of symbols table (size \(symbols.count))")
        }
        return .known(
            MetricMetadata(
                type: Self.types.indices.contains(Int(clamping: type)) ? Self.types[Int(clamping: type)] : .unknown,
                unit: ByteString(bytes[symbols[references.unit]]), help: ByteString(bytes[symbols[references.help]])))
    }

    /// By their numbers in the protocol.
    private static let types: [MetricType] = [
        .unknown, .counter, .gauge, .histogram, .gaugeHistogram, .summary, .info, .stateSet,
    ]
}
