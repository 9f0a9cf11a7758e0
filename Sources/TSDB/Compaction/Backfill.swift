package import DurableFiles
package import MetricModel

/// Writes blocks from samples that come from elsewhere, such as an OpenMetrics text.
///
/// The samples of a range of time are kept in memory until the range is written: who reads a long file goes over it
/// once a range, as `promtool tsdb create-blocks-from` does.
/// Source: prometheus/prometheus cmd/promtool/backfill.go.
package struct Backfill: Sendable {
    private let directory: String
    private let fileSystem: any FileSystem
    private var series: [Labels: [ChunkSample]] = [:]
    /// The first millisecond of the range that samples are taken for.
    package let start: Timestamp
    /// Its last millisecond.
    package let end: Timestamp

    /// Takes samples from `start` to `end`, both included, for a block in `directory`.
    package init(_ directory: String, from start: Timestamp, to end: Timestamp, on fileSystem: any FileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.start = start
        self.end = end
    }

    /// The ranges of blocks of `duration` milliseconds that hold samples from `first` to `last`, both included.
    package static func ranges(from first: Timestamp, to last: Timestamp, duration: Int64) -> [ClosedRange<Timestamp>] {
        guard first <= last, duration > 0 else { return [] }
        let rest = first % duration
        var start = rest < 0 ? first &- rest &- duration : first &- rest
        var result: [ClosedRange<Timestamp>] = []
        while start <= last {
            let (next, overflow) = start.addingReportingOverflow(duration)
            result.append(start...(overflow ? .max : next - 1))
            if overflow { break }
            start = next
        }
        return result
    }

    /// Adds a sample, in any order; one outside the range is left out.
    package mutating func append(_ labels: Labels, _ sample: ChunkSample) {
        guard sample.timestamp >= start, sample.timestamp <= end else { return }
        series[labels, default: []].append(sample)
    }

    /// Writes what was added. Of samples of one series and time the first is kept.
    /// - Returns: What was written, or nil if nothing was added.
    package func finish(ulid: ULID) throws(StoreError) -> BlockMeta? {
        let entries = series.map { labels, samples in
            let order = samples.indices.sorted { left, right in
                let a = samples[left].timestamp
                let b = samples[right].timestamp
                return a == b ? left < right : a < b
            }
            return SeriesList.Entry(labels: labels, samples: order.map { samples[$0] })
        }
        return try SeriesList(entries).writeBlock(in: directory, ulid: ulid, on: fileSystem)
    }
}
