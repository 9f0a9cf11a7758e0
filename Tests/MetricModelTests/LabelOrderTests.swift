import MetricModel
import TestSupport
import Testing

/// Sorting and numbering of many label sets, against the plain ways.
@Suite struct LabelOrderTests {
    /// Sets that share much: few names, values with common beginnings, some empty, some with NUL.
    private func sets(_ seed: UInt64, _ count: Int) -> [Labels] {
        var random = SeededGenerator(seed: seed)
        let beginnings = ["", "a", "abcdefgh", "abcdefghi", "abcdefgh\0", "abcdefghijklmnopqrstuvwxyz"]
        return (0..<count).map { _ in
            let pairs: [(name: ByteString, value: ByteString)] = ["__name__", "instance", "job", "longer_name"].map {
                let end = Int.random(in: 0..<4, using: &random)
                let value = (beginnings.randomElement(using: &random) ?? "") + (end == 0 ? "" : "\(end)")
                return (ByteString($0), ByteString(value))
            }
            return Labels(pairs)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the order is that of comparisons, set by set`(seed: UInt64) {
        for count in [0, 1, 5, 20, 700] {
            let sets = sets(seed, count)
            let expected = sets.indices.sorted { left, right in
                sets[left] == sets[right] ? left < right : sets[left] < sets[right]
            }
            #expect(Labels.order(of: sets).map { Int($0) } == expected)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64], [true, false])
    func `parts have the same number if and only if they are equal`(seed: UInt64, keeping: Bool) {
        let names: [ByteString] = ["__name__", "job"]
        var subsets = LabelSubsets(of: names, keeping: keeping)
        for labels in sets(seed, 500) {
            let part = keeping ? labels.including(names) : labels.excluding(names)
            let known = subsets.subsets.firstIndex(of: part)
            let number = subsets.number(of: labels)
            #expect(number == known ?? subsets.subsets.count - 1)
            #expect(subsets.subsets[number] == part)
        }
    }
}
