internal import ByteCoding
package import MetricModel

/// The labels of the push URL: what identifies a group.
///
/// Sorted by name, each name once; unlike in ``Labels``, empty values are kept, since `{job="a"}` and
/// `{job="a",instance=""}` are two groups (though their series may collide).
package struct GroupingKey: Sendable, Hashable {
    /// Sorted by name.
    package let labels: [LabelPair]
    /// The labels with their lengths: what is compared and hashed.
    private let packed: [UInt8]

    /// The key of `labels`; of a repeated name the last wins.
    /// - Complexity: O(n log n).
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
        sorted.sort { $0.name < $1.name }
        self.labels = sorted
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(sorted.reduce(0) { $0 + $1.name.count + $1.value.count + 4 })
        for label in sorted {
            writer.text(label.name)
            writer.text(label.value)
        }
        packed = writer.bytes
    }

    /// A key written as a dictionary, for tests.
    package init(_ labels: KeyValuePairs<String, String>) {
        self.init(labels.map { LabelPair(ByteString($0.key), ByteString($0.value)) })
    }

    /// Equality of all labels.
    package static func == (left: GroupingKey, right: GroupingKey) -> Bool { left.packed == right.packed }

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
    package subscript(name: ByteString) -> ByteString? { labels.first { $0.name == name }?.value }
}

extension GroupingKey: Comparable {
    /// Order by names and values, pair by pair; a key that is a prefix of another comes first.
    package static func < (left: GroupingKey, right: GroupingKey) -> Bool {
        for (a, b) in zip(left.labels, right.labels) {
            if a.name != b.name { return a.name < b.name }
            if a.value != b.value { return a.value < b.value }
        }
        return left.labels.count < right.labels.count
    }
}

extension GroupingKey: CustomStringConvertible {
    /// `{instance="i",job="a"}`.
    package var description: String {
        "{" + labels.map { "\($0.name)=\(Quoting.quote($0.value))" }.joined(separator: ",") + "}"
    }
}
