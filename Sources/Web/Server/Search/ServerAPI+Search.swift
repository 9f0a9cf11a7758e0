internal import ByteCoding
internal import Matching
internal import MetricModel
internal import PromQL
internal import TSDB

/// Searches for names while somebody types, answered line by line.
///
/// Source: prometheus/prometheus web/api/v1/search.go.
extension ServerAPI {
    private struct SearchRequest {
        var start: Timestamp
        var end: Timestamp
        var selectors: [[Matcher]]
        var score: SearchScore?
        var order = Order.ascending
        var includesScore = false
        var limit = 100
        var batchSize = 100

        enum Order { case ascending, descending, score }
    }

    private typealias Hit = (text: ByteString, score: Double)

    func searchMetricNames(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let search = try searchRequest(form, "metric_names")
        let includesMetadata = try flag(form, "include_metadata", or: false)
        let hits = try values(of: Labels.metricName, search)
        var metadata: [ByteString: MetricMetadata] = [:]
        if includesMetadata {
            for target in targets.activeTargets {
                for (family, one) in target.metadata() where metadata[family] == nil { metadata[family] = one }
            }
        }
        return lines(hits, search, key: "name") { name in
            guard let known = metadata[name] else { return [] }
            let fields: [(String, ByteString)] = [
                ("type", ByteString(known.type.openMetricsName)), ("help", known.help), ("unit", known.unit),
            ]
            return fields.filter { !$0.1.isEmpty }.map { ($0.0, .bytes($0.1)) }
        }
    }

    func searchLabelNames(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let search = try searchRequest(form, "label_names")
        let hits = try hits(search) { querier, matchers throws(StoreError) in
            try querier.labelNames(matchers, limit: 0).texts
        }
        return lines(hits, search, key: "name")
    }

    func searchLabelValues(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let search = try searchRequest(form, "label_values")
        let label = form.first("label")
        if label.isEmpty { throw APIError(.badData, "missing required parameter \"label\"") }
        return lines(try values(of: label, search), search, key: "value")
    }

    // MARK: Requests

    private func searchRequest(_ form: FormValues, _ endpoint: String) throws(APIError) -> SearchRequest {
        if !settings.enablesSearch { throw APIError(.unavailable, "search API disabled") }
        if let fault = form.fault { throw APIError(.badData, "error parsing form values: \(fault)") }
        let now = process.now()
        let start = try TimeParameters.time(form, "start", or: now &- 3_600_000)
        let end = try TimeParameters.time(form, "end", or: now)
        if end < start { throw APIError(.badData, "end timestamp must not be before start timestamp") }
        var search = SearchRequest(start: start, end: end, selectors: try selectors(form))
        let terms = form.all("search[]")
        if terms.count > 32 {
            throw APIError(.badData, "too many search[] terms: got \(terms.count), maximum is 32")
        }
        search.score = try score(form, terms)
        search.includesScore = try flag(form, "include_score", or: false)
        search.order = try order(form, terms, endpoint)
        let maximum = settings.maximumSearchLimit
        search.limit = maximum > 0 ? min(100, maximum) : 100
        if let limit = try positive(form, "limit") {
            if maximum > 0, limit > maximum {
                throw APIError(
                    .badData,
                    "limit \(limit) exceeds the configured maximum (\(maximum), see --web.search.max-limit)")
            }
            search.limit = limit
        }
        search.batchSize = try positive(form, "batch_size") ?? 100
        return search
    }

    private func score(_ form: FormValues, _ terms: [ByteString]) throws(APIError) -> SearchScore? {
        var threshold = 0
        let text = form.first("fuzz_threshold")
        if !text.isEmpty {
            guard let number = TimeParameters.integer(text), (0...100).contains(number) else {
                throw APIError(.badData, "invalid fuzz_threshold \(Quoting.quote(text)): must be 0-100")
            }
            threshold = number
        }
        var algorithm = SearchScore.Algorithm.subsequence
        let name = form.first("fuzz_alg")
        if !name.isEmpty {
            guard let known = SearchScore.Algorithm(rawValue: name.string) else {
                throw APIError(
                    .badData,
                    "unsupported fuzz_alg \(Quoting.quote(name)): must be one of [subsequence jarowinkler]")
            }
            algorithm = known
        }
        return SearchScore(
            terms: terms, algorithm: algorithm, threshold: Double(threshold) / 100,
            isCaseSensitive: try flag(form, "case_sensitive", or: true))
    }

