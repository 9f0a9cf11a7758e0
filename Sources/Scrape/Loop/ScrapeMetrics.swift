internal import MetricModel
internal import Synchronization

/// A number that only grows.
package final class ScrapeCounter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    /// The number.
    package var value: UInt64 { count.load(ordering: .relaxed) }

    func increment(by amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
}

/// What is counted of all scrapes together; `/metrics` shows it under Prometheus' names.
package struct ScrapeMetrics: Sendable {
    /// `prometheus_target_scrape_pools_total`
    package let pools = ScrapeCounter()
    /// `prometheus_target_scrape_pools_failed_total`
    package let poolsFailed = ScrapeCounter()
    /// `prometheus_target_scrape_pool_reloads_total`
    package let poolReloads = ScrapeCounter()
    /// `prometheus_target_scrape_pool_reloads_failed_total`
    package let poolReloadsFailed = ScrapeCounter()
    /// `prometheus_target_scrape_pool_exceeded_target_limit_total`
    package let targetLimitExceeded = ScrapeCounter()
    /// `prometheus_target_scrape_pool_exceeded_label_limits_total`
    package let labelLimitsExceeded = ScrapeCounter()
    /// `prometheus_target_scrapes_exceeded_body_size_limit_total`
    package let bodySizeLimitExceeded = ScrapeCounter()
    /// `prometheus_target_scrapes_exceeded_sample_limit_total`
    package let sampleLimitExceeded = ScrapeCounter()
    /// `prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total`
    package let bucketLimitExceeded = ScrapeCounter()
    /// `prometheus_target_scrapes_cache_flush_forced_total`
    package let cacheFlushForced = ScrapeCounter()
    /// `prometheus_target_scrapes_sample_duplicate_timestamp_total`
    package let duplicateSamples = ScrapeCounter()
    /// `prometheus_target_scrapes_sample_out_of_order_total`
    package let outOfOrderSamples = ScrapeCounter()
    /// `prometheus_target_scrapes_sample_out_of_bounds_total`
    package let outOfBoundsSamples = ScrapeCounter()
    /// `prometheus_target_scrapes_exemplar_out_of_order_total`
    package let outOfOrderExemplars = ScrapeCounter()
    /// Targets whose labels cannot be used, by job.
    package let targetSyncFailed = JobNumbers(
        "prometheus_target_sync_failed_total", "Total number of target sync failures.", .counter)
    /// How long taking over a new configuration takes a job, by its interval.
    package let reloadLengths = LengthSummary(
        "prometheus_target_reload_length_seconds",
        "Actual interval to reload the scrape pool with a given configuration.", label: "interval")
    /// How long scrapes take, from the start until their samples are stored.
    package let scrapeLengths = TotalLengths(
        "prometheus_target_scrape_duration_seconds",
        "Total duration of the scrape from start to commit completion in seconds.")

    /// How far apart scrapes are, by the interval wanted.
    package let intervalLengths = LengthSummary(
        "prometheus_target_interval_length_seconds", "Actual intervals between scrapes.", label: "interval")
    /// How long setting the targets of a job takes.
    package let syncLengths = LengthSummary(
        "prometheus_target_sync_length_seconds", "Actual interval to sync the scrape pool.", label: "scrape_job")
    /// How many targets each job has.
    package let poolTargets = JobNumbers(
        "prometheus_target_scrape_pool_targets", "Current number of targets in this scrape pool.")
    /// How many targets each job may have; 0 for any number.
    package let poolTargetLimits = JobNumbers(
        "prometheus_target_scrape_pool_target_limit", "Maximum number of targets allowed in this scrape pool.")
    /// How often each job's targets were set.
    package let poolSyncs = JobNumbers(
        "prometheus_target_scrape_pool_sync_total", "Total number of syncs that were executed on a scrape pool.",
        .counter)

    /// How many targets discovery found for each job.
    package let discoveredTargets = JobNumbers(
        "prometheus_sd_discovered_targets", "Current number of discovered targets.", label: "config",
        common: [LabelPair("name", "scrape")])

    /// Connections of clients.
    package let dialers = DialerMetrics()

    /// All at zero.
    package init() {}

    /// Forgets the numbers of a job that is gone.
    func forget(_ job: String) {
        syncLengths.remove(job)
        poolTargets.remove(job)
        poolTargetLimits.remove(job)
        poolSyncs.remove(job)
        targetSyncFailed.remove(job)
        discoveredTargets.remove(job)
    }
}
