internal import ByteCoding
internal import Gateway
internal import MetricModel

/// Links from what was pushed to its graph, in a process that has a server too.
struct QueryPageLink {
    /// `http://HOST:PORT`, as the reader of the page reaches the server.
    private let origin: String

    /// Links to the server at `origin`.
    init(origin: String) { self.origin = origin }

    /// The page that draws a metric of a family: its samples, or for histograms a heat map of its buckets.
    func graph(of metric: Metric, in family: GroupView.Family) -> String {
        switch metric.value {
        case .histogram(let histogram) where histogram.native == nil:
            let buckets = Self.selector(family.name, "_bucket", metric.labels)
            return page("sum by (le) (increase(\(buckets)[1h]))", mode: "heatmap")
        case .histogram: return page("increase(\(Self.selector(family.name, "", metric.labels))[1h])", mode: "heatmap")
        default: return page(Self.selector(family.name, "", metric.labels), mode: nil)
        }
    }

    private func page(_ expression: String, mode: String?) -> String {
        let display = mode.map { "&g0.display_mode=\($0)" } ?? ""
        return
            "\(origin)/query?g0.expr=\(PercentCoding.encode(expression.utf8))&g0.tab=0\(display)&g0.range_input=1h"
    }

    /// A selector of exactly these labels; the store holds none that are empty.
    private static func selector(_ name: ByteString, _ suffix: ByteString, _ labels: [LabelPair]) -> String {
        let whole = ByteString(name.bytes + suffix.bytes)
        var matchers = labels.filter { !$0.value.isEmpty }.map { label in
            let name = LegacyNames.isLabelName(label.name) ? label.name.string : Quoting.quote(label.name)
            return "\(name)=\(Quoting.quote(label.value))"
        }
        guard LegacyNames.isMetricName(whole) else {
            matchers.insert(Quoting.quote(whole), at: 0)
            return "{\(matchers.joined(separator: ","))}"
        }
        return matchers.isEmpty ? whole.string : "\(whole.string){\(matchers.joined(separator: ","))}"
    }
}
