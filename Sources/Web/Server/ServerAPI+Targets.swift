internal import ByteCoding
internal import Matching
internal import MetricModel
internal import PromQL

/// Targets, their metadata, and scrape configurations.
extension ServerAPI {
    func scrapePools(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        var json = Array(#"{"scrapePools":"#.utf8)
        QueryResultJSON.append(targets.poolNames.sorted(), to: &json)
        json.append(UInt8(ascii: "}"))
        return Self.success(json)
    }

    func scrapePoolConfiguration(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let pool = form.first("scrapePool").string
        if pool.isEmpty { throw APIError(.badData, "no scrapePool parameter provided") }
        guard let yaml = targets.configuration(ofPool: pool) else { throw Self.noPool(pool) }
        return Self.success(Self.object([("yaml", .text(yaml))]))
    }

    private static func noPool(_ name: String) -> APIError {
        APIError(.badData, "error retrieving scrape config: scrape pool \(Quoting.quote(ByteString(name))) not found")
    }

    func activeAndDroppedTargets(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let pool = form.firstInQuery("scrapePool").string
        let state = form.firstInQuery("state").string.lowercased()
        let shows = { (name: String) in state.isEmpty || state == "any" || state == name }
        var fields: [(String, JSONField)] = []
        let active = shows("active") ? targets.activeTargets.filter { pool.isEmpty || $0.pool == pool } : []
        fields.append(("activeTargets", .list(active.map { .object($0.fields) })))
        let dropped = shows("dropped") ? targets.droppedTargets.filter { pool.isEmpty || $0.pool == pool } : []
        let droppedFields = dropped.map { target in
            JSONField.object([
                ("discoveredLabels", .labels(target.discoveredLabels)), ("scrapePool", .text(target.pool)),
            ])
        }
        fields.append(("droppedTargets", .list(droppedFields)))
        let counts = targets.droppedCounts.sorted { $0.key < $1.key }.map { ($0.key, JSONField.raw("\($0.value)")) }
        fields.append(("droppedTargetCounts", shows("dropped") ? .object(counts) : .raw("null")))
        return Self.success(Self.object(fields))
    }

    func targetMetadata(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let limit = try metadataLimit(form, "limit")
        let selector = form.first("match_target")
        var matchers: [Matcher] = []
        if !selector.isEmpty {
            do throws(ParseError) {
                matchers = try parser.parseMetricSelector(selector)
            } catch {
                throw .parameter("match_target", error.description)
            }
        }
        let metric = form.first("metric")
        var entries: [JSONField] = []
        for target in targets.activeTargets where matchers.allSatisfy({ $0.matches(target.labels) }) {
            if limit >= 0, entries.count >= limit { break }
            for (family, metadata) in target.metadata() where metric.isEmpty || family == metric {
                var fields: [(String, JSONField)] = [("target", .labels(target.labels))]
                if metric.isEmpty { fields.append(("metric", .bytes(family))) }
                fields += [
                    ("type", .text(metadata.type.openMetricsName)), ("help", .bytes(metadata.help)),
                    ("unit", .bytes(metadata.unit)),
                ]
                entries.append(.object(fields))
            }
        }
        return Self.success(Self.json(.list(entries)))
    }

    func metricMetadata(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let limit = try metadataLimit(form, "limit")
        let limitPerMetric = try metadataLimit(form, "limit_per_metric")
        let metric = form.first("metric")
        var order: [ByteString] = []
        var found: [ByteString: [MetricMetadata]] = [:]
        for target in targets.activeTargets {
            for (family, metadata) in target.metadata() where metric.isEmpty || family == metric {
                if found[family] == nil { order.append(family) }
                let known = found[family, default: []]
                if known.contains(metadata) || limitPerMetric > 0 && known.count >= limitPerMetric { continue }
                found[family, default: []].append(metadata)
            }
        }
        order.sort()
        if limit >= 0, order.count > limit { order = Array(order[..<limit]) }
        let entries = order.map { family in
            let list = (found[family] ?? []).map { metadata in
                JSONField.object([
                    ("type", .text(metadata.type.openMetricsName)), ("unit", .bytes(metadata.unit)),
                    ("help", .bytes(metadata.help)),
                ])
            }
            return (family.string, JSONField.list(list))
        }
        return Self.success(Self.object(entries))
    }

    /// A limit of metadata: negative for none.
    private func metadataLimit(_ form: FormValues, _ name: String) throws(APIError) -> Int {
        let text = form.first(ByteString(name))
        if text.isEmpty { return -1 }
        guard let limit = TimeParameters.integer(text) else {
            throw APIError(.badData, "\(name) must be a number")
        }
        return limit
    }

    func relabelSteps(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let pool = form.first("scrapePool").string
        if pool.isEmpty { throw APIError(.badData, "no scrapePool parameter provided") }
        let text = form.first("labels")
        if text.isEmpty { throw APIError(.badData, "no labels parameter provided") }
        guard let labels = Self.labels(json: text) else {
            throw APIError(.badData, "error parsing labels: not an object of strings")
        }
        guard let steps = targets.relabelSteps(ofPool: pool, labels) else { throw Self.noPool(pool) }
        let list = steps.map { step in
            JSONField.object([
                ("rule", .encoded(step.ruleJSON)), ("output", .labels(step.output)),
                ("keep", .flag(step.isKept)),
            ])
        }
        return Self.success(Self.object([("steps", .list(list))]))
    }
}

extension ServerAPI {
    /// A label set as clients send it, `{"name":"value"}`, where null stands for nothing; nil for anything else.
    private static func labels(json: ByteString) -> Labels? {
        guard let document = try? JSONDocument.parse(json.bytes) else { return nil }
        if case .null = document { return .empty }
        guard case .object(let members) = document else { return nil }
        var builder = LabelsBuilder()
        for (name, value) in members {
            if case .null = value { continue }
            guard let text = value.string else { return nil }
            builder.set(name, text)
        }
        return builder.labels()
    }
}

extension TargetStatus {
    fileprivate var fields: [(String, JSONField)] {
        [
            ("discoveredLabels", .labels(discoveredLabels)), ("labels", .labels(labels)), ("scrapePool", .text(pool)),
            ("scrapeUrl", .text(scrapeURL)), ("globalUrl", .text(globalURL)), ("lastError", .text(lastError)),
            ("lastScrape", .text(lastScrape.map(RFC3339.text) ?? "0001-01-01T00:00:00Z")),
            ("lastScrapeDuration", .raw(FloatText.string(lastScrapeDuration, .json))), ("health", .text(health)),
            ("scrapeInterval", .text(scrapeInterval)), ("scrapeTimeout", .text(scrapeTimeout)),
        ]
    }
}

extension JSONField {
    /// A label set as an object.
    static func labels(_ labels: Labels) -> JSONField {
        var json: [UInt8] = []
        QueryResultJSON.append(labels, to: &json)
        return .encoded(json)
    }
}

extension ServerAPI {
    static func json(_ field: JSONField) -> [UInt8] {
        var json: [UInt8] = []
        field.append(to: &json)
        return json
    }

    static func object(_ fields: [(String, JSONField)]) -> [UInt8] { json(.object(fields)) }
}
