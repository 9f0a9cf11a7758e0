internal import MetricModel

/// The order of samples by value, NaN first, as heaps and sorts of Go's library produce it; among equal values the
/// order is that of the algorithm, which users see.
///
/// Source: prometheus/prometheus promql/functions.go (`vectorByValueHeap`); Go's container/heap and sort.
struct SampleHeap<Payload> {
    typealias Item = (value: Double, payload: Payload)

    /// Whether the greatest is on top, instead of the least.
    let isReversed: Bool
    private(set) var items: [Item] = []

    init(isReversed: Bool) { self.isReversed = isReversed }

    private func less(_ i: Int, _ j: Int) -> Bool {
        Self.less(items[i].value, items[j].value, isReversed: isReversed)
    }

    static func less(_ left: Double, _ right: Double, isReversed: Bool) -> Bool {
        if left.isNaN { return true }
        return isReversed ? left > right : left < right
    }

    /// Adds an item. `isReversed` may differ from the heap's own for the very first one.
    mutating func push(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard parent != child, less(child, parent) else { break }
            items.swapAt(parent, child)
            child = parent
        }
    }

    /// Replaces the item on top.
    mutating func replaceTop(_ item: Item) {
        items[0] = item
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < items.count else { return }
            if child + 1 < items.count && less(child + 1, child) { child += 1 }
            guard less(child, parent) else { return }
            items.swapAt(parent, child)
            parent = child
        }
    }

    /// The items from the bottom of the order to its top: of a heap with the least on top, the greatest first.
    func sortedFromBottom() -> [Item] {
        guard items.count > 1 else { return items }
        return GoSort.sorted(items) { Self.less($1.value, $0.value, isReversed: isReversed) }
    }
}

/// `sort` and `sort_desc`: NaN last in either.
enum ValueOrder {
    static func sorted(_ rows: [(value: Double, row: StepRow)], isDescending: Bool) -> [StepRow] {
        // `sort` reverses the order that has the greatest first, so that NaN comes last.
        GoSort.sorted(rows) {
            SampleHeap<Int>.less($1.value, $0.value, isReversed: !isDescending)
        }.map(\.row)
    }
}

/// `sort_by_label` and `sort_by_label_desc`: by the values of some labels in natural order (numbers within them by
/// their size), then by all labels.
struct LabelOrder {
    let names: [ByteString]
    let isDescending: Bool

    func sorted(_ rows: [StepRow]) -> [StepRow] {
        let keyed = rows.map { row in (keys: names.map { row.labels[$0] ?? "" }, row: row) }
        return GoSort.sorted(keyed) { left, right in
            for (a, b) in zip(left.keys, right.keys) where a != b {
                return NaturalOrder.precedes(a, b) != isDescending
            }
            return isDescending ? right.row.labels < left.row.labels : left.row.labels < right.row.labels
        }.map(\.row)
    }
}

/// Natural order of texts: runs of digits compare as numbers.
///
/// Source of the behaviour: github.com/facette/natsort, which Prometheus uses.
enum NaturalOrder {
    static func precedes(_ left: ByteString, _ right: ByteString) -> Bool {
        let a = chunks(left)
        let b = chunks(right)
        for (index, chunk) in a.enumerated() {
            guard index < b.count else { return false }
            let other = b[index]
            if let x = number(chunk), let y = number(other) {
                if x != y { return x < y }
            } else if !chunk.elementsEqual(other) {
                return chunk.lexicographicallyPrecedes(other)
            }
            if index == a.count - 1 { return true }
            if index == b.count - 1 { return false }
        }
        return false
    }

    private static func chunks(_ text: ByteString) -> [ArraySlice<UInt8>] {
        var result: [ArraySlice<UInt8>] = []
        var start = 0
        for index in text.bytes.indices where index > 0 && isDigit(text.bytes[index]) != isDigit(text.bytes[index - 1])
        {
            result.append(text.bytes[start..<index])
            start = index
        }
        if start < text.count { result.append(text.bytes[start...]) }
        return result
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func number(_ chunk: ArraySlice<UInt8>) -> Int64? {
        guard let first = chunk.first, isDigit(first) else { return nil }
        var value: Int64 = 0
        for byte in chunk {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = product.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            if overflow || overflows { return nil }
            value = sum
        }
        return value
    }
}
