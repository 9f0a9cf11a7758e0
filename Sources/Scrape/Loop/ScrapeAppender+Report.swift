internal import ByteCoding
internal import MetricModel

/// The series that a scrape adds about itself.
///
/// Source: prometheus/prometheus scrape/scrape.go (`report`, `reportStale`).
extension ScrapeAppender {
    /// What a scrape says of itself.
    struct Report {
        var isUp: Bool
        /// Seconds.
        var duration: Double
        var counts: Counts
        /// Only where the configuration asks for more: seconds, samples, bytes.
        var extra: (timeout: Double, sampleLimit: Double, bodyBytes: Double)?
    }

    private static let plainNames: [ByteString] = [
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
    ]
    private static let extraNames: [ByteString] = [
        "scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes",
    ]

    /// Adds the series about a scrape at `timestamp`.
    /// - Throws: `ScrapeFailure` if the store takes none of them.
    func addReport(_ report: Report, at timestamp: Timestamp, to batch: any SampleBatch) throws(ScrapeFailure) {
        var values = [
            report.isUp ? 1 : 0, report.duration, Double(report.counts.scraped), Double(report.counts.added),
            Double(report.counts.seriesAdded),
        ]
        var names = Self.plainNames
        if let extra = report.extra {
            names += Self.extraNames
            values += [extra.timeout, extra.sampleLimit, extra.bodyBytes]
        }
        for (name, value) in zip(names, values) { try addReportSample(name, value, at: timestamp, batch) }
    }

    /// Adds the end of the series about scrapes.
    func addReportEnd(hasExtra: Bool, at timestamp: Timestamp, to batch: any SampleBatch) throws(ScrapeFailure) {
        for name in Self.plainNames + (hasExtra ? Self.extraNames : []) {
            try addReportSample(name, Double(bitPattern: SampleValue.staleBits), at: timestamp, batch)
        }
    }

    private func addReportSample(
        _ name: ByteString, _ value: Double, at timestamp: Timestamp, _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        // No exposition can hold this byte, so that scraped series never meet these.
        let key = name.bytes + [0xFF]
        var rejection: SampleRejection?
        key.withUnsafeBufferPointer { key in
            let hash = ByteHash.hash(key)
            let index = cache.find(key, hash: hash) ?? cache.insert(key, hash: hash, kind: .report, type: 0)
            let reference = cache.entries[index].reference
            if reference != 0 {
                let sample = [BatchSample(reference: reference, timestamp: timestamp, value: value)]
                sample.withUnsafeBufferPointer { batch.append($0) { rejection = $1 } }
                guard rejection == .unknownSeries else { return }
                rejection = nil
            }
            do throws(SampleRejection) {
                cache.entries[index].reference = try batch.append(
                    mutator.report(name), timestamp: timestamp, value: value, start: 0)
            } catch {
                rejection = error
            }
        }
        switch rejection {
        // Expected where a target goes and comes back with another loop.
        case nil, .outOfOrder, .duplicate: return
        case .outOfBounds: throw ScrapeFailure("out of bounds")
        case .unknownSeries: throw ScrapeFailure("not found")
        case .other(let reason): throw ScrapeFailure(reason)
        }
    }
}
