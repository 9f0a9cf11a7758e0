internal import MetricModel
internal import TSDB

/// What is counted of compaction, of readers and appenders side by side, and of exemplars.
extension StoreFamilies {
    static func compactions(_ metrics: StoreMetrics) -> [MetricFamily] {
        [
            counter(
                "compactions_total", "Total number of compactions that were executed for the partition.",
                metrics.compactions),
            counter(
                "compactions_failed_total", "Total number of compactions that failed for the partition.",
                metrics.compactionsFailed),
            counter(
                "compactions_triggered_total", "Total number of triggered compactions for the partition.",
                metrics.compactionsTriggered),
            counter(
                "compactions_skipped_total",
                "Total number of skipped compactions due to disabled auto compaction.", metrics.compactionsSkipped),
            counter(
                "vertical_compactions_total", "Total number of compactions done on overlapping blocks.",
                metrics.overlappingCompactions),
            gauge(
                "compaction_populating_block", "Set to 1 when a block is currently being written to the disk.",
                metrics.isWritingBlock ? 1 : 0),
            histogram("compaction_duration_seconds", "Duration of compaction runs", metrics.compactionLengths),
            histogram(
                "compaction_chunk_size_bytes", "Final size of chunks on their first compaction", metrics.chunkSizes),
            histogram(
                "compaction_chunk_samples", "Final number of samples on their first compaction",
                metrics.chunkSamples),
            histogram(
                "compaction_chunk_range_seconds", "Final time range of chunks on their first compaction",
                metrics.chunkRanges),
            counter(
                "stale_series_compactions_triggered_total", "Total number of triggered stale series compactions.",
                metrics.staleCompactions),
            counter(
                "stale_series_compactions_failed_total", "Total number of stale series compactions that failed.",
                metrics.staleCompactionsFailed),
            histogram(
                "stale_series_compaction_duration_seconds", "Duration of stale series compaction runs.",
                metrics.staleCompactionLengths),
            histogram(
                "tombstone_cleanup_seconds", "The time taken to recompact blocks to remove tombstones.",
                metrics.tombstoneLengths),
        ]
    }

    static func reading(_ metrics: StoreMetrics) -> [MetricFamily] {
        [
            gauge(
                "head_active_appenders", "Number of currently active appender transactions",
                Double(metrics.appendersOpen)),
            counter(
                "head_appenders_created_total", "Total number of appender transactions created.",
                metrics.appendersOpened),
            gauge(
                "isolation_low_watermark", "The lowest TSDB append ID that is still referenced.",
                Double(metrics.oldestCommitRead)),
            gauge(
                "isolation_high_watermark", "The highest TSDB append ID that has been given out.",
                Double(metrics.lastCommit)),
            gauge(
                "head_chunks_storage_size_bytes", "Size of the chunks_head directory.",
                Double(metrics.headChunkBytes)),
            counter(
                "mmap_chunks_total", "Total number of chunks that were memory-mapped.", metrics.chunksMapped),
            histogram(
                "sample_ooo_delta",
                "Delta in seconds by which a sample is considered out of order (reported regardless of OOO time "
                    + "window and whether sample is accepted or not).", metrics.lateness),
        ]
    }

    static func exemplars(_ database: Database, _ metrics: StoreMetrics) -> [MetricFamily] {
        [
            counter(
                "exemplar_exemplars_appended_total", "Total number of appended exemplars.",
                metrics.exemplarsAppended),
            gauge(
                "exemplar_exemplars_in_storage", "Number of exemplars currently in circular storage.",
                Double(metrics.exemplarCount)),
            gauge(
                "exemplar_series_with_exemplars_in_storage",
                "Number of series with exemplars currently in circular storage.",
                Double(metrics.exemplarSeriesCount)),
            gauge(
                "exemplar_last_exemplars_timestamp_seconds",
                "The timestamp of the oldest exemplar stored in circular storage. Useful to check for what time"
                    + "range the current exemplar buffer limit allows. This usually means the last timestamp"
                    + "for all exemplars for a typical setup. This is not true though if one of the series "
                    + "timestamp is in future compared to rest series.", Double(metrics.oldestExemplarTime) / 1000),
            counter(
                "exemplar_out_of_order_exemplars_total",
                "Total number of out of order exemplar ingestion failed attempts.", metrics.exemplarsOutOfOrder),
            gauge(
                "exemplar_max_exemplars",
                "Total number of exemplars the exemplar storage can store, resizeable.",
                Double(database.options.maximumExemplars)),
        ]
    }

    private static func histogram(_ name: String, _ help: String, _ lengths: LengthRecord) -> MetricFamily {
        let buckets = zip(lengths.bounds, lengths.buckets).map { bound, count in
            HistogramValue.Bucket(upperBound: bound, count: Double(count))
        }
        let value = HistogramValue(count: Double(lengths.count), sum: lengths.sum, buckets: buckets)
        return MetricFamily(
            name: ByteString("prometheus_tsdb_" + name), help: ByteString(help), type: .histogram,
            metrics: [Metric(labels: [], value: .histogram(value))])
    }
}
