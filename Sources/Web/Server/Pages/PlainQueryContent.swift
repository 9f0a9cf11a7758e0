internal import ByteCoding
internal import MetricModel
internal import PromQL

/// The query page for browsers without scripts: a form, a table of what there is at one time, and a picture of the time
/// before.
///
/// Parameters: `query`, `time` (now if missing), `range` (a duration; 1h if missing).
struct PlainQueryContent {
    let expression: ByteString
    /// Milliseconds since 1970.
    let time: Timestamp
    private let timeText: String
    private let range: String
    private let prefix: String

    /// Rows that are shown; more are counted.
    private static let shown = 1000

    init(_ form: FormValues, prefix: String, now: Timestamp) {
        expression = form.first("query")
        let text = form.first("time")
        let given = TimeParameters.time(text)
        time = given ?? now
        timeText = given == nil ? "" : text.string
        range = (form.first("range").isEmpty ? "1h" : form.first("range")).string
        self.prefix = prefix
    }

    /// What stands where the script will put its panels; what is asked for in the address is in the form.
    static func invitation(_ form: FormValues, prefix: String) -> Markup {
        """
        <h1 class="visually-hidden">Query</h1>
        <div class="bar" id="toolbar"></div>
        <div id="panels"><noscript>
        \(self.form(prefix, expression: form.first("g0.expr").string, time: "", range: form.first("g0.range_input").string))
        </noscript></div>
        <div id="below"></div>
        """
    }

    /// The page with an answer.
    func markup(_ answer: QueryAnswer) -> Markup {
        let notes = Markup.join(
            answer.warnings.map { "<p class=\"note warn\">\($0)</p>\n" }
                + answer.infos.map { "<p class=\"note\">\($0)</p>\n" })
        return page(notes + table(answer.value) + picture)
    }

    /// The page with what is wrong.
    func markup(_ fault: String) -> Markup {
        page("<p class=\"note bad\" role=\"alert\">\(fault)</p>\n")
    }

    private func page(_ content: Markup) -> Markup {
        """
        <h1>Query</h1>
        \(Self.form(prefix, expression: expression.string, time: timeText, range: range))
        \(content)
        """
    }

    private static func form(_ prefix: String, expression: String, time: String, range: String) -> Markup {
        """
        <form action="\(prefix)/query" class="plain">
        <label for="plain-query">PromQL</label><textarea id="plain-query" name="query" rows="3" class="mono" spellcheck="false">\(expression)</textarea>
        <div class="bar"><label>At <input name="time" value="\(time)" placeholder="now" size="22"></label> <label>Picture of the last <input name="range" value="\(range)" placeholder="1h" size="6"></label> <button class="primary">Run</button></div>
        </form>
        """
    }

    private var picture: Markup {
        let length: Int64
        do throws(APIError) {
            length = try TimeParameters.duration(ByteString(range)).milliseconds
        } catch {
            return "<p class=\"note bad\">\(error.message)</p>\n"
        }
        let start = time &- length
        let address =
            "\(prefix)/api/v1/graph.svg?query=\(PercentCoding.encode(expression.bytes))"
            + "&start=\(Self.seconds(start))&end=\(Self.seconds(time))"
        return """
            <h2>The last \(range)</h2>
            <p><a href="\(address)"><img class="picture" src="\(address)" alt="Graph of the last \(range)"></a></p>
            """
    }

    private static func seconds(_ milliseconds: Timestamp) -> String {
        FloatText.string(Double(milliseconds) / 1000, .fixed)
    }

    private func table(_ value: QueryAnswer.Value) -> Markup {
        var rows: [(Labels, String)] = []
        switch value {
        case .scalar(_, let number): return "<p><b class=\"mono\">\(Self.number(number))</b></p>\n"
        case .string(_, let text): return "<p><b class=\"mono\"><bdi>\(text)</bdi></b></p>\n"
        case .vector(let elements): rows = elements.map { ($0.labels, Self.text($0.sample)) }
        case .matrix(let list): rows = list.map { ($0.labels, "\($0.floats.count + $0.histograms.count) samples") }
        case .series(let list): rows = list.map { ($0.labels, "\($0.floats.count + $0.histograms.count) samples") }
        }
        if rows.isEmpty { return "<p class=\"empty\">The expression is valid and matches nothing at this time.</p>\n" }
        let cells = rows.prefix(Self.shown).map { labels, value -> Markup in
            let name = labels.metricName.map { "<span class=\"mono\"><bdi>\($0)</bdi></span>" } ?? Markup()
            let rest = labels.removing(Labels.metricName)
            return """
                <tr><td>\(name)\(rest.isEmpty ? "" : LabelMarkup.set(rest))</td><td class="number mono">\(value)</td></tr>

                """
        }
        let more: Markup = rows.count > Self.shown ? "<p class=\"faint\">and \(rows.count - Self.shown) more</p>" : ""
        return """
            <div class="scroll"><table><thead><tr><th>Series</th><th class="number">Value</th></tr></thead><tbody>
            \(Markup.join(cells))</tbody></table></div>\(more)

            """
    }

    private static func text(_ sample: QueryAnswer.Sample) -> String {
        switch sample {
        case .float(let value): number(value)
        case .histogram(let histogram): "count \(number(histogram.count)), sum \(number(histogram.sum))"
        }
    }

    private static func number(_ value: Double) -> String { FloatText.string(value, .api) }
}
