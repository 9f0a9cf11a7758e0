package import Matching
package import MetricModel

/// A consistent view of the database over a range of time: head, out-of-order samples and blocks as one, without
/// duplicates. Safe to use from several threads; what it holds open is released with it and with the series it gave.
package final class Querier: Sendable {
    /// The first millisecond of the view.
    package let start: Timestamp
    /// The last millisecond of the view.
    package let end: Timestamp
    private let head: HeadView

    init(from start: Timestamp, to end: Timestamp, head: HeadView) {
        self.start = start
        self.end = end
        self.head = head
    }

    /// The series that fulfil all `matchers` and may have samples in the range, sorted by labels.
    /// - Parameters:
    ///   - matchers: At least one that does not match the empty value, unless all series are wanted.
    ///   - limit: Most series to return; 0 for all.
    package func select(_ matchers: [Matcher], limit: Int = 0) throws(StoreError) -> [SelectedSeries] {
        var selected = try head.select(matchers).map { SelectedSeries(labels: $0.series.labels, head: $0) }
        selected.sort { $0.labels < $1.labels }
        return limit > 0 && selected.count > limit ? Array(selected[..<limit]) : selected
    }

    /// The label names of series that fulfil `matchers`, sorted.
    /// - Parameter limit: Most names to return; 0 for all.
    package func labelNames(_ matchers: [Matcher] = [], limit: Int = 0) throws(StoreError) -> LabelAnswer {
        try LabelAnswer(head.head.postings.labelNames(matchers), limit)
    }

    /// The values that label `name` has in series that fulfil `matchers`, sorted.
    package func labelValues(
        of name: ByteString, _ matchers: [Matcher] = [], limit: Int = 0
    ) throws(StoreError) -> LabelAnswer {
        try LabelAnswer(head.head.postings.labelValues(of: name, matchers), limit)
    }
}

/// Label names or values.
package struct LabelAnswer: Sendable, Hashable {
    /// Sorted, each once.
    package var texts: [ByteString] = []
    /// Whether there are more than the limit allowed.
    package var isTruncated = false

    /// None.
    package init() {}

    init(_ all: [ByteString], _ limit: Int) {
        isTruncated = limit > 0 && all.count > limit
        texts = isTruncated ? Array(all[..<limit]) : all
    }
}

/// A series of a ``Querier``. Keeps what it needs of the view alive.
package struct SelectedSeries: Sendable {
    /// Its labels.
    package let labels: Labels
    let head: HeadSeriesView?

    /// Appends the samples of the view's range to `columns`, each time stamp once.
    /// May be called from any thread, and more than once.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` where a chunk cannot be read; never a short answer.
    /// - Complexity: O(samples of the chunks that overlap the range).
    package func read(into columns: inout SampleColumns) throws(StoreError) {
        try head?.read(into: &columns)
    }
}

/// A series with its exemplars.
package struct SeriesExemplars: Sendable {
    /// Of the series.
    package var labels: Labels
    /// By time.
    package var exemplars: [Exemplar]
}
