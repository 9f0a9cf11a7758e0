import ByteCoding
import Exposition
import MetricModel
import TestSupport
import Testing

@Suite struct ProtobufTests {
    private var families: [MetricFamily] {
        let exemplar = Exemplar(labels: Labels(["trace_id": "abc"]), value: 0.25, timestamp: -1_500)
        let native = NativeHistogram(
            schema: 1, zeroThreshold: 1e-128, zeroCount: 2, count: 20, sum: 99.25,
            positiveSpans: [BucketSpan(offset: 0, length: 2), BucketSpan(offset: -1, length: 2)],
            positiveDeltas: [1, 2, -2, 3], negativeSpans: [BucketSpan(offset: 0, length: 2)], negativeDeltas: [4, 0])
        let float = FloatHistogram(
            schema: -2, zeroThreshold: 0.5, zeroCount: 0.25, count: 7.5, sum: -1,
            positiveSpans: [BucketSpan(offset: 3, length: 1)], positiveBuckets: [7.25])
        let empty = FloatHistogram(
            schema: 1, zeroThreshold: 0, zeroCount: 0, count: 0, sum: 0,
            positiveSpans: [BucketSpan(offset: 0, length: 1)], positiveBuckets: [0])
        return [
            MetricFamily(
                name: "c_total", help: "", type: .counter, unit: "things",
                metrics: [
                    Metric(
                        labels: [LabelPair("a", ""), LabelPair("é", "世")],
                        value: .counter(CounterValue(17, exemplar: exemplar, created: -1)), timestamp: -5)
                ]),
            MetricFamily(
                name: "g", type: .gauge,
                metrics: (0..<3).map { Metric(labels: [LabelPair("i", ByteString("\($0)"))], value: .gauge(-0.0)) }),
            MetricFamily(name: "u", type: .unknown, metrics: [Metric(labels: [], value: .untyped(.infinity))]),
            MetricFamily(
                name: "s", type: .summary,
                metrics: [
                    Metric(
                        labels: [],
                        value: .summary(
                            SummaryValue(count: 3, sum: 2.5, quantiles: [.init(0.5, 1), .init(0.9, -2)], created: 1)))
                ]),
            MetricFamily(
                name: "h", type: .histogram,
                metrics: [
                    Metric(
                        labels: [],
                        value: .histogram(
                            HistogramValue(
                                count: 20, sum: 99.25,
                                buckets: [
                                    .init(upperBound: 1, count: 3, exemplar: exemplar),
                                    .init(upperBound: .infinity, count: 20),
                                ], native: .integer(native), exemplars: [exemplar], created: 1_500_000_000)))
                ]),
            MetricFamily(
                name: "f", type: .gaugeHistogram,
                metrics: [
                    Metric(
                        labels: [],
                        value: .histogram(
                            HistogramValue(count: 7.5, sum: -1, hasFloatCounts: true, native: .float(float)))),
                    // Nothing was counted yet, which is not the same as no count.
                    Metric(
                        labels: [LabelPair("l", "empty")],
                        value: .histogram(
                            HistogramValue(count: 0, sum: 0, hasFloatCounts: true, native: .float(empty)))),
                ]),
        ]
    }

    @Test func `families read back as they were written`() throws {
        var output: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, escaping: .allowUTF8, to: &output) }
        #expect(try ProtobufParser.parse(output) == families)
    }

    @Test func `pieces make the same message as the whole`() {
        for family in families {
            var whole: [UInt8] = []
            ProtobufEncoder.append(family, escaping: .allowUTF8, to: &whole)
            var body: [UInt8] = []
            ProtobufEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, unit: family.unit, escaping: .allowUTF8,
                to: &body)
            for metric in family.metrics {
                var piece: [UInt8] = []
                ProtobufEncoder.appendMetric(metric, escaping: .allowUTF8, to: &piece)
                body += piece
            }
            var length: [UInt8] = []
            ProtobufEncoder.appendLength(body.count, to: &length)
            #expect(whole == length + body)
        }
    }

    private func error(_ bytes: [UInt8], _ limits: ParseLimits = .none) -> String? {
        do throws(ParseError) {
            _ = try ProtobufParser.parse(bytes, limits: limits)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `broken streams are refused`() {
        #expect(error([]) == nil)
        #expect(error([3, 10, 1]) == "unexpected EOF")
        #expect(error([0x80]) == "unexpected EOF")
        #expect(error([UInt8](repeating: 0xFF, count: 12)) == "proto: variable length integer overflow")
        #expect(error([2, 10, 5]) == "proto: cannot parse invalid wire-format data")
        #expect(error([1, 0]) == "proto: cannot parse invalid wire-format data")
        #expect(error([2, 0x0F, 0]) == "proto: cannot parse invalid wire-format data")
        #expect(error(Array("x 1\n".utf8)) == "unexpected EOF")
        // Groups that end, and groups that do not.
        #expect(error([4, 0x7B, 0x08, 0x01, 0x7C]) == nil)
        #expect(error([3, 0x7B, 0x08, 0x01]) == "proto: cannot parse invalid wire-format data")
        #expect(error([200, 1] + [UInt8](repeating: 0x7B, count: 200)) != nil)
    }

    @Test func `limits hold`() {
        var output: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, to: &output) }
        #expect(error(output, ParseLimits(maximumFamilies: 6)) == nil)
        #expect(error(output, ParseLimits(maximumFamilies: 5))?.contains("more than 5 metric names") == true)
        #expect(error(output, ParseLimits(maximumSamples: 4))?.contains("more than 4 samples") == true)
        #expect(error(output, ParseLimits(maximumLabels: 1))?.contains("more than 1 labels") == true)
        #expect(error(output, ParseLimits(maximumLabelValueLength: 2))?.contains("a label value of 3 bytes") == true)
    }

    @Test func `a value of another type than the family's stays another`() throws {
        // name "x", type GAUGE, a metric with a counter of 3.
        let bytes: [UInt8] = [18, 10, 1, 0x78, 24, 1, 34, 11, 26, 9, 9, 0, 0, 0, 0, 0, 0, 8, 64]
        let family = try #require(try ProtobufParser.parse(bytes).first)
        #expect(family.type == .gauge)
        #expect(family.metrics.first?.value == .counter(CounterValue(3)))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `mutilated streams never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var output: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, to: &output) }
        for _ in 0..<3000 {
            var body = output
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                body[Int.random(in: 0..<body.count, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
            }
            _ = error(Array(body.prefix(Int.random(in: 0...body.count, using: &generator))))
        }
    }
}
