internal import DurableFiles
internal import MetricModel

/// What `check config` finds, in promtool's words.
///
/// Source: prometheus/prometheus cmd/promtool/main.go (`checkConfig`).
package struct ConfigurationCheck: Sendable {
    /// Lines for the output, without indentation.
    package private(set) var warnings: [String] = []
    /// Why the configuration cannot be used; nil if it can.
    package private(set) var failure: String?
    /// What is legal and most likely not meant.
    package private(set) var lint: [String] = []

    /// How closely to look.
    package struct Options: Sendable {
        /// Whether files that the configuration names are left alone.
        package var checksSyntaxOnly = false
        /// The scrape interval from which series go stale between scrapes; zero to allow any.
        package var lookbackDelta = PrometheusDuration.seconds(300)

        /// The defaults.
        package init() {}
    }

    /// Checks the file at `path` and, unless only the syntax matters, the files that it names.
    package init(
        path: String, options: Options = Options(), environment: (String) -> String? = ProcessEnvironment.value
    ) {
        do {
            let configuration = try Configuration.load(path, environment: environment)
            warnings += configuration.warnings
            try check(configuration, options)
        } catch {
            failure = "\(error)"
        }
    }

    private mutating func check(_ configuration: Configuration, _ options: Options) throws {
        var jobs = configuration.scrapeConfigurations
        if !options.checksSyntaxOnly {
            do throws(ConfigurationError) {
                jobs = try configuration.allScrapeConfigurations()
            } catch {
                throw ScrapeFailure("error loading scrape configs: \(error)")
            }
        }
        for job in jobs {
            if !options.checksSyntaxOnly { try checkFiles(job) }
            for case .fixed(let groups) in job.discovery { try check(groups, job) }
        }
        guard !options.checksSyntaxOnly, options.lookbackDelta != .zero else { return }
        if let slow = jobs.first(where: { $0.scrapeInterval >= options.lookbackDelta }) {
            lint.append(
                "too long scrape interval found, data point will be marked as stale - job: \(slow.jobName),"
                    + " interval: \(slow.scrapeInterval)")
        }
    }

    private mutating func checkFiles(_ job: ScrapeConfiguration) throws(ScrapeFailure) {
        let client = job.client
        let named = [
            ("authorization credentials or bearer token file", client.authorization?.credentialsFile ?? ""),
            ("client cert file", client.tls.certificateFile), ("client key file", client.tls.keyFile),
        ]
        for (what, path) in named where !path.isEmpty && FileStamp(path: path) == nil {
            throw ScrapeFailure(
                "error checking \(what) \(Quoting.quote(ByteString(path))): stat \(path): no such file or directory")
        }
        for case .file(let discovery) in job.discovery {
            for pattern in discovery.files {
                let paths = PathPattern.matches(pattern)
                if paths.isEmpty {
                    warnings.append(
                        "file \(Quoting.quote(ByteString(pattern))) for file_sd in scrape job"
                            + " \(Quoting.quote(ByteString(job.jobName))) does not exist")
                }
                for path in paths { try checkTargets(path, pattern, job) }
            }
        }
    }

    private func checkTargets(_ path: String, _ pattern: String, _ job: ScrapeConfiguration) throws(ScrapeFailure) {
        let groups: [TargetGroup]
        do {
            groups = try TargetList.file(path)
        } catch {
            throw ScrapeFailure("checking SD file \(Quoting.quote(ByteString(pattern))): \(error)")
        }
        try check(groups, job)
    }

    private func check(_ groups: [TargetGroup], _ job: ScrapeConfiguration) throws(ScrapeFailure) {
        for group in groups {
            for (index, target) in group.targets.enumerated() {
                let discovered = TargetLabels.discovered(job, target: target, group: group.labels)
                do throws(TargetLabels.Invalid) {
                    _ = try TargetLabels.relabelled(job, discovered: discovered)
                } catch {
                    throw ScrapeFailure("instance \(index) in group \(group.source): \(error)")
                }
            }
        }
    }
}
