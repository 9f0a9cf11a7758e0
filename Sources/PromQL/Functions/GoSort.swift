/// Sorting as Go's `sort.Sort` and `slices.SortFunc` do it: not stable, so that the order of elements that compare as
/// equal is that of the algorithm, and users see it in the order of series.
///
/// A quicksort that looks for patterns: insertion sort for few elements, heap sort after too many bad pivots.
/// Comparisons need not be consistent (NaN is less than NaN): every loop is bounded by its range.
///
/// Source of the behaviour: Go's sort/zsortinterface.go.
struct GoSort<Element> {
    private enum Hint { case unknown, increasing, decreasing }

    private var elements: [Element]
    private let less: (Element, Element) -> Bool

    /// The elements in the order of `less`.
    /// - Complexity: O(n log n) comparisons.
    static func sorted(_ elements: [Element], by less: (Element, Element) -> Bool) -> [Element] {
        withoutActuallyEscaping(less) { less in
            var sort = GoSort(elements: elements, less: less)
            let limit = Int.bitWidth - elements.count.leadingZeroBitCount
            sort.sort(0, elements.count, limit: limit)
            return sort.elements
        }
    }

    private func isLess(_ i: Int, _ j: Int) -> Bool { less(elements[i], elements[j]) }

    private mutating func swap(_ i: Int, _ j: Int) { elements.swapAt(i, j) }

    private mutating func sort(_ first: Int, _ end: Int, limit: Int) {
        var (a, b, limit) = (first, end, limit)
        var wasBalanced = true
        var wasPartitioned = true
        while true {
            let length = b - a
            if length <= 12 { return insertionSort(a, b) }
            if limit == 0 { return heapSort(a, b) }
            if !wasBalanced {
                breakPatterns(a, b)
                limit -= 1
            }
            var (pivot, hint) = choosePivot(a, b)
            if hint == .decreasing {
                elements[a..<b].reverse()
                pivot = (b - 1) - (pivot - a)
                hint = .increasing
            }
            if wasBalanced && wasPartitioned && hint == .increasing && partialInsertionSort(a, b) { return }
            if a > 0 && !isLess(a - 1, pivot) {
                // Nothing is less than the pivot: its equals come first.
                a = partitionEqual(a, b, pivot)
                continue
            }
            let middle: Int
            (middle, wasPartitioned) = partition(a, b, pivot)
            let (left, right) = (middle - a, b - middle)
            // The shorter side by recursion, so that its depth is logarithmic.
            if left < right {
                wasBalanced = left >= length / 8
                sort(a, middle, limit: limit)
                a = middle + 1
            } else {
                wasBalanced = right >= length / 8
                sort(middle + 1, b, limit: limit)
                b = middle
            }
        }
    }

    private mutating func insertionSort(_ a: Int, _ b: Int) {
        var i = a + 1
        while i < b {
            var j = i
            while j > a && isLess(j, j - 1) {
                swap(j, j - 1)
                j -= 1
            }
            i += 1
        }
    }

    private mutating func heapSort(_ a: Int, _ b: Int) {
        let count = b - a
        for root in stride(from: (count - 1) / 2, through: 0, by: -1) { siftDown(root, count, a) }
        for last in stride(from: count - 1, through: 0, by: -1) {
            swap(a, a + last)
            siftDown(0, last, a)
        }
    }

    private mutating func siftDown(_ start: Int, _ end: Int, _ first: Int) {
        var root = start
        while true {
            var child = 2 * root + 1
            if child >= end { return }
            if child + 1 < end && isLess(first + child, first + child + 1) { child += 1 }
            if !isLess(first + root, first + child) { return }
            swap(first + root, first + child)
            root = child
        }
    }

    // MARK: Partitions

    /// Puts what is less than the pivot before it; where it then stands, and whether nothing had to move.
    private mutating func partition(_ a: Int, _ b: Int, _ pivot: Int) -> (Int, Bool) {
        swap(a, pivot)
        var i = a + 1
        var j = b - 1
        var isFirst = true
        while true {
            while i <= j && isLess(i, a) { i += 1 }
            while i <= j && !isLess(j, a) { j -= 1 }
            if i > j { break }
            isFirst = false
            swap(i, j)
            i += 1
            j -= 1
        }
        swap(j, a)
        return (j, isFirst)
    }

    /// Puts what equals the pivot before what is greater; where that begins.
    private mutating func partitionEqual(_ a: Int, _ b: Int, _ pivot: Int) -> Int {
        swap(a, pivot)
        var i = a + 1
        var j = b - 1
        while true {
            while i <= j && !isLess(a, i) { i += 1 }
            while i <= j && isLess(a, j) { j -= 1 }
            if i > j { return i }
            swap(i, j)
            i += 1
            j -= 1
        }
    }

    /// Sorts what is nearly in order; whether it was.
    private mutating func partialInsertionSort(_ a: Int, _ b: Int) -> Bool {
        var i = a + 1
        for _ in 0..<5 {
            while i < b && !isLess(i, i - 1) { i += 1 }
            if i == b { return true }
            if b - a < 50 { return false }
            swap(i, i - 1)
            if i - a >= 2 {
                var j = i - 1
                while j >= 1 && isLess(j, j - 1) {
                    swap(j, j - 1)
                    j -= 1
                }
            }
            if b - i >= 2 {
                var j = i + 1
                while j < b && isLess(j, j - 1) {
                    swap(j, j - 1)
                    j += 1
                }
            }
        }
        return false
    }

    /// Scatters some elements, to break what makes pivots bad.
    private mutating func breakPatterns(_ a: Int, _ b: Int) {
        let length = b - a
        guard length >= 8 else { return }
        var random = UInt64(length)
        let mask = (UInt64(1) << UInt64(UInt64.bitWidth - UInt64(length).leadingZeroBitCount)) - 1
        let middle = a + (length / 4) * 2
        for index in (middle - 1)...(middle + 1) {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            var other = Int(random & mask)
            if other >= length { other -= length }
            swap(index, a + other)
        }
    }

    // MARK: Pivots

    private func choosePivot(_ a: Int, _ b: Int) -> (Int, Hint) {
        let length = b - a
        var swaps = 0
        var i = a + length / 4
        var j = a + length / 4 * 2
        var k = a + length / 4 * 3
        if length >= 8 {
            if length >= 50 {
                i = median(i - 1, i, i + 1, &swaps)
                j = median(j - 1, j, j + 1, &swaps)
                k = median(k - 1, k, k + 1, &swaps)
            }
            j = median(i, j, k, &swaps)
        }
        return (j, swaps == 0 ? .increasing : swaps == 12 ? .decreasing : .unknown)
    }

    private func median(_ a: Int, _ b: Int, _ c: Int, _ swaps: inout Int) -> Int {
        var (a, b, c) = (a, b, c)
        ordered(&a, &b, &swaps)
        ordered(&b, &c, &swaps)
        ordered(&a, &b, &swaps)
        return b
    }

    private func ordered(_ a: inout Int, _ b: inout Int, _ swaps: inout Int) {
        guard isLess(b, a) else { return }
        swaps += 1
        (a, b) = (b, a)
    }
}
