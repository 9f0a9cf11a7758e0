internal import ByteCoding
internal import MetricModel

/// Reads OTLP's protobuf encoding.
struct OTLPProtobuf {
    typealias Fault = WireReader.Fault
    /// Lists and maps within attributes are read to this depth.
    private static let maximumDepth = 32

    // SAFETY: lent for the one call of `read`; ranges come of the reader, which keeps them within.
    private let bytes: UnsafeRawBufferPointer

    /// The message that `bytes` hold.
    /// - Complexity: O(bytes).
    static func read(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> OTLPMessage {
        let reader = OTLPProtobuf(bytes: bytes)
        var message = OTLPMessage()
        try reader.fields(0..<bytes.count) { (number, value) throws(Fault) in
            if number == 1 { message.resources.append(try reader.resource(value.range)) }
        }
        return message
    }

    private func fields(
        _ range: Range<Int>, _ body: (Int, WireReader.Value) throws(Fault) -> Void
    ) throws(Fault) {
        var reader = WireReader(bytes, range)
        while let (number, value) = try reader.next() { try body(number, value) }
    }

    private func text(_ value: WireReader.Value) -> ByteString { ByteString(bytes[value.range]) }

    private func resource(_ range: Range<Int>) throws(Fault) -> OTLPMessage.Resource {
        var resource = OTLPMessage.Resource()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1:
                try fields(value.range) { (number, value) throws(Fault) in
                    if number == 1 { resource.attributes.append(try attribute(value.range)) }
                }
            case 2: resource.scopes.append(try scope(value.range))
            default: break
            }
        }
        return resource
    }

    private func scope(_ range: Range<Int>) throws(Fault) -> OTLPMessage.Scope {
        var scope = OTLPMessage.Scope()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1:
                try fields(value.range) { (number, value) throws(Fault) in
                    switch number {
                    case 1: scope.name = text(value)
                    case 2: scope.version = text(value)
                    case 3: scope.attributes.append(try attribute(value.range))
                    default: break
                    }
                }
            case 2: scope.metrics.append(try metric(value.range))
            case 3: scope.schemaURL = text(value)
            default: break
            }
        }
        return scope
    }

    private func metric(_ range: Range<Int>) throws(Fault) -> OTLPMessage.Metric {
        var metric = OTLPMessage.Metric()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1: metric.name = text(value)
            case 2: metric.help = text(value)
            case 3: metric.unit = text(value)
            case 5: metric.data = .gauge(try points(value.range, &metric, numberPoint).points)
            case 7:
                let (points, isMonotonic) = try points(value.range, &metric, numberPoint)
                metric.data = .sum(points, isMonotonic: isMonotonic)
            case 9: metric.data = .histogram(try points(value.range, &metric, histogramPoint).points)
            case 10: metric.data = .exponentialHistogram(try points(value.range, &metric, exponentialPoint).points)
            case 11: metric.data = .summary(try points(value.range, &metric, summaryPoint).points)
            default: break
            }
        }
        return metric
    }

    private func points<Point>(
        _ range: Range<Int>, _ metric: inout OTLPMessage.Metric, _ read: (Range<Int>) throws(Fault) -> Point
    ) throws(Fault) -> (points: [Point], isMonotonic: Bool) {
        var points: [Point] = []
        var isMonotonic = false
        var temporality = OTLPMessage.Temporality.unspecified
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1: points.append(try read(value.range))
            case 2: temporality = OTLPMessage.Temporality(rawValue: value.integer) ?? .unspecified
            case 3: isMonotonic = value.integer != 0
            default: break
            }
        }
        metric.temporality = temporality
        return (points, isMonotonic)
    }

    // MARK: Points

    /// The numbers of the fields that all kinds of points have, but for the times, which are 2 and 3 in all of them.
    private struct PointFields {
        let attributes: Int
        let exemplars: Int?
        let flags: Int
    }

    private func readCommon(
        _ number: Int, _ value: WireReader.Value, _ fields: PointFields, into point: inout OTLPMessage.Point
    ) throws(Fault) {
        switch number {
        case 2: point.start = value.fixed
        case 3: point.time = value.fixed
        case fields.attributes: point.attributes.append(try attribute(value.range))
        case fields.exemplars: point.exemplars.append(try exemplar(value.range))
        case fields.flags: point.flags = UInt64(bitPattern: value.integer)
        default: break
        }
    }

    private func numberPoint(_ range: Range<Int>) throws(Fault) -> OTLPMessage.NumberPoint {
        var result = OTLPMessage.NumberPoint()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 4: result.value = value.double
            case 6: result.value = Double(Int64(bitPattern: value.fixed))
            default: try readCommon(number, value, .init(attributes: 7, exemplars: 5, flags: 8), into: &result.point)
            }
        }
        return result
    }

    private func histogramPoint(_ range: Range<Int>) throws(Fault) -> OTLPMessage.HistogramPoint {
        var result = OTLPMessage.HistogramPoint()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 4: result.count = value.fixed
            case 5: result.sum = value.double
            case 6: try value.append(to: &result.counts, in: bytes, isFixed: true) { $0 }
            case 7: try value.append(to: &result.bounds, in: bytes, isFixed: true) { Double(bitPattern: $0) }
            default: try readCommon(number, value, .init(attributes: 9, exemplars: 8, flags: 10), into: &result.point)
            }
        }
        return result
    }

    private func exponentialPoint(_ range: Range<Int>) throws(Fault) -> OTLPMessage.ExponentialPoint {
        var result = OTLPMessage.ExponentialPoint()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 4: result.count = value.fixed
            case 5: result.sum = value.double
            case 6: result.scale = Int32(truncatingIfNeeded: value.signed)
            case 7: result.zeroCount = value.fixed
            case 8: result.positive = try buckets(value.range)
            case 9: result.negative = try buckets(value.range)
            default: try readCommon(number, value, .init(attributes: 1, exemplars: 11, flags: 10), into: &result.point)
            }
        }
        return result
    }

    private func buckets(_ range: Range<Int>) throws(Fault) -> OTLPMessage.ExponentialPoint.Buckets {
        var result = OTLPMessage.ExponentialPoint.Buckets()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1: result.offset = Int32(truncatingIfNeeded: value.signed)
            case 2: try value.append(to: &result.counts, in: bytes) { $0 }
            default: break
            }
        }
        return result
    }

    private func summaryPoint(_ range: Range<Int>) throws(Fault) -> OTLPMessage.SummaryPoint {
        var result = OTLPMessage.SummaryPoint()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 4: result.count = value.fixed
            case 5: result.sum = value.double
            case 6:
                var pair = (quantile: 0.0, value: 0.0)
                try fields(value.range) { (number, value) throws(Fault) in
                    if number == 1 { pair.quantile = value.double }
                    if number == 2 { pair.value = value.double }
                }
                result.quantiles.append(pair)
            default: try readCommon(number, value, .init(attributes: 7, exemplars: nil, flags: 8), into: &result.point)
            }
        }
        return result
    }

    private func exemplar(_ range: Range<Int>) throws(Fault) -> OTLPMessage.PointExemplar {
        var result = OTLPMessage.PointExemplar()
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 2: result.time = value.fixed
            case 3: result.value = value.double
            case 4: result.spanID = Self.hexadecimal(bytes[value.range])
            case 5: result.traceID = Self.hexadecimal(bytes[value.range])
            case 6: result.value = Double(Int64(bitPattern: value.fixed))
            case 7: result.attributes.append(try attribute(value.range))
            default: break
            }
        }
        return result
    }

    private static func hexadecimal(_ bytes: Slice<UnsafeRawBufferPointer>) -> ByteString {
        // All zeros mean that there is none.
        guard bytes.contains(where: { $0 != 0 }) else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return ByteString(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    // MARK: Attributes

    private func attribute(_ range: Range<Int>) throws(Fault) -> OTLPMessage.Attribute {
        var result: OTLPMessage.Attribute = ("", "")
        try fields(range) { (number, value) throws(Fault) in
            if number == 1 { result.key = text(value) }
            if number == 2 { result.value = try self.value(value.range, depth: 0).text }
        }
        return result
    }

    private func value(_ range: Range<Int>, depth: Int) throws(Fault) -> OTLPValue {
        guard depth < Self.maximumDepth else { throw Fault(description: "proto: attribute nested too deeply") }
        var result = OTLPValue.none
        try fields(range) { (number, value) throws(Fault) in
            switch number {
            case 1: result = .string(text(value))
            case 2: result = .boolean(value.integer != 0)
            case 3: result = .integer(value.integer)
            case 4: result = .double(value.double)
            case 5:
                var list: [OTLPValue] = []
                try fields(value.range) { (number, value) throws(Fault) in
                    if number == 1 { list.append(try self.value(value.range, depth: depth + 1)) }
                }
                result = .list(list)
            case 6:
                var map: [(ByteString, OTLPValue)] = []
                try fields(value.range) { (number, value) throws(Fault) in
                    if number == 1 { map.append(try pair(value.range, depth: depth + 1)) }
                }
                result = .map(map)
            case 7: result = .bytes(Array(bytes[value.range]))
            default: break
            }
        }
        return result
    }

    private func pair(_ range: Range<Int>, depth: Int) throws(Fault) -> (ByteString, OTLPValue) {
        var key: ByteString = ""
        var result = OTLPValue.none
        try fields(range) { (number, value) throws(Fault) in
            if number == 1 { key = text(value) }
            if number == 2 { result = try self.value(value.range, depth: depth) }
        }
        return (key, result)
    }
}
