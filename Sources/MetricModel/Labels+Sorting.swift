extension Labels {
    /// The indices of `sets` in the order of their label sets; of equal sets, the earlier index comes first.
    ///
    /// Sorts by eight bytes at a time: sets of one metric have most of their names and many values in common, which are
    /// then looked at once a set, and not once a comparison.
    /// - Complexity: O(bytes + n log n) where few sets share a value; no comparison of label sets but in small groups.
    package static func order(of sets: [Labels]) -> [Int32] {
        var items = sets.indices.map { LabelOrder.Item(key: 0, index: Int32(truncatingIfNeeded: $0)) }
        LabelOrder.sort(&items, sets)
        return items.map(\.index)
    }
}

/// Sorting of label sets by parts of their texts.
private enum LabelOrder {
    struct Item {
        /// The next bytes of the text at hand, the first in the highest place, zeros beyond its end.
        var key: UInt64
        let index: Int32
    }

    /// Items that are alike up to `matched` bytes of the text whose length stands at `text`.
    private struct Group {
        let items: Range<Int>
        let text: Int
        let matched: Int
    }

    /// Groups of so many items are compared set by set.
    private static let smallGroup = 6

    static func sort(_ items: inout [Item], _ sets: [Labels]) {
        // A list of what is left to do in place of recursion: texts may be long.
        var groups = [Group(items: items.indices, text: 0, matched: 0)]
        while let group = groups.popLast() {
            if group.items.count <= smallGroup || !setKeys(&items, group, sets) {
                items[group.items].sort { isBefore($0, $1, sets) }
                continue
            }
            if !isAscending(items[group.items]) { items[group.items].sort { ($0.key, $0.index) < ($1.key, $1.index) } }
            split(items, group, sets, into: &groups)
        }
    }

    private static func isBefore(_ a: Item, _ b: Item, _ sets: [Labels]) -> Bool {
        let (left, right) = (sets[Int(a.index)], sets[Int(b.index)])
        return left == right ? a.index < b.index : left < right
    }

    private static func isAscending(_ items: ArraySlice<Item>) -> Bool {
        var last: UInt64 = 0
        for item in items {
            if item.key < last { return false }
            last = item.key
        }
        return true
    }

    /// - Returns: false if one of the sets has no text there.
    private static func setKeys(_ items: inout [Item], _ group: Group, _ sets: [Labels]) -> Bool {
        for place in group.items {
            let packed = sets[Int(items[place].index)].packed
            guard group.text < packed.count else { return false }
            let text = Labels.text(in: packed, at: group.text)
            items[place].key = key(packed, text.lowerBound + group.matched, text.upperBound)
        }
        return true
    }

    private static func key(_ packed: [UInt8], _ start: Int, _ end: Int) -> UInt64 {
        if end - start >= 8 {
            // SAFETY: eight bytes from `start` lie before `end`, which is the end of a text within `packed`.
            return packed.withUnsafeBytes {
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
        }
        var key: UInt64 = 0
        for index in start..<max(start, end) { key = key << 8 | UInt64(packed[index]) }
        return key << UInt64(8 * (8 - max(0, end - start)))
    }

    /// Adds the groups of equal keys to what is left to do.
    private static func split(_ items: [Item], _ group: Group, _ sets: [Labels], into groups: inout [Group]) {
        var start = group.items.lowerBound
        while start < group.items.upperBound {
            var end = start + 1
            while end < group.items.upperBound && items[end].key == items[start].key { end += 1 }
            if end - start > 1 { groups.append(next(items, start..<end, group, sets)) }
            start = end
        }
    }

    private static func next(_ items: [Item], _ range: Range<Int>, _ group: Group, _ sets: [Labels]) -> Group {
        var shortest = Int.max
        var longest = 0
        for place in range {
            let length = Labels.text(in: sets[Int(items[place].index)].packed, at: group.text).count
            shortest = min(shortest, length)
            longest = max(longest, length)
        }
        let matched = group.matched + 8
        if shortest > matched { return Group(items: range, text: group.text, matched: matched) }
        if shortest == longest {
            let end = Labels.text(in: sets[Int(items[range.lowerBound].index)].packed, at: group.text).upperBound
            return Group(items: range, text: end, matched: 0)
        }
        // One ends where another goes on: beyond all texts, so that the sets are compared.
        return Group(items: range, text: .max, matched: 0)
    }
}
