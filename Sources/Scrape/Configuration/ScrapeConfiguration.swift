package import MetricModel
package import YAML

/// One job: what to scrape, how, and what to do with what comes.
///
/// Every value is final: what the section leaves out comes from the global section or the defaults.
/// Source: prometheus/prometheus config/config.go (`ScrapeConfig`).
package struct ScrapeConfiguration: Sendable, Hashable {
    /// `job_name`.
    package var jobName: String
    /// `honor_labels`: whether labels that the target gives win over those of the configuration.
    package var honorsLabels = false
    /// `honor_timestamps`: whether times that the target gives are kept.
    package var honorsTimestamps = true
    /// `track_timestamps_staleness`: whether series with times of their own are marked when they end.
    package var tracksTimestampsStaleness = false
    /// `params`: of the URL.
    package var parameters: [String: [String]] = [:]
    /// `scrape_interval`.
    package var scrapeInterval = PrometheusDuration.zero
    /// `scrape_timeout`; never above the interval.
    package var scrapeTimeout = PrometheusDuration.zero
    /// `scrape_protocols`, the most wanted first.
    package var scrapeProtocols: [ScrapeProtocol] = []
    /// `fallback_scrape_protocol`: how a body of an unknown type is read; nil to refuse it.
    package var fallbackProtocol: ScrapeProtocol?
    /// `scrape_native_histograms`.
    package var scrapesNativeHistograms = false
    /// `always_scrape_classic_histograms`: also beside native ones.
    package var alwaysScrapesClassicHistograms = false
    /// `convert_classic_histograms_to_nhcb`: into native ones with custom buckets.
    package var convertsClassicHistograms = false
    /// `scrape_failure_log_file`; empty for none.
    package var scrapeFailureLogFile = ""
    /// `metrics_path`.
    package var metricsPath = "/metrics"
    /// `scheme`: `http` or `https`.
    package var scheme = "http"
    /// `enable_compression`: whether gzip is asked for.
    package var usesCompression = true
    /// How much targets may be, and send.
    package var limits = ScrapeLimits()
    /// `native_histogram_bucket_limit`: of a sample; 0 for no limit.
    package var nativeHistogramBucketLimit: UInt64 = 0
    /// `native_histogram_min_bucket_factor`: finer histograms are made coarser; 0 for none.
    package var nativeHistogramMinimumBucketFactor = 0.0
    /// `keep_dropped_targets`: dropped targets that are remembered to show them; 0 for all.
    package var keepDroppedTargets: UInt64 = 0
    /// `metric_name_validation_scheme`.
    package var nameValidation = NameValidation.utf8
    /// `metric_name_escaping_scheme`: told to the target.
    package var nameEscaping = NameEscaping.allowUTF8
    /// `extra_scrape_metrics`: whether `scrape_timeout_seconds` and the like are stored.
    package var reportsExtraMetrics = false
    /// Where targets come from.
    package var discovery: [DiscoveryConfiguration] = []
    /// How they are reached.
    package var client = HTTPClientConfiguration()
    /// `relabel_configs`: of targets.
    package var relabelRules: [RelabelRule] = []
    /// `metric_relabel_configs`: of series.
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
        copy.limits.samples = 0
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
        limits.append(to: &fields)
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
