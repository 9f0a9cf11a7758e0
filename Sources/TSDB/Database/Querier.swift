package import Matching
package import MetricModel

/// A consistent view of the database over a range of time: head, out-of-order samples and blocks as one, without
/// duplicates. Safe to use from several threads; what it holds open is released with it and with the series it gave.
package final class Querier: Sendable {
    private init() {}

    /// The first millisecond of the view.
    package var start: Timestamp { 0 }
    /// The last millisecond of the view.
    package var end: Timestamp { 0 }

    /// The series that fulfil all `matchers` and may have samples in the range, sorted by labels.
    /// - Parameters:
    ///   - matchers: At least one that does not match the empty value, unless all series are wanted.
    ///   - limit: Most series to return; 0 for all.
    package func select(_ matchers: [Matcher], limit: Int = 0) throws(StoreError) -> [SelectedSeries] { [] }

    /// The label names of series that fulfil `matchers`, sorted.
    /// - Parameter limit: Most names to return; 0 for all.
    package func labelNames(_ matchers: [Matcher] = [], limit: Int = 0) throws(StoreError) -> LabelAnswer {
        LabelAnswer()
    }

    /// The values that label `name` has in series that fulfil `matchers`, sorted.
    package func labelValues(
        of name: ByteString, _ matchers: [Matcher] = [], limit: Int = 0
    ) throws(StoreError) -> LabelAnswer { LabelAnswer() }
}

/// Label names or values.
package struct LabelAnswer: Sendable, Hashable {
    /// Sorted, each once.
    package var texts: [ByteString] = []
    /// Whether there are more than the limit allowed.
    package var isTruncated = false

    /// None.
    package init() {}
}

/// A series of a ``Querier``. Keeps what it needs of the view alive.
package struct SelectedSeries: Sendable {
    /// Its labels.
    package let labels: Labels

    /// Appends the samples of the view's range to `columns`, each time stamp once.
    /// May be called from any thread, and more than once.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` where a chunk cannot be read; never a short answer.
    /// - Complexity: O(samples of the chunks that overlap the range).
    package func read(into columns: inout SampleColumns) throws(StoreError) {}
}

/// A series with its exemplars.
package struct SeriesExemplars: Sendable {
    /// Of the series.
    package var labels: Labels
    /// By time.
    package var exemplars: [Exemplar]
}
