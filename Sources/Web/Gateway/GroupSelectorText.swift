package import Gateway
internal import Matching
internal import MetricModel
internal import PromQL

extension GroupSelector {
    /// Reads a selector of PromQL over grouping labels, such as `{job=~"ci-.*", instance!=""}`; `{}` selects every group.
    /// - Throws: ``InvalidWish`` with the parser's message and position. A metric name is refused: groups have none.
    package init(text: String) throws(InvalidWish) {
        if text.filter({ !$0.isWhitespace }) == "{}" {
            self.init([])
            return
        }
        let matchers: [Matcher]
        do throws(PromQL.ParseError) {
            matchers = try Parser().parseMetricSelector(ByteString(text))
        } catch {
            throw InvalidWish("invalid selector \(Quoting.quote(ByteString(text))): \(error)")
        }
        guard !matchers.contains(where: { $0.name == Labels.metricName }) else {
            throw InvalidWish(
                "invalid selector \(Quoting.quote(ByteString(text))): it selects groups by their grouping labels, "
                    + "which have no metric name; write {job=\"…\"}")
        }
        self.init(matchers)
    }
}
