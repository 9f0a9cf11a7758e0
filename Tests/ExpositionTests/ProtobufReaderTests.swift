import Exposition
import MetricModel
import TestSupport
import Testing

@Suite struct ProtobufReaderTests {
    private func body(_ families: [MetricFamily]) -> [UInt8] {
        var output: [UInt8] = []
        for family in families { ProtobufEncoder.append(family, escaping: .allowUTF8, to: &output) }
        return output
    }

    /// One line an entry.
    private func transcript(_ body: [UInt8], _ options: ProtobufReader.Options = .init()) -> [String] {
        body.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes, options: options)
            var result: [String] = []
            var keys: Set<[UInt8]> = []
            do throws(ParseError) {
                while let entry = try reader.next() {
                    switch entry {
                    case .help, .unit: result.append("\(entry) \(reader.name) \(reader.text(of: entry))")
                    case .type: result.append("type \(reader.name) \(reader.type.openMetricsName)")
                    case .series:
                        var line = "\(reader.labels) \(reader.value)"
                        if let timestamp = reader.timestamp { line += " @\(timestamp)" }
                        if let start = reader.startTimestamp { line += " from \(start)" }
                        for exemplar in reader.exemplars { line += " # \(exemplar.labels) \(exemplar.value)" }
                        result.append(line)
                        #expect(keys.insert(reader.key).inserted)
                    case .histogram:
                        var line = "\(reader.labels)"
                        switch reader.histogram {
                        case .integer(let native): line += " native \(native.count) \(native.positiveDeltas)"
                        case .float(let native): line += " float \(native.count) \(native.positiveBuckets)"
                        case nil: break
                        }
                        for exemplar in reader.exemplars { line += " # \(exemplar.labels) \(exemplar.value)" }
                        result.append(line)
                        #expect(keys.insert(reader.key).inserted)
                    }
                }
            } catch {
                result.append("E \(error)")
            }
            return result
        }
    }

    private var histogram: MetricFamily {
        let exemplar = Exemplar(labels: Labels(["t": "1"]), value: 0.5, timestamp: 7)
        let native = NativeHistogram(
            schema: 1, zeroThreshold: 0.5, zeroCount: 2, count: 20, sum: 9,
            positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveDeltas: [1, -1, 2])
        return MetricFamily(
            name: "h", help: "H.", type: .histogram,
            metrics: [
                Metric(
                    labels: [LabelPair("a", "b")],
                    value: .histogram(
                        HistogramValue(
                            count: 20, sum: 9, buckets: [.init(upperBound: 1, count: 3, exemplar: exemplar)],
                            native: .integer(native), created: 5_000_000)))
            ])
    }

    @Test func `families become metadata and series`() {
        let families = [
            MetricFamily(name: "empty", type: .gauge),
            MetricFamily(
                name: "c_total", help: "C.", type: .counter, unit: "u",
                metrics: [
                    Metric(
                        labels: [LabelPair("x", "y")], value: .counter(CounterValue(3, created: 2_000_000)),
                        timestamp: 9),
                    Metric(labels: [], value: .counter(CounterValue(4))),
                ]),
            MetricFamily(
                name: "s", type: .summary,
                metrics: [
                    Metric(labels: [], value: .summary(SummaryValue(count: 2, sum: 3, quantiles: [.init(0.5, 1)])))
                ]),
        ]
        #expect(
            transcript(body(families)) == [
                "help c_total C.", "unit c_total u", "type c_total counter",
                "{__name__=\"c_total\", x=\"y\"} 3.0 @9 from 2", "{__name__=\"c_total\"} 4.0",
                "help s ", "type s summary", "{__name__=\"s_count\"} 2.0", "{__name__=\"s_sum\"} 3.0",
                "{__name__=\"s\", quantile=\"0.5\"} 1.0",
            ])
    }

    @Test func `a histogram is native, classic, or both`() {
        let head = ["help h H.", "type h histogram"]
        let native = "{__name__=\"h\", a=\"b\"} native 20 [1, 1] # {t=\"1\"} 0.5"
        let classic = [
            "{__name__=\"h_count\", a=\"b\"} 20.0 from 5", "{__name__=\"h_sum\", a=\"b\"} 9.0 from 5",
            "{__name__=\"h_bucket\", a=\"b\", le=\"1.0\"} 3.0 from 5 # {t=\"1\"} 0.5",
            "{__name__=\"h_bucket\", a=\"b\", le=\"+Inf\"} 20.0 from 5",
        ]
        let bytes = body([histogram])
        var options = ProtobufReader.Options()
        #expect(transcript(bytes, options) == head + [native])
        options.keepsClassicHistograms = true
        #expect(transcript(bytes, options) == head + [native] + classic)
        options.ignoresNativeHistograms = true
        #expect(transcript(bytes, options) == head + classic)
        options.convertsClassicHistograms = true
        let converted = "{__name__=\"h\", a=\"b\"} native 20 [3, 14] # {t=\"1\"} 0.5"
        #expect(transcript(bytes, options) == head + classic + [converted])
        options.keepsClassicHistograms = false
        #expect(transcript(bytes, options) == head + [converted])
    }

    @Test func `spans that do not fit the buckets are refused`() {
        var family = histogram
        let broken = NativeHistogram(
            count: 1, positiveSpans: [BucketSpan(offset: 0, length: .max)], positiveDeltas: [1])
        family.metrics = [
            Metric(labels: [], value: .histogram(HistogramValue(count: 1, native: .integer(broken))))
        ]
        #expect(
            transcript(body([family])).last
                == "E histogram \"h\": positive side: spans require 4294967295 buckets, have 1")
    }

    @Test func `broken streams are refused`() {
        #expect(transcript([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]) == ["E clientpb: invalid varint encountered"])
        #expect(
            transcript([5, 1]) == [
                "E clientpb: insufficient length of buffer, expected at least 6 bytes, got 2 bytes"
            ])
        #expect(transcript([2, 10, 9]) == ["E unexpected EOF"])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `mutilated streams never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let whole = body([histogram, histogram])
        var options = ProtobufReader.Options()
        for round in 0..<2000 {
            options.keepsClassicHistograms = round & 1 == 0
            options.convertsClassicHistograms = round & 2 == 0
            options.ignoresNativeHistograms = round & 4 == 0
            var bytes = whole
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: .min ... .max, using: &generator)
            }
            bytes.withUnsafeBytes { buffer in
                var reader = ProtobufReader(buffer, options: options)
                while let entry = try? reader.next() {
                    if entry == .series || entry == .histogram { _ = (reader.labels, reader.exemplars) }
                }
            }
        }
    }
}

