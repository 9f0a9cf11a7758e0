/// Collects changes to a label set and packs them once.
public struct LabelsBuilder: Sendable {
    private var pairs: [(name: ByteString, value: ByteString)]

    /// Starts from nothing.
    public init() { pairs = [] }

    /// Starts from `labels`.
    public init(_ labels: Labels) { pairs = labels.pairs }

    /// Whether no label is set.
    public var isEmpty: Bool { pairs.isEmpty }

    /// Sets `name`; an empty `value` removes it, as Prometheus treats an empty label as a missing one.
    /// - Complexity: O(labels).
    public mutating func set(_ name: ByteString, _ value: ByteString) {
        if value.isEmpty {
            remove(name)
        } else if let index = pairs.firstIndex(where: { $0.name == name }) {
            pairs[index].value = value
        } else {
            pairs.append((name, value))
        }
    }

    /// Removes `name`, if it is set.
    public mutating func remove(_ name: ByteString) {
        pairs.removeAll { $0.name == name }
    }

    /// Keeps only labels for which `isIncluded` holds.
    public mutating func filter(_ isIncluded: (ByteString) -> Bool) {
        pairs.removeAll { !isIncluded($0.name) }
    }

    /// The value of `name`, or nil.
    public subscript(name: ByteString) -> ByteString? {
        pairs.first { $0.name == name }?.value
    }

    /// The label set.
    /// - Complexity: O(n log n) comparisons of names.
    public func labels() -> Labels {
        Labels(sorted: pairs.sorted { $0.name < $1.name })
    }
}
