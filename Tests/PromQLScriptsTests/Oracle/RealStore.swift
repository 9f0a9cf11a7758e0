import Matching
import MetricModel
import PromQL
import PromQLScripts
import TSDB
import TestSupport

/// The real store with what `load` commands say, on a simulated disk: chunks decide what histograms say of resets and
/// which empty buckets they have. Start timestamps, which it does not keep, stand beside it.
final class RealStore {
    private let database: Database
    private var starts: [Labels: [Timestamp: Timestamp]] = [:]

    /// An empty store.
    init() throws {
        var options = Database.Options()
        options.minimumFreeBytes = 0
        // As upstream's scripts have it: one block of a day, nothing out of order.
        options.minimumBlockDuration = 24 * 3_600_000
        options.maximumBlockDuration = 24 * 3_600_000
        database = try Database.open("data", options: options, fileSystem: SimulatedDisk(seed: 1))
    }

    /// The store after all commands of `script`.
    convenience init(_ script: String) throws {
        try self.init()
        for command in try Script(ByteString(script)).commands {
            guard case .load(let load) = command else { continue }
            try self.load(load.series)
            if load.addsCustomBuckets { try self.load(load.convertedSeries()) }
        }
    }

    deinit { try? database.close() }

    func load(_ series: [LoadCommand.Series]) throws {
        let appender = database.appender()
        for one in series {
            for sample in one.samples {
                if sample.startTimestamp != 0 {
                    starts[one.labels, default: [:]][sample.timestamp] = sample.startTimestamp
                }
                switch sample.value {
                case .float(let value):
                    _ = try appender.append(.none, labels: one.labels, timestamp: sample.timestamp, value: value)
                case .histogram(let histogram):
                    _ = try appender.append(
                        .none, labels: one.labels, timestamp: sample.timestamp, floatHistogram: histogram)
                }
            }
        }
        _ = try appender.commit(.relaxed)
    }

    /// What queries read.
    var source: some SeriesSource { Source(database: database, starts: starts) }

    private struct Source: SeriesSource {
        let database: Database
        let starts: [Labels: [Timestamp: Timestamp]]

        func select(
            _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
        ) throws -> SeriesSelection {
            let found = try database.querier(from: start, to: end).select(matchers)
            return SeriesSelection(series: found.map { Series(series: $0, starts: starts[$0.labels] ?? [:]) })
        }
    }

    private struct Series: PromQL.SelectedSeries {
        let series: TSDB.SelectedSeries
        let starts: [Timestamp: Timestamp]

        var labels: Labels { series.labels }

        func read(into columns: inout SampleColumns) throws {
            try series.read(into: &columns)
            columns.startTimestamps = columns.timestamps.map { starts[$0] ?? 0 }
        }
    }
}
