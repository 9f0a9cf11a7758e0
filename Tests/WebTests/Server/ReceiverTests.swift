import MetricModel
import Testing
import Web

@Suite struct ReceiverTests {
    private static let request = """
        {"resourceMetrics":[{"resource":{"attributes":[
          {"key":"service.name","value":{"stringValue":"shop"}},
          {"key":"service.instance.id","value":{"stringValue":"i1"}},
          {"key":"host.name","value":{"stringValue":"h"}}]},
        "scopeMetrics":[{"scope":{"name":"lib","version":"1"},"metrics":[
          {"name":"http.requests","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
            {"timeUnixNano":"100000000000","asInt":"5","attributes":[{"key":"http.method","value":{"stringValue":"GET"}}]}]}},
          {"name":"memory","unit":"By","gauge":{"dataPoints":[{"timeUnixNano":"100000000000","asDouble":1.5}]}},
          {"name":"latency","unit":"s","histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","dataPoints":[
            {"timeUnixNano":"100000000000","count":"3","sum":4.5,"bucketCounts":["1","2"],"explicitBounds":[0.5]}]}}
        ]}]}]}
        """

    @Test func `metrics in JSON become series with Prometheus' names`() throws {
        let receiver = try Receiver()
        let answer = receiver.post(Array(Self.request.utf8), type: "application/json")
        #expect(answer.status == 200)
        let series = try receiver.samples()
        let origin = #"instance="i1", job="shop""#
        #expect(
            series == [
                #"{__name__="http_requests_total", http_method="GET", \#(origin)}"#: "100000=5.0",
                #"{__name__="memory_bytes", \#(origin)}"#: "100000=1.5",
                #"{__name__="latency_seconds_sum", \#(origin)}"#: "100000=4.5",
                #"{__name__="latency_seconds_count", \#(origin)}"#: "100000=3.0",
                #"{__name__="latency_seconds_bucket", instance="i1", job="shop", le="0.5"}"#: "100000=1.0",
                #"{__name__="latency_seconds_bucket", instance="i1", job="shop", le="+Inf"}"#: "100000=3.0",
                #"{__name__="target_info", host_name="h", \#(origin)}"#: "100000=1.0",
            ])
    }

    /// A request with points of one metric that tell differences.
    private func deltas(_ kind: String, _ points: String) -> [UInt8] {
        let data = #""\#(kind)":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[\#(points)]}"#
        return Array(#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"d",\#(data)}]}]}]}"#.utf8)
    }

    private func point(_ start: Int, _ time: Int, _ rest: String) -> String {
        #"{"startTimeUnixNano":"\#(start)000000000","timeUnixNano":"\#(time)000000000",\#(rest)}"#
    }

    @Test func `differences are added up, where that is asked for`() throws {
        let receiver = try Receiver { settings, _ in settings.convertsOTLPDeltas = true }
        func post(_ kind: String, _ points: String...) {
            let answer = receiver.post(deltas(kind, points.joined(separator: ",")), type: "application/json")
            #expect(answer.status == 200, "\(answer.text)")
        }
        post("sum", point(10, 20, #""asInt":"5""#), point(20, 30, #""asInt":"7""#))
        // One that comes late, and one of an older start, are left out; another stream has its own sum.
        post("sum", point(20, 25, #""asInt":"100""#), point(5, 40, #""asInt":"100""#))
        post("sum", point(30, 40, #""asInt":"1""#))
        let attribute = #""attributes":[{"key":"x","value":{"stringValue":"y"}}]"#
        post("sum", point(30, 40, #""asInt":"3",\#(attribute)"#))
        post("histogram", point(10, 20, #""count":"3","sum":4,"bucketCounts":["1","2"],"explicitBounds":[1]"#))
        post("histogram", point(20, 30, #""count":"2","sum":1,"bucketCounts":["2","0"],"explicitBounds":[1]"#))
        let samples = try receiver.samples()
        #expect(samples[#"{__name__="d_total"}"#] == "20000=5.0 30000=12.0 40000=13.0")
        #expect(samples[#"{__name__="d_total", x="y"}"#] == "40000=3.0")
        #expect(samples[#"{__name__="d_bucket", le="1"}"#] == "20000=1.0 30000=3.0")
        #expect(samples[#"{__name__="d_count"}"#] == "20000=3.0 30000=5.0")
        #expect(samples[#"{__name__="d_sum"}"#] == "20000=4.0 30000=5.0")
    }

    @Test func `exponential histograms of other resolutions are added up in the coarser one`() throws {
        let receiver = try Receiver { settings, _ in settings.convertsOTLPDeltas = true }
        func post(_ points: String) {
            let answer = receiver.post(deltas("exponentialHistogram", points), type: "application/json")
            #expect(answer.status == 200, "\(answer.text)")
        }
        let fine = #""count":"4","sum":9,"scale":1,"positive":{"offset":0,"bucketCounts":["1","1","1","1"]}"#
        let coarse = #""count":"3","sum":3,"scale":0,"zeroCount":"1","positive":{"offset":-1,"bucketCounts":["1","1"]}"#
        post(point(10, 20, fine))
        post(point(20, 30, coarse))
        let text = try #require(try receiver.samples()[#"{__name__="d"}"#])
        #expect(text.contains("30000={count:7, sum:12"), "\(text)")
        #expect(text.contains("(0.5,1]:1") && text.contains("(1,2]:3") && text.contains("(2,4]:2"), "\(text)")
    }

    @Test func `series of OTLP tell their type and unit, where that is asked for`() throws {
        let receiver = try Receiver { settings, _ in settings.addsTypeAndUnitLabels = true }
        #expect(receiver.post(Array(Self.request.utf8), type: "application/json").status == 200)
        let names = try receiver.samples().keys
        #expect(names.contains { $0.contains(#"__name__="memory_bytes", __type__="gauge", __unit__="bytes""#) })
        #expect(names.contains { $0.contains(#"__name__="http_requests_total", __type__="counter", http_method"#) })
        #expect(names.contains { $0.contains(#"__name__="target_info", host_name"#) })
    }

    @Test func `names stay as they are where nothing is translated, and attributes are promoted`() throws {
        let receiver = try Receiver { _, otlp in
            otlp.strategy = .none
            otlp.promotedAttributes = ["host.name"]
            otlp.promotesScopes = true
        }
        #expect(receiver.post(Array(Self.request.utf8), type: "application/json").status == 200)
        let names = try receiver.samples().keys.sorted()
        #expect(
            names.contains {
                $0.contains(#"="http.requests""#) && $0.contains(#""host.name"="h""#)
                    && $0.contains(#"otel_scope_name="lib""#) && $0.contains(#""http.method"="GET""#)
            })
    }

    @Test func `an exponential histogram in protobuf becomes a native one`() throws {
        // resource_metrics { scope_metrics { metrics { name: "h" exponential_histogram { … cumulative } } } }
        let buckets = field(8, sint(1, 2) + field(2, [1, 0, 0, 0, 2]))
        let point =
            fixed(3, 100_000_000_000) + fixed(4, 4) + fixed(5, (6.5).bitPattern) + sint(6, 1) + fixed(7, 1) + buckets
        let metric = field(1, Array("h".utf8)) + field(10, field(1, point) + [0x10, 2])
        let body = field(1, field(2, field(2, metric)))
        let receiver = try Receiver()
        let answer = receiver.post(body, type: "application/x-protobuf")
        #expect(answer.status == 200, "\(answer.text)")
        let text = try #require(try receiver.samples()[#"{__name__="h"}"#])
        #expect(text.hasPrefix("100000={count:4"), "\(text)")
    }

    @Test(arguments: [
        (
            "text/plain", "", 400,
            "unsupported content type: text/plain, supported: [application/json, application/x-protobuf]\n"
        ),
        ("application/json", "{", 400, "invalid JSON at byte 1: expected a name\n"),
        (
            "application/json",
            #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"d","sum":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"100000000000","asInt":"5"}]}}]}]}]}"#,
            500, "invalid temporality and type combination for metric \"d\"\n"
        ),
        (
            "application/json",
            #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"9000000000000000","asInt":"5"}]}}]}]}]}"#,
            400, "out of bounds\n"
        ),
    ])
    func `what cannot be taken is refused, and nothing of it kept`(
        type: String, body: String, status: Int, text: String
    ) throws {
        let receiver = try Receiver()
        let answer = receiver.post(Array(body.utf8), type: type)
        #expect(answer.status == status)
        #expect(answer.text == text)
        #expect(try receiver.samples().isEmpty)
    }

    @Test func `deeply nested and cut messages are refused, not followed`() throws {
        let receiver = try Receiver()
        let nested = Array(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(receiver.post(nested, type: "application/json").status == 400)
        var value: [UInt8] = []
        for _ in 0..<200 { value = field(5, field(1, value)) }
        let attribute = field(1, field(1, field(1, Array("k".utf8)) + field(2, value)))
        #expect(receiver.post(field(1, attribute), type: "application/x-protobuf").status == 400)
        let sound = field(1, field(2, field(2, field(1, Array("h".utf8)))))
        for length in 1..<sound.count {
            #expect(receiver.post(Array(sound[..<length]), type: "application/x-protobuf").status == 400)
        }
    }

    @Test func `own metrics are given as protobuf's JSON`() throws {
        let receiver = try Receiver()
        #expect(
            receiver.get("status/self_metrics").text == """
                {"status":"success","data":[{"name":"a_total","help":"Help.","type":"COUNTER",\
                "metric":[{"counter":{"value":3}}]},{"name":"b","help":"","type":"GAUGE",\
                "metric":[{"gauge":{"value":"Infinity"}}]}]}
                """)
        #expect(receiver.get("status/self_metrics", "metric_name_pattern=b").text.contains("a_total") == false)
        #expect(receiver.get("status/self_metrics", "metric_name_pattern=(").status == 400)
    }

    @Test func `a search finds names in lines, the best first where that is asked for`() throws {
        let receiver = try Receiver()
        let appender = receiver.database.appender()
        for name in ["http_requests_total", "requests", "up"] {
            _ = try appender.append(.none, labels: Labels(["__name__": name]), timestamp: 100_000, value: 1)
        }
        _ = try appender.commit(.relaxed)
        let range = "start=0&end=200"
        #expect(
            receiver.get("search/metric_names", "\(range)&search[]=req&sort_by=score").text == """
                {"results":[{"name":"requests"},{"name":"http_requests_total"}]}
                {"status":"success","has_more":false}

                """)
        #expect(
            receiver.get("search/label_values", "\(range)&label=__name__&limit=1").text == """
                {"results":[{"value":"http_requests_total"}]}
                {"status":"success","has_more":true}

                """)
        #expect(receiver.get("search/label_names", range).text.hasPrefix(#"{"results":[{"name":"__name__"}]}"#))
        #expect(receiver.get("search/label_values", range).status == 400)
        let off = try Receiver { settings, _ in settings.enablesSearch = false }
        #expect(off.get("search/metric_names", range).text.contains("search API disabled"))
    }

    // MARK: Messages

    private func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }

    private func fixed(_ number: UInt64, _ value: UInt64) -> [UInt8] {
        varint(number << 3 | 1) + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private func sint(_ number: UInt64, _ value: Int64) -> [UInt8] {
        varint(number << 3) + varint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }
}
