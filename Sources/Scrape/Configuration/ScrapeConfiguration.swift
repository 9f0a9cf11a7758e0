package import MetricModel
package import YAML

/// One job: what to scrape, how, and what to do with what comes.
///
/// Every value is final: what the section leaves out comes from the global section or the defaults.
/// Source: prometheus/prometheus config/config.go (`ScrapeConfig`).
package struct ScrapeConfiguration: Sendable, Hashable {
    package var jobName: String
    package var honorsLabels = false
    package var honorsTimestamps = true
    package var tracksTimestampsStaleness = false
    package var parameters: [String: [String]] = [:]
    package var scrapeInterval = PrometheusDuration.zero
    package var scrapeTimeout = PrometheusDuration.zero
    package var scrapeProtocols: [ScrapeProtocol] = []
    package var fallbackProtocol: ScrapeProtocol?
    package var scrapesNativeHistograms = false
    package var alwaysScrapesClassicHistograms = false
    package var convertsClassicHistograms = false
    package var scrapeFailureLogFile = ""
    package var metricsPath = "/metrics"
    package var scheme = "http"
    package var usesCompression = true
    package var bodySizeLimit = ByteSize(bytes: 0)
    package var sampleLimit: UInt64 = 0
    package var targetLimit: UInt64 = 0
    package var labelLimit: UInt64 = 0
    package var labelNameLengthLimit: UInt64 = 0
    package var labelValueLengthLimit: UInt64 = 0
    package var nativeHistogramBucketLimit: UInt64 = 0
    package var nativeHistogramMinimumBucketFactor = 0.0
    package var keepDroppedTargets: UInt64 = 0
    package var nameValidation = NameValidation.utf8
    package var nameEscaping = NameEscaping.allowUTF8
    package var reportsExtraMetrics = false
    package var discovery: [DiscoveryConfiguration] = []
    package var client = HTTPClientConfiguration()
    package var relabelRules: [RelabelRule] = []
    package var metricRelabelRules: [RelabelRule] = []

    /// A job with the defaults, and neither interval nor targets.
    package init(jobName: String) {
        self.jobName = jobName
    }

    mutating func setDirectory(_ directory: String) {
        for index in discovery.indices { discovery[index].setDirectory(directory) }
        client.setDirectory(directory)
        scrapeFailureLogFile = FilePath.joined(directory, scrapeFailureLogFile)
    }

    /// The section with everything that does not change what is stored set alike, to tell whether a cache stays valid.
    var storageRelevant: ScrapeConfiguration {
        var copy = self
        copy.scrapeInterval = .zero
        copy.scrapeTimeout = .zero
        copy.sampleLimit = 0
        copy.client = HTTPClientConfiguration()
        copy.discovery = []
        return copy
    }

    /// The section as it is written to a file.
    package var yaml: YAMLValue {
        var fields = YAMLFields()
        fields.set("job_name", .text(jobName))
        fields.flag("honor_labels", honorsLabels)
        fields.always("honor_timestamps", honorsTimestamps)
        fields.always("track_timestamps_staleness", tracksTimestampsStaleness)
        if !parameters.isEmpty {
            let pairs = parameters.sorted { $0.key < $1.key }
            fields.set(
                "params",
                .mapping(pairs.map { (ByteString($0.key), YAMLValue.sequence($0.value.map { .text($0) })) }))
        }
        fields.duration("scrape_interval", scrapeInterval)
        fields.duration("scrape_timeout", scrapeTimeout)
        fields.texts("scrape_protocols", scrapeProtocols.map(\.rawValue))
        fields.text("fallback_scrape_protocol", fallbackProtocol?.rawValue ?? "")
        fields.always("scrape_native_histograms", scrapesNativeHistograms)
        fields.always("always_scrape_classic_histograms", alwaysScrapesClassicHistograms)
        fields.always("convert_classic_histograms_to_nhcb", convertsClassicHistograms)
        fields.text("scrape_failure_log_file", scrapeFailureLogFile)
        fields.text("metrics_path", metricsPath)
        fields.text("scheme", scheme)
        fields.always("enable_compression", usesCompression)
        appendLimits(to: &fields)
        fields.always("extra_scrape_metrics", reportsExtraMetrics)
        client.append(to: &fields)
        if !relabelRules.isEmpty { fields.set("relabel_configs", .sequence(relabelRules.map(\.yaml))) }
        if !metricRelabelRules.isEmpty {
            fields.set("metric_relabel_configs", .sequence(metricRelabelRules.map(\.yaml)))
        }
        appendDiscovery(to: &fields)
        return fields.mapping
    }

    private func appendLimits(to fields: inout YAMLFields) {
        fields.size("body_size_limit", bodySizeLimit)
        fields.number("sample_limit", sampleLimit)
        fields.number("target_limit", targetLimit)
        fields.number("label_limit", labelLimit)
        fields.number("label_name_length_limit", labelNameLengthLimit)
        fields.number("label_value_length_limit", labelValueLengthLimit)
        fields.number("native_histogram_bucket_limit", nativeHistogramBucketLimit)
        fields.float("native_histogram_min_bucket_factor", nativeHistogramMinimumBucketFactor)
        fields.number("keep_dropped_targets", keepDroppedTargets)
        fields.text("metric_name_validation_scheme", nameValidation.name)
        fields.text("metric_name_escaping_scheme", nameEscaping.rawValue)
    }

    private func appendDiscovery(to fields: inout YAMLFields) {
        var kinds: [ByteString: [YAMLValue]] = [:]
        for configuration in discovery {
            switch configuration {
            case .fixed(let groups): kinds["static_configs", default: []] += groups.map(\.yaml)
            case .file(let file): kinds["file_sd_configs", default: []].append(file.yaml)
            case .http(let http): kinds["http_sd_configs", default: []].append(http.yaml)
            case .dns(let dns): kinds["dns_sd_configs", default: []].append(dns.yaml)
            }
        }
        for (key, values) in kinds.sorted(by: { $0.key < $1.key }) { fields.set(key, .sequence(values)) }
    }
}
