package import Matching
internal import MetricModel

/// Conditions on the labels of a group, all of which it must fulfil; a label that it does not have is empty.
package struct GroupSelector: Sendable, Hashable {
    /// All of which a grouping key has to fulfil.
    package let matchers: [Matcher]

    /// A selector; without matchers it selects every group.
    package init(_ matchers: [Matcher]) { self.matchers = matchers }

    /// Whether a group is selected.
    /// - Complexity: O(matchers × labels).
    package func selects(_ key: GroupingKey) -> Bool {
        matchers.allSatisfy { $0.matches(key[$0.name] ?? "") }
    }
}

/// Which part of what is stored a scrape asks for.
package struct ScrapeFilter: Sendable, Hashable {
    /// Series that fulfil all matchers of one of these are sent; `__name__` is the family's name. Empty: all series.
    package var selectors: [[Matcher]]
    /// Series must also have labels as one of these selects groups. Empty: all series.
    package var scope: [GroupSelector] = []
    /// Groups are spread over so many shards by their keys; nil: all groups.
    package var shard: Shard?

    /// One of several parts of the groups.
    package struct Shard: Sendable, Hashable {
        /// From 0.
        package let index: Int
        /// At least 1.
        package let count: Int

        /// Part `index` of `count`; nil if there is none of that number.
        package init?(index: Int, count: Int) {
            guard count >= 1, count <= 65_536, index >= 0, index < count else { return nil }
            self.index = index
            self.count = count
        }

        /// Whether a group with this ``GroupingKey/shardHash`` belongs to the part.
        func contains(_ hash: UInt16) -> Bool { Int(hash) * count / 65_536 == index }
    }

    /// A filter; by default everything passes.
    package init(selectors: [[Matcher]] = [], shard: Shard? = nil) {
        self.selectors = selectors
        self.shard = shard
    }

    /// Whether everything passes.
    package var isEmpty: Bool { selectors.isEmpty && scope.isEmpty && shard == nil }

    /// Whether every group that passes does so with all of its series.
    var sendsWholeGroups: Bool { selectors.isEmpty && scope.isEmpty }

    func includes(_ series: SeriesView, of family: ByteString) -> Bool {
        if let shard, !shard.contains(series.shardHash) { return false }
        guard !sendsWholeGroups else { return true }
        let labels = series.labels
        func value(_ name: ByteString) -> ByteString { labels.first { $0.name == name }?.value ?? "" }
        let isWithin =
            scope.isEmpty
            || scope.contains { $0.matchers.allSatisfy { matcher in matcher.matches(value(matcher.name)) } }
        guard isWithin, !selectors.isEmpty else { return isWithin }
        return selectors.contains { matchers in
            matchers.allSatisfy { matcher in
                if matcher.name == Labels.metricName { return matcher.matches(family) }
                return matcher.matches(value(matcher.name))
            }
        }
    }
}
