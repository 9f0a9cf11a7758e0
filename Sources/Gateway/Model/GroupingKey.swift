internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif
package import MetricModel

/// The labels of the push URL: what identifies a group.
///
/// Sorted by name, each name once; unlike in ``Labels``, empty values are kept, since `{job="a"}` and
/// `{job="a",instance=""}` are two groups (though their series may collide).
///
/// One array: there is a key for each group and each push, and the labels are seldom asked for.
package struct GroupingKey: Sendable, Hashable {
    /// The labels with their lengths: what is compared and hashed.
    private let packed: [UInt8]

    /// The key of `labels`; of a repeated name the last wins.
    /// - Complexity: O(n²) comparisons; labels are few.
    package init(_ labels: [LabelPair]) {
        var sorted: [LabelPair] = []
        sorted.reserveCapacity(labels.count)
        for label in labels {
            if let index = sorted.firstIndex(where: { $0.name == label.name }) {
                sorted[index].value = label.value
            } else {
                sorted.append(label)
            }
        }
        if sorted.count > 1 { sorted.sort { $0.name < $1.name } }
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(sorted.reduce(0) { $0 + $1.name.count + $1.value.count + 4 })
        for label in sorted {
            writer.text(label.name)
            writer.text(label.value)
        }
        packed = writer.bytes
    }

    /// Sorted by name.
    /// - Complexity: O(bytes); two allocations a label.
    package var labels: [LabelPair] {
        // SAFETY: the buffer is only read within the call.
        packed.withUnsafeBytes { bytes in
            var labels: [LabelPair] = []
            labels.reserveCapacity(4)
            var cursor = PackedCursor(bytes, at: 0)
            while !cursor.isAtEnd { labels.append(LabelPair(ByteString(cursor.text()), ByteString(cursor.text()))) }
            return labels
        }
    }

    /// A key written as a dictionary, for tests.
    package init(_ labels: KeyValuePairs<String, String>) {
        self.init(labels.map { LabelPair(ByteString($0.key), ByteString($0.value)) })
    }

    /// Equality of all labels.
    package static func == (left: GroupingKey, right: GroupingKey) -> Bool { left.packed == right.packed }

    /// Appends the number of labels and the labels.
    func append(to writer: inout PackedWriter) {
        // SAFETY: the buffer is only read within the call.
        packed.withUnsafeBytes { bytes in
            var count = 0
            var cursor = PackedCursor(bytes, at: 0)
            while !cursor.isAtEnd {
                _ = cursor.text()
                _ = cursor.text()
                count += 1
            }
            writer.count(count)
        }
        writer.bytes.append(contentsOf: packed)
    }

    /// Hashes the labels in one call.
    package func hash(into hasher: inout Hasher) {
        // SAFETY: the buffer is only read within the call.
        packed.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// A hash that is the same in every process: which shard of a scrape the group belongs to.
    package var shardHash: UInt16 {
        let hash = XXHash64.hash(packed)
        return UInt16(truncatingIfNeeded: hash ^ hash >> 32)
    }

    /// The value of a label, or nil if the key does not have it.
    package subscript(name: ByteString) -> ByteString? {
        // SAFETY: the buffers are only read within the call.
        packed.withUnsafeBytes { bytes in
            name.bytes.withUnsafeBytes { name in
                var cursor = PackedCursor(bytes, at: 0)
                while !cursor.isAtEnd {
                    let isWanted = GroupingKey.compare(cursor.text(), name) == 0
                    let value = cursor.text()
                    if isWanted { return ByteString(value) }
                }
                return nil
            }
        }
    }

    private static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        if let first = left.baseAddress, let second = right.baseAddress {
            let order = memcmp(first, second, min(left.count, right.count))
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }
}

extension GroupingKey: Comparable {
    /// Order by names and values, pair by pair; a key that is a prefix of another comes first.
    package static func < (left: GroupingKey, right: GroupingKey) -> Bool {
        // SAFETY: both buffers are only read within the call.
        left.packed.withUnsafeBytes { left in
            right.packed.withUnsafeBytes { right in
                var a = PackedCursor(left, at: 0)
                var b = PackedCursor(right, at: 0)
                while !a.isAtEnd, !b.isAtEnd {
                    let order = compare(a.text(), b.text())
                    if order != 0 { return order < 0 }
                }
                return a.isAtEnd && !b.isAtEnd
            }
        }
    }
}

extension GroupingKey: CustomStringConvertible {
    /// `{instance="i",job="a"}`.
    package var description: String {
        "{" + labels.map { "\($0.name)=\(Quoting.quote($0.value))" }.joined(separator: ",") + "}"
    }
}
