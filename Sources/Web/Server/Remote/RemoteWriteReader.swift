internal import MetricModel

/// Reads remote write messages series by series, into one reused value.
struct RemoteWriteReader {
    /// The version of the protocol, by the message that it sends.
    enum Version: String {
        case one = "prometheus.WriteRequest"
        case two = "io.prometheus.write.v2.Request"
    }

    let version: Version
    let bytes: [UInt8]
    private var reader: WireReader
    /// Of version 2: the texts that labels refer to.
    private(set) var symbols: [Range<Int>] = []

    /// - Throws: Where the message cannot be read.
    init(_ bytes: [UInt8], _ version: Version) throws(WireReader.Fault) {
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

    /// Reads the next series into `series`; false at the end.
    mutating func next(_ series: inout RemoteWriteSeries) throws(WireReader.Fault) -> Outcome {
        while let (number, value) = try reader.next() {
            switch version {
            case .one where number == 1:
                series.removeAll()
                try readVersionOne(value.range, &series)
                return .series
            case .two where number == 5:
                series.removeAll()
                return try readVersionTwo(value.range, &series).map(Outcome.badReference) ?? .series
            default: break
            }
        }
        return .end
    }

    /// What ``next(_:)`` found.
    enum Outcome {
        case series
        /// A series whose labels refer to no symbol; the references as upstream prints them.
        case badReference(String)
        case end
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

    /// Metadata of version 2; nil where it refers to no symbol.
    func metadata(_ range: Range<Int>) throws(WireReader.Fault) -> (type: Int64, help: ByteString, unit: ByteString)? {
        var type: Int64 = 0
        var references = (help: 0, unit: 0)
        var message = WireReader(bytes, range)
        while let (number, value) = try message.next() {
            switch number {
            case 1: type = value.integer
            case 3: references.help = Int(truncatingIfNeeded: value.integer)
            case 4: references.unit = Int(truncatingIfNeeded: value.integer)
            default: break
            }
        }
        guard symbols.indices.contains(references.help), symbols.indices.contains(references.unit) else { return nil }
        return (type, ByteString(bytes[symbols[references.help]]), ByteString(bytes[symbols[references.unit]]))
    }
}
