import Exposition
import MetricModel
import TestSupport
import Testing

/// What a reader makes of a body, one line an entry, as the recording program wrote it.
enum ReaderTranscript {
    static func text(_ body: [UInt8], _ dialect: ExpositionReader.Dialect) -> String {
        body.withUnsafeBufferPointer { bytes in
            var reader = ExpositionReader(bytes, dialect)
            var result = ""
            do throws(ParseError) {
                while let entry = try reader.next() { result += line(entry, reader, bytes) + "\n" }
            } catch {
                result += "E \(error)"
            }
            return result
        }
    }

    private static func line(
        _ entry: ExpositionReader.Entry, _ reader: ExpositionReader, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> String {
        switch entry {
        case .help: return "H \(reader.name) \(Quoting.quote(reader.metadataText))"
        case .type: return "T \(reader.name) \(reader.type.openMetricsName)"
        case .unit: return "U \(reader.name) \(reader.metadataText)"
        case .comment: return "C \(Quoting.quote(reader.metadataText))"
        case .series:
            let series = Quoting.quote(ByteString(Array(bytes[reader.series])))
            var result = "S \(series) \(String(reader.value.bitPattern, radix: 16))"
            if let timestamp = reader.timestamp { result += " @\(timestamp)" }
            result += text(reader.labels)
            if let exemplar = reader.exemplar {
                result += " # \(String(exemplar.value.bitPattern, radix: 16))"
                if let timestamp = exemplar.timestamp { result += " @\(timestamp)" }
                result += text(exemplar.labels)
            }
            return result
        }
    }

    private static func text(_ labels: Labels) -> String {
        labels.pairs.map { " \(Quoting.quote($0.name))=\(Quoting.quote($0.value))" }.joined()
    }
}

@Suite struct ExpositionReaderTests {
    @Test func `expositions are read, and refused, as Prometheus does`() throws {
        for line in UpstreamReadingFixtures.cases.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(parts.count == 3)
            let body = Hexadecimal.bytes(parts[1])
            let expected = String(decoding: Hexadecimal.bytes(parts[2]), as: UTF8.self)
            let actual = ReaderTranscript.text(body, parts[0] == "0" ? .text : .openMetrics)
            #expect(actual == expected, "\(String(decoding: body, as: UTF8.self))")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random bytes never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("ab_:{}\"\\\n #,=.19eHELPTYUNIOF\u{0}".utf8)
        for _ in 0..<3000 {
            let count = Int.random(in: 0...60, using: &generator)
            let body = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            _ = ReaderTranscript.text(body, .text)
            _ = ReaderTranscript.text(body, .openMetrics)
        }
    }
}

@Suite struct OpenMetricsParserTests {
    private func dump(_ body: String, _ names: NameValidation = .utf8) -> String {
        do throws(ParseError) {
            return FamilyDump.text(try OpenMetricsParser.parse(Array(body.utf8), names: names))
        } catch {
            return "E \(error)"
        }
    }

    @Test func `families keep units, exemplars and created times`() throws {
        let body = """
            # TYPE c_seconds counter
            # UNIT c_seconds seconds
            # HELP c_seconds Time \\"spent\\".
            c_seconds_total{a="b"} 17 # {trace_id="x"} 0.5 1.5
            c_seconds_created{a="b"} 1520430000.125
            # TYPE h histogram
            h_bucket{le="1"} 3 # {trace_id="y"} 0.25
            h_bucket{le="+Inf"} 5
            h_count 5
            h_sum 2.5
            h_created 1
            # EOF

            """
        let families = try OpenMetricsParser.parse(Array(body.utf8))
        let counter = try #require(families.first)
        #expect(counter.name == "c_seconds_total")
        #expect(counter.help == "Time \"spent\".")
        #expect(counter.unit == "seconds")
        let exemplar = Exemplar(labels: Labels(["trace_id": "x"]), value: 0.5, timestamp: 1500)
        #expect(
            counter.metrics == [
                Metric(
                    labels: [LabelPair("a", "b")],
                    value: .counter(CounterValue(17, exemplar: exemplar, created: 1_520_430_000_125_000_000)))
            ])
        guard case .histogram(let histogram) = families.last?.metrics.first?.value else {
            Issue.record("no histogram")
            return
        }
        #expect(histogram.count == 5)
        #expect(histogram.sum == 2.5)
        #expect(histogram.created == 1_000_000_000)
        #expect(histogram.buckets.first?.exemplar?.labels == Labels(["trace_id": "y"]))
        // And out again.
        var output: [UInt8] = []
        for family in families { OpenMetricsEncoder.append(family, withCreated: true, to: &output) }
        OpenMetricsEncoder.appendEnd(to: &output)
        #expect(try OpenMetricsParser.parse(output) == families)
    }

    @Test func `other types keep their names`() throws {
        let body = """
            # TYPE i info
            i_info{v="1"} 1
            # TYPE st stateset
            st{st="a"} 1
            # TYPE g gaugehistogram
            g_bucket{le="+Inf"} 2
            g_gcount 2
            g_gsum 3
            # TYPE u unknown
            u 4
            w 5
            # TYPE c counter
            c 6
            # EOF

            """
        let families = try OpenMetricsParser.parse(Array(body.utf8))
        #expect(families.map(\.name) == ["i_info", "st", "g", "u", "w", "c"])
        #expect(families.map(\.type) == [.info, .stateSet, .gaugeHistogram, .unknown, .unknown, .unknown])
    }

    @Test(arguments: [
        ("a 1\n", "data does not end with # EOF"), ("a 1\n# EOF\nb 2\n", "unexpected data after # EOF"),
        ("# TYPE a gauge\n# TYPE a gauge\n# EOF\n", "second TYPE line for metric name \"a\""),
        ("a 1\n# TYPE a gauge\n# EOF\n", "TYPE of metric name \"a\" reported after samples"),
        ("a{b=\"1\",b=\"2\"} 1\n# EOF\n", "duplicate label names for metric \"a\""),
        ("{\"a.b\"} 1\n# EOF\n", "invalid metric name \"a.b\""),
    ])
    func `what is wrong is said`(body: String, message: String) {
        #expect(dump(body, .legacy) == "E \(message)")
    }
}
