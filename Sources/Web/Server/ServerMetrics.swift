internal import Exposition
package import MetricModel
internal import Synchronization
package import TSDB

/// The server's own metrics, under the names that dashboards for Prometheus know.
package final class ServerMetrics: Sendable {
    private let requests = Mutex<[RequestKey: Int]>([:])
    private let process = ProcessMetrics()
    private let reload = Mutex<(succeeded: Bool, time: Timestamp)>((true, 0))

    private struct RequestKey: Hashable {
        var handler: String
        var code: Int
    }

    /// Nothing counted yet.
    package init() {}

    /// Counts an answer by the route that gave it.
    package func count(handler: String, code: Int) {
        requests.withLock { $0[RequestKey(handler: handler, code: code), default: 0] += 1 }
    }

    /// Notes that the configuration was read again.
    package func noteReload(succeeded: Bool, at time: Timestamp) {
        reload.withLock { $0 = (succeeded, succeeded ? time : $0.time) }
    }

    /// Whether the last reading of the configuration succeeded, and when one last did, in milliseconds.
    package var lastReload: (succeeded: Bool, time: Timestamp) { reload.withLock { $0 } }

    /// All metrics in the text format.
    /// - Parameters:
    ///   - database: The store; nil while it is being opened.
    ///   - extra: Families of other parts, such as scraping.
    package func text(_ database: Database?, _ counters: APICounters, extra: [MetricFamily] = []) -> [UInt8] {
        var families = [BuildInfo.family("prometheus")] + process.families() + extra
        families += configurationFamilies + [requestFamily] + Self.families(of: counters)
        if let database { families += Self.families(of: database) }
        var text: [UInt8] = []
        for family in families.sorted(by: { $0.name < $1.name }) { TextEncoder.append(family, to: &text) }
        return text
    }

    // MARK: Families

    static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(
            name: ByteString(name), help: ByteString(help), type: .gauge,
            metrics: [Metric(labels: [], value: .gauge(value))])
    }

    /// A counter without labels.
    package static func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
        MetricFamily(
            name: ByteString(name), help: ByteString(help), type: .counter,
            metrics: [Metric(labels: [], value: .counter(CounterValue(Double(value))))])
    }

    private var configurationFamilies: [MetricFamily] {
        let (succeeded, time) = lastReload
        return [
            Self.gauge(
                "prometheus_config_last_reload_successful",
                "Whether the last configuration reload attempt was successful.", succeeded ? 1 : 0),
            Self.gauge(
                "prometheus_config_last_reload_success_timestamp_seconds",
                "Timestamp of the last successful configuration reload.", Double(time) / 1000),
        ]
    }

    private var requestFamily: MetricFamily {
        let counts = requests.withLock { $0 }.sorted {
            ($0.key.handler, $0.key.code) < ($1.key.handler, $1.key.code)
        }
        return MetricFamily(
            name: "prometheus_http_requests_total", help: "Counter of HTTP requests.", type: .counter,
            metrics: counts.map { key, count in
                Metric(
                    labels: [
                        LabelPair("code", ByteString("\(key.code)")), LabelPair("handler", ByteString(key.handler)),
                    ], value: .counter(CounterValue(Double(count))))
            })
    }

    private static func families(of counters: APICounters) -> [MetricFamily] {
        let load = { (counter: borrowing Atomic<Int>) in UInt64(clamping: counter.load(ordering: .relaxed)) }
        return [
            counter(
                "prometheus_api_remote_write_invalid_labels_samples_total",
                "The total number of received remote write samples and histogram samples which were rejected due to "
                    + "invalid labels.", load(counters.invalidLabelSamples)),
            counter(
                "prometheus_web_federation_errors_total",
                "Total number of errors that occurred while sending federation responses.",
                load(counters.federationErrors)),
            gauge(
                "prometheus_remote_storage_remote_read_handler_queries",
                "The current number of remote read queries that are either in execution or queued on the handler.",
                Double(load(counters.remoteReads))),
        ]
    }

    private static func families(of database: Database) -> [MetricFamily] {
        let head = database.headStatus
        let metrics = database.metrics
        let seconds = { (time: Timestamp) in time == .max || time == .min ? 0 : Double(time) / 1000 }
        return [
            gauge("prometheus_tsdb_head_series", "Total number of series in the head block.", Double(head.seriesCount)),
            gauge(
                "prometheus_tsdb_head_stale_series", "Total number of stale series in the head block.",
                Double(head.staleSeriesCount)),
            gauge("prometheus_tsdb_head_chunks", "Total number of chunks in the head block.", Double(head.chunkCount)),
            gauge(
                "prometheus_tsdb_head_min_time_seconds", "Minimum time bound of the head block.",
                seconds(head.minimumTime)),
            gauge(
                "prometheus_tsdb_head_max_time_seconds", "Maximum timestamp of the head block.",
                seconds(head.maximumTime)),
            MetricFamily(
                name: "prometheus_tsdb_head_samples_appended_total", help: "Total number of appended samples.",
                type: .counter,
                metrics: [("float", metrics.floatsAppended), ("histogram", metrics.histogramsAppended)].map {
                    Metric(
                        labels: [LabelPair("type", ByteString($0.0))], value: .counter(CounterValue(Double($0.1))))
                }),
            counter(
                "prometheus_tsdb_exemplar_exemplars_appended_total", "Total number of appended exemplars.",
                metrics.exemplarsAppended),
            counter(
                "prometheus_tsdb_out_of_order_samples_total",
                "Total number of out of order samples ingestion failed attempts due to out of order being disabled.",
                metrics.outOfOrderRejected),
            counter(
                "prometheus_tsdb_head_out_of_order_samples_appended_total",
                "Total number of appended out of order samples.", metrics.outOfOrderAppended),
            counter(
                "prometheus_tsdb_out_of_bound_samples_total",
                "Total number of out of bound samples ingestion failed attempts with out of order support disabled.",
                metrics.outOfBoundsRejected),
            counter(
                "prometheus_tsdb_too_old_samples_total",
                "Total number of out of order samples ingestion failed attempts with out of support enabled, but sample "
                    + "outside of time window.", metrics.tooOldRejected),
            counter(
                "prometheus_tsdb_head_series_created_total", "Total number of series created in the head",
                metrics.seriesCreated),
            counter(
                "prometheus_tsdb_head_series_removed_total", "Total number of series removed in the head",
                metrics.seriesRemoved),
            counter(
                "prometheus_tsdb_head_chunks_created_total", "Total number of chunks created in the head",
                metrics.chunksCreated),
            counter(
                "prometheus_tsdb_head_chunks_removed_total", "Total number of chunks removed in the head",
                metrics.chunksRemoved),
            counter(
                "prometheus_tsdb_head_truncations_total", "Total number of head truncations attempted.",
                metrics.headTruncations),
            counter(
                "prometheus_tsdb_head_truncations_failed_total", "Total number of head truncations that failed.",
                metrics.headTruncationsFailed),
            counter(
                "prometheus_tsdb_checkpoint_creations_total", "Total number of checkpoint creations attempted.",
                metrics.checkpoints),
            counter(
                "prometheus_tsdb_checkpoint_creations_failed_total",
                "Total number of checkpoint creations that failed.", metrics.checkpointsFailed),
            counter(
                "prometheus_tsdb_reloads_total",
                "Number of times the database reloaded block data from disk.", metrics.blockReloads),
            counter(
                "prometheus_tsdb_reloads_failures_total",
                "Number of times the database failed to reloadBlocks block data from disk.",
                metrics.blockReloadsFailed),
            counter(
                "prometheus_tsdb_stale_series_compactions_triggered_total",
                "Total number of triggered stale series compactions.", metrics.staleCompactions),
            counter(
                "prometheus_tsdb_stale_series_compactions_failed_total",
                "Total number of failed stale series compactions.", metrics.staleCompactionsFailed),
            counter(
                "prometheus_tsdb_compactions_total",
                "Total number of compactions that were executed for the partition.",
                metrics.compactions),
            counter(
                "prometheus_tsdb_compactions_failed_total",
                "Total number of compactions that failed for the partition.", metrics.compactionsFailed),
            counter(
                "prometheus_tsdb_wal_corruptions_total", "Total number of WAL corruptions.", metrics.walCorruptions),
            counter(
                "prometheus_tsdb_wal_writes_failed_total", "Total number of write log writes that failed.",
                metrics.walWritesFailed),
            gauge(
                "prometheus_tsdb_wal_segment_current", "Write log segment index that TSDB is currently writing to.",
                Double(metrics.walSegment)),
            gauge(
                "prometheus_tsdb_wal_storage_size_bytes", "Size of the write log directory.", Double(metrics.walBytes)),
            gauge(
                "prometheus_tsdb_storage_blocks_bytes",
                "The number of bytes that are currently used for local storage by all blocks.",
                Double(metrics.storageBytes)),
            gauge(
                "prometheus_tsdb_blocks_loaded", "Number of currently loaded data blocks", Double(database.blocks.count)
            ),
            gauge(
                "prometheus_tsdb_data_replay_duration_seconds", "Time taken to replay the data on disk.",
                Double(metrics.replayMilliseconds) / 1000),
        ]
    }
}
