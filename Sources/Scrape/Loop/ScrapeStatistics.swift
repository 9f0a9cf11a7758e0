package import MetricModel
internal import Synchronization

/// How long things took, by a label: counts, sums, and the quantiles of the latest.
package final class LengthSummary: Sendable {
    private struct Series {
        var count: UInt64 = 0
        var sum = 0.0
        /// The latest values, the oldest overwritten.
        var latest: [Double] = []
        var next = 0
        /// How many were at most as long as each of the bounds.
        var buckets = [Double](repeating: 0, count: LengthSummary.bounds.count)

        var histogram: HistogramValue {
            HistogramValue(
                count: Double(count), sum: sum,
                buckets: zip(LengthSummary.bounds, buckets).map { .init(upperBound: $0, count: $1) })
        }
    }

    /// Upper bounds of the histograms, in seconds.
    private static let bounds = [0.01, 0.1, 1, 10]

    private let series = Mutex<[String: Series]>([:])
    private let name: ByteString
    private let help: ByteString
    private let label: ByteString?
    /// The same for all.
    private let common: [LabelPair]

    /// How many values the quantiles are taken of: some minutes of many scrapes.
    private static let window = 1024
    private let quantiles: [Double]

    /// - Parameters:
    ///   - label: By whose value lengths are kept apart; nil where they are not.
    ///   - quantiles: Which of them are shown.
    ///   - common: Labels behind it.
    package init(
        _ name: ByteString, _ help: ByteString, label: ByteString? = nil,
        quantiles: [Double] = [0.01, 0.05, 0.5, 0.9, 0.99], common: [LabelPair] = []
    ) {
        self.quantiles = quantiles
        self.common = common
        self.name = name
        self.help = help
        self.label = label
    }

    /// Adds a length in seconds.
    package func observe(_ seconds: Double, _ value: String = "") {
        series.withLock { all in
            var one = all[value] ?? Series()
            one.count += 1
            one.sum += seconds
            for index in Self.bounds.indices where seconds <= Self.bounds[index] { one.buckets[index] += 1 }
            if one.latest.count < Self.window {
                one.latest.append(seconds)
            } else {
                one.latest[one.next] = seconds
                one.next = (one.next + 1) % Self.window
            }
            all[value] = one
        }
    }

    /// Shows `value` from now on, also before anything was seen of it.
    package func show(_ value: String) { series.withLock { $0[value, default: Series()].count += 0 } }

    /// Forgets what was seen of `value`.
    func remove(_ value: String) { series.withLock { $0[value] = nil } }

    /// The same lengths as a histogram, called `name`; without metrics where nothing was seen.
    package func histogramFamily(_ name: ByteString, _ help: ByteString) -> MetricFamily {
        let all = series.withLock { $0 }
        let metrics = all.sorted { ByteString($0.key) < ByteString($1.key) }.map { value, one in
            Metric(
                labels: (label.map { [LabelPair($0, ByteString(value))] } ?? []) + common,
                value: .histogram(one.histogram))
        }
        return MetricFamily(name: name, help: help, type: .histogram, metrics: metrics)
    }

    /// All lengths together as a histogram.
    func histogramOfAll() -> HistogramValue {
        var sum = Series()
        for one in series.withLock({ Array($0.values) }) {
            sum.count += one.count
            sum.sum += one.sum
            for index in sum.buckets.indices { sum.buckets[index] += one.buckets[index] }
        }
        return sum.histogram
    }

    /// The summary as `/metrics` shows it; without metrics where nothing was seen.
    package var family: MetricFamily {
        let all = series.withLock { $0 }
        let metrics = all.sorted { ByteString($0.key) < ByteString($1.key) }.map { value, one in
            let sorted = one.latest.sorted()
            let quantiles = quantiles.map { quantile in
                let rank = Int((Double(sorted.count - 1) * quantile).rounded())
                return SummaryValue.Quantile(quantile, sorted.indices.contains(rank) ? sorted[rank] : .nan)
            }
            return Metric(
                labels: (label.map { [LabelPair($0, ByteString(value))] } ?? []) + common,
                value: .summary(SummaryValue(count: Double(one.count), sum: one.sum, quantiles: quantiles)))
        }
        return MetricFamily(name: name, help: help, type: .summary, metrics: metrics)
    }
}

/// How long things took all in all: a histogram whose one bucket holds all, as upstream's native ones are in text.
package final class TotalLengths: Sendable {
    private let total = Mutex<(count: Double, sum: Double)>((0, 0))
    private let name: ByteString
    private let help: ByteString

    init(_ name: ByteString, _ help: ByteString) {
        self.name = name
        self.help = help
    }

    /// Adds a length in seconds.
    func observe(_ seconds: Double) {
        total.withLock { total in
            total.count += 1
            total.sum += seconds
        }
    }

    /// The histogram as `/metrics` shows it.
    package var family: MetricFamily {
        let (count, sum) = total.withLock { $0 }
        return MetricFamily(
            name: name, help: help, type: .histogram,
            metrics: [Metric(labels: [], value: .histogram(HistogramValue(count: count, sum: sum)))])
    }
}

