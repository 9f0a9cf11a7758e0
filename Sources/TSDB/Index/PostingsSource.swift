package import Matching
package import MetricModel

/// What an index must offer to find series by matchers: the head's is in memory, a block's is a file.
package protocol PostingsSource {
    /// All series.
    func allPostings() throws(StoreError) -> Postings
    /// The series that have label `name` with `value`; empty if there is none.
    func postings(_ name: ByteString, _ value: ByteString) throws(StoreError) -> Postings
    /// The series of each value of label `name` that starts with `prefix` and that `isIncluded` accepts.
    func postings(
        _ name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> [Postings]
    /// The values of label `name` that start with `prefix` and that `isIncluded` accepts, sorted.
    func values(
        of name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> [ByteString]
    /// All values of label `name`, sorted.
    func values(of name: ByteString) throws(StoreError) -> [ByteString]
    /// About how many values label `name` has.
    func valueCount(of name: ByteString) -> Int
    /// All label names, sorted.
    func labelNames() throws(StoreError) -> [ByteString]
    /// The labels of a series; nil if it is gone.
    func labels(of series: UInt32) throws(StoreError) -> Labels?
}

extension PostingsSource {
    package func values(of name: ByteString) throws(StoreError) -> [ByteString] {
        try values(of: name, prefix: "") { _ in true }
    }

    /// The series that fulfil all `matchers`, ascending. No matcher at all gives all series.
    ///
    /// A label that is missing has the empty value: a matcher that accepts the empty value cannot be answered by
    /// lists of values, and subtracts the values that it refuses instead.
    /// Source: prometheus/prometheus tsdb/querier.go (`PostingsForMatchers`).
    package func select(_ matchers: [Matcher]) throws(StoreError) -> [UInt32] {
        var listed: [Postings] = []
        var tested: [Matcher] = []
        var subtracted: [Matcher] = []
        let required = Set(matchers.filter { !$0.matchesEmpty }.map(\.name))
        for matcher in matchers {
            if matcher.acceptsEverything { continue }
            if matcher.acceptsNothing { return [] }
            if !required.contains(matcher.name) || (matcher.isNegative && matcher.matchesEmpty) {
                subtracted.append(matcher)
            } else if !matcher.isNegative, let texts = matcher.texts {
                var lists: [Postings] = []
                for text in texts where !text.isEmpty { lists.append(try postings(matcher.name, text)) }
                let list = lists.count == 1 ? lists[0] : Postings(Postings.union(lists))
                if list.isEmpty { return [] }
                listed.append(list)
            } else {
                tested.append(matcher)
            }
        }
        var result: [UInt32]?
        if !listed.isEmpty { result = Postings.intersection(listed) }
        for matcher in tested {
            result = try narrowed(result, to: matcher)
            if result?.isEmpty == true { return [] }
        }
        var remaining: [UInt32]
        if let result { remaining = result } else { remaining = try allPostings().numbers }
        for matcher in subtracted where !remaining.isEmpty {
            remaining = try reduced(remaining, by: matcher)
        }
        return remaining
    }

    /// The numbers of `base` (all, if nil) that have a value that `matcher` accepts.
    private func narrowed(_ base: [UInt32]?, to matcher: Matcher) throws(StoreError) -> [UInt32] {
        if let base, isCheaperByLabels(base, matcher) {
            return try filtered(base) { $0.contains(matcher.name) && matcher.matches($0) }
        }
        let prefix = matcher.isNegative ? "" : matcher.prefix
        let lists = try postings(matcher.name, prefix: prefix) { matcher.matches($0) }
        guard let base else { return Postings.union(lists) }
        return Postings(Postings.union(lists)).intersection(base)
    }

    /// The numbers of `base` without those that have a value that `matcher` refuses.
    private func reduced(_ base: [UInt32], by matcher: Matcher) throws(StoreError) -> [UInt32] {
        if matcher.isNegative, let texts = matcher.texts {
            var result = base
            for text in texts where !text.isEmpty {
                result = try postings(matcher.name, text).subtracted(from: result)
            }
            return result
        }
        if isCheaperByLabels(base, matcher) { return try filtered(base) { matcher.matches($0) } }
        let prefix = matcher.isNegative ? matcher.prefix : ""
        let lists = try postings(matcher.name, prefix: prefix) { !matcher.matches($0) }
        return Postings(Postings.union(lists)).subtracted(from: base)
    }

    /// Whether looking at the labels of few series beats testing many values.
    private func isCheaperByLabels(_ base: [UInt32], _ matcher: Matcher) -> Bool {
        base.count * 8 < valueCount(of: matcher.name)
    }

    private func filtered(
        _ base: [UInt32], _ isIncluded: (Labels) -> Bool
    ) throws(StoreError) -> [UInt32] {
        var result: [UInt32] = []
        for series in base {
            if let labels = try labels(of: series), isIncluded(labels) { result.append(series) }
        }
        return result
    }

    /// The label names of series that fulfil `matchers`, sorted.
    package func labelNames(_ matchers: [Matcher]) throws(StoreError) -> [ByteString] {
        guard !matchers.isEmpty else { return try labelNames() }
        var found: Set<ByteString> = []
        let series = try select(matchers)
        // Few names, many series: ask for each name whether any of its series is among them.
        let all = try labelNames()
        if series.count > all.count * 4 {
            for name in all {
                let lists = try postings(name, prefix: "") { _ in true }
                if lists.contains(where: { $0.intersects(series) }) { found.insert(name) }
            }
            return found.sorted()
        }
        for number in series {
            guard let labels = try labels(of: number) else { continue }
            for pair in labels.pairs { found.insert(pair.name) }
        }
        return found.sorted()
    }

    /// The values that label `name` has in series that fulfil `matchers`, sorted.
    package func labelValues(of name: ByteString, _ matchers: [Matcher]) throws(StoreError) -> [ByteString] {
        if matchers.isEmpty { return try values(of: name) }
        // Matchers on the label itself decide which values come into question.
        let own = matchers.filter { $0.name == name }
        let prefix = own.first { !$0.isNegative }?.prefix ?? ""
        let candidates = try values(of: name, prefix: prefix) { value in own.allSatisfy { $0.matches(value) } }
        if matchers.count == own.count { return candidates }
        let series = try select(matchers)
        if series.count < candidates.count / 4 {
            var found: Set<ByteString> = []
            for number in series {
                if let value = try labels(of: number)?[name] { found.insert(value) }
            }
            return found.sorted()
        }
        var result: [ByteString] = []
        for value in candidates where try postings(name, value).intersects(series) { result.append(value) }
        return result
    }
}

extension Matcher {
    /// Whether the operator is `!=` or `!~`.
    var isNegative: Bool { operation == .notEqual || operation == .matchesNot }

    /// `=~".*"`: any value, missing or not.
    var acceptsEverything: Bool { operation == .matches && value == ".*" }

    /// `!~".*"`.
    var acceptsNothing: Bool { operation == .matchesNot && value == ".*" }
}
