internal import ByteCoding
internal import MetricModel

/// Reads OTLP's JSON encoding. 64-bit numbers are texts or numbers; unknown fields are passed over.
///
/// Source: opentelemetry-proto, "OTLP/HTTP: JSON Protobuf Encoding".
enum OTLPJSON {
    /// The message that `bytes` hold.
    static func read(_ bytes: [UInt8]) throws(OTLPFault) -> OTLPMessage {
        let root: JSONDocument
        do throws(JSONDocument.Fault) { root = try JSONDocument.parse(bytes) } catch {
            throw OTLPFault(message: "invalid JSON at byte \(error.offset): \(error.reason)")
        }
        var message = OTLPMessage()
        for resource in root["resourceMetrics"].elements {
            var read = OTLPMessage.Resource()
            read.attributes = attributes(resource["resource"]["attributes"])
            for scope in resource["scopeMetrics"].elements { read.scopes.append(self.scope(scope)) }
            message.resources.append(read)
        }
        return message
    }

    private static func scope(_ json: JSONDocument) -> OTLPMessage.Scope {
        var scope = OTLPMessage.Scope()
        scope.name = json["scope"]["name"].text
        scope.version = json["scope"]["version"].text
        scope.attributes = attributes(json["scope"]["attributes"])
        scope.schemaURL = json["schemaUrl"].text
        scope.metrics = json["metrics"].elements.map(metric)
        return scope
    }

    private static func metric(_ json: JSONDocument) -> OTLPMessage.Metric {
        var metric = OTLPMessage.Metric()
        metric.name = json["name"].text
        metric.help = json["description"].text
        metric.unit = json["unit"].text
        func points<Point>(_ key: String, _ read: (JSONDocument) -> Point) -> [Point]? {
            let data = json[key]
            guard data.isObject else { return nil }
            metric.temporality = temporality(data["aggregationTemporality"])
            return data["dataPoints"].elements.map(read)
        }
        if let read = points("gauge", numberPoint) {
            metric.data = .gauge(read)
        } else if let read = points("sum", numberPoint) {
            metric.data = .sum(read, isMonotonic: json["sum"]["isMonotonic"].isTrue)
        } else if let read = points("histogram", histogramPoint) {
            metric.data = .histogram(read)
        } else if let read = points("exponentialHistogram", exponentialPoint) {
            metric.data = .exponentialHistogram(read)
        } else if let read = points("summary", summaryPoint) {
            metric.data = .summary(read)
        }
        return metric
    }

    private static func temporality(_ json: JSONDocument) -> OTLPMessage.Temporality {
        switch json.text {
        case "AGGREGATION_TEMPORALITY_DELTA": .delta
        case "AGGREGATION_TEMPORALITY_CUMULATIVE": .cumulative
        default: OTLPMessage.Temporality(rawValue: json.integer) ?? .unspecified
        }
    }

    private static func point(_ json: JSONDocument) -> OTLPMessage.Point {
        var point = OTLPMessage.Point()
        point.attributes = attributes(json["attributes"])
        point.start = json["startTimeUnixNano"].unsigned
        point.time = json["timeUnixNano"].unsigned
        point.flags = json["flags"].unsigned
        point.exemplars = json["exemplars"].elements.map { json in
            var exemplar = OTLPMessage.PointExemplar()
            exemplar.attributes = attributes(json["filteredAttributes"])
            exemplar.time = json["timeUnixNano"].unsigned
            exemplar.value = number(json)
            exemplar.traceID = json["traceId"].text
            exemplar.spanID = json["spanId"].text
            return exemplar
        }
        return point
    }

    private static func number(_ json: JSONDocument) -> Double {
        json["asInt"].isMissing ? json["asDouble"].number : Double(json["asInt"].integer)
    }

    private static func numberPoint(_ json: JSONDocument) -> OTLPMessage.NumberPoint {
        OTLPMessage.NumberPoint(point: point(json), value: number(json))
    }

    private static func histogramPoint(_ json: JSONDocument) -> OTLPMessage.HistogramPoint {
        OTLPMessage.HistogramPoint(
            point: point(json), count: json["count"].unsigned,
            sum: json["sum"].isMissing ? nil : json["sum"].number,
            counts: json["bucketCounts"].elements.map(\.unsigned), bounds: json["explicitBounds"].elements.map(\.number)
        )
    }

    private static func exponentialPoint(_ json: JSONDocument) -> OTLPMessage.ExponentialPoint {
        func buckets(_ json: JSONDocument) -> OTLPMessage.ExponentialPoint.Buckets {
            .init(
                offset: Int32(truncatingIfNeeded: json["offset"].integer),
                counts: json["bucketCounts"].elements.map(\.unsigned))
        }
        return OTLPMessage.ExponentialPoint(
            point: point(json), count: json["count"].unsigned,
            sum: json["sum"].isMissing ? nil : json["sum"].number,
            scale: Int32(truncatingIfNeeded: json["scale"].integer), zeroCount: json["zeroCount"].unsigned,
            positive: buckets(json["positive"]), negative: buckets(json["negative"]))
    }

    private static func summaryPoint(_ json: JSONDocument) -> OTLPMessage.SummaryPoint {
        OTLPMessage.SummaryPoint(
            point: point(json), count: json["count"].unsigned, sum: json["sum"].number,
            quantiles: json["quantileValues"].elements.map { ($0["quantile"].number, $0["value"].number) })
    }

    // MARK: Attributes

    private static func attributes(_ json: JSONDocument) -> [OTLPMessage.Attribute] {
        json.elements.map { ($0["key"].text, value($0["value"]).text) }
    }

    /// Depth is bounded by the document's.
    private static func value(_ json: JSONDocument) -> OTLPValue {
        for (key, content) in json.members {
            switch key {
            case "stringValue": return .string(content.text)
            case "boolValue": return .boolean(content.isTrue)
            case "intValue": return .integer(content.integer)
            case "doubleValue": return .double(content.number)
            case "bytesValue": return .string(content.text)
            case "arrayValue": return .list(content["values"].elements.map(value))
            case "kvlistValue":
                return .map(content["values"].elements.map { ($0["key"].text, value($0["value"])) })
            default: continue
            }
        }
        return .none
    }
}
