internal import ByteCoding
internal import MetricModel
internal import PromQL
internal import TSDB

/// `/api/v1/graph.svg`: a range query as a picture. Narthex's own.
extension ServerAPI {
    private static let maximumExemplars = 200

    /// Parameters: `query`, `start`, `end` (an hour until now if missing), `step` (an even 250th if missing), `title`,
    /// `mode` (`lines`, `stacked`, `heatmap`; by default whatever suits the data), `theme` (`light`, `dark`; by default
    /// the reader's), `unit` (`bytes`, `seconds`, `none`; by default from the names), `exemplars` (`1` to mark them).
    func picture(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let (start, end, step) = try pictureRange(form)
        var query = QueryRequest(form.first("query"), .range(start: start, end: end, step: step))
        query.cancellation = request.cancellation
        guard let plot = QueryPlot(try evaluate(query).value) else { throw APIError(.badData, "nothing to draw") }
        let title = form.first("title").isEmpty ? form.first("query") : form.first("title")
        var frame = PlotFrame(
            title: title.string, start: Double(start) / 1000, end: Double(end) / 1000, step: Double(step) / 1000)
        frame.theme = try Self.choice(form, "theme", or: .automatic)
        frame.unit = try Self.choice(form, "unit", or: plot.unit)
        let exemplars = form.first("exemplars") == "1" ? try marks(form.first("query"), from: start, to: end) : []
        return ServerResponse(
            200,
            fields: [
                ("Content-Type", "image/svg+xml; charset=utf-8"),
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
                ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"),
            ],
            body: .bytes(
                SVGPlot.draw(plot.content(form.first("mode").string), exemplars: exemplars, in: frame)))
    }

    /// Start, end and step in milliseconds.
    private func pictureRange(_ form: FormValues) throws(APIError) -> (Timestamp, Timestamp, Int64) {
        let end = try TimeParameters.time(form, "end", or: process.now())
        let start = try TimeParameters.time(form, "start", or: end &- 3_600_000)
        let (span, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, span > 0 else { throw .parameter("end", "end timestamp must be after start time") }
        if form.first("step").isEmpty { return (start, end, max(1, (span + 249) / 250)) }
        let step: Int64
        do throws(APIError) {
            step = try TimeParameters.duration(form.first("step")).milliseconds
        } catch {
            throw .parameter("step", error.message)
        }
        guard step > 0, span / step <= 11_000 else {
            throw .parameter("step", "the step has to give between 1 and 11,000 points")
        }
        return (start, end, step)
    }

    private static func choice<Choice: RawRepresentable<String>>(
        _ form: FormValues, _ name: String, or otherwise: Choice
    ) throws(APIError) -> Choice {
        let text = form.first(ByteString(name))
        if text.isEmpty { return otherwise }
        guard let choice = Choice(rawValue: text.string) else {
            throw .parameter(name, "unknown \(name) \(Quoting.quote(text))")
        }
        return choice
    }

    /// Exemplars of everything that a query selects, spread evenly where there are many.
    private func marks(_ query: ByteString, from start: Timestamp, to end: Timestamp) throws(APIError) -> [PlotExemplar]
    {
        let selectors = try selectors(query)
        if selectors.isEmpty { return [] }
        let found = try exemplars(matching: selectors, from: start, to: end)
        let all = found.flatMap { series in
            series.exemplars.map { exemplar in
                PlotExemplar(
                    time: Double(exemplar.timestamp ?? 0) / 1000, value: exemplar.value,
                    title: "\(exemplar.labels.description) \(FloatText.string(exemplar.value, .general))")
            }
        }
        let every = max(1, (all.count + Self.maximumExemplars - 1) / Self.maximumExemplars)
        return stride(from: 0, to: all.count, by: every).map { all[$0] }
    }
}
