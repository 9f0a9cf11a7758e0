internal import ByteCoding
internal import Matching
internal import MetricModel
internal import PromQL
internal import TSDB

/// Label names, label values and series.
extension ServerAPI {
    /// The range that `start` and `end` say, all time where they say nothing.
    func timeRange(_ form: FormValues) throws(APIError) -> (start: Timestamp, end: Timestamp) {
        let start = try TimeParameters.time(form, "start", or: TimeParameters.minimum)
        return (start, try TimeParameters.time(form, "end", or: TimeParameters.maximum))
    }

    /// The selectors of `match[]`, none of which may select everything.
    func selectors(_ form: FormValues) throws(APIError) -> [[Matcher]] {
        var selectors: [[Matcher]] = []
        for text in form.all("match[]") {
            do throws(ParseError) {
                selectors.append(try parser.parseMetricSelector(text))
            } catch {
                throw APIError(.badData, error.description)
            }
        }
        for selector in selectors where selector.allSatisfy(\.matchesEmpty) {
            throw APIError(.badData, "match[] must contain at least one non-empty matcher")
        }
        return selectors
    }

    /// Runs `body` with a view of the store over a range.
    /// - Throws: ``APIError/tooMuch`` where `body` gives nil.
    func withQuerier<Result>(
        _ range: (start: Timestamp, end: Timestamp), _ body: (Querier) throws(StoreError) -> Result?
    ) throws(APIError) -> Result {
        let database = try database()
        do throws(StoreError) {
            if let result = try body(try database.querier(from: range.start, to: range.end)) { return result }
        } catch {
            throw APIError(error == .closed ? .unavailable : .execution, error.description)
        }
        throw .tooMuch
    }

    func labelNames(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let limit = try TimeParameters.limit(form)
        let range = try timeRange(form)
        let selectors = try selectors(form)
        let answers = try withQuerier(range) { querier throws(StoreError) -> [LabelAnswer]? in
            if request.effort == .light {
                return selectors.isEmpty ? try querier.labelNamesLightly(limit: limit).map { [$0] } : nil
            }
            return try Self.each(selectors) { matchers throws(StoreError) in
                try querier.labelNames(matchers, limit: limit)
            }
        }
        return Self.texts(answers, limit: limit)
    }

    func labelValues(
        of written: ByteString, _ request: ServerRequest, _ form: FormValues
    ) throws(APIError) -> ServerResponse {
        let name = written.hasPrefix("U__") ? EscapedName.unescaped(written) : written
        guard NameValidation.utf8.isLabelName(name) else {
            throw APIError(.badData, "invalid label name: \(Quoting.quote(name))")
        }
        let limit = try TimeParameters.limit(form)
        let range = try timeRange(form)
        let selectors = try selectors(form)
        let answers = try withQuerier(range) { querier throws(StoreError) -> [LabelAnswer]? in
            if request.effort == .light {
                return selectors.isEmpty ? try querier.labelValuesLightly(of: name, limit: limit).map { [$0] } : nil
            }
            return try Self.each(selectors) { matchers throws(StoreError) in
                try querier.labelValues(of: name, matchers, limit: limit)
            }
        }
        return Self.texts(answers, limit: limit)
    }

    /// The answers for each selector, or one for all series where there is none.
    private static func each(
        _ selectors: [[Matcher]], _ body: ([Matcher]) throws(StoreError) -> LabelAnswer
    ) throws(StoreError) -> [LabelAnswer] {
        if selectors.isEmpty { return [try body([])] }
        var answers: [LabelAnswer] = []
        for selector in selectors { answers.append(try body(selector)) }
        return answers
    }

    /// All texts of `answers`, sorted, each once.
    private static func texts(_ answers: [LabelAnswer], limit: Int) -> ServerResponse {
        var texts = answers.count == 1 ? answers[0].texts : Set(answers.flatMap(\.texts)).sorted()
        var isTruncated = answers.contains { $0.isTruncated }
        if limit > 0, texts.count > limit {
            texts = Array(texts[..<limit])
            isTruncated = true
        }
        var tail = Array("]".utf8)
        QueryResultJSON.appendAnnotations(isTruncated ? [truncated] : [], [], to: &tail)
        tail.append(UInt8(ascii: "}"))
        let head = Array(#"{"status":"success","data":["#.utf8)
        return ServerResponse(
            200, fields: [("Content-Type", "application/json")],
            body: QueryResultJSON.pieces(head, texts, tail) { JSONText.append($0, to: &$1) })
    }

    func series(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        if let fault = form.fault { throw APIError(.badData, "error parsing form values: \(fault)") }
        if form.all("match[]").isEmpty { throw APIError(.badData, "no match[] parameter provided") }
        let limit = try TimeParameters.limit(form)
        let range = try timeRange(form)
        let selectors: [[Matcher]]
        do throws(APIError) {
            selectors = try self.selectors(form)
        } catch {
            throw .parameter("match[]", error.message)
        }
        if request.effort == .light, selectors.count > 4 { throw .tooMuch }
        var found = try withQuerier(range) { querier throws(StoreError) -> [Labels]? in
            var found: [Labels] = []
            for selector in selectors {
                // One more than asked for tells whether there are more.
                let most = limit > 0 && limit < .max ? limit + 1 : 0
                if request.effort == .light {
                    guard let labels = try querier.seriesLabelsLightly(selector, limit: most) else { return nil }
                    found += labels
                } else {
                    found += try querier.seriesLabels(selector, limit: most)
                }
            }
            return found
        }
        if selectors.count > 1 { found = Set(found).sorted() }
        let isTruncated = limit > 0 && found.count > limit
        if isTruncated { found = Array(found[..<limit]) }
        var tail = Array("]".utf8)
        QueryResultJSON.appendAnnotations(isTruncated ? [Self.truncated] : [], [], to: &tail)
        tail.append(UInt8(ascii: "}"))
        let head = Array(#"{"status":"success","data":["#.utf8)
        return ServerResponse(
            200, fields: [("Content-Type", "application/json")],
            body: QueryResultJSON.pieces(head, found, tail) { QueryResultJSON.append($0, to: &$1) })
    }
}

/// Names that were made fit for old clients: `U__` and hexadecimal code points between underscores.
///
/// Source: prometheus/common model/metric.go (`UnescapeName`).
enum EscapedName {
    /// The name that `text` stands for, or `text` itself where it is not well-formed.
    static func unescaped(_ text: ByteString) -> ByteString {
        var result: [UInt8] = []
        var index = 3
        let bytes = text.bytes
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "_") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            guard index < bytes.count else { return text }
            if bytes[index] == UInt8(ascii: "_") {
                result.append(UInt8(ascii: "_"))
                index += 1
                continue
            }
            let digits = bytes[index...].prefix { $0 != UInt8(ascii: "_") }
            guard index + digits.count < bytes.count, digits.count <= 6,
                let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code), let encoded = UTF8.encode(scalar)
            else { return text }
            result.append(contentsOf: encoded)
            index += digits.count + 1
        }
        return ByteString(result)
    }
}
