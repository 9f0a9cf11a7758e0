package import Matching
package import MetricModel

/// What the engine tells a source about why it selects; a source may ignore it.
///
/// Source: prometheus/prometheus storage/interface.go (`SelectHints`).
package struct SelectHints: Sendable, Hashable {
    /// Milliseconds between the steps of the query; 0 for a single step.
    package var step: Int64 = 0
    /// The range of a range selector, in milliseconds; 0 for an instant selector.
    package var range: Int64 = 0
    /// The function or aggregation directly around the selector; empty if there is none.
    package var function = ""
    /// The labels of an aggregation directly around the selector.
    package var grouping: [ByteString] = []
    /// Whether ``grouping`` are the labels to keep.
    package var isBy = false

    /// No hints.
    package init() {}
}

/// One series that was selected.
package protocol SelectedSeries: Sendable {
    /// The series' labels, metric name included.
    var labels: Labels { get }

    /// Appends the samples of the selected time range, in time order; more on either side do no harm.
    ///
    /// Called once a query, from any thread; several series are read at the same time.
    /// - Throws: What the store has to say; the query fails with it.
    func read(into columns: inout SampleColumns) throws

    /// The same for a query that may end meanwhile: a series may have more samples than others have series.
    /// - Parameter goesOn: Asked now and then. When it gives false, what was read so far does, as nobody will use it.
    func read(into columns: inout SampleColumns, while goesOn: () -> Bool) throws
}

extension SelectedSeries {
    /// Reads to the end.
    package func read(into columns: inout SampleColumns, while goesOn: () -> Bool) throws { try read(into: &columns) }
}

/// What a selection found.
package struct SeriesSelection: Sendable {
    /// The series, sorted by labels, each label set once.
    package var series: [any SelectedSeries]
    /// What the user should know about the completeness of the data.
    package var warnings: [String]

    /// A selection.
    package init(series: [any SelectedSeries], warnings: [String] = []) {
        self.series = series
        self.warnings = warnings
    }
}

/// Where the engine reads series: one consistent view of a store, for the time of one query.
///
/// Synchronous and thread-safe: evaluation runs on threads of its own.
package protocol SeriesSource: Sendable {
    /// The series that fulfil all `matchers` and may have samples within `start...end` (milliseconds).
    /// - Throws: What the store has to say; the query fails with it.
    func select(
        _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
    ) throws -> SeriesSelection
}
