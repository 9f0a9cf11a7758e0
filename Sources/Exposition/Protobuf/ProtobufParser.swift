internal import ByteCoding
package import MetricModel

/// Length-delimited `io.prometheus.client.MetricFamily` messages: whole families out of bytes.
///
/// Source: prometheus/client_model io/prometheus/client/metrics.proto; prometheus/pushgateway handler/push.go and
/// google.golang.org/protobuf encoding/protodelim for what is refused and with which words.
package enum ProtobufParser {
    /// Reads a whole body. Families come in the order of the body, those without metrics and repeated ones too.
    /// - Throws: ``ParseError/protobuf(_:)`` or ``ParseError/limit(_:)``; nothing of the body counts then.
    /// - Complexity: O(bytes); nothing is allocated ahead of the bytes that justify it.
    package static func parse(
        _ bytes: [UInt8], limits: ParseLimits = .none
    ) throws(ParseError) -> [MetricFamily] {
        // SAFETY: the buffer is only read within the call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(ParseError) -> [MetricFamily] in
            try parse(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// Reads a whole body; `bytes` are needed during the call only.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: ParseLimits = .none
    ) throws(ParseError) -> [MetricFamily] {
        var families: [MetricFamily] = []
        var decoder = FamilyDecoder(bytes, limits: limits)
        var position = 0
        while let message = try nextMessage(bytes, &position) {
            if families.count == limits.maximumFamilies {
                throw .limit(
                    "the body has more than \(limits.maximumFamilies) metric names; push fewer or raise the limit")
            }
            do throws(WireReader.Fault) {
                families.append(try decoder.family(message))
            } catch {
                // Upstream has one text for whatever is wrong.
                throw ParseError.protobuf("proto: cannot parse invalid wire-format data")
            }
            if let excess = decoder.excess { throw .limit(excess) }
        }
        return families
    }

    /// Where the next message lies; nil at the end of the body.
    static func nextMessage(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(ParseError) -> Range<Int>? {
        if position >= bytes.count { return nil }
        let start = position
        guard let length = Varint.read(bytes, at: &position) else {
            // Ten bytes that all say "more follows", or too large a number; else the body ends within the length.
            let isLong = bytes.count &- start >= Varint.maximumLength
            throw .protobuf(isLong ? "proto: variable length integer overflow" : "unexpected EOF")
        }
        if length > UInt64(Int64.max) {
            throw .protobuf(
                "proto: message size \(length) exceeded unmarshaler's maximum configured size \(Int64.max)")
        }
        guard length <= UInt64(bytes.count &- position) else { throw .protobuf("unexpected EOF") }
        let range = position..<(position &+ Int(length))
        position = range.upperBound
        return range
    }
}

/// Reads `MetricFamily` messages.
struct FamilyDecoder {
    let bytes: UnsafeRawBufferPointer
    private let limits: ParseLimits
    private var samples = 0
    /// Label texts of the metric before, which mostly repeat.
    private var previousLabels: [LabelPair] = []
    /// Which limit the body exceeds, once it does.
    private(set) var excess: String?

    init(_ bytes: UnsafeRawBufferPointer, limits: ParseLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func family(_ range: Range<Int>) throws(WireReader.Fault) -> MetricFamily {
        // The type stands before the metrics in every usual encoder; where not, their values are chosen afterwards.
        var family = MetricFamily(name: "", type: .counter)
        var metrics: [Range<Int>] = []
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): family.name = text(try reader.contents())
            case (2, 2): family.help = text(try reader.contents())
            case (3, 0): family.type = Self.type(try reader.varint()) ?? family.type
            case (4, 2): metrics.append(try reader.contents())
            case (5, 2): family.unit = text(try reader.contents())
            default: try reader.skip(number, wireType)
            }
        }
        family.metrics.reserveCapacity(metrics.count)
        for range in metrics {
            family.metrics.append(try metric(range, family.type))
            samples &+= 1
            if samples > limits.maximumSamples {
                excess = "the body has more than \(limits.maximumSamples) samples; push fewer or raise the limit"
            }
            if excess != nil { break }
        }
        if family.name.count > limits.maximumNameLength { excess = tooLong("name", family.name.count) }
        return family
    }

    private func tooLong(_ what: String, _ count: Int) -> String {
        "the body has a \(what) of \(count) bytes; at most "
            + "\(what == "name" ? limits.maximumNameLength : limits.maximumLabelValueLength) are allowed"
    }

    /// A number that the schema does not know is kept aside by Go's decoder, as if the field were missing.
    static func type(_ number: UInt64) -> MetricType? {
        switch number {
        case 0: .counter
        case 1: .gauge
        case 2: .summary
        case 3: .unknown
        case 4: .histogram
        case 5: .gaugeHistogram
        default: nil
        }
    }

    func text(_ range: Range<Int>) -> ByteString {
        ByteString(copy(UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: UInt8.self)))
    }

    private mutating func metric(_ range: Range<Int>, _ type: MetricType) throws(WireReader.Fault) -> Metric {
        var labels: [LabelPair] = []
        var values = MetricPayloads()
        var timestamp: Timestamp?
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): labels.append(try label(try reader.contents(), at: labels.count))
            case (2, 2): values.gauge = try number64(try reader.contents(), values.gauge)
            case (3, 2): values.counter = try counter(try reader.contents(), values.counter)
            case (4, 2): values.summary = try summary(try reader.contents(), values.summary)
            case (5, 2): values.untyped = try number64(try reader.contents(), values.untyped)
            case (7, 2): values.histogram = try histogram(try reader.contents(), values.histogram)
            case (6, 0): timestamp = Int64(bitPattern: try reader.varint())
            default: try reader.skip(number, wireType)
            }
        }
        if labels.count > limits.maximumLabels {
            excess = "a metric has more than \(limits.maximumLabels) labels; push fewer or raise the limit"
        }
        if let histogram = values.histogram { samples &+= histogram.buckets.count }
        previousLabels = labels
        return Metric(labels: labels, value: values.value(for: type), timestamp: timestamp)
    }

    private mutating func label(_ range: Range<Int>, at index: Int) throws(WireReader.Fault) -> LabelPair {
        var name: Range<Int>?
        var value: Range<Int>?
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): name = try reader.contents()
            case (2, 2): value = try reader.contents()
            default: try reader.skip(number, wireType)
            }
        }
        let nameLength = name?.count ?? 0
        let valueLength = value?.count ?? 0
        if nameLength > limits.maximumNameLength { excess = tooLong("name", nameLength) }
        if valueLength > limits.maximumLabelValueLength { excess = tooLong("label value", valueLength) }
        let known = index < previousLabels.count ? previousLabels[index] : nil
        return LabelPair(shared(name, known?.name), shared(value, known?.value))
    }

    /// The text at `range`, which is `known` where the bytes are the same.
    private func shared(_ range: Range<Int>?, _ known: ByteString?) -> ByteString {
        guard let range else { return "" }
        let piece = UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: UInt8.self)
        if let known, equals(piece, known.bytes) { return known }
        return ByteString(copy(piece))
    }

    /// Gauge and Untyped: a number in field 1. A second message of the same field is merged into the first.
    private func number64(_ range: Range<Int>, _ known: Double?) throws(WireReader.Fault) -> Double {
        var value = known ?? 0
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            if number == 1, wireType == 1 { value = try reader.double() } else { try reader.skip(number, wireType) }
        }
        return value
    }

    private func counter(_ range: Range<Int>, _ known: CounterValue?) throws(WireReader.Fault) -> CounterValue {
        var counter = known ?? CounterValue(0)
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 1): counter.value = try reader.double()
            case (2, 2): counter.exemplar = try exemplar(try reader.contents())
            case (3, 2): counter.created = try nanoseconds(try reader.contents())
            default: try reader.skip(number, wireType)
            }
        }
        return counter
    }

    func summary(_ range: Range<Int>, _ known: SummaryValue?) throws(WireReader.Fault) -> SummaryValue {
        var summary = known ?? SummaryValue()
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 0): summary.count = Double(try reader.varint())
            case (2, 1): summary.sum = try reader.double()
            case (3, 2): summary.quantiles.append(try quantile(try reader.contents()))
            case (4, 2): summary.created = try nanoseconds(try reader.contents())
            default: try reader.skip(number, wireType)
            }
        }
        return summary
    }

    private func quantile(_ range: Range<Int>) throws(WireReader.Fault) -> SummaryValue.Quantile {
        var quantile = SummaryValue.Quantile(0, 0)
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 1): quantile.quantile = try reader.double()
            case (2, 1): quantile.value = try reader.double()
            default: try reader.skip(number, wireType)
            }
        }
        return quantile
    }

    func exemplar(_ range: Range<Int>) throws(WireReader.Fault) -> Exemplar {
        var pairs: [(name: ByteString, value: ByteString)] = []
        var exemplar = Exemplar(labels: .empty, value: 0)
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2):
                var inner = WireReader(bytes, try reader.contents())
                var pair: (name: ByteString, value: ByteString) = ("", "")
                while let (number, wireType) = try inner.nextField() {
                    switch (number, wireType) {
                    case (1, 2): pair.name = text(try inner.contents())
                    case (2, 2): pair.value = text(try inner.contents())
                    default: try inner.skip(number, wireType)
                    }
                }
                pairs.append(pair)
            case (2, 1): exemplar.value = try reader.double()
            case (3, 2):
                let time = try nanoseconds(try reader.contents())
                exemplar.timestamp = time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0)
            default: try reader.skip(number, wireType)
            }
        }
        exemplar.labels = Labels(pairs)
        return exemplar
    }

    /// A `google.protobuf.Timestamp`, cut to what fits.
    func nanoseconds(_ range: Range<Int>) throws(WireReader.Fault) -> Int64 {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 0): seconds = Int64(bitPattern: try reader.varint())
            case (2, 0): nanoseconds = Int64(Int32(truncatingIfNeeded: try reader.varint()))
            default: try reader.skip(number, wireType)
            }
        }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(nanoseconds)
        if overflow || carry { return seconds < 0 ? .min : .max }
        return sum
    }
}

/// The values of one metric message: several may be set, the family's type chooses.
private struct MetricPayloads {
    var gauge: Double?
    var counter: CounterValue?
    var summary: SummaryValue?
    var untyped: Double?
    var histogram: HistogramValue?

    /// The value of the family's type, or, where it is missing, one of another type, which the checks then refuse.
    func value(for type: MetricType) -> MetricValue {
        switch type {
        case .counter: if let counter { return .counter(counter) }
        case .gauge, .info, .stateSet: if let gauge { return .gauge(gauge) }
        case .summary: if let summary { return .summary(summary) }
        case .unknown: if let untyped { return .untyped(untyped) }
        case .histogram, .gaugeHistogram: if let histogram { return .histogram(histogram) }
        }
        if let gauge, type != .gauge { return .gauge(gauge) }
        if let counter, type != .counter { return .counter(counter) }
        if let untyped, type != .unknown { return .untyped(untyped) }
        if let summary, type != .summary { return .summary(summary) }
        if let histogram { return .histogram(histogram) }
        return type == .unknown ? .gauge(0) : .untyped(0)
    }
}
