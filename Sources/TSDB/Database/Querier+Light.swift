package import Matching
package import MetricModel

/// Questions that are answered only where that takes a small part of a millisecond, so that a thread that must not be
/// held up, such as an event loop, may ask them. What they cost is known from lengths before any list is read.
extension Querier {
    private enum Limit {
        /// Series of a selection.
        static let series = 256
        /// Series of which only the labels are wanted, counted in each block.
        static let labelled = 1024
        /// Entries of a block's lists, which are checked as a whole before they are used.
        static let listed = 8192
        /// Parts of series, of some hundred samples each.
        static let chunks = 512
        /// Values or names, of head and blocks together.
        static let texts = 1024
    }

    /// What ``select(_:limit:)`` gives, if all `matchers` ask for one value each and few series have them; else nil.
    package func selectLightly(_ matchers: [Matcher]) throws(StoreError) -> [SelectedSeries]? {
        guard let series = try seriesBound(matchers), series <= Limit.series else { return nil }
        let selected = try select(matchers)
        return selected.reduce(0) { $0 + $1.chunkCount } <= Limit.chunks ? selected : nil
    }

    /// What ``seriesLabels(_:limit:)`` gives, likewise; their chunks do not matter.
    package func seriesLabelsLightly(_ matchers: [Matcher], limit: Int = 0) throws(StoreError) -> [Labels]? {
        guard let series = try seriesBound(matchers), series <= Limit.labelled else { return nil }
        return try seriesLabels(matchers, limit: limit)
    }

    /// At most how many series a selection finds; nil where that is not told quickly.
    private func seriesBound(_ matchers: [Matcher]) throws(StoreError) -> Int? {
        guard !matchers.isEmpty, matchers.allSatisfy({ $0.operation == .equal && !$0.value.isEmpty }) else {
            return nil
        }
        var series = 0
        var listed = 0
        for block in blocks {
            var least = Int.max
            for matcher in matchers {
                let count = try block.index.postingsCount(matcher.name, matcher.value)
                listed += count
                least = min(least, count)
            }
            series += least
        }
        guard listed <= Limit.listed else { return nil }
        if let head {
            var least = Int.max
            for matcher in matchers { least = min(least, head.index.postings(matcher.name, matcher.value).count) }
            series += least
        }
        return series
    }

    /// What ``labelNames(_:limit:)`` gives for all series, if there are few; else nil.
    package func labelNamesLightly(limit: Int = 0) throws(StoreError) -> LabelAnswer? {
        var count = head?.index.labelNameCount ?? 0
        for block in blocks { count += block.index.labelNameCount }
        return count <= Limit.texts ? try labelNames(limit: limit) : nil
    }

    /// What ``labelValues(of:_:limit:)`` gives for all series, if there are few; else nil.
    package func labelValuesLightly(of name: ByteString, limit: Int = 0) throws(StoreError) -> LabelAnswer? {
        var count = head?.index.valueCount(of: name) ?? 0
        for block in blocks { count += block.index.valueCount(of: name) }
        return count <= Limit.texts ? try labelValues(of: name, limit: limit) : nil
    }
}
