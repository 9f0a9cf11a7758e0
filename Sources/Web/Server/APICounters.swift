package import MetricModel
package import Synchronization

/// Counts what the API does, for the server's own metrics.
package final class APICounters: Sendable {
    /// Samples of remote writes refused for their labels.
    package let invalidLabelSamples = Atomic<Int>(0)
    /// Federation requests that failed.
    package let federationErrors = Atomic<Int>(0)
    /// Remote reads that are running.
    package let remoteReads = Atomic<Int>(0)
    /// Scrapes of the own metrics that are being answered.
    let ownScrapes = Atomic<Int>(0)
    /// Pages that listen for notifications, and messages that were sent to them.
    let notificationSubscribers = Atomic<Int>(0)
    let notificationsSent = Atomic<Int>(0)
    private let outOfOrderExemplars = Atomic<UInt64>(0)
    private let warnings = Mutex<[String: UInt64]>([:])

    /// All zero.
    package init() {}

    /// Counts what was odd in an OTLP message.
    func note(_ translation: borrowing OTLPTranslation) {
        outOfOrderExemplars.wrappingAdd(UInt64(translation.outOfOrderExemplars), ordering: .relaxed)
        guard !translation.warnings.isEmpty else { return }
        let categories = translation.warnings.map(\.category.rawValue)
        warnings.withLock { warnings in
            for category in categories { warnings[category, default: 0] += 1 }
        }
    }

    /// The families; those with a label are without metrics before anything was counted.
    package var families: [MetricFamily] {
        let load = { (counter: borrowing Atomic<Int>) in UInt64(clamping: counter.load(ordering: .relaxed)) }
        let categories = warnings.withLock { $0 }.sorted { $0.key < $1.key }
        return [
            ServerMetrics.counter(
                "prometheus_api_remote_write_invalid_labels_samples_total",
                "The total number of received remote write samples and histogram samples which were rejected due to "
                    + "invalid labels.", load(invalidLabelSamples)),
            ServerMetrics.counter(
                "prometheus_web_federation_errors_total",
                "Total number of errors that occurred while sending federation responses.", load(federationErrors)),
            ServerMetrics.gauge(
                "prometheus_remote_storage_remote_read_handler_queries",
                "The current number of remote read queries that are either in execution or queued on the handler.",
                Double(load(remoteReads))),
            ServerMetrics.counter(
                "prometheus_api_otlp_out_of_order_exemplars_total",
                "The total number of received OTLP exemplars which were rejected because they were out of order.",
                outOfOrderExemplars.load(ordering: .relaxed)),
            MetricFamily(
                name: "prometheus_api_otlp_translation_warnings_total",
                help: ByteString(
                    "The total number of warnings produced while translating OTLP metrics to the Prometheus model, "
                        + "by category."), type: .counter,
                metrics: categories.map { category, count in
                    Metric(
                        labels: [LabelPair("category", ByteString(category))],
                        value: .counter(CounterValue(Double(count))))
                }),
            ServerMetrics.gauge(
                "prometheus_api_notification_active_subscribers",
                "The current number of active notification subscribers.", Double(load(notificationSubscribers))),
            ServerMetrics.counter(
                "prometheus_api_notification_updates_sent_total", "Total number of notification updates sent.",
                load(notificationsSent)),
            // Of a scrape's own request it is always one.
            ServerMetrics.gauge(
                "promhttp_metric_handler_requests_in_flight", "Current number of scrapes being served.",
                Double(load(ownScrapes))),
        ]
    }
}