    private func order(
        _ form: FormValues, _ terms: [ByteString], _ endpoint: String
    ) throws(APIError) -> SearchRequest.Order {
        let key = form.first("sort_by").string
        let direction = form.first("sort_dir").string
        if !direction.isEmpty, key.isEmpty { throw APIError(.badData, "sort_dir is only valid when sort_by is set") }
        if !direction.isEmpty, key == "score" {
            throw APIError(.badData, "sort_dir is not supported for sort_by=score")
        }
        if !["", "asc", "dsc"].contains(direction) {
            throw APIError(
                .badData,
                "invalid sort_dir \(Quoting.quote(ByteString(direction))): must be \"asc\" or \"dsc\"")
        }
        if key == "score", terms.isEmpty { throw APIError(.badData, "sort_by=score requires search[] to be set") }
        switch key {
        case "", "alpha": return direction == "dsc" ? .descending : .ascending
        case "score": return .score
        default:
            throw APIError(
                .badData,
                "invalid sort_by \(Quoting.quote(ByteString(key))) for \(endpoint): must be \"alpha\" or \"score\"")
        }
    }

    private func flag(_ form: FormValues, _ name: String, or other: Bool) throws(APIError) -> Bool {
        let text = form.first(ByteString(name))
        switch text {
        case "": return other
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw APIError(.badData, "invalid \(name) \(Quoting.quote(text)): must be boolean")
        }
    }

    private func positive(_ form: FormValues, _ name: String) throws(APIError) -> Int? {
        let text = form.first(ByteString(name))
        if text.isEmpty { return nil }
        guard let number = TimeParameters.integer(text), number > 0 else {
            throw APIError(.badData, "invalid \(name) \(Quoting.quote(text)): must be a positive integer")
        }
        return number
    }

    // MARK: Hits

    private func values(of label: ByteString, _ search: SearchRequest) throws(APIError) -> [Hit] {
        try hits(search) { querier, matchers throws(StoreError) in
            try querier.labelValues(of: label, matchers, limit: 0).texts
        }
    }

    private func hits(
        _ search: SearchRequest, _ texts: (Querier, [Matcher]) throws(StoreError) -> [ByteString]
    ) throws(APIError) -> [Hit] {
        let found = try withQuerier((search.start, search.end)) { querier throws(StoreError) -> Set<ByteString> in
            if search.selectors.isEmpty { return Set(try texts(querier, [])) }
            var all: Set<ByteString> = []
            for selector in search.selectors { all.formUnion(try texts(querier, selector)) }
            return all
        }
        let hits = found.compactMap { text -> Hit? in
            guard let score = search.score else { return (text, 1) }
            return score.score(text).map { (text, $0) }
        }
        return hits.sorted { left, right in
            switch search.order {
            case .ascending: left.text < right.text
            case .descending: right.text < left.text
            case .score: left.score != right.score ? left.score > right.score : left.text < right.text
            }
        }
    }

    private func lines(
        _ hits: [Hit], _ search: SearchRequest, key: String, extra: (ByteString) -> [(String, JSONField)] = { _ in [] }
    ) -> ServerResponse {
        let shown = hits.prefix(search.limit)
        var text: [UInt8] = []
        var batch = shown
        repeat {
            let results = batch.prefix(search.batchSize).map { hit in
                var fields: [(String, JSONField)] = [(key, .bytes(hit.text))]
                if search.includesScore { fields.append(("score", .raw(FloatText.string(hit.score, .json)))) }
                return JSONField.object(fields + extra(hit.text))
            }
            text += Self.object([("results", .list(results))]) + Array("\n".utf8)
            batch = batch.dropFirst(search.batchSize)
        } while !batch.isEmpty
        text += Self.object([("status", .text("success")), ("has_more", .flag(hits.count > search.limit))])
        text += Array("\n".utf8)
        return ServerResponse(
            200, fields: [("Content-Type", "application/x-ndjson; charset=utf-8")], body: .bytes(text))
    }
}
