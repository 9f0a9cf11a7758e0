#if canImport(Glibc)
internal import Glibc
#endif
internal import MetricModel
internal import Synchronization

/// Which series have which labels: for each pair of name and value the references of its series, ascending.
///
/// A look-up copies nothing: lists are shared until the next series is added to them.
final class HeadPostings: Sendable {
    /// One list.
    private final class List {
        // SAFETY: reached under the lock of the box only, by one access at a time.
        @exclusivity(unchecked) var references: [UInt32] = []
    }

    /// The values of one name.
    private final class Name {
        var lists: [ByteString: List] = [:]
        /// The values in order, but for those in ``fresh``.
        private var sorted: [ByteString] = []
        /// Values that came since the values were last asked for.
        private var fresh: [ByteString] = []

        func add(_ value: ByteString, _ list: List) {
            lists[value] = list
            fresh.append(value)
        }

        /// Forgets the values that have no list any more.
        func removeEmpty() {
            fresh.removeAll { lists[$0] == nil }
            sorted.removeAll { lists[$0] == nil }
        }

        var sortedValues: [ByteString] {
            if fresh.isEmpty { return sorted }
            fresh.sort()
            var merged: [ByteString] = []
            merged.reserveCapacity(sorted.count + fresh.count)
            var index = 0
            for value in fresh {
                while index < sorted.count, sorted[index] < value {
                    merged.append(sorted[index])
                    index += 1
                }
                merged.append(value)
            }
            merged += sorted[index...]
            sorted = merged
            fresh = []
            return sorted
        }
    }

    /// A pair as it lies in a packed set of labels, and its list.
    private struct Known {
        var pair: [UInt8]
        var list: List
    }

    private struct State {
        /// The pairs of the series that was added last, by their places: the next has most of them, too.
        var known: [Known] = []
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
    /// What was selected of the series lately.
    let selections = HeadSelections()

    /// Adds a series. References may come in any order.
    func add(_ reference: UInt32, _ labels: Labels) {
        defer { selections.invalidate() }
        let packed = labels.packedBytes
        box.withLock { box in
            HeadPostings.append(reference, to: &box.state.all, &box.state.isSorted)
            var place = 0
            labels.forEachRange { nameRange, valueRange in
                defer { place += 1 }
                let pair = packed[nameRange.lowerBound..<valueRange.upperBound]
                if place < box.state.known.count, HeadPostings.isEqual(box.state.known[place].pair, pair) {
                    HeadPostings.append(
                        reference, to: &box.state.known[place].list.references, &box.state.isSorted)
                    return
                }
                let nameText = ByteString(packed[nameRange])
                let value = ByteString(packed[valueRange])
                let name = box.state.names[nameText] ?? Name()
                if name.lists.isEmpty { box.state.names[nameText] = name }
                let list: List
                if let found = name.lists[value] {
                    list = found
                    HeadPostings.append(reference, to: &list.references, &box.state.isSorted)
                } else {
                    list = List()
                    list.references = [reference]
                    name.add(value, list)
                    box.state.pairCount += 1
                }
                let known = Known(pair: Array(pair), list: list)
                if place < box.state.known.count {
                    box.state.known[place] = known
                } else {
                    box.state.known.append(known)
                }
            }
        }
    }

    private static func isEqual(_ known: [UInt8], _ pair: ArraySlice<UInt8>) -> Bool {
        guard known.count == pair.count else { return false }
        return known.withUnsafeBytes { known in
            pair.withUnsafeBytes { pair in
                guard let left = known.baseAddress, let right = pair.baseAddress else { return true }
                return memcmp(left, right, known.count) == 0
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
        defer { selections.removeAll() }
        var affected: [ByteString: Set<ByteString>] = [:]
        for set in labels {
            for pair in set.pairs { affected[pair.name, default: []].insert(pair.value) }
        }
        box.withLock { box in
            // Their lists may go.
            box.state.known = []
            box.state.all.removeAll { removed.contains($0) }
            for (nameText, values) in affected {
                guard let name = box.state.names[nameText] else { continue }
                for value in values {
                    guard let list = name.lists[value] else { continue }
                    list.references.removeAll { removed.contains($0) }
                    if list.references.isEmpty {
                        name.lists[value] = nil
                        box.state.pairCount -= 1
                    }
                }
                name.removeEmpty()
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

    /// The references of the series of each of several values of `name`.
    func references(_ name: ByteString, _ values: some Sequence<ByteString>) -> [[UInt32]] {
        box.withLock { box in
            guard let entry = box.state.names[name] else { return [] }
            return values.compactMap { entry.lists[$0]?.references }
        }
    }

    /// The values of `name`, sorted.
    /// - Complexity: O(1) where no value is new since the last call; else O(new · log new + all).
    func values(_ name: ByteString) -> [ByteString] {
        box.withLock { $0.state.names[name]?.sortedValues ?? [] }
    }

    /// The values of `name` that start with `prefix`, sorted.
    func values(_ name: ByteString, prefix: ByteString) -> ArraySlice<ByteString> {
        let all = values(name)
        guard !prefix.isEmpty else { return all[...] }
        let start = all.firstIndex { !($0 < prefix) }
        var end = start
        while end < all.count, all[end].hasPrefix(prefix) { end += 1 }
        return all[start..<end]
    }

    /// Number of values of `name`.
    func valueCount(_ name: ByteString) -> Int { box.withLock { $0.state.names[name]?.lists.count ?? 0 } }

    /// All label names, sorted.
    var names: [ByteString] { box.withLock { $0.state.names.keys.sorted() } }

    /// Number of label names.
    var nameCount: Int { box.withLock { $0.state.names.count } }

    /// Label statistics: for each name its values' bytes and counts, and the pairs with their series.
    func forEachPair(_ body: (_ name: ByteString, _ value: ByteString, _ series: Int) -> Void) {
        for name in names {
            for value in values(name) { body(name, value, references(name, value).count) }
        }
    }
}

extension Array {
    /// The first index for whose element `isBehind` holds, in an array in which it holds for all after it.
    fileprivate func firstIndex(_ isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The head's series by their labels, as matchers ask for them.
///
/// Values are tested and lists joined without a lock: a list that came or went meanwhile makes no difference to a
/// reader, which sees the series of commits before it only. Among the series may be some that were removed since.
struct HeadIndex: PostingsSource {
    let head: Head

    func allPostings() -> Postings { Postings(head.postings.all) }

    func postings(_ name: ByteString, _ value: ByteString) -> Postings {
        Postings(head.postings.references(name, value))
    }

    func postings(
        _ name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) -> [Postings] {
        head.postings.references(name, wanted(name, prefix, isIncluded)).map { Postings($0) }
    }

    func values(
        of name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) -> [ByteString] {
        wanted(name, prefix, isIncluded)
    }

    private func wanted(
        _ name: ByteString, _ prefix: ByteString, _ isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) -> [ByteString] {
        head.postings.values(name, prefix: prefix).filter { $0.bytes.withUnsafeBytes(isIncluded) }
    }

    func values(of name: ByteString) -> [ByteString] { head.postings.values(name) }

    func valueCount(of name: ByteString) -> Int { head.postings.valueCount(name) }

    func labelNames() -> [ByteString] { head.postings.names }

    var labelNameCount: Int { head.postings.nameCount }

    func labels(of series: UInt32) -> Labels? { head.series.series(numbers: [series]).first?.labels }
}
