internal import Logging
internal import MetricModel
internal import Synchronization

/// What is counted of discovery; `/metrics` shows it under Prometheus' names.
package struct DiscoveryMetrics: Sendable {
    /// `prometheus_sd_file_read_errors_total`
    package let fileReadErrors = ScrapeCounter()
    /// `prometheus_sd_http_failures_total`
    package let httpFailures = ScrapeCounter()
    /// `prometheus_sd_dns_lookups_total`
    package let dnsLookups = ScrapeCounter()
    /// `prometheus_sd_dns_lookup_failures_total`
    package let dnsLookupFailures = ScrapeCounter()
    /// `prometheus_sd_refresh_failures_total` and `prometheus_sd_refresh_duration_seconds`
    package let refreshes = RefreshMetrics()
    /// `prometheus_sd_file_scan_duration_seconds`
    package let fileScans = LengthSummary(
        "prometheus_sd_file_scan_duration_seconds", "The duration of the File-SD scan in seconds.",
        quantiles: [0.5, 0.9, 0.99])
    /// `prometheus_sd_received_updates_total`
    package let receivedUpdates = ScrapeCounter()
    /// `prometheus_sd_updates_total`
    package let sentUpdates = ScrapeCounter()

    /// When targets were last handed on, by job.
    package let lastUpdates = JobNumbers(
        "prometheus_sd_last_update_timestamp_seconds", "Timestamp of the last update sent to the SD consumers.",
        label: "config", common: [LabelPair("name", "scrape")])

    /// Connections of clients.
    let dialers: DialerMetrics

    /// All at zero.
    /// - Parameter dialers: Counts connections.
    package init(dialers: DialerMetrics) { self.dialers = dialers }
}

/// How refreshes of discovery went, by what is asked and for which job.
package final class RefreshMetrics: Sendable {
    private struct Key: Hashable {
        var mechanism: String
        var job: String
    }

    private let failures = Mutex<[Key: Double]>([:])
    private let lengths = Mutex<[String: LengthSummary]>([:])

    init() {}

    /// Shows the numbers of a job before the first refresh.
    func show(_ mechanism: String, _ job: String) {
        failures.withLock { $0[Key(mechanism: mechanism, job: job), default: 0] += 0 }
        summary(mechanism).show(job)
    }

    /// Notes a refresh that took so many seconds.
    func note(_ mechanism: String, _ job: String, seconds: Double, isFailure: Bool) {
        if isFailure { failures.withLock { $0[Key(mechanism: mechanism, job: job), default: 0] += 1 } }
        summary(mechanism).observe(seconds, job)
    }

    /// Forgets a job that is gone.
    func forget(_ job: String) {
        failures.withLock { failures in failures = failures.filter { $0.key.job != job } }
        for summary in lengths.withLock({ Array($0.values) }) { summary.remove(job) }
    }

    private func summary(_ mechanism: String) -> LengthSummary {
        lengths.withLock { lengths in
            if let known = lengths[mechanism] { return known }
            let made = LengthSummary(
                "prometheus_sd_refresh_duration_seconds",
                "The duration of a refresh in seconds for the given SD mechanism.", label: "config",
                quantiles: [0.5, 0.9, 0.99], common: [LabelPair("mechanism", ByteString(mechanism))])
            lengths[mechanism] = made
            return made
        }
    }

    /// The families as `/metrics` shows them; without metrics where nothing is discovered so.
    var families: [MetricFamily] {
        let counts = failures.withLock { $0 }.sorted { ($0.key.mechanism, $0.key.job) < ($1.key.mechanism, $1.key.job) }
        let failed = MetricFamily(
            name: "prometheus_sd_refresh_failures_total",
            help: "Number of refresh failures for the given SD mechanism.", type: .counter,
            metrics: counts.map { key, count in
                Metric(
                    labels: [
                        LabelPair("config", ByteString(key.job)), LabelPair("mechanism", ByteString(key.mechanism)),
                    ], value: .counter(CounterValue(count)))
            })
        let byMechanism = lengths.withLock { $0 }.sorted { $0.key < $1.key }
        let summaries = byMechanism.map(\.value.family)
        guard var durations = summaries.first else { return [failed] }
        durations.metrics = summaries.flatMap(\.metrics)
        let histogram = MetricFamily(
            name: "prometheus_sd_refresh_duration_histogram_seconds",
            help: "The duration of a refresh for the given SD mechanism.", type: .histogram,
            metrics: byMechanism.map { mechanism, lengths in
                Metric(
                    labels: [LabelPair("mechanism", ByteString(mechanism))], value: .histogram(lengths.histogramOfAll())
                )
            })
        return [failed, durations, histogram]
    }
}

/// Finds targets by one configuration, until it is cancelled.
struct TargetDiscovery: Sendable {
    let configuration: DiscoveryConfiguration
    /// Whose targets they are.
    let job: String
    let clock: any ScrapeClock
    let logger: Logger
    let metrics: DiscoveryMetrics
    /// Answers questions about names.
    let resolver: any RecordResolver

    /// Finds targets again and again.
    /// - Parameter update: called with groups that are new or have changed; an empty group's source is gone.
    func run(_ update: @Sendable ([TargetGroup]) async -> Void) async {
        switch configuration {
        case .fixed(let groups): await update(groups)
        case .file(let file):
            await FileDiscovery(file, clock: clock, logger: logger, metrics: metrics).run(update)
        case .http(let http):
            metrics.refreshes.show("http", job)
            await HTTPDiscovery(http, job: job, clock: clock, logger: logger, metrics: metrics).run(update)
        case .dns(let dns):
            metrics.refreshes.show("dns", job)
            await DNSDiscovery(dns, job: job, clock: clock, logger: logger, metrics: metrics, resolver: resolver)
                .run(update)
        }
    }
}

/// Waits an interval between refreshes.
/// - Returns: false if the task was cancelled.
func pause(_ duration: PrometheusDuration, _ clock: any ScrapeClock) async -> Bool {
    do {
        try await clock.sleep(nanoseconds: max(1, duration.milliseconds) * 1_000_000)
        return !Task.isCancelled
    } catch {
        return false
    }
}
