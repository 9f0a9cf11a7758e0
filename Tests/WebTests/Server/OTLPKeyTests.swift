import MetricModel
import Scrape
import Testing

/// Each key of the section `otlp`, from the file to the stored series.
@Suite struct OTLPKeyTests {
    private static let request = """
        {"resourceMetrics":[{"resource":{"attributes":[
          {"key":"service.name","value":{"stringValue":"shop"}},
          {"key":"host.name","value":{"stringValue":"h"}},
          {"key":"_zone","value":{"stringValue":"z"}}]},
        "scopeMetrics":[{"scope":{"name":"lib","version":"1","attributes":[
          {"key":"a.b","value":{"stringValue":"c"}}]},"metrics":[
          {"name":"http.size","unit":"By","gauge":{"dataPoints":[{"timeUnixNano":"100000000000","asDouble":1.5,
            "attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"x__y","value":{"stringValue":"v"}}]}]}},
          {"name":"latency","unit":"s","histogram":{"aggregationTemporality":2,"dataPoints":[
            {"timeUnixNano":"100000000000","count":"3","sum":4.5,"bucketCounts":["1","2"],"explicitBounds":[0.5]}]}}
        ]}]}]}
        """

    private static let size = #"{__name__="http_size_bytes", http_method="GET", job="shop", x__y="v"}"#
    private static let target = #"{__name__="target_info", _zone="z", host_name="h", job="shop"}"#

    @Test(arguments: [
        ("", [size, #"{__name__="latency_seconds_sum", job="shop"}"#]),
        (
            "promote_resource_attributes: [host.name]",
            [#"{__name__="http_size_bytes", host_name="h", http_method="GET", job="shop", x__y="v"}"#]
        ),
        (
            "promote_all_resource_attributes: true",
            [
                #"{__name__="http_size_bytes", host_name="h", http_method="GET", job="shop", key_zone="z", "#
                    + #"service_name="shop", x__y="v"}"#
            ]
        ),
        (
            "{promote_all_resource_attributes: true, ignore_resource_attributes: [host.name, service.name]}",
            [#"{__name__="http_size_bytes", http_method="GET", job="shop", key_zone="z", x__y="v"}"#]
        ),
        ("translation_strategy: UnderscoreEscapingWithSuffixes", [size]),
        (
            "translation_strategy: UnderscoreEscapingWithoutSuffixes",
            [
                #"{__name__="http_size", http_method="GET", job="shop", x__y="v"}"#,
                #"{__name__="latency_count", job="shop"}"#,
            ]
        ),
        (
            "translation_strategy: NoUTF8EscapingWithSuffixes",
            [#"{__name__="http.size_bytes", "http.method"="GET", job="shop", x__y="v"}"#]
        ),
        (
            "translation_strategy: NoTranslation",
            [
                #"{__name__="http.size", "http.method"="GET", job="shop", x__y="v"}"#,
                #"{__name__="target_info", _zone="z", "host.name"="h", job="shop"}"#,
            ]
        ),
        (
            "keep_identifying_resource_attributes: true",
            [#"{__name__="target_info", host_name="h", job="shop", key_zone="z", service_name="shop"}"#]
        ),
        ("convert_histograms_to_nhcb: true", [#"{__name__="latency_seconds", job="shop"}"#]),
        (
            "promote_scope_metadata: true",
            [
                #"{__name__="http_size_bytes", http_method="GET", job="shop", otel_scope_a_b="c", "#
                    + #"otel_scope_name="lib", otel_scope_version="1", x__y="v"}"#
            ]
        ),
        (
            "label_name_underscore_sanitization: true",
            [#"{__name__="target_info", host_name="h", job="shop", key_zone="z"}"#]
        ),
        ("label_name_underscore_sanitization: false", [target]),
        (
            "label_name_preserve_multiple_underscores: false",
            [#"{__name__="http_size_bytes", http_method="GET", job="shop", x_y="v"}"#]
        ),
        ("label_name_preserve_multiple_underscores: true", [size]),
    ])
    func `a key makes these series`(key: String, expected: [String]) throws {
        let section = key.isEmpty ? "" : key.hasPrefix("{") ? "otlp: \(key)" : "otlp: {\(key)}"
        let configuration = try Configuration(Array(section.utf8)) { _ in nil }
        let receiver = try Receiver { _, otlp in otlp = configuration.otlp }
        let answer = receiver.post(Array(Self.request.utf8), type: "application/json")
        #expect(answer.status == 200, "\(answer.text)")
        let series = try receiver.samples()
        for one in expected { #expect(series[one] != nil, "\(one) is not among \(series.keys.sorted())") }
        let isConverted = key.hasPrefix("convert")
        #expect(series.values.contains { $0.hasPrefix("100000={count:3") } == isConverted)
    }

    @Test func `what is odd is counted by category`() throws {
        let receiver = try Receiver()
        let body = """
            {"resourceMetrics":[{"scopeMetrics":[{"metrics":[
              {"name":"empty","gauge":{"dataPoints":[]}},
              {"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[
                {"timeUnixNano":"100000000000","count":"0","sum":4.5}]}},
              {"name":"g","gauge":{"dataPoints":[
                {"timeUnixNano":"100000000000","asDouble":1,"attributes":[
                  {"key":"a.b","value":{"stringValue":"1"}},{"key":"a_b","value":{"stringValue":"2"}}]},
                {"timeUnixNano":"101000000000","asDouble":1,"attributes":[
                  {"key":"a.b","value":{"stringValue":"1"}},{"key":"a_b","value":{"stringValue":"2"}}]}]}}]}]}]}
            """
        #expect(receiver.post(Array(body.utf8), type: "application/json").status == 200)
        #expect(try receiver.samples()[#"{__name__="g", a_b="1;2"}"#] == "100000=1.0 101000=1.0")
        let name: ByteString = "prometheus_api_otlp_translation_warnings_total"
        let family = try #require(receiver.counters.families.first { $0.name == name })
        let counted = family.metrics.map { "\($0.labels.first?.value ?? "") \($0.value)" }
        #expect(counted.count == 3)
        #expect(
            counted.map { $0.prefix { $0 != " " } } == [
                "empty_data_points", "histogram_zero_count_non_zero_sum", "label_name_collision",
            ])
    }
}
