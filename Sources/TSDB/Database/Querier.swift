package import Matching
package import MetricModel

/// A consistent view of the database over a range of time: head, out-of-order samples and blocks as one, without
/// duplicates. Safe to use from several threads; what it holds open is released with it and with the series it gave.
package final class Querier: Sendable {
    /// The first millisecond of the view.
    package let start: Timestamp
    /// The last millisecond of the view.
    package let end: Timestamp
    let head: HeadView?
    /// By time.
    let blocks: [Block]

    init(from start: Timestamp, to end: Timestamp, head: HeadView?, blocks: [Block]) {
        self.start = start
        self.end = end
        self.head = head
        self.blocks = blocks
    }

    /// The series that fulfil all `matchers` and may have samples in the range, sorted by labels.
    /// - Parameters:
    ///   - matchers: At least one that does not match the empty value, unless all series are wanted.
    ///   - limit: Most series to return; 0 for all.
    package func select(_ matchers: [Matcher], limit: Int = 0) throws(StoreError) -> [SelectedSeries] {
        var lists: [[SelectedSeries]] = []
        for block in blocks {
            var found: [SelectedSeries] = []
            try block.forEachSeries(matchers, from: start, to: end) { found.append(SelectedSeries($0)) }
            lists.append(found)
        }
        if let head { lists.append(try head.select(matchers)) }
        lists.removeAll { $0.isEmpty }
        // Pairwise, so that each series is moved a logarithmic number of times.
        while lists.count > 1 {
            var merged: [[SelectedSeries]] = []
            for index in stride(from: 0, to: lists.count, by: 2) {
                merged.append(
                    index + 1 < lists.count ? Querier.merging(lists[index], lists[index + 1]) : lists[index])
            }
            lists = merged
        }
        let selected = lists.first ?? []
        return limit > 0 && selected.count > limit ? Array(selected[..<limit]) : selected
    }

    /// The labels of the series that ``select(_:limit:)`` gives.
    /// - Parameter limit: Most series to tell of; 0 for all.
    package func seriesLabels(_ matchers: [Matcher], limit: Int = 0) throws(StoreError) -> [Labels] {
        var lists: [[Labels]] = []
        for block in blocks {
            var found: [Labels] = []
            try block.forEachSeries(matchers, from: start, to: end) { found.append($0.labels) }
            lists.append(found)
        }
        if let head { lists.append(try head.labels(matchers)) }
        let all = SortedUnion.of(lists)
        return limit > 0 && all.count > limit ? Array(all[..<limit]) : all
    }

    /// Both lists as one; a series that is in both has the parts of both, those of `left` first.
    private static func merging(_ left: [SelectedSeries], _ right: [SelectedSeries]) -> [SelectedSeries] {
        var result: [SelectedSeries] = []
        result.reserveCapacity(max(left.count, right.count))
        var i = 0
        var j = 0
        while i < left.count && j < right.count {
            if left[i].labels == right[j].labels {
                left[i].join(right[j])
                result.append(left[i])
                i += 1
                j += 1
            } else if left[i].labels < right[j].labels {
                result.append(left[i])
                i += 1
            } else {
                result.append(right[j])
                j += 1
            }
        }
        result += left[i...]
        result += right[j...]
        return result
    }

    /// The label names of series that fulfil `matchers`, sorted.
    /// - Parameter limit: Most names to return; 0 for all.
    package func labelNames(_ matchers: [Matcher] = [], limit: Int = 0) throws(StoreError) -> LabelAnswer {
        var lists: [[ByteString]] = []
        for block in blocks { lists.append(try block.index.labelNames(matchers)) }
        if let head, head.overlapsHead { lists.append(try head.index.labelNames(matchers)) }
        return LabelAnswer(lists, limit)
    }

    /// The values that label `name` has in series that fulfil `matchers`, sorted.
    package func labelValues(
        of name: ByteString, _ matchers: [Matcher] = [], limit: Int = 0
    ) throws(StoreError) -> LabelAnswer {
        var lists: [[ByteString]] = []
        for block in blocks { lists.append(try block.index.labelValues(of: name, matchers)) }
        if let head, head.overlapsHead { lists.append(try head.index.labelValues(of: name, matchers)) }
        return LabelAnswer(lists, limit)
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

    /// The texts of sorted lists together.
    /// - Complexity: O(texts of all lists × lists).
    init(_ lists: [[ByteString]], _ limit: Int) {
        let all = SortedUnion.of(lists)
        isTruncated = limit > 0 && all.count > limit
        texts = isTruncated ? Array(all[..<limit]) : all
    }
}

/// Sorted lists put together. Blocks that follow each other mostly hold the same.
private enum SortedUnion {
    /// What is in any of `lists`, sorted, each once.
    /// - Complexity: O(elements of all lists × lists).
    static func of<Element: Comparable>(_ lists: [[Element]]) -> [Element] {
        var all = lists.first ?? []
        for list in lists.dropFirst() { all = union(all, list) }
        return all
    }

    private static func union<Element: Comparable>(_ first: [Element], _ second: [Element]) -> [Element] {
        if first.isEmpty { return second }
        if second.isEmpty || first == second { return first }
        var all: [Element] = []
        all.reserveCapacity(max(first.count, second.count))
        var rest = first[...]
        for element in second {
            while let next = rest.first, next < element { all.append(rest.removeFirst()) }
            if rest.first == element { rest.removeFirst() }
            all.append(element)
        }
        return all + rest
    }
}

/// A series of a ``Querier``. Keeps what it needs of the view alive.
package final class SelectedSeries: @unchecked Sendable {
    /// Chunks that are read before it is asked again whether to go on.
    static let chunksInTurn = 64

    /// Where some of its samples are.
    private enum Part: Sendable {
        case head(HeadSeriesView)
        case block(BlockSeriesView)
    }

    /// Its labels.
    package let labels: Labels
    private let first: Part
    // SAFETY: changed only by the selection that makes the series, before anybody else sees it.
    /// The parts after the first: most series have none.
    private var others: [Part] = []

    init(_ view: HeadSeriesView) {
        labels = view.series.labels
        first = .head(view)
    }

    init(_ view: BlockSeriesView) {
        labels = view.labels
        first = .block(view)
    }

    /// How many chunks a read decodes, about.
    var chunkCount: Int { others.reduce(SelectedSeries.chunkCount(first)) { $0 + SelectedSeries.chunkCount($1) } }

    private static func chunkCount(_ part: Part) -> Int {
        switch part {
        case .head(let view): view.partCount + view.late.count + view.lateBuffer.count / 100
        case .block(let view): view.chunks.count
        }
    }

    /// Adds the parts of `other`, which is the same series.
    fileprivate func join(_ other: SelectedSeries) {
        others.append(other.first)
        others += other.others
    }

    /// Appends the samples of the view's range to `columns`, each time stamp once.
    /// May be called from any thread, and more than once.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` where a chunk cannot be read; never a short answer.
    /// - Parameter goesOn: Asked after some chunks each; when it gives false, nothing more is read.
    /// - Complexity: O(samples of the chunks that overlap the range).
    package func read(
        into columns: inout SampleColumns, while goesOn: () -> Bool = { true }
    ) throws(StoreError) {
        let base = columns.count
        try SelectedSeries.read(first, into: &columns, goesOn)
        for part in others {
            let before = columns.count
            try SelectedSeries.read(part, into: &columns, goesOn)
            // Parts come by time; only those that overlap need to be merged.
            if before > base, before < columns.count, columns.timestamps[before] <= columns.timestamps[before - 1] {
                let later = columns.split(from: before)
                let earlier = columns.split(from: base)
                columns.append(SampleColumns.merging(earlier, later))
            }
        }
    }

    private static func read(
        _ part: Part, into columns: inout SampleColumns, _ goesOn: () -> Bool
    ) throws(StoreError) {
        switch part {
        case .head(let view): try view.read(into: &columns, while: goesOn)
        case .block(let view): try view.read(into: &columns, while: goesOn)
        }
    }
}

/// A series with its exemplars.
package struct SeriesExemplars: Sendable {
    /// Of the series.
    package var labels: Labels
    /// By time.
    package var exemplars: [Exemplar]
}
