package import MetricModel

/// From what discovery found to the labels of a target.
///
/// Source: prometheus/prometheus scrape/target.go (`PopulateLabels`).
package enum TargetLabels {
    /// Why a group's member is no target.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String

        /// A reason in words.
        package init(description: String) { self.description = description }
    }

    static func problem(ofAddress address: ByteString) -> String? {
        guard address.bytes.contains(UInt8(ascii: "/")) else { return nil }
        return "\(Quoting.quote(address)) is not a valid hostname"
    }

    static let reservedPrefix: ByteString = "__"
    static let metaPrefix: ByteString = "__meta_"
    static let parameterPrefix: ByteString = "__param_"
    static let interval: ByteString = "__scrape_interval__"
    static let timeout: ByteString = "__scrape_timeout__"
    static let scheme: ByteString = "__scheme__"
    static let metricsPath: ByteString = "__metrics_path__"
    static let unixSocket: ByteString = "__unix_socket__"
    static let convertsClassic: ByteString = "__convert_classic_histograms_to_nhcb__"
    static let alwaysClassic: ByteString = "__always_scrape_classic_histograms__"
    static let nativeHistograms: ByteString = "__scrape_native_histograms__"
    static let job: ByteString = "job"
    static let instance: ByteString = "instance"

    /// The labels before relabelling: the target's own, its group's, and what the configuration sets.
    package static func discovered(
        _ configuration: ScrapeConfiguration, target: Labels, group: Labels
    ) -> Labels {
        var builder = LabelsBuilder(target)
        for pair in group.pairs where builder[pair.name] == nil { builder.set(pair.name, pair.value) }
        func setDefault(_ name: ByteString, _ value: String) {
            if builder[name] == nil { builder.set(name, ByteString(value)) }
        }
        setDefault(job, configuration.jobName)
        setDefault(interval, configuration.scrapeInterval.description)
        setDefault(timeout, configuration.scrapeTimeout.description)
        setDefault(metricsPath, configuration.metricsPath)
        setDefault(scheme, configuration.scheme)
        setDefault(convertsClassic, "\(configuration.convertsClassicHistograms)")
        setDefault(alwaysClassic, "\(configuration.alwaysScrapesClassicHistograms)")
        setDefault(nativeHistograms, "\(configuration.scrapesNativeHistograms)")
        for (name, values) in configuration.parameters {
            if let first = values.first { setDefault(ByteString("__param_" + name), first) }
        }
        return builder.labels()
    }

    /// The labels after relabelling, `instance` set; nil if a rule drops the target.
    /// - Throws: `Invalid`, in Prometheus' words.
    package static func relabelled(
        _ configuration: ScrapeConfiguration, discovered: Labels
    ) throws(Invalid) -> Labels? {
        var builder = LabelsBuilder(discovered)
        for rule in configuration.relabelRules where !rule.apply(to: &builder) { return nil }
        guard let address = builder[TargetGroup.address] else { throw Invalid(description: "no address") }
        if let problem = problem(ofAddress: address) { throw Invalid(description: problem) }
        try checkTimes(builder)
        try checkFlags(builder)
        builder.filter { !$0.hasPrefix(metaPrefix) }
        if builder[instance] == nil { builder.set(instance, address) }
        let labels = builder.labels()
        for pair in labels.pairs where !pair.value.isValidUTF8 {
            throw Invalid(
                description: "invalid label value for \(Quoting.quote(pair.name)): \(Quoting.quote(pair.value))")
        }
        return labels
    }

    private static func checkTimes(_ labels: LabelsBuilder) throws(Invalid) {
        func duration(_ name: ByteString, _ what: String) throws(Invalid) -> (PrometheusDuration, String) {
            let text = (labels[name] ?? "").string
            do throws(PrometheusDuration.Malformed) {
                let duration = try PrometheusDuration(text)
                guard duration != .zero else { throw PrometheusDuration.Malformed(description: "") }
                return (duration, text)
            } catch {
                throw Invalid(
                    description: error.description.isEmpty
                        ? "scrape \(what) cannot be 0" : "error parsing scrape \(what): \(error)")
            }
        }
        let (intervalValue, intervalText) = try duration(interval, "interval")
        let (timeoutValue, timeoutText) = try duration(timeout, "timeout")
        if timeoutValue > intervalValue {
            throw Invalid(
                description:
                    "scrape timeout cannot be greater than scrape interval (\"\(timeoutText)\" > \"\(intervalText)\")")
        }
    }

    private static func checkFlags(_ labels: LabelsBuilder) throws(Invalid) {
        let flags = [
            (convertsClassic, "convert classic histograms to nhcb"),
            (alwaysClassic, "always scrape classic histograms"), (nativeHistograms, "scrape native histograms"),
        ]
        for (name, what) in flags {
            guard let value = labels[name], boolean(value) == nil else { continue }
            throw Invalid(
                description:
                    "error parsing \(what): strconv.ParseBool: parsing \(Quoting.quote(value)): invalid syntax")
        }
    }

    /// A Boolean as Go's `strconv.ParseBool` reads it; nil if it is none.
    static func boolean(_ text: ByteString) -> Bool? {
        switch text.string {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
