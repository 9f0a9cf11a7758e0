import MetricModel
import Scrape
import Testing

@Suite struct ConfigurationTests {
    private func load(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try Configuration(Array(text.utf8)) { environment[$0] }
    }

    @Test func `an empty file has the defaults`() throws {
        let configuration = try load("")
        #expect(configuration == Configuration())
        #expect(configuration.global.scrapeInterval == .seconds(60))
        #expect(
            configuration.yaml == """
                global:
                  scrape_interval: 1m
                  scrape_timeout: 10s
                  evaluation_interval: 1m
                  metric_name_validation_scheme: utf8
                  metric_name_escaping_scheme: allow-utf-8
                  scrape_native_histograms: false
                  extra_scrape_metrics: false
                runtime:
                  gogc: 75
                storage:
                  tsdb:
                    outofordertimewindow: 0
                    retention: {}
                otlp:
                  translation_strategy: UnderscoreEscapingWithSuffixes
                  label_name_underscore_sanitization: true
                  label_name_preserve_multiple_underscores: true

                """)
    }

    @Test func `the tutorial's file is shown with every default filled in`() throws {
        let configuration = try load(
            """
            global:
              scrape_interval: 15s
            scrape_configs:
            - job_name: pushgateway
              honor_labels: true
              static_configs:
              - targets: ['localhost:9091']
                labels: {group: "12"}
            """)
        #expect(
            configuration.yaml == """
                global:
                  scrape_interval: 15s
                  scrape_timeout: 10s
                  evaluation_interval: 1m
                  metric_name_validation_scheme: utf8
                  scrape_native_histograms: false
                  extra_scrape_metrics: false
                runtime:
                  gogc: 75
                scrape_configs:
                - job_name: pushgateway
                  honor_labels: true
                  honor_timestamps: true
                  track_timestamps_staleness: false
                  scrape_interval: 15s
                  scrape_timeout: 10s
                  scrape_protocols:
                  - OpenMetricsText1.0.0
                  - OpenMetricsText0.0.1
                  - PrometheusText1.0.0
                  - PrometheusText0.0.4
                  scrape_native_histograms: false
                  always_scrape_classic_histograms: false
                  convert_classic_histograms_to_nhcb: false
                  metrics_path: /metrics
                  scheme: http
                  enable_compression: true
                  metric_name_validation_scheme: utf8
                  metric_name_escaping_scheme: allow-utf-8
                  extra_scrape_metrics: false
                  follow_redirects: true
                  enable_http2: true
                  static_configs:
                  - targets:
                    - localhost:9091
                    labels:
                      group: "12"
                storage:
                  tsdb:
                    outofordertimewindow: 0
                    retention: {}
                otlp:
                  translation_strategy: UnderscoreEscapingWithSuffixes
                  label_name_underscore_sanitization: true
                  label_name_preserve_multiple_underscores: true

                """)
    }

    /// Every key of a scrape section.
    static let complete = """
        global:
          scrape_interval: 30s
          scrape_timeout: 5s
          evaluation_interval: 20s
          rule_query_offset: 1s
          query_log_file: query.log
          scrape_failure_log_file: fail.log
          external_labels: {region: eu, host: "${HOST}-$$"}
          body_size_limit: 10MB
          sample_limit: 1000
          target_limit: 10
          label_limit: 30
          label_name_length_limit: 200
          label_value_length_limit: 300
          keep_dropped_targets: 7
          metric_name_validation_scheme: utf8
          metric_name_escaping_scheme: dots
          scrape_native_histograms: true
          convert_classic_histograms_to_nhcb: true
          always_scrape_classic_histograms: true
          extra_scrape_metrics: true
        runtime:
          gogc: 50
        scrape_config_files: [more/*.yml]
        scrape_configs:
        - job_name: "all"
          honor_labels: true
          honor_timestamps: false
          track_timestamps_staleness: true
          params: {"match[]": ['{a="b"}', x], single: [y]}
          scrape_interval: 10s
          scrape_timeout: 9s
          scrape_protocols: [PrometheusText0.0.4, PrometheusProto]
          fallback_scrape_protocol: PrometheusText0.0.4
          scrape_native_histograms: false
          always_scrape_classic_histograms: false
          convert_classic_histograms_to_nhcb: false
          extra_scrape_metrics: false
          scrape_failure_log_file: own.log
          metrics_path: /m
          scheme: https
          enable_compression: false
          body_size_limit: 1GiB512MiB
          sample_limit: 5
          target_limit: 6
          label_limit: 7
          label_name_length_limit: 8
          label_value_length_limit: 9
          native_histogram_bucket_limit: 100
          native_histogram_min_bucket_factor: 1.1
          keep_dropped_targets: 3
          metric_name_validation_scheme: legacy
          metric_name_escaping_scheme: underscores
          basic_auth: {username: u, password: hidden1}
          tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: s, insecure_skip_verify: true,
            min_version: TLS12, max_version: TLS13}
          follow_redirects: false
          enable_http2: false
          proxy_url: http://user:hidden2@proxy:3128
          no_proxy: localhost,10.0.0.0/8
          proxy_connect_header: {X-P: [hidden3]}
          http_headers:
            X-A: {values: [v], secrets: [hidden4], files: [f]}
          relabel_configs:
          - source_labels: [a, b]
            separator: "-"
            regex: (.+)-(.+)
            target_label: ${1}_x
            replacement: $2
          - {action: hashmod, source_labels: [__address__], modulus: 8, target_label: shard}
          metric_relabel_configs:
          - {action: DROP, source_labels: [__name__], regex: go_.*}
          static_configs: [{targets: [a:1, b:2], labels: {l: v}}]
          file_sd_configs: [{files: [t/*.json], refresh_interval: 1m}]
          http_sd_configs: [{url: http://sd/x, authorization: {credentials: hidden5}}]
          dns_sd_configs: [{names: [n], type: a, port: 80}]
        storage:
          tsdb: {out_of_order_time_window: 30m, retention: {time: 15d, size: 1GB, percentage: 80}}
          exemplars: {max_exemplars: 5}
        """

    @Test func `every key is read, relative paths count from the file, secrets are not shown`() throws {
        var configuration = try load(Self.complete, ["HOST": "h1"])
        configuration.setDirectory("/etc/narthex")
        #expect(configuration.global.externalLabels == ["host": "h1-$", "region": "eu"])
        #expect(configuration.global.queryLogFile == "/etc/narthex/query.log")
        #expect(configuration.scrapeConfigurationFiles == ["/etc/narthex/more/*.yml"])
        #expect(configuration.storage.outOfOrderTimeWindow == .seconds(1800))
        #expect(configuration.storage.maximumExemplars == 5)
        let job = try #require(configuration.scrapeConfigurations.first)
        #expect(job.scrapeProtocols == [.text004, .protobuf])
        #expect(job.limits.bodySize.bytes == 1_610_612_736)
        #expect(job.nameEscaping == .underscores)
        #expect(job.client.tls.authorityFile == "/etc/narthex/ca.pem")
        #expect(job.client.headers["X-A"]?.files == ["/etc/narthex/f"])
        #expect(job.client.proxy.url?.port == 3128)
        #expect(job.client.basicAuthentication?.password.revealed == "hidden1")
        #expect(job.metricRelabelRules.first?.action == .drop)
        #expect(job.discovery.count == 4)
        let shown = configuration.yaml
        #expect(!shown.contains("hidden"))
        #expect(!String(describing: configuration).contains("hidden1"))
        #expect(!String(reflecting: job.client.basicAuthentication).contains("hidden1"))
        #expect(shown.contains("proxy_url: http://user:xxxxx@proxy:3128"))
        #expect(shown.contains("source_labels: [a, b]"))
        #expect(configuration.warnings == ["runtime.gogc has no effect: narthex has no garbage collector"])
    }

    @Test func `what is shown reads back as the same configuration`() throws {
        let text = Self.complete.split(separator: "\n").filter { !$0.contains("hidden") && !$0.contains("no_proxy") }
            .joined(separator: "\n").replacing("http_headers:", with: "")
        let first = try load(text, ["HOST": "h"])
        let second = try load(first.yaml)
        #expect(second.yaml == first.yaml)
        #expect(second.scrapeConfigurations == first.scrapeConfigurations)
    }

    @Test func `the global section fills in what a job leaves out`() throws {
        let configuration = try load(Self.complete + "\n", ["HOST": "h"])
        let other = try load(
            Self.complete.replacing("job_name: \"all\"", with: "job_name: z\n- job_name: all"), ["HOST": "h"])
        let job = try #require(other.scrapeConfigurations.first)
        #expect(job.jobName == "z")
        #expect(job.scrapeInterval == .seconds(30))
        #expect(job.limits.samples == 1000)
        #expect(job.scrapesNativeHistograms)
        #expect(job.scrapeProtocols == ScrapeProtocol.protobufFirst)
        #expect(job.nameEscaping == .dots)
        #expect(configuration.scrapeConfigurations.count == 1)
    }

    @Test func `an empty variable in an external label is told`() throws {
        let configuration = try load("global: {external_labels: {a: 'x${NONE}y'}}")
        #expect(configuration.global.externalLabels == ["a": "xy"])
        #expect(configuration.warnings == ["Empty environment variable: NONE"])
    }

    @Test(
        arguments: [
            ("1h30m", 5_400_000, "1h30m"), ("90m", 5_400_000, "1h30m"), ("14d", 1_209_600_000, "2w"), ("0", 0, "0s"),
            ("15d", 1_296_000_000, "15d"), ("1y", 31_536_000_000, "1y"), ("1500ms", 1500, "1s500ms"),
        ])
    func `durations read and print as Prometheus'`(_ text: String, _ milliseconds: Int64, _ shown: String) throws {
        let duration = try PrometheusDuration(text)
        #expect(duration.milliseconds == milliseconds)
        #expect(duration.description == shown)
    }

    @Test(arguments: ["", "1", "m", "1m1h", "-1h", "1.5h", "1 h", "99999999999999999999s", "1000y", "1h1h"])
    func `other texts are no durations`(_ text: String) {
        #expect(throws: PrometheusDuration.Malformed.self) { try PrometheusDuration(text) }
    }

    @Test(
        arguments: [
            ("10MB", 10_485_760, "10MiB"), ("1.5KiB", 1536, "1KiB512B"), ("0", 0, "0B"),
            ("1GiB512MiB", 1_610_612_736, "1GiB512MiB"),
            ("5B", 5, "5B"),
        ])
    func `sizes count by 1024`(_ text: String, _ bytes: Int64, _ shown: String) throws {
        let size = try ByteSize(text)
        #expect(size.bytes == bytes)
        #expect(size.description == shown)
    }

    @Test func `a retention section replaces what flags say; a number loses its fraction`() throws {
        var defaults = GlobalConfiguration.Defaults()
        defaults.retention.time = .seconds(3600)
        let read = { (text: String) throws in try Configuration(Array(text.utf8), defaults: defaults) { _ in nil } }
        #expect(try read("").storage.retention.time == .seconds(3600))
        #expect(try read("storage: {tsdb: {retention: }}").storage.retention.time == .seconds(3600))
        let sized = try read("storage: {tsdb: {retention: {size: 1GB}}, exemplars: {}}").storage
        #expect(sized.retention.time == .zero && sized.retention.size.bytes == 1 << 30)
        #expect(sized.maximumExemplars == 0)
        #expect(try read("global: {sample_limit: 1.5}").global.limits.samples == 1)
    }

    @Test func `flags change the defaults, and the file goes before them`() throws {
        var defaults = GlobalConfiguration.Defaults()
        defaults.reportsExtraMetrics = true
        defaults.scrapeProtocols = ScrapeProtocol.protobufFirst
        let jobs = "scrape_configs: [{job_name: a}, {job_name: b, extra_scrape_metrics: false}]"
        for global in ["", "global: {}\n", "global:\n", "global: {scrape_interval: 5s}\n"] {
            let read = try Configuration(Array("\(global)\(jobs)".utf8), defaults: defaults) { _ in nil }
            #expect(read.scrapeConfigurations.map(\.reportsExtraMetrics) == [true, false])
            #expect(read.scrapeConfigurations.first?.scrapeProtocols == ScrapeProtocol.protobufFirst)
        }
        let off = "global: {extra_scrape_metrics: false, scrape_protocols: [PrometheusText0.0.4]}\n\(jobs)"
        let read = try Configuration(Array(off.utf8), defaults: defaults) { _ in nil }
        #expect(read.scrapeConfigurations.first?.reportsExtraMetrics == false)
        #expect(read.scrapeConfigurations.first?.scrapeProtocols == [.text004])
    }
}
