package import MetricModel
internal import YAML

/// What holds for all scrapes that do not say otherwise.
///
/// Source: prometheus/prometheus config/config.go (`GlobalConfig`).
package struct GlobalConfiguration: Sendable, Hashable {
    /// `scrape_interval`.
    package var scrapeInterval = PrometheusDuration.seconds(60)
    /// `scrape_timeout`; never above the interval.
    package var scrapeTimeout = PrometheusDuration.seconds(10)
    /// `evaluation_interval`: of rules.
    package var evaluationInterval = PrometheusDuration.seconds(60)
    /// `rule_query_offset`: how far in the past rules are evaluated.
    package var ruleQueryOffset = PrometheusDuration.zero
    /// `query_log_file`; empty for none.
    package var queryLogFile = ""
    /// `scrape_failure_log_file`, for jobs that name none; empty for none.
    package var scrapeFailureLogFile = ""
    /// `external_labels`: added to all that leaves this server.
    package var externalLabels = Labels.empty
    /// Limits of jobs that set none.
    package var limits = ScrapeLimits()
    /// `keep_dropped_targets`: dropped targets a job remembers to show them; 0 for all.
    package var keepDroppedTargets: UInt64 = 0
    /// nil: what each scrape section's native histograms suggest.
    package var scrapeProtocols: [ScrapeProtocol]?
    /// `scrape_native_histograms`.
    package var scrapesNativeHistograms = false
    /// `convert_classic_histograms_to_nhcb`.
    package var convertsClassicHistograms = false
    /// `always_scrape_classic_histograms`: also beside native ones.
    package var alwaysScrapesClassicHistograms = false
    /// `extra_scrape_metrics`: whether `scrape_timeout_seconds` and the like are stored.
    package var reportsExtraMetrics = false
    /// `metric_name_validation_scheme`.
    package var nameValidation = NameValidation.utf8
    /// nil: what the validation suggests. Text, since what it may be is checked with each scrape section.
    package var nameEscaping: String? = NameEscaping.allowUTF8.rawValue

    /// What flags make of the defaults.
    ///
    /// Source: prometheus/prometheus cmd/prometheus/main.go (`setFeatureListOptions`).
    package struct Defaults: Sendable, Hashable {
        /// `--enable-feature=extra-scrape-metrics`.
        package var reportsExtraMetrics = false
        /// Those of `created-timestamp-zero-ingestion` and the like; nil for what each scrape section suggests.
        package var scrapeProtocols: [ScrapeProtocol]?
        /// How long samples are kept where the file has no section that says it.
        package var retention = StorageConfiguration.Retention()

        /// Those without any flag.
        package init() {}
    }

    /// The defaults.
    package init(_ defaults: Defaults = Defaults()) {
        reportsExtraMetrics = defaults.reportsExtraMetrics
        scrapeProtocols = defaults.scrapeProtocols
    }

    init(_ node: YAMLNode, _ decoder: YAMLDecoder, _ defaults: Defaults) throws(YAMLError) {
        var read = Section(defaults)
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            try read.read(key, value, decoder)
        }
        self = fits && !read.isUntouched ? try read.validated(line: node.line) : GlobalConfiguration(defaults)
    }

    /// The section as written, before defaults.
    private struct Section {
        var configuration: GlobalConfiguration
        var protocols: (names: [String], line: Int)?
        var labels: [(name: ByteString, value: ByteString)] = []
        var labelsLine = 0
        var isUntouched = true

        init(_ defaults: Defaults) {
            configuration = GlobalConfiguration(defaults)
            configuration.scrapeInterval = .zero
            configuration.scrapeTimeout = .zero
            configuration.evaluationInterval = .zero
            configuration.nameEscaping = nil
        }

        mutating func read(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
            if !value.isNull { isUntouched = false }
            switch key {
            case "scrape_interval": configuration.scrapeInterval = try decoder.duration(value)
            case "scrape_timeout": configuration.scrapeTimeout = try decoder.duration(value)
            case "scrape_protocols":
                protocols =
                    value.isNull
                    ? nil
                    : (
                        try decoder.strings(value, type: "[]config.ScrapeProtocol", itemType: "config.ScrapeProtocol"),
                        value.line
                    )
            case "evaluation_interval": configuration.evaluationInterval = try decoder.duration(value)
            case "rule_query_offset": configuration.ruleQueryOffset = try decoder.duration(value)
            case "query_log_file": configuration.queryLogFile = try decoder.string(value)
            case "scrape_failure_log_file": configuration.scrapeFailureLogFile = try decoder.string(value)
            case "external_labels":
                labels = try decoder.labels(value)
                labelsLine = value.line
            case "scrape_native_histograms": configuration.scrapesNativeHistograms = decoder.boolean(value)
            case "convert_classic_histograms_to_nhcb": configuration.convertsClassicHistograms = decoder.boolean(value)
            case "always_scrape_classic_histograms":
                configuration.alwaysScrapesClassicHistograms = decoder.boolean(value)
            case "extra_scrape_metrics":
                if !value.isNull { configuration.reportsExtraMetrics = decoder.boolean(value) }
            case "metric_name_validation_scheme": configuration.nameValidation = try decoder.validation(value) ?? .utf8
            case "metric_name_escaping_scheme":
                let text = try decoder.string(value)
                configuration.nameEscaping = text.isEmpty ? nil : text
            case "keep_dropped_targets": configuration.keepDroppedTargets = decoder.unsigned(value)
            default: return try configuration.limits.read(key, value, decoder)
            }
            return true
        }

        func validated(line: Int) throws(YAMLError) -> GlobalConfiguration {
            var result = configuration
            let defaults = GlobalConfiguration()
            for label in labels {
                guard result.nameValidation.isLabelName(label.name) else {
                    throw .invalid("\(Quoting.quote(label.name)) is not a valid label name", line: labelsLine)
                }
                guard label.value.isValidUTF8 else {
                    throw .invalid("\(Quoting.quote(label.value)) is not a valid label value", line: labelsLine)
                }
            }
            result.externalLabels = Labels(labels)
            if result.scrapeInterval == .zero { result.scrapeInterval = defaults.scrapeInterval }
            if result.scrapeTimeout > result.scrapeInterval {
                throw .invalid("global scrape timeout greater than scrape interval", line: line)
            }
            if result.scrapeTimeout == .zero {
                result.scrapeTimeout = min(defaults.scrapeTimeout, result.scrapeInterval)
            }
            if result.evaluationInterval == .zero { result.evaluationInterval = defaults.evaluationInterval }
            if let protocols {
                result.scrapeProtocols = try ScrapeProtocol.validated(
                    protocols.names, line: protocols.line, suffix: " for global config")
            }
            return result
        }
    }

    mutating func setDirectory(_ directory: String) {
        queryLogFile = FilePath.joined(directory, queryLogFile)
        scrapeFailureLogFile = FilePath.joined(directory, scrapeFailureLogFile)
    }

    var fields: YAMLFields {
        var fields = YAMLFields()
        fields.duration("scrape_interval", scrapeInterval)
        fields.duration("scrape_timeout", scrapeTimeout)
        fields.texts("scrape_protocols", (scrapeProtocols ?? []).map(\.rawValue))
        fields.duration("evaluation_interval", evaluationInterval)
        fields.duration("rule_query_offset", ruleQueryOffset)
        fields.text("query_log_file", queryLogFile)
        fields.text("scrape_failure_log_file", scrapeFailureLogFile)
        fields.labels("external_labels", externalLabels)
        limits.append(to: &fields)
        fields.number("keep_dropped_targets", keepDroppedTargets)
        fields.text("metric_name_validation_scheme", nameValidation.name)
        fields.text("metric_name_escaping_scheme", nameEscaping ?? "")
        fields.always("scrape_native_histograms", scrapesNativeHistograms)
        fields.flag("convert_classic_histograms_to_nhcb", convertsClassicHistograms)
        fields.flag("always_scrape_classic_histograms", alwaysScrapesClassicHistograms)
        fields.always("extra_scrape_metrics", reportsExtraMetrics)
        return fields
    }
}
