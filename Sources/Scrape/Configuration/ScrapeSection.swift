internal import MetricModel
internal import YAML

/// A scrape section as the file gives it, before the global section fills in what it leaves out.
struct ScrapeSection {
    private(set) var line: Int
    private var base = ScrapeConfiguration(jobName: "")
    private var protocols: (names: [String], line: Int)?
    private var fallback: (name: String, line: Int)?
    private var nativeHistograms: Bool?
    private var alwaysClassic: Bool?
    private var converts: Bool?
    private var extraMetrics: Bool?
    private var validation: NameValidation?
    private var escaping = ""
    private var groups: [TargetGroup] = []
    private var relabelling: [RelabelSection] = []
    private var metricRelabelling: [RelabelSection] = []

    /// - Throws: `YAMLError.invalid` for a broken rule, in Prometheus' words.
    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = ScrapeSection(line: node.line)
        let fits = try decoder.fields(of: node, type: "config.ScrapeConfig") { key, value throws(YAMLError) in
            if try read.readOwn(key, value, decoder) { return true }
            if try read.base.limits.read(key, value, decoder) { return true }
            if try read.readDiscovery(key, value, decoder) { return true }
            return try read.base.client.read(key, value, decoder)
        }
        // In the order of their keys, whatever the file's, as Prometheus shows them.
        read.base.discovery.sort { $0.rank < $1.rank }
        if !read.groups.isEmpty { read.base.discovery.append(.fixed(read.groups)) }
        if fits { try read.check() }
        self = read
    }

    private init(line: Int) { self.line = line }

    var jobName: String { base.jobName }

    private mutating func readOwn(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
        switch key {
        case "job_name": base.jobName = try decoder.string(value)
        case "honor_labels": base.honorsLabels = decoder.boolean(value)
        case "honor_timestamps": base.honorsTimestamps = decoder.boolean(value)
        case "track_timestamps_staleness": base.tracksTimestampsStaleness = decoder.boolean(value)
        case "params":
            base.parameters = [:]
            for entry in try decoder.entries(value, type: "url.Values") {
                base.parameters[entry.key.string] = try decoder.strings(entry.value)
            }
        case "scrape_interval": base.scrapeInterval = try decoder.duration(value)
        case "scrape_timeout": base.scrapeTimeout = try decoder.duration(value)
        case "scrape_protocols":
            protocols =
                value.isNull
                ? nil
                : (
                    try decoder.strings(value, type: "[]config.ScrapeProtocol", itemType: "config.ScrapeProtocol"),
                    value.line
                )
        case "fallback_scrape_protocol":
            fallback = value.isNull ? nil : (try decoder.string(value, into: "config.ScrapeProtocol"), value.line)
        case "scrape_native_histograms": nativeHistograms = value.isNull ? nil : decoder.boolean(value)
        case "always_scrape_classic_histograms": alwaysClassic = value.isNull ? nil : decoder.boolean(value)
        case "convert_classic_histograms_to_nhcb": converts = value.isNull ? nil : decoder.boolean(value)
        case "native_histogram_bucket_limit": base.nativeHistogramBucketLimit = decoder.unsigned(value)
        case "native_histogram_min_bucket_factor": base.nativeHistogramMinimumBucketFactor = decoder.float(value)
        case "keep_dropped_targets": base.keepDroppedTargets = decoder.unsigned(value)
        case "extra_scrape_metrics": extraMetrics = value.isNull ? nil : decoder.boolean(value)
        case "scrape_failure_log_file": base.scrapeFailureLogFile = try decoder.string(value)
        case "metrics_path": base.metricsPath = try decoder.string(value)
        case "scheme": base.scheme = try decoder.string(value)
        case "enable_compression": base.usesCompression = decoder.boolean(value)
        case "metric_name_validation_scheme": validation = try decoder.validation(value)
        case "metric_name_escaping_scheme": escaping = try decoder.string(value)
        case "relabel_configs":
            relabelling = try Self.rules(value, decoder, "target")
        case "metric_relabel_configs":
            metricRelabelling = try Self.rules(value, decoder, "metric")
        default: return false
        }
        return true
    }

    private mutating func readDiscovery(
        _ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> Bool {
        switch key {
        case "static_configs":
            for item in try Self.sections(value, decoder, key) {
                groups.append(try TargetGroup(item, decoder, source: "\(groups.count)"))
            }
        case "file_sd_configs":
            for item in try Self.sections(value, decoder, key) {
                base.discovery.append(.file(try FileDiscoveryConfiguration(item, decoder)))
            }
        case "http_sd_configs":
            for item in try Self.sections(value, decoder, key) {
                base.discovery.append(.http(try HTTPDiscoveryConfiguration(item, decoder)))
            }
        case "dns_sd_configs":
            for item in try Self.sections(value, decoder, key) {
                base.discovery.append(.dns(try DNSDiscoveryConfiguration(item, decoder)))
            }
        default:
            guard key.hasSuffix("_sd_configs"),
                DiscoveryConfiguration.unsupportedKinds.contains(String(key.dropLast("_sd_configs".count)))
            else { return false }
            try Unsupported.refuse(
                key, value, "finds targets by static_configs, file_sd_configs, http_sd_configs and dns_sd_configs")
        }
        return true
    }

    private static func sections(
        _ node: YAMLNode, _ decoder: YAMLDecoder, _ key: String
    ) throws(YAMLError) -> [YAMLNode] {
        let type =
            switch key {
            case "static_configs": "targetgroup.Group"
            case "file_sd_configs": "file.SDConfig"
            case "http_sd_configs": "http.SDConfig"
            case "dns_sd_configs": "dns.SDConfig"
            default: key
            }
        let items = decoder.items(node, type: "[]*\(type)")
        for item in items where item.isNull { throw empty(key, item.line) }
        return items
    }

    private static func empty(_ key: String, _ line: Int) -> YAMLError {
        .invalid("empty or null section in \(key)", line: line)
    }

    private static func rules(
        _ node: YAMLNode, _ decoder: YAMLDecoder, _ kind: String
    ) throws(YAMLError) -> [RelabelSection] {
        var rules: [RelabelSection] = []
        for item in decoder.items(node, type: "[]*relabel.Config") {
            guard !item.isNull else {
                throw .invalid("empty or null \(kind) relabeling rule in scrape config", line: item.line)
            }
            rules.append(try RelabelSection(item, decoder))
        }
        return rules
    }

    private mutating func check() throws(YAMLError) {
        guard !base.jobName.isEmpty else { throw .invalid("job_name is empty", line: line) }
        try base.client.validate(line: line)
        guard relabelling.isEmpty else { return }
        for group in groups {
            for target in group.targets {
                if let problem = TargetLabels.problem(ofAddress: target[TargetGroup.address] ?? "") {
                    throw .invalid(problem, line: line)
                }
            }
        }
    }

    /// The job, with what the section leaves out filled in from `global`.
    /// - Throws: `YAMLError.invalid` for a broken rule, in Prometheus' words.
    func configuration(_ global: GlobalConfiguration) throws(YAMLError) -> ScrapeConfiguration {
        var result = base
        let job = " for scrape config with job name \(Quoting.quote(ByteString(base.jobName)))"
        if result.scrapeInterval == .zero { result.scrapeInterval = global.scrapeInterval }
        if result.scrapeTimeout > result.scrapeInterval {
            throw .invalid("scrape timeout greater than scrape interval\(job)", line: line)
        }
        if result.scrapeTimeout == .zero { result.scrapeTimeout = min(global.scrapeTimeout, result.scrapeInterval) }
        result.limits = base.limits.filled(from: global.limits)
        if result.keepDroppedTargets == 0 { result.keepDroppedTargets = global.keepDroppedTargets }
        if result.scrapeFailureLogFile.isEmpty { result.scrapeFailureLogFile = global.scrapeFailureLogFile }
        result.scrapesNativeHistograms = nativeHistograms ?? global.scrapesNativeHistograms
        result.reportsExtraMetrics = extraMetrics ?? global.reportsExtraMetrics
        result.convertsClassicHistograms = converts ?? global.convertsClassicHistograms
        result.alwaysScrapesClassicHistograms = alwaysClassic ?? global.alwaysScrapesClassicHistograms
        if let protocols {
            result.scrapeProtocols = try ScrapeProtocol.validated(protocols.names, line: protocols.line, suffix: job)
        } else {
            result.scrapeProtocols =
                global.scrapeProtocols
                ?? (result.scrapesNativeHistograms ? ScrapeProtocol.protobufFirst : ScrapeProtocol.defaults)
        }
        if let fallback, !fallback.name.isEmpty {
            do throws(YAMLError) {
                result.fallbackProtocol = try ScrapeProtocol.named(fallback.name, line: fallback.line)
            } catch {
                guard case .invalid(let message, let line) = error else { throw error }
                throw .invalid("invalid fallback_scrape_protocol\(job): \(message)", line: line)
            }
        }
        result.nameValidation = validation ?? global.nameValidation
        result.nameEscaping = try resolvedEscaping(global, result.nameValidation)
        for rule in relabelling { result.relabelRules.append(try rule.rule(result.nameValidation)) }
        for rule in metricRelabelling { result.metricRelabelRules.append(try rule.rule(result.nameValidation)) }
        return result
    }

    private func resolvedEscaping(
        _ global: GlobalConfiguration, _ localValidation: NameValidation
    ) throws(YAMLError) -> NameEscaping {
        func suggested(_ validation: NameValidation) -> String {
            (validation == .legacy ? NameEscaping.underscores : .allowUTF8).rawValue
        }
        let globalName = global.nameEscaping ?? suggested(global.nameValidation)
        guard NameEscaping(rawValue: globalName) != nil else {
            throw .invalid(
                "unknown global name escaping method specified, \(NameEscaping.names), got"
                    + " \(Quoting.quote(ByteString(globalName)))", line: line)
        }
        let name = escaping.isEmpty ? (validation.map(suggested) ?? globalName) : escaping
        guard let known = NameEscaping(rawValue: name) else {
            throw .invalid(
                "unknown scrape config name escaping method specified, \(NameEscaping.names), got"
                    + " \(Quoting.quote(ByteString(name)))", line: line)
        }
        if known == .allowUTF8, localValidation != .utf8 {
            throw .invalid("utf8 metric names requested but validation scheme is not set to UTF8", line: line)
        }
        return known
    }
}

/// Sections of Prometheus' files that this version does not act on.
enum Unsupported {
    /// Stops at `node`, unless it is null or empty: nothing is ignored silently.
    /// - Throws: `YAMLError.invalid` with the key, the line, and what narthex does instead.
    static func refuse(_ key: String, _ node: YAMLNode, _ instead: String) throws(YAMLError) {
        if node.isNull { return }
        switch node.content {
        case .sequence(let items) where items.isEmpty: return
        case .mapping(let pairs) where pairs.isEmpty: return
        case .scalar, .sequence, .mapping: break
        }
        throw .invalid(
            "\(key) is not supported by this version of narthex, which \(instead): remove it to start",
            line: node.line)
    }
}
