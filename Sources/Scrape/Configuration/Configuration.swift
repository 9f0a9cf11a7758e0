internal import MetricModel
package import YAML

/// The whole of a `prometheus.yml`, checked.
///
/// Source: prometheus/prometheus config/config.go.
package struct Configuration: Sendable, Hashable {
    /// The section `global`.
    package var global = GlobalConfiguration()
    /// Paths of files with more scrape sections, whose last part may hold `*`.
    package var scrapeConfigurationFiles: [String] = []
    /// The sections of the file itself.
    package var scrapeConfigurations: [ScrapeConfiguration] = []
    /// The section `storage`.
    package var storage = StorageConfiguration()
    /// The section `otlp`.
    package var otlp = OTLPConfiguration()
    /// Prometheus' `runtime.gogc`: read, and of no effect, since there is no garbage collector to tune.
    package var garbageCollection: Int64 = 75
    /// Things worth telling the operator that do not stop anything, such as an environment variable that is empty.
    package var warnings: [String] = []

    /// The configuration of an empty file.
    package init() {}

    private init(_ defaults: GlobalConfiguration.Defaults) {
        global = GlobalConfiguration(defaults)
        storage.retention = defaults.retention
    }

    /// Reads the text of a `prometheus.yml`.
    /// - Parameters:
    ///   - text: YAML.
    ///   - ignored: top-level keys that belong to somebody else.
    ///   - defaults: of the global section.
    ///   - environment: gives the variables that `${NAME}` in external labels stands for.
    /// - Throws: `YAMLError`, in Prometheus' words, with the line.
    /// - Complexity: O(text).
    package init(
        _ text: [UInt8], ignoring ignored: Set<String> = [],
        defaults: GlobalConfiguration.Defaults = GlobalConfiguration.Defaults(), environment: (String) -> String?
    ) throws(YAMLError) {
        var read = try YAMLDecoder.decode(text, empty: Configuration(defaults)) { node, decoder throws(YAMLError) in
            try Configuration(node, decoder, ignoring: ignored, defaults)
        }
        read.expandExternalLabels(environment)
        if read.garbageCollection != 75 {
            read.warnings.append("runtime.gogc has no effect: narthex has no garbage collector")
        }
        self = read
    }

    private init(
        _ node: YAMLNode, _ decoder: YAMLDecoder, ignoring ignored: Set<String>,
        _ defaults: GlobalConfiguration.Defaults
    ) throws(YAMLError) {
        var read = Configuration(defaults)
        var sections: [ScrapeSection] = []
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            if ignored.contains(key) { return true }
            switch key {
            case "global":
                read.global =
                    value.isNull ? GlobalConfiguration(defaults) : try GlobalConfiguration(value, decoder, defaults)
            case "runtime":
                try decoder.fields(of: value, type: "config.RuntimeConfig") { key, value throws(YAMLError) in
                    guard key == "gogc" else { return false }
                    read.garbageCollection = decoder.integer(value)
                    return true
                }
                if read.garbageCollection == 0 { read.garbageCollection = 75 }
            case "rule_files":
                for file in try decoder.strings(value) where !Self.isValidPattern(file) {
                    throw .invalid(
                        "invalid rule file path \(Quoting.quote(ByteString(file)))", line: value.line)
                }
                try Unsupported.refuse(key, value, "has no recording or alerting rules")
            case "scrape_config_files": read.scrapeConfigurationFiles = try decoder.strings(value)
            case "scrape_configs": sections = try Self.sections(value, decoder)
            case "otlp": read.otlp = value.isNull ? OTLPConfiguration() : try OTLPConfiguration(value, decoder)
            case "storage": read.storage = try StorageConfiguration(value, decoder, retention: defaults.retention)
            default: return try Self.refuseUnsupported(key, value, decoder)
            }
            return true
        }
        self = read
        guard fits else { return }
        try otlp.checkStrategy()
        if !otlp.escapes, global.nameValidation == .legacy {
            throw .invalid(
                "OTLP translation strategy \"\(otlp.strategy.rawValue)\" is not allowed when UTF8 is disabled", line: 0)
        }
        for file in scrapeConfigurationFiles where !Self.isValidPattern(file) {
            throw .invalid(
                "invalid scrape config file path \(Quoting.quote(ByteString(file)))", line: 0)
        }
        var names: Set<String> = []
        for section in sections {
            let configuration = try section.configuration(global)
            guard names.insert(configuration.jobName).inserted else {
                let name = Quoting.quote(ByteString(configuration.jobName))
                throw .invalid("found multiple scrape configs with job name \(name)", line: section.line)
            }
            scrapeConfigurations.append(configuration)
        }
    }

    private static func refuseUnsupported(
        _ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> Bool {
        switch key {
        case "alerting":
            try decoder.fields(of: value, type: "config.plain") { key, value throws(YAMLError) in
                guard key == "alertmanagers" || key == "alert_relabel_configs" else { return false }
                try Unsupported.refuse("alerting.\(key)", value, "sends no alerts")
                return true
            }
        case "remote_write": try Unsupported.refuse(key, value, "receives remote write but does not send it")
        case "remote_read": try Unsupported.refuse(key, value, "answers remote read but does not ask for it")
        case "tracing": try Unsupported.refuse(key, value, "sends no traces")
        default: return false
        }
        return true
    }

    fileprivate static func sections(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> [ScrapeSection] {
        var sections: [ScrapeSection] = []
        for item in decoder.items(node, type: "[]*config.ScrapeConfig") {
            guard !item.isNull else { throw .invalid("empty or null scrape config section", line: item.line) }
            sections.append(try ScrapeSection(item, decoder))
        }
        return sections
    }

    /// `^[^*]*(\*[^/]*)?$`
    static func isValidPattern(_ path: String) -> Bool {
        guard let star = path.firstIndex(of: "*") else { return true }
        return !path[star...].contains("/")
    }

    private mutating func expandExternalLabels(_ environment: (String) -> String?) {
        var expanded: [(name: ByteString, value: ByteString)] = []
        var missing: [String] = []
        for pair in global.externalLabels.pairs {
            let value = EnvironmentExpansion.expand(pair.value) { name in
                if name == "$" { return "$" }
                let value = environment(name) ?? ""
                if value.isEmpty { missing.append(name) }
                return value
            }
            expanded.append((pair.name, value))
        }
        global.externalLabels = Labels(expanded)
        warnings += missing.map { "Empty environment variable: \($0)" }
    }

    /// Makes relative paths count from `directory`.
    package mutating func setDirectory(_ directory: String) {
        global.setDirectory(directory)
        scrapeConfigurationFiles = scrapeConfigurationFiles.map { FilePath.joined(directory, $0) }
        for index in scrapeConfigurations.indices { scrapeConfigurations[index].setDirectory(directory) }
    }

    /// The configuration as YAML, secrets hidden, as `/api/v1/status/config` shows it.
    package var yaml: String {
        var fields = YAMLFields()
        fields.set("global", global.fields.mapping)
        fields.set("runtime", .mapping([("gogc", .literal("\(garbageCollection)"))]))
        fields.texts("scrape_config_files", scrapeConfigurationFiles)
        if !scrapeConfigurations.isEmpty { fields.set("scrape_configs", .sequence(scrapeConfigurations.map(\.yaml))) }
        fields.set("storage", storage.fields.mapping)
        fields.set("otlp", otlp.fields.mapping)
        return fields.mapping.yaml
    }

    /// The scrape sections of a file that `scrape_config_files` names.
    /// - Throws: `YAMLError`, in Prometheus' words.
    package func additionalScrapeConfigurations(_ text: [UInt8]) throws(YAMLError) -> [ScrapeConfiguration] {
        let sections = try YAMLDecoder.decode(text, empty: []) { node, decoder throws(YAMLError) -> [ScrapeSection] in
            var sections: [ScrapeSection] = []
            try decoder.fields(of: node, type: "config.ScrapeConfigs") { key, value throws(YAMLError) in
                guard key == "scrape_configs" else { return false }
                sections = try Configuration.sections(value, decoder)
                return true
            }
            return sections
        }
        var result: [ScrapeConfiguration] = []
        for section in sections { result.append(try section.configuration(global)) }
        return result
    }
}

/// `$NAME` and `${NAME}` in texts, as Go's `os.Expand` reads them.
enum EnvironmentExpansion {
    static func expand(_ text: ByteString, _ value: (String) -> String) -> ByteString {
        var result: [UInt8] = []
        var rest = text.bytes[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            result.append(contentsOf: rest[..<dollar])
            let behind = rest[(dollar + 1)...]
            guard let first = behind.first else {
                result.append(UInt8(ascii: "$"))
                return ByteString(result)
            }
            let (name, width) = self.name(behind, first: first)
            if !name.isEmpty {
                result.append(contentsOf: value(name).utf8)
            } else if width == 0 {
                result.append(UInt8(ascii: "$"))
            }
            rest = behind.dropFirst(width)
        }
        result.append(contentsOf: rest)
        return ByteString(result)
    }

    /// The variable's name and how many bytes it takes up; an empty name with a width is malformed and swallowed.
    private static func name(_ text: ArraySlice<UInt8>, first: UInt8) -> (String, Int) {
        if first == UInt8(ascii: "{") {
            guard let close = text.firstIndex(of: UInt8(ascii: "}")) else { return ("", 1) }
            let inner = text[(text.startIndex + 1)..<close]
            return (String(decoding: inner, as: UTF8.self), close - text.startIndex + 1)
        }
        if Set("*#$@!?-0123456789".utf8).contains(first) { return (String(decoding: [first], as: UTF8.self), 1) }
        let name = text.prefix { $0 == 0x5F || $0 >= 0x30 && $0 <= 0x39 || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
        return (String(decoding: name, as: UTF8.self), name.count)
    }
}
