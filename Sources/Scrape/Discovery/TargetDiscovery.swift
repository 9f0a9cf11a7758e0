internal import Logging
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
    /// `prometheus_sd_refresh_failures_total`
    package let refreshFailures = ScrapeCounter()

    /// All at zero.
    package init() {}
}

/// Finds targets by one configuration, until it is cancelled.
struct TargetDiscovery: Sendable {
    let configuration: DiscoveryConfiguration
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
            await HTTPDiscovery(http, clock: clock, logger: logger, metrics: metrics).run(update)
        case .dns(let dns):
            await DNSDiscovery(dns, clock: clock, logger: logger, metrics: metrics, resolver: resolver).run(update)
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
