internal import ByteCoding
internal import Gateway
internal import MetricModel

/// What the page of one group shows.
struct GroupPageContent {
    private let group: GroupView
    private let prefix: String

    /// Samples that a family shows; more are counted.
    private static let shown = 1000

    /// The page of `group`.
    init(_ group: GroupView, prefix: String) {
        self.group = group
        self.prefix = prefix
    }

    /// The main part of the page.
    var markup: Markup {
        let path = PushPath.text(group.key)
        let metrics = group.families.reduce(0) { $0 + $1.count }
        let state: Markup =
            group.lastPushSuccessful
            ? "<span class=\"badge good\">last push succeeded</span>"
            : "<span class=\"badge bad\">last push failed</span>"
        let families = Markup.join(group.families.map(section))
        let search: Markup =
            group.families.count > 5
            ? "<label class=\"visually-hidden\" for=\"family-search\">Search families</label><input type=\"search\" id=\"family-search\" placeholder=\"Search in this group\">"
            : ""
        return """
            <div id="group" class="group-page" data-push="metrics/\(path)">
            <p><a href="\(prefix)/">All groups</a></p>
            <h1 class="labels">\(group.key.description)</h1>
            <p>\(state)</p>
            <dl class="facts">
            <dt>Last push</dt><dd>\(GatewayService.time(group.pushTime))</dd>
            <dt>Last failure</dt><dd>\(GatewayService.time(group.failureTime))</dd>
            \(lifetime)<dt>Families</dt><dd>\(group.families.count)</dd>
            <dt>Metrics</dt><dd>\(metrics)</dd>
            </dl>
            <div class="bar">\(search)<span class="push"></span><button type="button" id="delete" class="danger">Delete…</button></div>
            \(families)
            <h2>From the command line</h2>
            <p>Push to this group:</p>
            <pre data-copy>curl --data-binary @metrics.prom 'http://HOST:9091\(prefix)/metrics/\(path)'</pre>
            <p>Delete it:</p>
            <pre data-copy>curl -X DELETE 'http://HOST:9091\(prefix)/metrics/\(path)'</pre>
            </div>
            """
    }

    /// When the group goes, where that is known.
    private var lifetime: Markup {
        switch group.lifetime {
        case .forever: return ""
        case .until(let end): return "<dt>Expires</dt><dd>\(GatewayService.time(end))</dd>\n"
        case .scrapes(let count, let seen):
            return "<dt>Stays until scraped</dt><dd>by \(count); \(seen.count) so far</dd>\n"
        }
    }

    private func section(_ family: GroupView.Family) -> Markup {
        let metrics = family.metrics
        let rows = Markup.join(metrics.prefix(Self.shown).map(row))
        let help: Markup = family.help.map { $0.isEmpty ? "" : "<p class=\"faint\">\($0)</p>" } ?? ""
        let more: Markup =
            metrics.count > Self.shown ? "<p class=\"faint\">and \(metrics.count - Self.shown) more</p>" : ""
        return """
            <details class="family" open>
            <summary><b class="mono">\(family.name)</b> <span class="badge">\(family.type.openMetricsName)</span> <small>\(metrics.count)</small></summary>
            <div>\(help)
            <div class="scroll"><table><tbody>
            \(rows)</tbody></table></div>\(more)</div>
            </details>

            """
    }

    private func row(_ metric: Metric) -> Markup {
        let labels = Markup.join(
            metric.labels.enumerated().map { index, label in
                let comma: Markup = index == 0 ? "" : ", "
                return "\(comma)<span class=\"name\">\(label.name)</span>=\(Quoting.quote(label.value))"
            })
        return
            "<tr><td class=\"labels\">{\(labels)}</td><td class=\"number mono\">\(Self.value(metric.value))</td></tr>\n"
    }

    private static func number(_ value: Double) -> String { FloatText.string(value, .general) }

    private static func value(_ value: MetricValue) -> Markup {
        switch value {
        case .counter(let counter): return "\(number(counter.value))"
        case .gauge(let value), .untyped(let value): return "\(number(value))"
        case .summary(let summary):
            let quantiles = Markup.join(summary.quantiles.map { "\(number($0.quantile)): \(number($0.value))<br>" })
            return "\(quantiles)\(totals(summary.sum, summary.count))"
        case .histogram(let histogram): return self.histogram(histogram)
        }
    }

    private static func histogram(_ histogram: HistogramValue) -> Markup {
        var previous = 0.0
        var bars: [(title: String, count: Double)] = []
        for bucket in histogram.buckets.sorted(by: { $0.upperBound < $1.upperBound }) {
            bars.append(("up to \(number(bucket.upperBound))", max(0, bucket.count - previous)))
            previous = bucket.count
        }
        switch histogram.native {
        case .integer(let native): bars += nativeBars(native.float)
        case .float(let native): bars += nativeBars(native)
        case nil: break
        }
        let most = bars.map(\.count).filter(\.isFinite).max() ?? 0
        // Heights without styles of elements, which the content security policy forbids: a picture of its own.
        let width = 4 * bars.count
        let shapes = Markup.join(
            bars.enumerated().map { index, bar in
                let height = most > 0 && bar.count.isFinite ? Int((bar.count / most * 40).rounded(.up)) : 0
                return """
                    <rect x="\(4 * index)" y="\(40 - height)" width="3" height="\(height)" fill="currentColor"><title>\(bar.title): \(number(bar.count))</title></rect>
                    """
            })
        let picture: Markup =
            bars.isEmpty
            ? ""
            : "<svg viewBox=\"0 0 \(width) 40\" width=\"\(min(width * 2, 400))\" height=\"40\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Histogram with \(bars.count) buckets\">\(shapes)</svg><br>"
        return "\(picture)\(totals(histogram.sum, histogram.count))"
    }

    private static func nativeBars(_ histogram: FloatHistogram) -> [(title: String, count: Double)] {
        histogram.allBuckets.prefix(200).map { ("\(number($0.lower)) to \(number($0.upper))", $0.count) }
    }

    private static func totals(_ sum: Double?, _ count: Double?) -> Markup {
        "sum \(number(sum ?? 0)), count \(number(count ?? 0))"
    }
}
