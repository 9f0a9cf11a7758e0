internal import MetricModel
internal import TSDB

/// What the store counts, under Prometheus' names.
///
/// Source: prometheus/prometheus tsdb/head.go, tsdb/db.go, tsdb/compact.go, tsdb/wlog/wlog.go, tsdb/exemplar.go.
enum StoreFamilies {
    static func all(_ database: Database) -> [MetricFamily] {
        let metrics = database.metrics
        return head(database.headStatus, metrics) + reading(metrics) + log(metrics) + blocks(database, metrics)
            + compactions(metrics) + exemplars(database, metrics)
    }

    static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        ServerMetrics.gauge("prometheus_tsdb_" + name, help, value)
    }

    static func counter(_ name: String, _ help: String, _ value: UInt64) -> MetricFamily {
        ServerMetrics.counter("prometheus_tsdb_" + name, help, value)
    }

    private static func typed(_ name: String, _ help: String, _ values: [(String, UInt64)]) -> MetricFamily {
        MetricFamily(
            name: ByteString("prometheus_tsdb_" + name), help: ByteString(help), type: .counter,
            metrics: values.map { type, value in
                Metric(
                    labels: [LabelPair("type", ByteString(type))], value: .counter(CounterValue(Double(value))))
            })
    }

    /// A summary, with the quantiles of the latest lengths.
    private static func summary(
        _ name: String, _ help: String, _ lengths: LengthRecord, _ quantiles: [Double] = []
    ) -> MetricFamily {
        let sorted = lengths.latest.sorted()
        let values = quantiles.map { quantile in
            let rank = Int((Double(sorted.count - 1) * quantile).rounded())
            return SummaryValue.Quantile(quantile, sorted.indices.contains(rank) ? sorted[rank] : .nan)
        }
        return MetricFamily(
            name: ByteString("prometheus_tsdb_" + name), help: ByteString(help), type: .summary,
            metrics: [
                Metric(
                    labels: [],
                    value: .summary(
                        SummaryValue(count: Double(lengths.count), sum: lengths.sum, quantiles: values)))
            ])
    }

    private static func seconds(_ time: Timestamp) -> Double {
        time == .max || time == .min ? 0 : Double(time) / 1000
    }

    private static func head(_ head: HeadStatus, _ metrics: StoreMetrics) -> [MetricFamily] {
        let unitless = "The unit is decided by the library consumer."
        return [
            gauge("head_series", "Total number of series in the head block.", Double(head.seriesCount)),
            gauge(
                "head_stale_series", "Total number of stale series in the head block.", Double(head.staleSeriesCount)),
            gauge(
                "head_native_histogram_series",
                "Number of series whose most recent in-order sample is a native histogram.",
                Double(metrics.histogramSeriesCount)),
            gauge(
                "head_native_histogram_buckets",
                "Number of positive and negative bucket entries in the most recent in-order native histogram sample "
                    + "of each series, including entries carried by staleness markers.",
                Double(metrics.histogramBucketCount)),
            gauge("head_chunks", "Total number of chunks in the head block.", Double(head.chunkCount)),
            gauge("head_min_time", "Minimum time bound of the head block. \(unitless)", Double(head.minimumTime)),
            gauge("head_max_time", "Maximum timestamp of the head block. \(unitless)", Double(head.maximumTime)),
            gauge("head_min_time_seconds", "Minimum time bound of the head block.", seconds(head.minimumTime)),
            gauge("head_max_time_seconds", "Maximum timestamp of the head block.", seconds(head.maximumTime)),
            typed(
                "head_samples_appended_total", "Total number of appended samples.",
                [("float", metrics.floatsAppended), ("histogram", metrics.histogramsAppended)]),
            typed(
                "out_of_order_samples_total",
                "Total number of out of order samples ingestion failed attempts due to out of order being disabled.",
                [("float", metrics.outOfOrderRejected), ("histogram", 0)]),
            typed(
                "head_out_of_order_samples_appended_total", "Total number of appended out of order samples.",
                [("float", metrics.outOfOrderAppended), ("histogram", 0)]),
            typed(
                "out_of_bound_samples_total",
                "Total number of out of bound samples ingestion failed attempts with out of order support disabled.",
                [("float", metrics.outOfBoundsRejected)]),
            typed(
                "too_old_samples_total",
                "Total number of out of order samples ingestion failed attempts with out of support enabled, but "
                    + "sample outside of time window.", [("float", metrics.tooOldRejected)]),
            counter("head_series_created_total", "Total number of series created in the head", metrics.seriesCreated),
            counter("head_series_removed_total", "Total number of series removed in the head", metrics.seriesRemoved),
            counter("head_chunks_created_total", "Total number of chunks created in the head", metrics.chunksCreated),
            counter("head_chunks_removed_total", "Total number of chunks removed in the head", metrics.chunksRemoved),
            counter("head_truncations_total", "Total number of head truncations attempted.", metrics.headTruncations),
            counter(
                "head_truncations_failed_total", "Total number of head truncations that failed.",
                metrics.headTruncationsFailed),
            summary(
                "head_gc_duration_seconds", "Runtime of garbage collection in the head block.", metrics.headLengths),
        ]
    }

    private static func log(_ metrics: StoreMetrics) -> [MetricFamily] {
        [
            counter(
                "checkpoint_creations_total", "Total number of checkpoint creations attempted.", metrics.checkpoints),
            counter(
                "checkpoint_creations_failed_total", "Total number of checkpoint creations that failed.",
                metrics.checkpointsFailed),
            counter("wal_corruptions_total", "Total number of WAL corruptions.", metrics.walCorruptions),
            counter(
                "wal_writes_failed_total", "Total number of write log writes that failed.", metrics.walWritesFailed),
            gauge(
                "wal_segment_current", "Write log segment index that TSDB is currently writing to.",
                Double(metrics.walSegment)),
            summary(
                "wal_fsync_duration_seconds", "Duration of write log fsync.", metrics.walSyncLengths,
                [0.5, 0.9, 0.99]),
            summary("wal_truncate_duration_seconds", "Duration of WAL truncation.", metrics.logLengths),
            counter(
                "wal_truncations_total", "Total number of WAL truncations attempted.", metrics.logLengths.count),
            // Condensing the log is one step here, with the deletion of what was condensed before.
            counter(
                "wal_truncations_failed_total", "Total number of write log truncations that failed.",
                metrics.checkpointsFailed),
            counter(
                "checkpoint_deletions_total", "Total number of checkpoint deletions attempted.", metrics.checkpoints),
            counter(
                "checkpoint_deletions_failed_total", "Total number of checkpoint deletions that failed.",
                metrics.checkpointsFailed),
            counter("wal_page_flushes_total", "Total number of page flushes.", metrics.walPageFlushes),
            counter("wal_completed_pages_total", "Total number of completed pages.", metrics.walPagesCompleted),
            gauge("wal_storage_size_bytes", "Size of the write log directory.", Double(metrics.walBytes)),
            gauge(
                "data_replay_duration_seconds", "Time taken to replay the data on disk.",
                Double(metrics.replayMilliseconds) / 1000),
        ]
    }

    private static func blocks(_ database: Database, _ metrics: StoreMetrics) -> [MetricFamily] {
        let options = database.options
        let blocks = database.blocks
        let lowest = min(blocks.map(\.meta.minimumTime).min() ?? .max, database.headStatus.minimumTime)
        return [
            counter(
                "reloads_total", "Number of times the database reloaded block data from disk.", metrics.blockReloads),
            counter(
                "reloads_failures_total",
                "Number of times the database failed to reloadBlocks block data from disk.",
                metrics.blockReloadsFailed),
            counter(
                "time_retentions_total",
                "The number of times that blocks were deleted because the maximum time limit was exceeded.",
                metrics.blocksByTimeRetention),
            counter(
                "size_retentions_total",
                "The number of times that blocks were deleted because the maximum number of bytes was exceeded.",
                metrics.blocksBySizeRetention),
            gauge(
                "storage_blocks_bytes",
                "The number of bytes that are currently used for local storage by all blocks.",
                Double(metrics.storageBytes)),
            gauge(
                "symbol_table_size_bytes", "Size of symbol table in memory for loaded blocks",
                Double(metrics.symbolBytes)),
            gauge("blocks_loaded", "Number of currently loaded data blocks", Double(blocks.count)),
            gauge(
                "lowest_timestamp",
                "Lowest timestamp value stored in the database. The unit is decided by the library consumer.",
                Double(lowest)),
            gauge(
                "lowest_timestamp_seconds", "Lowest timestamp value stored in the database.", seconds(lowest)),
            gauge(
                "retention_limit_bytes",
                "Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled",
                Double(options.maximumBytes)),
            gauge(
                "retention_limit_percentage",
                "Max percentage of total storage space to be retained in the tsdb blocks, configured 0 means disabled",
                options.maximumDiskPercentage),
            gauge(
                "retention_limit_seconds", "How long to retain samples in storage.", Double(options.retention) / 1000),
            gauge(
                "clean_start",
                "-1: lockfile is disabled. 0: a lockfile from a previous execution was replaced. 1: lockfile creation "
                    + "was clean", options.noLockFile ? -1 : 1),
        ]
    }
}
