internal import Matching
internal import MetricModel
internal import Synchronization

/// Which series have which labels: for each pair of name and value the references of its series, ascending.
///
/// A look-up copies nothing: lists are shared until the next series is added to them.
final class HeadPostings: Sendable {
    /// One list.
    private final class List {
        var references: [UInt32] = []
    }

    /// The values of one name.
    private final class Name {
        var lists: [ByteString: List] = [:]
        /// The values in order, made when they are asked for.
        var sorted: [ByteString]?
    }

    private struct State {
        var names: [ByteString: Name] = [:]
        var all: [UInt32] = []
        var pairCount = 0
        var isSorted = true
    }

    // SAFETY: the classes above are reached through the state only, under its lock.
    private struct Box: @unchecked Sendable {
        var state = State()
    }

    private let box = Mutex(Box())

    /// Adds a series. References may come in any order.
    func add(_ reference: UInt32, _ labels: Labels) {
        let packed = labels.packedBytes
        box.withLock { box in
            HeadPostings.append(reference, to: &box.state.all, &box.state.isSorted)
            labels.forEachRange { nameRange, valueRange in
                let nameText = ByteString(packed[nameRange])
                let value = ByteString(packed[valueRange])
                let name = box.state.names[nameText] ?? Name()
                if name.lists.isEmpty { box.state.names[nameText] = name }
                if let list = name.lists[value] {
                    HeadPostings.append(reference, to: &list.references, &box.state.isSorted)
                } else {
                    let list = List()
                    list.references = [reference]
                    name.lists[value] = list
                    name.sorted = nil
                    box.state.pairCount += 1
                }
            }
        }
    }

    private static func append(_ reference: UInt32, to list: inout [UInt32], _ isSorted: inout Bool) {
        if let last = list.last, last > reference { isSorted = false }
        list.append(reference)
    }

    /// Puts the lists in order, after a replay.
    func sort() {
        box.withLock { box in
            guard !box.state.isSorted else { return }
            box.state.all.sort()
            for name in box.state.names.values {
                for list in name.lists.values { list.references.sort() }
            }
            box.state.isSorted = true
        }
    }

    /// Removes series.
    /// - Parameters:
    ///   - removed: Their references.
    ///   - labels: Their label sets, which tell the lists they are in.
    func remove(_ removed: Set<UInt32>, _ labels: [Labels]) {
        var affected: [ByteString: Set<ByteString>] = [:]
        for set in labels {
            for pair in set.pairs { affected[pair.name, default: []].insert(pair.value) }
        }
        box.withLock { box in
            box.state.all.removeAll { removed.contains($0) }
            for (nameText, values) in affected {
                guard let name = box.state.names[nameText] else { continue }
                for value in values {
                    guard let list = name.lists[value] else { continue }
                    list.references.removeAll { removed.contains($0) }
                    if list.references.isEmpty {
                        name.lists[value] = nil
                        name.sorted = nil
                        box.state.pairCount -= 1
                    }
                }
                if name.lists.isEmpty { box.state.names[nameText] = nil }
            }
        }
    }

    /// The references of all series.
    var all: [UInt32] { box.withLock { $0.state.all } }

    /// Number of different pairs.
    var pairCount: Int { box.withLock { $0.state.pairCount } }

    /// The references of the series with a pair.
    func references(_ name: ByteString, _ value: ByteString) -> [UInt32] {
        box.withLock { $0.state.names[name]?.lists[value]?.references ?? [] }
    }

    /// The references of all series whose value of `name` fulfils `isWanted`, as one list.
    func references(_ name: ByteString, where isWanted: (ByteString) -> Bool) -> [UInt32] {
        // Values are tested without the lock; a list that came or went in between makes no difference to a reader.
        let wanted = values(name).filter(isWanted)
        if wanted.count == 1, let only = wanted.first { return references(name, only) }
        var union: [UInt32] = []
        for value in wanted { union.append(contentsOf: references(name, value)) }
        // A series has one value of each name, so that no reference comes twice.
        union.sort()
        return union
    }

    /// The values of `name`, sorted.
    func values(_ name: ByteString) -> [ByteString] {
        box.withLock { box in
            guard let entry = box.state.names[name] else { return [] }
            if let sorted = entry.sorted { return sorted }
            let sorted = entry.lists.keys.sorted()
            entry.sorted = sorted
            return sorted
        }
    }

    /// All label names, sorted.
    var names: [ByteString] { box.withLock { $0.state.names.keys.sorted() } }

    /// The references of the series that fulfil all `matchers`, ascending; among them may be some that were removed
    /// since.
    func select(_ matchers: [Matcher]) throws(StoreError) -> [UInt32] {
        var result: [UInt32]?
        var exclusions: [Matcher] = []
        for matcher in matchers {
            if matcher.matchesEmpty {
                exclusions.append(matcher)
                continue
            }
            let matching =
                matcher.operation == .equal
                ? references(matcher.name, matcher.value)
                : references(matcher.name) { matcher.matches($0) }
            result = result.map { SortedReferences.intersection($0, matching) } ?? matching
            if result?.isEmpty == true { return [] }
        }
        var selected = result ?? all
        for matcher in exclusions where !selected.isEmpty {
            let excluded = references(matcher.name) { !matcher.matches($0) }
            selected = SortedReferences.subtraction(selected, excluded)
        }
        return selected
    }

    /// The label names of series that fulfil `matchers`, sorted.
    func labelNames(_ matchers: [Matcher]) throws(StoreError) -> [ByteString] {
        guard !matchers.isEmpty else { return names }
        let selected = try select(matchers)
        return names.filter { name in
            values(name).contains { !SortedReferences.intersection(references(name, $0), selected).isEmpty }
        }
    }

    /// The values of `name` in series that fulfil `matchers`, sorted.
    func labelValues(of name: ByteString, _ matchers: [Matcher]) throws(StoreError) -> [ByteString] {
        guard !matchers.isEmpty else { return values(name) }
        let selected = try select(matchers)
        return values(name).filter { !SortedReferences.intersection(references(name, $0), selected).isEmpty }
    }

    /// Label statistics: for each name its values' bytes and counts, and the pairs with their series.
    func forEachPair(_ body: (_ name: ByteString, _ value: ByteString, _ series: Int) -> Void) {
        for name in names {
            for value in values(name) { body(name, value, references(name, value).count) }
        }
    }
}

/// Set operations on ascending lists of references.
enum SortedReferences {
    /// What is in both.
    /// - Complexity: O(shorter · log(longer / shorter)) where lengths differ much, else O(both).
    static func intersection(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        let (short, long) = left.count <= right.count ? (left, right) : (right, left)
        var result: [UInt32] = []
        result.reserveCapacity(short.count)
        var index = 0
        for reference in short {
            var step = 1
            while index + step < long.count && long[index + step] < reference { step *= 2 }
            var low = index + step / 2
            var high = min(long.count, index + step + 1)
            if step == 1 { low = index }
            while low < high {
                let middle = (low + high) / 2
                if long[middle] < reference { low = middle + 1 } else { high = middle }
            }
            index = low
            if index >= long.count { break }
            if long[index] == reference { result.append(reference) }
        }
        return result
    }

    /// What is in `left` only.
    /// - Complexity: O(both).
    static func subtraction(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        guard !right.isEmpty else { return left }
        var result: [UInt32] = []
        result.reserveCapacity(left.count)
        var index = 0
        for reference in left {
            while index < right.count && right[index] < reference { index += 1 }
            if index >= right.count || right[index] != reference { result.append(reference) }
        }
        return result
    }
}