@Suite struct ClassicHistogramConverterTests {
    private func convert(_ buckets: [(Double, Double)], count: Double? = nil) -> String {
        var converter = ClassicHistogramConverter()
        for (bound, value) in buckets { converter.setBucket(bound, value) }
        if let count { converter.setCount(count) }
        converter.setSum(1.5)
        do throws(ParseError) {
            switch try converter.convert() {
            case .integer(let histogram):
                return "\(histogram.count) \(histogram.positiveDeltas) \(histogram.customValues)"
            case .float(let histogram):
                return "\(histogram.count) \(histogram.positiveBuckets) \(histogram.customValues)"
            }
        } catch {
            return "\(error)"
        }
    }

    @Test func `buckets in any order become one histogram`() {
        #expect(convert([(1, 2), (2, 5), (.infinity, 6)], count: 6) == "6 [2, 1, -2] [1.0, 2.0]")
        #expect(convert([(.infinity, 6), (2, 5), (1, 2), (2, 4)]) == "6 [2, 1, -2] [1.0, 2.0]")
        #expect(convert([(1, 2.5)], count: 3) == "3.0 [2.5, 0.5] [1.0]")
    }

    @Test func `what is no histogram is refused`() {
        #expect(convert([(1, 3), (2, 2)]) == "count is not cumulative: 2 < 3")
        #expect(convert([(2, 2), (1, 3)]) == "count is not cumulative: 3 > 2")
        #expect(convert([(.nan, 3)]) == "bucket boundary must not be NaN")
        #expect(convert([(1, -3)]) == "bucket count must be non-negative: le=1, count=-3")
        #expect(convert([], count: -1) == "count must be non-negative: count=-1")
        #expect(convert([(.infinity, 4)], count: 5) == "count mismatch: count=5 != le=+Inf count=4")
    }
}
