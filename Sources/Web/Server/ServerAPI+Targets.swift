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
            for metadata in target.metadata() where metric.isEmpty || metadata.family == metric {
                var fields: [(String, JSONField)] = [("target", .labels(target.labels))]
                if metric.isEmpty { fields.append(("metric", .bytes(metadata.family))) }
                fields += [
                    ("type", .text(metadata.type)), ("help", .bytes(metadata.help)), ("unit", .bytes(metadata.unit)),
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
        var found: [ByteString: [TargetStatus.Metadata]] = [:]
        for target in targets.activeTargets {
            for metadata in target.metadata() where metric.isEmpty || metadata.family == metric {
                if found[metadata.family] == nil { order.append(metadata.family) }
                let known = found[metadata.family, default: []]
                if known.contains(metadata) || limitPerMetric > 0 && known.count >= limitPerMetric { continue }
                found[metadata.family, default: []].append(metadata)
            }
        }
        order.sort()
        if limit >= 0, order.count > limit { order = Array(order[..<limit]) }
        let entries = order.map { family in
            let list = (found[family] ?? []).map { metadata in
                JSONField.object([
                    ("type", .text(metadata.type)), ("unit", .bytes(metadata.unit)), ("help", .bytes(metadata.help)),
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
        guard let labels = LabelsJSON.parse(text) else {
            throw APIError(.badData, "error parsing labels: not an object of strings")
        }
        guard let steps = targets.relabelSteps(ofPool: pool, labels) else { throw Self.noPool(pool) }
        let list = steps.map { step in
            JSONField.object([
                ("rule", .raw(String(decoding: step.ruleJSON, as: UTF8.self))), ("output", .labels(step.output)),
                ("keep", .flag(step.isKept)),
            ])
        }
        return Self.success(Self.object([("steps", .list(list))]))
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

/// A JSON value on its way to text; fields keep their order.
indirect enum JSONField {
    case text(String)
    case bytes(ByteString)
    case labels(Labels)
    case flag(Bool)
    case raw(String)
    case list([JSONField])
    case object([(String, JSONField)])

    func append(to json: inout [UInt8]) {
        switch self {
        case .text(let text): JSONText.append(text, to: &json)
        case .bytes(let bytes): JSONText.append(bytes, to: &json)
        case .labels(let labels): QueryResultJSON.append(labels, to: &json)
        case .flag(let flag): json += (flag ? "true" : "false").utf8
        case .raw(let text): json += text.utf8
        case .list(let elements):
            json.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                element.append(to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .object(let fields):
            json.append(UInt8(ascii: "{"))
            for (index, field) in fields.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                JSONText.append(field.0, to: &json)
                json.append(UInt8(ascii: ":"))
                field.1.append(to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
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

/// Label sets as clients send them: `{"name":"value"}`.
enum LabelsJSON {
    /// The labels, or nil for anything else.
    static func parse(_ text: ByteString) -> Labels? {
        var reader = Reader(bytes: text.bytes)
        var builder = LabelsBuilder()
        guard reader.take(UInt8(ascii: "{")) else { return nil }
        if reader.take(UInt8(ascii: "}")) { return reader.isAtEnd ? .empty : nil }
        repeat {
            guard let name = reader.string(), reader.take(UInt8(ascii: ":")), let value = reader.string() else {
                return nil
            }
            builder.set(name, value)
        } while reader.take(UInt8(ascii: ","))
        return reader.take(UInt8(ascii: "}")) && reader.isAtEnd ? builder.labels() : nil
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        private mutating func skipSpace() {
            while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return index == bytes.count
            }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func string() -> ByteString? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            var result: [UInt8] = []
            while index < bytes.count {
                let byte = bytes[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return ByteString(result)
                case 0..<0x20: return nil
                case UInt8(ascii: "\\"):
                    guard escape(into: &result) else { return nil }
                default: result.append(byte)
                }
            }
            return nil
        }

        private mutating func escape(into result: inout [UInt8]) -> Bool {
            guard index < bytes.count else { return false }
            let kind = bytes[index]
            index += 1
            switch kind {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(kind)
            case UInt8(ascii: "u"):
                guard let first = unit() else { return false }
                var units = [first]
                if (0xD800..<0xDC00).contains(first), index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                    bytes[index + 1] == UInt8(ascii: "u")
                {
                    index += 2
                    guard let second = unit() else { return false }
                    units.append(second)
                }
                result += String(decoding: units, as: UTF16.self).utf8
            default: return false
            }
            return true
        }

        private mutating func unit() -> UInt16? {
            guard index + 4 <= bytes.count,
                let value = UInt16(String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16)
            else { return nil }
            index += 4
            return value
        }
    }
}