/// A number for each job, which goes with it.
package final class JobNumbers: Sendable {
    private let numbers = Mutex<[String: Double]>([:])
    private let name: ByteString
    private let help: ByteString
    private let type: MetricType
    private let label: ByteString
    /// The same for all jobs.
    private let common: [LabelPair]

    init(
        _ name: ByteString, _ help: ByteString, _ type: MetricType = .gauge, label: ByteString = "scrape_job",
        common: [LabelPair] = []
    ) {
        self.name = name
        self.help = help
        self.type = type
        self.label = label
        self.common = common
    }

    func set(_ number: Double, _ job: String) { numbers.withLock { $0[job] = number } }

    func increment(_ job: String) { numbers.withLock { $0[job, default: 0] += 1 } }

    func remove(_ job: String) { numbers.withLock { $0[job] = nil } }

    /// The numbers as `/metrics` shows them.
    package var family: MetricFamily {
        let all = numbers.withLock { $0 }
        let metrics = all.sorted { ByteString($0.key) < ByteString($1.key) }.map { job, number in
            Metric(
                labels: [LabelPair(label, ByteString(job))] + common,
                value: type == .counter ? .counter(CounterValue(number)) : .gauge(number))
        }
        return MetricFamily(name: name, help: help, type: type, metrics: metrics)
    }
}

extension ScrapeMetrics {
    /// Everything counted of scrapes, under Prometheus' names.
    package var families: [MetricFamily] {
        func counter(_ name: ByteString, _ help: ByteString, _ counter: ScrapeCounter) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: .counter,
                metrics: [Metric(labels: [], value: .counter(CounterValue(Double(counter.value))))])
        }
        let counters = [
            counter("prometheus_target_scrape_pools_total", "Total number of scrape pool creation attempts.", pools),
            counter(
                "prometheus_target_scrape_pools_failed_total", "Total number of scrape pool creations that failed.",
                poolsFailed),
            counter(
                "prometheus_target_scrape_pool_reloads_total", "Total number of scrape pool reloads.", poolReloads),
            counter(
                "prometheus_target_scrape_pool_reloads_failed_total", "Total number of failed scrape pool reloads.",
                poolReloadsFailed),
            counter(
                "prometheus_target_scrape_pool_exceeded_target_limit_total",
                "Total number of times scrape pools hit the target limit, during sync or config reload.",
                targetLimitExceeded),
            counter(
                "prometheus_target_scrape_pool_exceeded_label_limits_total",
                "Total number of times scrape pools hit the label limits, during sync or config reload.",
                labelLimitsExceeded),
            counter(
                "prometheus_target_scrapes_exceeded_body_size_limit_total",
                "Total number of scrapes that hit the body size limit", bodySizeLimitExceeded),
            counter(
                "prometheus_target_scrapes_exceeded_sample_limit_total",
                "Total number of scrapes that hit the sample limit and were rejected.", sampleLimitExceeded),
            counter(
                "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
                "Total number of scrapes that hit the native histogram bucket limit and were rejected.",
                bucketLimitExceeded),
            counter(
                "prometheus_target_scrapes_cache_flush_forced_total",
                "How many times a scrape cache was flushed due to getting big while scrapes are failing.",
                cacheFlushForced),
            counter(
                "prometheus_target_scrapes_sample_duplicate_timestamp_total",
                "Total number of samples rejected due to duplicate timestamps but different values.", duplicateSamples),
            counter(
                "prometheus_target_scrapes_sample_out_of_order_total",
                "Total number of samples rejected due to not being out of the expected order.", outOfOrderSamples),
            counter(
                "prometheus_target_scrapes_sample_out_of_bounds_total",
                "Total number of samples rejected due to timestamp falling outside of the time bounds.",
                outOfBoundsSamples),
            counter(
                "prometheus_target_scrapes_exemplar_out_of_order_total",
                "Total number of exemplar rejected due to not being out of the expected order.", outOfOrderExemplars),
        ]
        let others = [
            intervalLengths.family,
            intervalLengths.histogramFamily(
                "prometheus_target_interval_length_histogram_seconds", "Actual intervals between scrapes."),
            syncLengths.family,
            syncLengths.histogramFamily(
                "prometheus_target_sync_length_histogram_seconds", "Actual interval to sync the scrape pool."),
            reloadLengths.family, scrapeLengths.family, targetSyncFailed.family, poolTargets.family,
            poolTargetLimits.family, poolSyncs.family,
            discoveredTargets.family,
        ]
        return counters + dialers.families + others.filter { !$0.metrics.isEmpty }
    }
}

extension DiscoveryMetrics {
    /// Everything counted of discovery, under Prometheus' names.
    package var families: [MetricFamily] {
        func counter(_ name: ByteString, _ help: ByteString, _ counter: ScrapeCounter) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: .counter,
                metrics: [Metric(labels: [], value: .counter(CounterValue(Double(counter.value))))])
        }
        func named(_ name: ByteString, _ help: ByteString, _ type: MetricType, _ value: Double) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: type,
                metrics: [
                    Metric(
                        labels: [LabelPair("name", "scrape")],
                        value: type == .counter ? .counter(CounterValue(value)) : .gauge(value))
                ])
        }
        let families = [
            named(
                "prometheus_sd_failed_configs",
                "Current number of service discovery configurations that failed to load.", .gauge, 0),
            named(
                "prometheus_sd_received_updates_total",
                "Total number of update events received from the SD providers.", .counter,
                Double(receivedUpdates.value)),
            named(
                "prometheus_sd_updates_total", "Total number of update events sent to the SD consumers.", .counter,
                Double(sentUpdates.value)),
            lastUpdates.family, fileScans.family,
            counter("prometheus_sd_file_read_errors_total", "The number of File-SD read errors.", fileReadErrors),
            counter(
                "prometheus_sd_http_failures_total", "Number of HTTP service discovery refresh failures.", httpFailures),
            counter("prometheus_sd_dns_lookups_total", "The number of DNS-SD lookups.", dnsLookups),
            counter(
                "prometheus_sd_dns_lookup_failures_total", "The number of DNS-SD lookup failures.", dnsLookupFailures),
        ]
        return (families + refreshes.families).filter { !$0.metrics.isEmpty }
    }
}
