/// Which group ends next: a binary heap by time. A group that is pushed again leaves its old entry behind, which is
/// passed over when its time comes.
struct ExpiryQueue: Sendable {
    private struct Entry {
        let time: Int64
        let group: Int32
    }

    private var heap: [Entry] = []

    /// The earliest time in the queue, which may be that of an entry left behind.
    var next: Int64? { heap.first?.time }

    var count: Int { heap.count }

    mutating func insert(_ time: Int64, _ group: Int32) {
        heap.append(Entry(time: time, group: group))
        var index = heap.count - 1
        while index > 0, heap[index].time < heap[(index - 1) / 2].time {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Takes the first entry out if its time is not after `now`.
    mutating func popDue(at now: Int64) -> (time: Int64, group: Int32)? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [index * 2 + 1, index * 2 + 2] where child < heap.count && heap[child].time < heap[least].time
            {
                least = child
            }
            if least == index { break }
            heap.swapAt(index, least)
            index = least
        }
        return (first.time, first.group)
    }

    /// Forgets entries that were left behind.
    /// - Complexity: O(n); called so seldom that it is O(1) for each insertion.
    mutating func rebuild(keeping isCurrent: (_ time: Int64, _ group: Int32) -> Bool) {
        let kept = heap.filter { isCurrent($0.time, $0.group) }
        // A sorted array is a heap.
        heap = kept.sorted { $0.time < $1.time }
    }
}
