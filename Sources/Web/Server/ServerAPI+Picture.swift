internal import MetricModel
internal import PromQL

/// `/api/v1/graph.svg`: a range query as a picture. Narthex's own.
extension ServerAPI {
    private static let maximumLines = 200

    /// Parameters: `query`, `start`, `end` (an hour until now if missing), `step` (an even 250th if missing), `title`.
    func picture(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let end = try TimeParameters.time(form, "end", or: process.now())
        let start = try TimeParameters.time(form, "start", or: end &- 3_600_000)
        let (span, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, span > 0 else { throw .parameter("end", "end timestamp must be after start time") }
        var step = max(1, (span + 249) / 250)
        if !form.first("step").isEmpty {
            do throws(APIError) {
                step = try TimeParameters.duration(form.first("step")).milliseconds
            } catch {
                throw .parameter("step", error.message)
            }
            guard step > 0, span / step <= 11_000 else {
                throw .parameter("step", "the step has to give between 1 and 11,000 points")
            }
        }
        let answer = try evaluate(QueryRequest(form.first("query"), .range(start: start, end: end, step: step)))
        guard case .matrix(let series) = answer.value else { throw APIError(.badData, "nothing to draw") }
        let lines = series.prefix(Self.maximumLines).map { one in
            let points = one.floats.map { (time: Double($0.timestamp) / 1000, value: $0.value) }
            let counts = one.histograms.map { (time: Double($0.timestamp) / 1000, value: $0.value.count) }
            return PlotSeries(name: Self.name(one.labels), points: points.isEmpty ? counts : points)
        }
        let title = form.first("title").isEmpty ? form.first("query") : form.first("title")
        let frame = PlotFrame(
            title: title.string, start: Double(start) / 1000, end: Double(end) / 1000, step: Double(step) / 1000)
        return ServerResponse(
            200,
            fields: [
                ("Content-Type", "image/svg+xml; charset=utf-8"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("X-Content-Type-Options", "nosniff"),
            ], body: .bytes(SVGPlot.draw(Array(lines), in: frame)))
    }

    private static func name(_ labels: Labels) -> String {
        let name = labels.metricName?.string ?? ""
        let rest = labels.removing(Labels.metricName)
        return rest.isEmpty && !name.isEmpty ? name : name + rest.description
    }
}
