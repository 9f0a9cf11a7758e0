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

    private enum Part {
        case number(Double)
        case count, sum, quantile(Int), bucket(Int), infinity, native, converted
    }

    private let bytes: UnsafeRawBufferPointer
    private let options: Options
    private let decoder: FamilyDecoder
    private var position = 0
    // The family.
    private var familyName: Range<Int> = 0..<0
    private var help: Range<Int> = 0..<0
    private var unit: Range<Int> = 0..<0
    private var metrics: [Range<Int>] = []
    private var nextMetric = 0
    private var metadata: [Entry] = []
    // The metric.
    private var labelRanges: [Range<Int>] = []
    private var summary = SummaryValue()
    private var histogramFields = FamilyDecoder.HistogramFields()
    private var counterExemplar: Exemplar?
    private var created: Int64?
    private var parts: [Part] = []
    private var nextPart = 0
    private var part = Part.count
    private var converter = ClassicHistogramConverter()
    private var converted: HistogramValue.NativePart?

    /// Of the family.
    package private(set) var type = MetricType.unknown
    /// Of a series entry.
    package private(set) var value = 0.0
    /// Of a series or histogram entry: milliseconds, or nil.
    package private(set) var timestamp: Timestamp?
    /// Of a series or histogram entry: bytes that are the same for the same series in the same form, and for no other.
    package private(set) var key: [UInt8] = []
    /// Of a histogram entry.
    package private(set) var histogram: HistogramValue.NativePart?

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

    // MARK: Parts

    /// Lists what the metric is read as.
    private mutating func planParts() throws(ParseError) {
        parts.removeAll(keepingCapacity: true)
        nextPart = 0
        converted = nil
        switch type {
        case .summary:
            parts.append(.count)
            parts.append(.sum)
            for index in summary.quantiles.indices { parts.append(.quantile(index)) }
        case .histogram, .gaugeHistogram:
            if isNative {
                try checkSpans()
                parts.append(.native)
                if options.keepsClassicHistograms, !histogramFields.buckets.isEmpty { planClassic() }
                return
            }
            if !options.convertsClassicHistograms || options.keepsClassicHistograms { planClassic() }
            if options.convertsClassicHistograms { parts.append(.converted) }
        default: parts.append(.number(value))
        }
    }

    private mutating func planClassic() {
        parts.append(.count)
        parts.append(.sum)
        for index in histogramFields.buckets.indices {
            parts.append(.bucket(index))
            if histogramFields.buckets[index].upperBound == .infinity { return }
        }
        parts.append(.infinity)
    }

    private var isNative: Bool {
        !options.ignoresNativeHistograms
            && (!histogramFields.positiveSpans.isEmpty || !histogramFields.negativeSpans.isEmpty
                || (histogramFields.zeroThreshold ?? 0) > 0 || (histogramFields.zeroCount ?? 0) > 0)
    }

    private var isFloat: Bool {
        (histogramFields.countFloat ?? 0) > 0 || (histogramFields.zeroCountFloat ?? 0) > 0
    }

    private func checkSpans() throws(ParseError) {
        let fields = histogramFields
        let positive = isFloat ? fields.positiveCounts.count : fields.positiveDeltas.count
        let negative = isFloat ? fields.negativeCounts.count : fields.negativeDeltas.count
        for (side, spans, have) in [
            ("positive", fields.positiveSpans, positive), ("negative", fields.negativeSpans, negative),
        ] {
            let need = spans.reduce(0) { $0 &+ Int($1.length) }
            if need != have {
                throw .exposition(
                    "histogram \(Quoting.quote(decoder.text(familyName))): \(side) side: spans require \(need) "
                        + "buckets, have \(have)")
            }
        }
    }

    private mutating func preparePart() throws(ParseError) -> Entry {
        var entry = Entry.series
        switch part {
        case .number(let number): value = number
        case .count: value = type == .summary ? summary.count ?? 0 : classicCount
        case .sum: value = (type == .summary ? summary.sum : histogramFields.sum) ?? 0
        case .quantile(let index): value = summary.quantiles[index].value
        case .bucket(let index): value = bucketCount(index)
        case .infinity: value = classicCount
        case .native:
            histogram = nativeHistogram()
            entry = .histogram
        case .converted:
            histogram = try convertedHistogram()
            entry = .histogram
        }
        makeKey()
        try checkLabels()
        return entry
    }

    private var classicCount: Double {
        let float = histogramFields.countFloat ?? 0
        return float != 0 ? float : Double(histogramFields.count ?? 0)
    }

    private func bucketCount(_ index: Int) -> Double {
        let float = histogramFields.buckets[index].countFloat ?? 0
        return float != 0 ? float : Double(histogramFields.buckets[index].count ?? 0)
    }

    private func nativeHistogram() -> HistogramValue.NativePart {
        let fields = histogramFields
        let hint: CounterResetHint = type == .gaugeHistogram ? .gauge : .unknown
        if isFloat {
            var histogram = FloatHistogram(
                counterResetHint: hint, schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0,
                zeroCount: fields.zeroCountFloat ?? 0, count: fields.countFloat ?? 0, sum: fields.sum ?? 0,
                positiveSpans: fields.positiveSpans, positiveBuckets: fields.positiveCounts,
                negativeSpans: fields.negativeSpans, negativeBuckets: fields.negativeCounts)
            histogram.compact(maximumEmpty: 0)
            return .float(histogram)
        }
        var histogram = NativeHistogram(
            counterResetHint: hint, schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0,
            zeroCount: fields.zeroCount ?? 0, count: fields.count ?? 0, sum: fields.sum ?? 0,
            positiveSpans: fields.positiveSpans, positiveDeltas: fields.positiveDeltas,
            negativeSpans: fields.negativeSpans, negativeDeltas: fields.negativeDeltas)
        histogram.compact(maximumEmpty: 0)
        return .integer(histogram)
    }

    private mutating func convertedHistogram() throws(ParseError) -> HistogramValue.NativePart {
        converter.reset()
        converter.setCount(classicCount)
        converter.setSum(histogramFields.sum ?? 0)
        for index in histogramFields.buckets.indices {
            converter.setBucket(histogramFields.buckets[index].upperBound, bucketCount(index))
        }
        let result = try converter.convert()
        guard type == .gaugeHistogram else { return result }
        switch result {
        case .integer(var histogram):
            histogram.counterResetHint = .gauge
            return .integer(histogram)
        case .float(var histogram):
            histogram.counterResetHint = .gauge
            return .float(histogram)
        }
    }

    /// The magic suffix of the current part.
    private var suffix: StaticString {
        switch part {
        case .count: "_count"
        case .sum: "_sum"
        case .bucket, .infinity: "_bucket"
        case .number, .quantile, .native, .converted: ""
        }
    }

    private mutating func makeKey() {
        key.removeAll(keepingCapacity: true)
        // SAFETY: the ranges lie within the message they were read from.
        key.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[familyName]))
        key.append(contentsOf: suffix.utf8)
        for range in labelRanges {
            key.append(0xFF)
            key.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        let bound: Double
        switch part {
        case .quantile(let index): bound = summary.quantiles[index].quantile
        case .bucket(let index): bound = histogramFields.buckets[index].upperBound
        case .infinity: bound = .infinity
        case .native, .converted:
            key.append(0xFE)  // the same labels as a number are another line
            return
        case .number, .count, .sum: return
        }
        key.append(0xFD)
        withUnsafeBytes(of: bound.bitPattern) { key.append(contentsOf: $0) }
    }

    /// Names and values have to be UTF-8 whether or not anybody asks for the labels.
    private func checkLabels() throws(ParseError) {
        for range in labelRanges {
            let pair: (Range<Int>, Range<Int>)
            do throws(WireReader.Fault) { pair = try labelTexts(range) } catch { throw .protobuf("unexpected EOF") }
            let name = UnsafeRawBufferPointer(rebasing: bytes[pair.0]).assumingMemoryBound(to: UInt8.self)
            let value = UnsafeRawBufferPointer(rebasing: bytes[pair.1]).assumingMemoryBound(to: UInt8.self)
            if name.count == 0 || !UTF8Validation.isValid(name) {
                throw .exposition("invalid label name: \(decoder.text(pair.0))")
            }
            if !UTF8Validation.isValid(value) {
                throw .exposition("invalid label value: \(decoder.text(pair.1))")
            }
        }
    }

    private func labelTexts(_ range: Range<Int>) throws(WireReader.Fault) -> (Range<Int>, Range<Int>) {
        var name = range.lowerBound..<range.lowerBound
        var value = name
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): name = try reader.contents()
            case (2, 2): value = try reader.contents()
            default: try reader.skip(number, wireType)
            }
        }
        return (name, value)
    }

    // MARK: What an entry holds

    /// The family's name.
    package var name: ByteString { decoder.text(familyName) }

    /// Of a help or unit entry: its text. `entry` says which.
    package func text(of entry: Entry) -> ByteString {
        switch entry {
        case .help: decoder.text(help)
        case .unit: decoder.text(unit)
        case .type, .series, .histogram: ""
        }
    }

    /// Of a series or histogram entry: its labels, metric name and bound included.
    /// - Complexity: O(bytes); several allocations.
    package var labels: Labels {
        var full = name
        full.bytes.append(contentsOf: suffix.utf8)
        var pairs: [(name: ByteString, value: ByteString)] = [(Labels.metricName, full)]
        for range in labelRanges {
            guard let (name, value) = try? labelTexts(range) else { continue }
            pairs.append((decoder.text(name), decoder.text(value)))
        }
        switch part {
        case .quantile(let index): pairs.append(("quantile", text(summary.quantiles[index].quantile)))
        case .bucket(let index): pairs.append(("le", text(histogramFields.buckets[index].upperBound)))
        case .infinity: pairs.append(("le", "+Inf"))
        case .number, .count, .sum, .native, .converted: break
        }
        // Names are checked to be unique. Empty values are kept: they say that a target's label is not wanted.
        return Labels(sorted: pairs.sorted { $0.name < $1.name })
    }

    private func text(_ bound: Double) -> ByteString { ByteString(FloatText.string(bound, .openMetrics)) }

    /// Of a series or histogram entry: when counting began, in milliseconds; nil where that is not known.
    package var startTimestamp: Timestamp? {
        created.map { $0 / 1_000_000 }.flatMap { $0 == 0 ? nil : $0 }
    }

    /// Of a series or histogram entry: its exemplars. A histogram's need a time of their own.
    package var exemplars: [Exemplar] {
        switch part {
        case .number: return counterExemplar.map { [$0] } ?? []
        case .bucket(let index): return histogramFields.buckets[index].exemplar.map { [$0] } ?? []
        case .native, .converted:
            let own = histogramFields.exemplars
            let all = own.isEmpty ? histogramFields.buckets.compactMap(\.exemplar) : own
            return all.filter { $0.timestamp != nil }
        case .count, .sum, .quantile, .infinity: return []
        }
    }
}
