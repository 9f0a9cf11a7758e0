import MetricModel
import Scrape
import Testing

/// Keys of `global` and of jobs, from the file to what a target is asked for and what is stored of its answer.
@Suite struct ScrapeKeyTests {
    private static let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    private static let body =
        "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n"

    private static func text(from first: Int, _ escaping: String) -> String {
        """
        application/openmetrics-text;version=1.0.0;escaping=\(escaping);q=0.\(first),\
        application/openmetrics-text;version=0.0.1;q=0.\(first - 1),\
        text/plain;version=1.0.0;escaping=\(escaping);q=0.\(first - 2),text/plain;version=0.0.4;q=0.\(first - 3),\
        */*;q=0.\(first - 4)
        """
    }

    private func configuration(_ global: String, _ job: String, port: Int) throws -> String {
        """
        global: {\(global)}
        scrape_configs:
        - job_name: j
          scrape_interval: 10s
          static_configs: [{targets: ['127.0.0.1:\(port)']}]
        \(job.split(separator: "\n").map { "  \($0)\n" }.joined())
        """
    }

    /// Scrapes once.
    private func scrape(
        _ global: String, _ job: String, _ response: FakeServer.Response
    ) async throws -> (sink: RecordingSink, accept: String, problem: String) {
        let server = try FakeServer { _ in response }
        defer { server.stop() }
        let bench = ScrapeManagerTests.Bench()
        try await bench.apply(try configuration(global, job, port: server.port))
        await bench.clock.advance(.seconds(10))
        await bench.commits(1)
        let problem = await bench.target?.status.lastError ?? ""
        await bench.stop()
        return (bench.sink, server.requests.first?.header("Accept") ?? "", problem)
    }

    @Test(arguments: [
        ("", "", text(from: 6, "allow-utf-8")),
        ("metric_name_escaping_scheme: underscores", "", text(from: 6, "underscores")),
        ("metric_name_escaping_scheme: underscores", "metric_name_escaping_scheme: dots", text(from: 6, "dots")),
        ("metric_name_validation_scheme: legacy", "", text(from: 6, "underscores")),
        ("metric_name_validation_scheme: legacy", "metric_name_escaping_scheme: values", text(from: 6, "values")),
        ("", "metric_name_validation_scheme: legacy", text(from: 6, "underscores")),
        ("scrape_native_histograms: true", "", "\(protobuf);q=0.6," + text(from: 5, "allow-utf-8")),
        ("scrape_native_histograms: true", "scrape_native_histograms: false", text(from: 6, "allow-utf-8")),
        ("", "scrape_native_histograms: true", "\(protobuf);q=0.6," + text(from: 5, "allow-utf-8")),
        ("scrape_protocols: [PrometheusText0.0.4]", "", "text/plain;version=0.0.4;q=0.6,*/*;q=0.5"),
        (
            "scrape_protocols: [PrometheusText0.0.4]", "scrape_protocols: [PrometheusProto, PrometheusText1.0.0]",
            "\(protobuf);q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.4"
        ),
    ])
    func `a target is asked for these formats`(global: String, job: String, accept: String) async throws {
        let asked = try await scrape(global, job, .text("a 1\n")).accept
        #expect(asked == accept)
    }

    @Test(arguments: [
        ("", "", ["h_bucket", "h_bucket", "h_count", "h_sum"]),
        ("convert_classic_histograms_to_nhcb: true", "", ["h"]),
        (
            "convert_classic_histograms_to_nhcb: true", "convert_classic_histograms_to_nhcb: false",
            ["h_bucket", "h_bucket", "h_count", "h_sum"]
        ),
        ("", "convert_classic_histograms_to_nhcb: true", ["h"]),
        (
            "always_scrape_classic_histograms: true", "convert_classic_histograms_to_nhcb: true",
            ["h", "h_bucket", "h_bucket", "h_count", "h_sum"]
        ),
        (
            "always_scrape_classic_histograms: true",
            "convert_classic_histograms_to_nhcb: true\nalways_scrape_classic_histograms: false", ["h"]
        ),
    ])
    func `a classic histogram becomes these series`(global: String, job: String, names: [String]) async throws {
        let sink = try await scrape(global, job, .text(Self.body)).sink
        #expect(sink.scraped.compactMap { $0.metricName?.string }.sorted() == names)
        let labels = sink.scraped.first { $0.metricName == "h" }
        #expect(labels.flatMap { sink.series($0)?.histograms.count } == (names.contains("h") ? 1 : nil))
    }

    @Test(arguments: [
        ("", "", false), ("extra_scrape_metrics: true", "", true),
        ("extra_scrape_metrics: true", "extra_scrape_metrics: false", false), ("", "extra_scrape_metrics: true", true),
    ])
    func `extra metrics of scrapes are stored where they are wanted`(
        global: String, job: String, isWanted: Bool
    ) async throws {
        let sink = try await scrape(global, job, .text("a 1\n")).sink
        let names = Set(sink.state.withLock { $0.references.keys.compactMap { $0.metricName?.string } })
        for name in ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"] {
            #expect(names.contains(name) == isWanted, "\(name)")
        }
        #expect(names.contains("scrape_duration_seconds"))
    }

    @Test func `a body of no known type is read as the fallback says, or not at all`() async throws {
        let untyped = FakeServer.Response(headers: [], body: Array("a 1\n".utf8))
        let without = try await scrape("", "", untyped)
        #expect(without.sink.scraped.isEmpty)
        #expect(
            without.problem
                == "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified "
                + "for target")
        let with = try await scrape("", "fallback_scrape_protocol: PrometheusText0.0.4", untyped)
        #expect(with.sink.scraped.count == 1 && with.problem.isEmpty, "\(with.problem)")
        let other = FakeServer.Response(headers: [("Content-Type", "text/html")], body: Array("a 1\n".utf8))
        #expect(try await scrape("", "fallback_scrape_protocol: PrometheusText0.0.4", other).sink.scraped.count == 1)
        #expect(try await scrape("", "", other).sink.scraped.isEmpty)
    }

    @Test(arguments: [
        ("", "", true), ("metric_name_validation_scheme: legacy", "", false),
        ("metric_name_validation_scheme: legacy", "metric_name_validation_scheme: utf8", true),
        ("", "metric_name_validation_scheme: legacy", false),
    ])
    func `names beyond the old alphabet are valid, or fail the scrape`(
        global: String, job: String, isValid: Bool
    ) async throws {
        let result = try await scrape(global, job, .text("{\"a.b\"} 1\n"))
        #expect(result.sink.scraped.isEmpty != isValid)
        #expect(result.problem.isEmpty == isValid, "\(result.problem)")
    }

    @Test func `limits of native histograms come from the job`() throws {
        let text = try configuration(
            "", "native_histogram_bucket_limit: 7\nnative_histogram_min_bucket_factor: 1.1", port: 1)
        let job = try #require(try Configuration(Array(text.utf8)) { _ in nil }.scrapeConfigurations.first)
        let options = ScrapeAppender.Options(job, target: .empty, features: ScrapeFeatures())
        // The buckets of schema 3 grow by 1.09, those of schema 2 by 1.19.
        #expect(options.histogramLimits == HistogramLimits(buckets: 7, maximumSchema: 2))
    }
}
