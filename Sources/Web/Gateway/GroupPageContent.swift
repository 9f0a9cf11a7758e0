internal import ByteCoding
internal import Exposition
internal import Gateway
internal import MetricModel

/// What the page of one group shows.
struct GroupPageContent {
    let group: GroupView
    let prefix: String
    /// `http://HOST:PORT`, as the reader reaches the gateway, for command lines.
    let origin: String
    /// Links to graphs; nil without a server in the same process.
    let graphs: QueryPageLink?
    /// Seconds since 1970.
    let now: Int64

    /// Metrics that a family shows; more are counted.
    private static let shown = 1000

    /// The main part of the page.
    var markup: Markup {
        let path = PushPath.text(group.key)
        let state: Markup =
            group.lastPushSuccessful
            ? "<span class=\"badge good\">last push succeeded</span>"
            : "<span class=\"badge bad\">last push failed</span> <a href=\"\(prefix)/refused\">Why?</a>"
        let search: Markup =
            group.families.count > 5
            ? "<label class=\"visually-hidden\" for=\"family-search\">Search families</label><input type=\"search\" id=\"family-search\" placeholder=\"Search in this group\">"
            : ""
        let families =
            group.families.isEmpty
            ? "<p class=\"empty\">This group has no metrics: no push to it was ever taken.</p>"
            : Markup.join(group.families.map(section))
        return """
            <div id="group" class="group-page" data-push="metrics/\(path)">
            <p><a href="\(prefix)/">All groups</a></p>
            <h1>\(LabelMarkup.group(group.key.labels))</h1>
            <p>\(state)</p>
            \(facts)
            <div class="bar">\(search)<span class="push"></span><a class="button" id="as-text" href="\(prefix)/group/\(path)?format=text">As text</a><button type="button" id="delete" class="danger" hidden>Delete…</button></div>
            \(families)
            <h2>From the command line</h2>
            <p>Push to this group:</p>
            <pre data-copy>curl --data-binary @metrics.prom '\(origin)\(prefix)/metrics/\(path)'</pre>
            <p>Delete it:</p>
            <pre data-copy>curl -X DELETE '\(origin)\(prefix)/metrics/\(path)'</pre>
            </div>
            """
    }

    /// When the group goes, where that is known.
    private var lifetime: Markup {
        switch group.lifetime {
        case .forever: return ""
        case .until(let end): return "<dt>Expires</dt><dd>\(PageTime.markup(end, now: now))</dd>\n"
        case .scrapes(let count, let seen):
            return "<dt>Stays until scraped</dt><dd>by \(count); \(seen.count) so far</dd>\n"
        }
    }

    /// The group in the text format.
    static func text(_ group: GroupView) -> [UInt8] {
        var text: [UInt8] = []
        for family in group.families {
            TextEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, escaping: .standard, to: &text)
            for metric in family.metrics {
                TextEncoder.appendMetric(metric, of: family.name, type: family.type, to: &text)
            }
        }
        return text
    }

    private var facts: Markup {
        let metrics = group.families.reduce(0) { $0 + $1.count }
        return """
            <dl class="facts">
            <dt>Last push</dt><dd>\(PageTime.markup(group.pushTime, now: now))</dd>
            <dt>Last failure</dt><dd>\(PageTime.markup(group.failureTime, now: now))</dd>
            \(lifetime)<dt>Families</dt><dd>\(group.families.count)</dd>
            <dt>Metrics</dt><dd>\(metrics)</dd>
            </dl>
            """
    }

    private func section(_ family: GroupView.Family) -> Markup {
        let metrics = family.metrics
        let rows = Markup.join(metrics.prefix(Self.shown).map { row($0, of: family) })
        let help: Markup = family.help.map { $0.isEmpty ? "" : "<p class=\"faint\"><bdi>\($0)</bdi></p>" } ?? ""
        let more: Markup =
            metrics.count > Self.shown
            ? "<p class=\"faint\">and \(metrics.count - Self.shown) more: see them all as text.</p>" : ""
        return """
            <details class="family" open>
            <summary><b class="mono"><bdi>\(family.name)</bdi></b> <span class="badge">\(family.type.openMetricsName)</span> <small>\(metrics.count)</small></summary>
            <div>\(help)
            <div class="scroll"><table><thead class="visually-hidden"><tr><th>Labels</th><th>Value</th></tr></thead><tbody>
            \(rows)</tbody></table></div>\(more)</div>
            </details>

            """
    }

    private func row(_ metric: Metric, of family: GroupView.Family) -> Markup {
        let labels = metric.labels.filter { !$0.value.isEmpty }
        let graph: Markup =
            graphs.map { "<a class=\"graph\" href=\"\($0.graph(of: metric, in: family))\">Graph</a> " } ?? ""
        return """
            <tr><td>\(LabelMarkup.set(labels))</td><td class="number mono">\(graph)\(Self.value(metric.value))</td></tr>

            """
    }

    private static func number(_ value: Double) -> String { FloatText.string(value, .general) }

    private static func value(_ value: MetricValue) -> Markup {
        switch value {
        case .counter(let counter): return "\(number(counter.value))"
        case .gauge(let value), .untyped(let value): return "\(number(value))"
        case .summary(let summary):
            let rows = summary.quantiles.map { (number($0.quantile), number($0.value)) }
            return """
                \(totals(summary.sum, summary.count))\(DistributionChart.summary(summary))\(list("\(rows.count) quantiles", "Quantile", rows))
                """
        case .histogram(let histogram):
            let bars = DistributionChart.bars(histogram)
            let rows = bars.map { ($0.title, number($0.count)) }
            return """
                \(totals(histogram.sum, histogram.count))\(DistributionChart.histogram(bars))\(list("\(rows.count) buckets", "Range", rows))
                """
        }
    }

    private static func list(_ title: String, _ name: String, _ rows: [(String, String)]) -> Markup {
        guard !rows.isEmpty else { return "" }
        let cells = Markup.join(rows.map { "<tr><td>\($0.0)</td><td class=\"number\">\($0.1)</td></tr>" })
        return """
            <details><summary>\(title)</summary><table><thead><tr><th>\(name)</th><th class="number">Value</th></tr></thead><tbody>\(cells)</tbody></table></details>
            """
    }

    private static func totals(_ sum: Double?, _ count: Double?) -> Markup {
        "<div>sum \(number(sum ?? 0)), count \(number(count ?? 0))</div>"
    }
}
