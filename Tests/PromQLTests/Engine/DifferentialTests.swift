import Foundation
import Matching
import MetricModel
import PromQL
import TestSupport
import Testing

/// Random queries whose answers `Tests/PromQLTests/compare-with-prometheus` compares with those of a real Prometheus
/// on the same data.
///
/// Writes to the folder `NARTHEX_DIFFERENTIAL` the data as OpenMetrics (`data.om`) and the answers (`answers.tsv`);
/// `NARTHEX_SEED` chooses the queries. Times lie beside the samples' grid, so that it makes no difference that ranges
/// became open on the left in 3.0; what later versions changed or added is left out.
@Suite struct DifferentialTests {
    private static let folder = ProcessInfo.processInfo.environment["NARTHEX_DIFFERENTIAL"]
    private static let origin: Timestamp = 1_600_000_000_000
    private static let names = ["requests_total", "temperature", "latency_bucket", "gaps"]

    /// Series of numbers at ``origin``, without staleness markers, which OpenMetrics cannot express.
    private struct Source: SeriesSource {
        let data = RandomData(seed: 7)

        private struct One: SelectedSeries {
            let base: any SelectedSeries
            var labels: Labels { base.labels }

            func read(into columns: inout SampleColumns) throws {
                var samples = SampleColumns()
                try base.read(into: &samples)
                for (time, value) in zip(samples.timestamps, samples.values) where !SampleValue.isStale(value) {
                    columns.append(time + origin, value)
                }
            }
        }

        func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) -> SeriesSelection {
            let found = data.select(matchers, start: 0, end: .max, hints: hints).series
            return SeriesSelection(
                series: found.filter { names.contains($0.labels.metricName?.string ?? "") }.map { One(base: $0) })
        }
    }

    private static let leftOut = [
        "anchored", "smoothed", "limit", "mad_over", "ts_of", "first_over", "start()", "end()", "step()", "range()",
        "max_of", "min_of", "double_exp", "sizes", "mixed", "@ 600", "</", ">/", "histogram_", "sort",
    ]

    private static func text(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
    }

    @Test(.enabled(if: folder != nil, "NARTHEX_DIFFERENTIAL is not set")) func `answers are written down`() throws {
        let folder = URL(fileURLWithPath: try #require(Self.folder))
        let source = Source()
        try Self.openMetrics(source).write(
            to: folder.appendingPathComponent("data.om"), atomically: true, encoding: .utf8)
        var options = EngineOptions()
        options.parser = .everything
        let engine = Engine(options: options)
        let seed = ProcessInfo.processInfo.environment["NARTHEX_SEED"].flatMap { UInt64($0) } ?? 1
        var queries = RandomQueries(random: SeededGenerator(seed: seed))
        var output = ""
        for number in 0..<3000 {
            let query = queries.query()
            if Self.leftOut.contains(where: { query.contains($0) }) { continue }
            let start = Self.origin + 307_000
            let isInstant = number % 3 == 0
            let time: Engine.Time =
                isInstant ? .instant(start) : .range(start: start, end: start + 600_000, step: 60_000)
            output += "Q\t\(isInstant ? "instant" : "range")\t\(query)\n"
            do throws(QueryError) {
                output += Self.lines(try engine.evaluate(ByteString(query), over: source, at: time).value)
            } catch {
                output += "ERROR\t\(error)\n"
            }
        }
        try output.write(to: folder.appendingPathComponent("answers.tsv"), atomically: true, encoding: .utf8)
    }

    private static func lines(_ value: QueryResult.Value) -> String {
        func line(_ labels: Labels, _ time: Timestamp, _ value: Double) -> String {
            "\(labels)\t\(time)\t\(text(value))\n"
        }
        switch value {
        case .vector(let time, let samples):
            return samples.map { sample in
                if case .float(let number) = sample.value { line(sample.labels, time, number) } else { "" }
            }.joined()
        case .matrix(let series):
            return series.flatMap { one in one.floats.map { line(one.labels, $0.timestamp, $0.value) } }.joined()
        case .scalar(let time, let number): return line(.empty, time, number)
        case .string: return ""
        }
    }

    private static func openMetrics(_ source: Source) throws -> String {
        var text = ""
        for name in names.sorted() {
            text += "# TYPE \(name) unknown\n"
            let matcher = Matcher("__name__", equals: ByteString(name))
            for one in source.select([matcher], start: 0, end: .max, hints: SelectHints()).series {
                var samples = SampleColumns()
                try one.read(into: &samples)
                let labels = one.labels.removing("__name__").description.replacingOccurrences(of: ", ", with: ",")
                for (time, value) in zip(samples.timestamps, samples.values) {
                    text += "\(name)\(labels) \(Self.text(value)) \(time / 1000)\n"
                }
            }
        }
        return text + "# EOF\n"
    }
}
