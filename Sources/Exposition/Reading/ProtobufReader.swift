internal import ByteCoding
package import MetricModel

/// Reads a scraped protobuf exposition entry by entry, as Prometheus does: metadata of a family, then its series, the
/// parts of summaries and classic histograms each a series of their own.
///
/// Source: prometheus/prometheus model/textparse/protobufparse.go, prompb/io/prometheus/client/decoder.go.
package struct ProtobufReader {
    /// What is made of histograms.
    package struct Options: Sendable, Hashable {
        /// Whether native parts are passed over.
        package var ignoresNativeHistograms = false
        /// Whether classic series are read where there is a native histogram, or one was made of them.
        package var keepsClassicHistograms = false
        /// Whether classic histograms become native ones with custom bucket bounds.
        package var convertsClassicHistograms = false

        /// The defaults: native histograms as such, classic ones as series.
        package init() {}
    }

    /// What an entry is. Each family starts with help, unit where there is one, and type.
    package enum Entry: Sendable, Hashable {
        case help, unit, type, series, histogram
    }

    /// What one series, or histogram, is made of.
    enum Part {
        case number(Double)
        case count, sum, quantile(Int), bucket(Int), infinity, native, converted
    }

    let bytes: UnsafeRawBufferPointer
    let options: Options
    let decoder: FamilyDecoder
    private var position = 0
    // The family.
    var familyName: Range<Int> = 0..<0
    var help: Range<Int> = 0..<0
    var unit: Range<Int> = 0..<0
    private var metrics: [Range<Int>] = []
    private var nextMetric = 0
    private var metadata: [Entry] = []
    // The metric.
    var labelRanges: [Range<Int>] = []
    var summary = SummaryValue()
    var histogramFields = FamilyDecoder.HistogramFields()
    var counterExemplar: Exemplar?
    var created: Int64?
    var parts: [Part] = []
    var nextPart = 0
    var part = Part.count
    var converter = ClassicHistogramConverter()
    var converted: HistogramValue.NativePart?

    /// Of the family.
    package private(set) var type = MetricType.unknown
    /// Of a series entry.
    package internal(set) var value = 0.0
    /// Of a series or histogram entry: milliseconds, or nil.
    package private(set) var timestamp: Timestamp?
    /// Of a series or histogram entry: bytes that are the same for the same series in the same form, and for no other.
    package internal(set) var key: [UInt8] = []
    /// Of a histogram entry.
    package internal(set) var histogram: HistogramValue.NativePart?

    /// A reader of `bytes`, which have to live as long as it does.
    package init(_ bytes: UnsafeRawBufferPointer, options: Options = Options()) {
        self.bytes = bytes
        self.options = options
        decoder = FamilyDecoder(bytes, limits: .none)
    }

    /// Reads the next entry.
    /// - Returns: nil at the end.
    /// - Throws: ``ParseError/exposition(_:)`` or ``ParseError/protobuf(_:)``; nothing more can be read then.
    /// - Complexity: O(metric); no allocation for counters, gauges and untyped metrics without exemplars.
    package mutating func next() throws(ParseError) -> Entry? {
        while true {
            if let entry = metadata.popLast() { return entry }
            if nextPart < parts.count {
                part = parts[nextPart]
                nextPart &+= 1
                return try preparePart()
            }
            if nextMetric < metrics.count {
                let range = metrics[nextMetric]
                nextMetric &+= 1
                do throws(WireReader.Fault) { try readMetric(range) } catch { throw .protobuf("unexpected EOF") }
                try planParts()
                continue
            }
            guard try readFamily() else { return nil }
        }
    }

    // MARK: Family

    private mutating func readFamily() throws(ParseError) -> Bool {
        guard position < bytes.count else { return false }
        var at = position
        guard let length = Varint.read(bytes, at: &at), at &- position <= 5 else {
            throw .protobuf("clientpb: invalid varint encountered")
        }
        guard length <= UInt64(bytes.count &- at) else {
            let expected = (at &- position) &+ Int(clamping: length)
            throw .protobuf(
                "clientpb: insufficient length of buffer, expected at least \(expected) bytes, got "
                    + "\(bytes.count &- position) bytes")
        }
        let end = at &+ Int(length)
        position = end
        do throws(WireReader.Fault) { try readFields(at..<end) } catch { throw .protobuf("unexpected EOF") }
        guard !metrics.isEmpty else { return true }  // passed over without a word
        let name = decoder.text(familyName)
        guard !name.isEmpty, name.isValidUTF8 else { throw .exposition("invalid metric name: \(name)") }
        let text = decoder.text(help)
        guard text.isValidUTF8 else { throw .exposition("invalid help for metric \(Quoting.quote(name)): \(text)") }
        metadata = unit.isEmpty ? [.type, .help] : [.type, .unit, .help]
        return true
    }

    private mutating func readFields(_ range: Range<Int>) throws(WireReader.Fault) {
        familyName = 0..<0
        help = 0..<0
        unit = 0..<0
        type = .counter
        metrics.removeAll(keepingCapacity: true)
        nextMetric = 0
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): familyName = try reader.contents()
            case (2, 2): help = try reader.contents()
            case (3, 0):
                guard let known = FamilyDecoder.type(try reader.varint()) else { throw .truncated }
                type = known
            case (4, 2): metrics.append(try reader.contents())
            case (5, 2): unit = try reader.contents()
            default: try reader.skip(number, wireType)
            }
        }
    }

    // MARK: Metric

    private mutating func readMetric(_ range: Range<Int>) throws(WireReader.Fault) {
        labelRanges.removeAll(keepingCapacity: true)
        timestamp = nil
        value = 0
        counterExemplar = nil
        created = nil
        var payload: Range<Int>?
        let wanted = payloadField
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): labelRanges.append(try reader.contents())
            case (6, 0):
                let milliseconds = Int64(bitPattern: try reader.varint())
                timestamp = milliseconds == 0 ? nil : milliseconds  // 0 stands for "none"
            case (wanted, 2): payload = try reader.contents()
            default: try reader.skip(number, wireType)
            }
        }
        try readPayload(payload ?? 0..<0)
    }

    private var payloadField: Int {
        switch type {
        case .gauge, .info, .stateSet: 2
        case .counter: 3
        case .summary: 4
        case .unknown: 5
        case .histogram, .gaugeHistogram: 7
        }
    }

    private mutating func readPayload(_ range: Range<Int>) throws(WireReader.Fault) {
        switch type {
        case .summary: summary = try readSummary(range)
        case .histogram, .gaugeHistogram:
            histogramFields = try decoder.histogramFields(range)
            created = histogramFields.created
        default:
            var reader = WireReader(bytes, range)
            while let (number, wireType) = try reader.nextField() {
                switch (number, wireType) {
                case (1, 1): value = try reader.double()
                case (2, 2) where type == .counter: counterExemplar = try decoder.exemplar(try reader.contents())
                case (3, 2) where type == .counter: created = try decoder.nanoseconds(try reader.contents())
                default: try reader.skip(number, wireType)
                }
            }
        }
    }

    private mutating func readSummary(_ range: Range<Int>) throws(WireReader.Fault) -> SummaryValue {
        let summary = try decoder.summary(range, nil)
        created = summary.created
        return summary
    }
}
