import Matching
import MetricModel
import PromQL
import Scrape
import TSDB
import TestSupport
import Web

/// An evaluator for tests that ask nothing.
private struct NoQueries: QueryEvaluator {
    func evaluate(_ request: QueryRequest) throws(QueryFailure) -> QueryAnswer { throw .execution("not asked") }
}

/// An API with everything turned on, over a store in a directory of its own; it is two minutes past the epoch.
final class Receiver {
    private let folder: TemporaryFolder
    let database: Database
    let counters = APICounters()
    let api: ServerAPI

    init(_ change: (inout ServerAPI.Settings, inout OTLPConfiguration) -> Void = { _, _ in }) throws {
        folder = try TemporaryFolder()
        database = try Database.open(folder.file("data"))
        var settings = ServerAPI.Settings()
        settings.enablesOTLP = true
        settings.enablesSearch = true
        settings.durability = .relaxed
        var otlp = OTLPConfiguration()
        change(&settings, &otlp)
        var process = ServerAPI.Process(
            metrics: { [ServerMetrics.counter("a_total", "Help.", 3), ServerMetrics.gauge("b", "", .infinity)] },
            now: { 120_000 })
        let chosen = otlp
        process.otlp = { chosen }
        api = ServerAPI(
            settings: settings, process: process, parser: Parser(), evaluator: NoQueries(), targets: NoTargets(),
            counters: counters)
        api.open(database)
    }

    deinit { try? database.close() }

    func post(
        _ body: [UInt8], type: String, to path: ByteString = "/api/v1/otlp/v1/metrics", encoding: String? = nil
    ) -> (status: Int, text: String) {
        var fields = ["content-type": type]
        fields["content-encoding"] = encoding
        let request = ServerRequest("POST", path, fields: fields, body: body)
        let response = api.respond(to: request)
        return (response.status, String(decoding: response.collected(), as: UTF8.self))
    }

    func get(_ path: String, _ query: String = "") -> (status: Int, text: String) {
        let response = api.respond(to: ServerRequest("GET", ByteString("/api/v1/" + path), query: ByteString(query)))
        return (response.status, String(decoding: response.collected(), as: UTF8.self))
    }

    /// All samples: series, then times and values.
    func samples() throws -> [String: String] {
        var result: [String: String] = [:]
        let all = [try Matcher("__name__", .matches, ".+")]
        for series in try database.querier(from: .min, to: .max).select(all) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            result["\(series.labels)"] = columns.timestamps.indices.map { index in
                let histogram = columns.histograms.first { $0.index == index }?.histogram
                return "\(columns.timestamps[index])=\(histogram.map { "\($0)" } ?? "\(columns.values[index])")"
            }.joined(separator: " ")
        }
        return result
    }
}
