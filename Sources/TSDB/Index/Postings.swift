internal import DurableFiles

/// An ascending list of series numbers: in memory, or big-endian in a mapped index file.
///
/// The number of a series in a block is the offset of its entry divided by 16; in the head it is the head's own.
package struct Postings: Sendable {
    private enum Storage: Sendable {
        case array([UInt32])
        case mapped(MappedFile, Range<Int>)
    }

    private let storage: Storage

    /// No series.
    package static let empty = Postings([])

    /// A list in memory; ascending, each number once.
    package init(_ numbers: [UInt32]) { storage = .array(numbers) }

    /// A list in a file; `range` is a multiple of four bytes long and lies within it.
    init(_ file: MappedFile, _ range: Range<Int>) { storage = .mapped(file, range) }

    /// Length of the list.
    package var count: Int {
        switch storage {
        case .array(let numbers): numbers.count
        case .mapped(_, let range): range.count / 4
        }
    }

    /// Whether the list is empty.
    package var isEmpty: Bool { count == 0 }

    /// The numbers in memory.
    /// - Complexity: O(1) for a list in memory, else O(n).
    package var numbers: [UInt32] {
        switch storage {
        case .array(let numbers): return numbers
        case .mapped:
            return withView { view in
                [UInt32](unsafeUninitializedCapacity: view.count) { target, count in
                    for index in 0..<view.count { target.initializeElement(at: index, to: view[index]) }
                    count = view.count
                }
            }
        }
    }

    /// Lends the list.
    func withView<R>(_ body: (PostingsView) -> R) -> R {
        switch storage {
        case .array(let numbers):
            return numbers.withUnsafeBytes { body(PostingsView($0, swapped: false)) }
        case .mapped(let file, let range):
            let result = file.withUnsafeBytes(in: range) { body(PostingsView($0, swapped: true)) }
            return result ?? body(PostingsView(UnsafeRawBufferPointer(start: nil, count: 0), swapped: false))
        }
    }
}

/// A list that is lent for a call.
struct PostingsView {
    // SAFETY: lives within the `withUnsafeBytes` that made it; the subscript is used below `count` only.
    private let base: UnsafeRawPointer?
    let count: Int
    private let swapped: Bool

    init(_ bytes: UnsafeRawBufferPointer, swapped: Bool) {
        base = bytes.baseAddress
        count = bytes.count / 4
        self.swapped = swapped
    }

    @inline(__always)
    subscript(_ index: Int) -> UInt32 {
        guard let base, index < count else { return .max }
        let raw = base.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
        return swapped ? raw.byteSwapped : raw
    }

    /// The first index from `start` on whose number is at least `number`.
    /// - Complexity: O(log distance): doubling steps, then halving.
    func firstIndex(notBelow number: UInt32, from start: Int) -> Int {
        var low = start
        var step = 1
        while low &+ step < count, self[low &+ step] < number {
            low &+= step
            step &*= 2
        }
        var high = min(low &+ step, count)
        while low < high {
            let middle = (low &+ high) / 2
            if self[middle] < number { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}

// MARK: Set operations

extension Postings {
    /// The numbers that are in all lists; none for no list.
    /// - Complexity: O(shortest · log(longer / shortest)) a list.
    package static func intersection(_ lists: [Postings]) -> [UInt32] {
        let sorted = lists.sorted { $0.count < $1.count }
        guard let first = sorted.first else { return [] }
        var result = first.numbers
        for list in sorted.dropFirst() where !result.isEmpty { result = list.intersection(result) }
        return result
    }

    /// The numbers of `numbers` that are in this list.
    package func intersection(_ numbers: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        withView { view in
            result.reserveCapacity(min(numbers.count, view.count))
            var index = 0
            // A few steps of a merge cost less than a search; with a much longer list the search wins.
            let gallops = view.count / 8 > numbers.count
            for number in numbers {
                if gallops {
                    index = view.firstIndex(notBelow: number, from: index)
                } else {
                    while index < view.count, view[index] < number { index &+= 1 }
                }
                guard index < view.count else { break }
                if view[index] == number { result.append(number) }
            }
        }
        return result
    }

    /// The numbers of `numbers` that are not in this list.
    package func subtracted(from numbers: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(numbers.count)
        withView { view in
            var index = 0
            let gallops = view.count / 8 > numbers.count
            for number in numbers {
                if gallops {
                    index = view.firstIndex(notBelow: number, from: index)
                } else {
                    while index < view.count, view[index] < number { index &+= 1 }
                }
                if index < view.count, view[index] == number { continue }
                result.append(number)
            }
        }
        return result
    }

    /// Whether any of `numbers` is in this list.
    package func intersects(_ numbers: [UInt32]) -> Bool {
        withView { view in
            var index = 0
            for number in numbers {
                index = view.firstIndex(notBelow: number, from: index)
                if index >= view.count { return false }
                if view[index] == number { return true }
            }
            return false
        }
    }

    /// The numbers that are in any list, each once.
    /// - Complexity: O(n) with a bit a number of the range where the lists are dense, else O(n log n).
    package static func union(_ lists: [Postings]) -> [UInt32] {
        let lists = lists.filter { !$0.isEmpty }
        if lists.count <= 1 { return lists.first?.numbers ?? [] }
        var total = 0
        var lowest = UInt32.max
        var highest: UInt32 = 0
        for list in lists {
            list.withView { view in
                total += view.count
                lowest = min(lowest, view[0])
                highest = max(highest, view[view.count - 1])
            }
        }
        guard highest >= lowest else { return [] }
        let span = Int(highest - lowest) + 1
        if span / 64 <= total * 4 { return denseUnion(lists, lowest: lowest, span: span) }
        var all: [UInt32] = []
        all.reserveCapacity(total)
        for list in lists { all += list.numbers }
        all.sort()
        var result: [UInt32] = []
        result.reserveCapacity(all.count)
        for number in all where result.last != number { result.append(number) }
        return result
    }

    private static func denseUnion(_ lists: [Postings], lowest: UInt32, span: Int) -> [UInt32] {
        var words = [UInt64](repeating: 0, count: span / 64 + 1)
        for list in lists {
            list.withView { view in
                for index in 0..<view.count {
                    // Lists of damaged files need not be ascending: numbers outside the range are left out.
                    let bit = Int(view[index]) &- Int(lowest)
                    if bit >= 0, bit < span { words[bit / 64] |= 1 << UInt64(bit % 64) }
                }
            }
        }
        var result: [UInt32] = []
        result.reserveCapacity(words.reduce(0) { $0 + $1.nonzeroBitCount })
        for index in words.indices {
            var word = words[index]
            while word != 0 {
                result.append(lowest &+ UInt32(truncatingIfNeeded: index * 64 + word.trailingZeroBitCount))
                word &= word &- 1
            }
        }
        return result
    }
}
