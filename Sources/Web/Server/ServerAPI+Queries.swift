internal import ByteCoding
internal import Matching
internal import MetricModel
internal import PromQL
internal import TSDB

/// Queries.
extension ServerAPI {
    func query(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let limit = try TimeParameters.limit(form)
        let time = try TimeParameters.time(form, "time", or: process.now())
        return try evaluate(request, form, .instant(time), limit: limit)
    }

    func queryRange(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let limit = try TimeParameters.limit(form)
        let start = try TimeParameters.requiredTime(form, "start")
        let end = try TimeParameters.requiredTime(form, "end")
        if end < start { throw .parameter("end", "end timestamp must not be before start time") }
        let step = try duration(form, "step")
        let noStep = APIError.parameter(
            "step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
        if step.nanoseconds <= 0 { throw noStep }
        let (length, overflow) = end.subtractingReportingOverflow(start)
        if overflow || Double(length) / (Double(step.nanoseconds) / 1e6) >= 11_001 {
            throw APIError(
                .badData,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                    + "(?step=XX)")
        }
        // Less than a millisecond is as good as nothing: time is counted in them.
        if step.milliseconds <= 0 { throw noStep }
        return try evaluate(
            request, form, .range(start: start, end: end, step: step.milliseconds), limit: limit)
    }

    private func duration(_ form: FormValues, _ name: String) throws(APIError) -> QueryDuration {
        do throws(APIError) {
            return try TimeParameters.duration(form.first(ByteString(name)))
        } catch {
            throw .parameter(name, error.message)
        }
    }

    private func evaluate(
        _ request: ServerRequest, _ form: FormValues, _ time: QueryRequest.Time, limit: Int
    ) throws(APIError) -> ServerResponse {
        var query = QueryRequest(form.first("query"), time)
        query.cancellation = request.cancellation
        query.origin = QueryOrigin(
            client: request.client, method: request.method, path: request.routePrefix + request.path.string)
        if !form.first("timeout").isEmpty {
            query.timeout = .nanoseconds(try duration(form, "timeout").nanoseconds)
        }
        let lookback = form.first("lookback_delta")
        if !lookback.isEmpty {
            do throws(APIError) {
                query.lookbackDelta = try TimeParameters.duration(lookback).milliseconds
            } catch {
                throw APIError(.badData, "error parsing lookback delta duration: \(error.message)")
            }
        }
        let statistics = form.first("stats")
        query.countsSteps = statistics == "all"
        var answer = try request.effort == .light ? evaluateLightly(query) : evaluate(query)
        if limit > 0, answer.value.truncate(to: limit) { answer.warnings.append(Self.truncated) }
        if !statistics.isEmpty, statistics != "all", statistics != "true" {
            answer.warnings.append(
                "value \(Quoting.quote(statistics)) for parameter \"stats\" is deprecated and will be rejected in the "
                    + "next major release, use \"true\" or \"all\"")
        }
        return ServerResponse(
            200, fields: [("Content-Type", "application/json")],
            body: QueryResultJSON.body(answer, withStatistics: !statistics.isEmpty))
    }

    private func evaluateLightly(_ query: QueryRequest) throws(APIError) -> QueryAnswer {
        guard let answer = evaluator.evaluateLightly(query) else { throw .tooMuch }
        return answer
    }

    func evaluate(_ query: QueryRequest) throws(APIError) -> QueryAnswer {
        do throws(QueryFailure) {
            return try evaluator.evaluate(query)
        } catch {
            switch error {
            case .invalid(let message): throw .parameter("query", message)
            case .canceled(let message): throw APIError(.canceled, message)
            case .timeout(let message): throw APIError(.timeout, message)
            case .storage(let message): throw APIError(.internal, message)
            case .execution(let message): throw APIError(.execution, message)
            }
        }
    }

    // MARK: Texts

    private func parsed(_ form: FormValues) throws(ParseError) -> Expression {
        try parser.parseExpression(form.first("query"))
    }

    func formatQuery(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        do throws(ParseError) {
            var json: [UInt8] = []
            JSONText.append(try parsed(form).prettyText, to: &json)
            return Self.success(json)
        } catch {
            throw .parameter("query", error.description)
        }
    }

    func parseQuery(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        do throws(ParseError) {
            return Self.success(try parsed(form).json)
        } catch {
            throw .parameter("query", error.description)
        }
    }

    // MARK: Exemplars

    func queryExemplars(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let (start, end) = try timeRange(form)
        if end < start { throw APIError(.badData, "end timestamp must not be before start timestamp") }
        let selectors = try selectors(form.first("query"))
        if selectors.isEmpty { return Self.nothing }
        let found = try exemplars(matching: selectors, from: start, to: end)
        var json = Array("[".utf8)
        for (index, series) in found.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += #"{"seriesLabels":"#.utf8
            QueryResultJSON.append(series.labels, to: &json)
            json += #","exemplars":["#.utf8
            for (index, exemplar) in series.exemplars.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                json += #"{"labels":"#.utf8
                QueryResultJSON.append(exemplar.labels, to: &json)
                json += #","value":"#.utf8
                QueryResultJSON.append(exemplar.value, to: &json)
                json += #","timestamp":"#.utf8
                QueryResultJSON.append(timestamp: exemplar.timestamp ?? 0, to: &json)
                json.append(UInt8(ascii: "}"))
            }
            json += "]}".utf8
        }
        json.append(UInt8(ascii: "]"))
        return Self.success(json)
    }

    /// The matchers of each selector in a query.
    func selectors(_ query: ByteString) throws(APIError) -> [[Matcher]] {
        do throws(ParseError) {
            return try parser.parseExpression(query).selectors
        } catch {
            throw APIError(.badData, error.description)
        }
    }

    /// Exemplars of all series that any of `selectors` matches.
    func exemplars(
        matching selectors: [[Matcher]], from start: Timestamp, to end: Timestamp
    ) throws(APIError) -> [SeriesExemplars] {
        let database = try database()
        do throws(StoreError) {
            return try database.exemplars(matching: selectors, from: start, to: end)
        } catch {
            throw APIError(.execution, error.description)
        }
    }
}

extension QueryAnswer.Value {
    /// Keeps the first `limit` series; whether there were more.
    mutating func truncate(to limit: Int) -> Bool {
        switch self {
        case .vector(let elements) where elements.count > limit:
            self = .vector(Array(elements[..<limit]))
            return true
        case .matrix(let series) where series.count > limit:
            self = .matrix(Array(series[..<limit]))
            return true
        case .series(let series) where series.count > limit:
            self = .series(Array(series[..<limit]))
            return true
        default: return false
        }
    }
}

extension Expression {
    /// The conditions of every selector in it.
    fileprivate var selectors: [[Matcher]] {
        if case .vector(let selector) = self { return [selector.matchers] }
        return children.flatMap(\.selectors)
    }
}
