import Exposition
import MetricModel
import Testing

@Suite struct EncoderTests {
    @Test func `families are written as upstream writes them`() throws {
        let schemes = [NameEscaping.allowUTF8, .underscores, .dots, .values]
        for line in UpstreamEncodingFixtures.cases.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            try #require(parts.count == 4)
            let escaping = schemes[try #require(Int(parts[0]))]
            let families = try TextParser.parse(Hexadecimal.bytes(parts[2]), names: .utf8).sorted { $0.name < $1.name }
            var output: [UInt8] = []
            for family in families {
                if parts[1] == "0" {
                    TextEncoder.append(family, escaping: escaping, to: &output)
                } else {
                    OpenMetricsEncoder.append(family, escaping: escaping, to: &output)
                }
            }
            let expected = String(decoding: Hexadecimal.bytes(parts[3]), as: UTF8.self)
            #expect(String(decoding: output, as: UTF8.self) == expected)
        }
    }

    private var counter: MetricFamily {
        let exemplar = Exemplar(labels: Labels(["trace_id": "ab\"c"]), value: 0.5, timestamp: 1_500)
        return MetricFamily(
            name: "c_total", help: "Counts.", type: .counter, unit: "things",
            metrics: [
                Metric(
                    labels: [LabelPair("a", "b")],
                    value: .counter(CounterValue(17, exemplar: exemplar, created: 1_520_430_000_125_000_000)))
            ])
    }

    @Test func `OpenMetrics carries unit, exemplar and created time`() {
        var output: [UInt8] = []
        OpenMetricsEncoder.append(counter, withCreated: true, to: &output)
        OpenMetricsEncoder.appendEnd(to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == """
                # HELP c Counts.
                # TYPE c counter
                # UNIT c things
                c_total{a="b"} 17.0 # {trace_id="ab\\"c"} 0.5 1.5
                c_created{a="b"} 1.520430000125e+09
                # EOF

                """)
    }

    @Test func `protobuf's text forms`() {
        var output: [UInt8] = []
        ProtobufTextEncoder.append(counter, isCompact: true, to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == """
                name:"c_total" help:"Counts." type:COUNTER metric:{label:{name:"a" value:"b"} counter:{value:17 \
                exemplar:{label:{name:"trace_id" value:"ab\\"c"} value:0.5 timestamp:{seconds:1 nanos:500000000}} \
                created_timestamp:{seconds:1520430000 nanos:125000000}}} unit:"things"

                """)
        output = []
        let gauge = MetricFamily(
            name: "g", type: .gauge, metrics: [Metric(labels: [LabelPair("x", "é\n\u{1}")], value: .gauge(.infinity))])
        ProtobufTextEncoder.append(gauge, isCompact: false, to: &output)
        #expect(
            String(decoding: output, as: UTF8.self) == """
                name: "g"
                type: GAUGE
                metric: {
                  label: {
                    name: "x"
                    value: "é\\n\\x01"
                  }
                  gauge: {
                    value: inf
                  }
                }


                """)
    }

    @Test func `a metric of another kind than its family is left out`() {
        var output: [UInt8] = []
        #expect(!TextEncoder.appendMetric(Metric(labels: [], value: .gauge(1)), of: "x", type: .counter, to: &output))
        #expect(output.isEmpty)
    }

    @Test(arguments: [
        ("foo", "foo", "foo"), ("foo.bar", "U__foo_2e_bar", "foo_dot_bar"), ("a_b.c", "U__a__b_2e_c", "a__b_dot_c"),
        ("世", "U___4e16_", "__"), ("9x", "U___39_x", "__x"),
    ])
    func `names are escaped and read back`(name: String, values: String, dots: String) {
        let name = ByteString(name)
        #expect(NameEscaping.values.exposed(name).string == values)
        #expect(NameEscaping.values.unescape(ByteString(values)) == name)
        #expect(NameEscaping.dots.exposed(name).string == dots)
        #expect(NameEscaping.allowUTF8.exposed(name) == name)
    }

    @Test(arguments: ["U__foo_2", "U__foo_zz_", "U__foo_0000000_", "U__a_D800_", "U__x_", "foo_2e_"])
    func `what no escaping made stays as it is`(name: String) {
        #expect(NameEscaping.values.unescape(ByteString(name)).string == name)
    }
}
