import Exposition
import MetricModel
import TestSupport
import Testing

/// Random families, of which some names and values need quotes and escapes.
struct FamilyGenerator {
    var random: SeededGenerator

    mutating func families() -> [MetricFamily] {
        (0..<Int.random(in: 1...6, using: &random)).map { index in
            let types: [MetricType] = [.counter, .gauge, .unknown, .summary, .histogram, .gaugeHistogram]
            let type = types.randomElement(using: &random) ?? .gauge
            let help: ByteString? = Bool.random(using: &random) ? text() : nil
            return MetricFamily(
                name: ByteString("f\(index)" + (Bool.random(using: &random) ? ".dot\n\"x" : "")), help: help,
                type: type,
                metrics: (0..<Int.random(in: 1...4, using: &random)).map { metric(type, $0) })
        }
    }

    private mutating func metric(_ type: MetricType, _ index: Int) -> Metric {
        var labels = [LabelPair("i", ByteString("\(index)"))]
        for name in ["a", "b.c", "é"] where Bool.random(using: &random) {
            labels.append(LabelPair(ByteString(name), text()))
        }
        let timestamp: Timestamp? = Bool.random(using: &random) ? Timestamp.random(in: -5...5, using: &random) : nil
        return Metric(labels: labels, value: value(type), timestamp: timestamp)
    }

    private mutating func value(_ type: MetricType) -> MetricValue {
        switch type {
        case .counter: return .counter(CounterValue(number()))
        case .gauge, .info, .stateSet: return .gauge(number())
        case .unknown: return .untyped(number())
        case .summary:
            return .summary(
                SummaryValue(count: count(), sum: number(), quantiles: [.init(0.5, number()), .init(0.99, number())]))
        case .histogram, .gaugeHistogram:
            return .histogram(
                HistogramValue(
                    count: count(), sum: number(),
                    buckets: [
                        .init(upperBound: 0.25, count: count()), .init(upperBound: 1e9, count: count()),
                        .init(upperBound: .infinity, count: count()),
                    ]))
        }
    }

    private mutating func count() -> Double { Double(UInt32.random(in: 0 ... .max, using: &random)) }

    private mutating func number() -> Double {
        let value = Double(bitPattern: random.next())
        return value.isNaN || value == 0 ? 1.5 : value
    }

    private mutating func text() -> ByteString {
        let pieces = ["x", "\\", "\"", "\n", "é", "世", "{", ",", " ", "=", "#", "\t"]
        let count = Int.random(in: 0...6, using: &random)
        return ByteString((0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined())
    }
}

@Suite struct RoundTripTests {
    @Test(arguments: (1...200).map { UInt64($0) })
    func `what is written reads back, in text and protobuf`(seed: UInt64) throws {
        var generator = FamilyGenerator(random: SeededGenerator(seed: seed))
        let families = generator.families()
        var protobuf: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, escaping: .allowUTF8, to: &protobuf) }
        #expect(try ProtobufParser.parse(protobuf) == families)
        // Text knows no gauge histograms, and drops blanks at the start of a help text.
        let plain = families.map { family in
            var family = family
            if family.type == .gaugeHistogram { family.type = .histogram }
            if let help = family.help {
                let bytes = help.bytes.drop { $0 == 0x20 || $0 == 0x09 }
                family.help = bytes.isEmpty ? nil : ByteString(Array(bytes))
            }
            return family
        }
        var text: [UInt8] = []
        for family in plain { TextEncoder.append(family, escaping: .allowUTF8, to: &text) }
        #expect(try TextParser.parse(text, names: .utf8) == plain)
    }
}
