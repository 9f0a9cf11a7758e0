package import MetricModel
internal import Synchronization

/// What a target says of its metrics; the API reads it while scrapes write it.
package final class MetadataStore: Sendable {
    private struct State {
        var indices: [ByteString: Int] = [:]
        var families: [(name: ByteString, metadata: MetricMetadata)?] = []
        var free: [Int] = []
    }

    private let state = Mutex(State())

    /// An empty store.
    package init() {}

    /// What is known of the metric `family`.
    package func metadata(of family: ByteString) -> MetricMetadata? {
        state.withLock { state in
            state.indices[family].flatMap { state.families[$0]?.metadata }
        }
    }

    /// All that is known, in no order.
    package var all: [(family: ByteString, metadata: MetricMetadata)] {
        state.withLock { $0.families.compactMap { family in family.map { ($0.name, $0.metadata) } } }
    }

    /// The number of families.
    package var count: Int { state.withLock { $0.indices.count } }

    /// The bytes of all that is known, names not counted, as Prometheus counts them.
    package var byteCount: Int {
        state.withLock { state in
            state.families.reduce(0) { sum, family in
                guard let metadata = family?.metadata else { return sum }
                return sum + metadata.help.count + metadata.unit.count + metadata.type.openMetricsName.utf8.count
            }
        }
    }

    /// Changes what is known of `family`, which is added if it is new.
    /// - Returns: the family's number, and whether anything changed.
    func update(_ family: ByteString, _ change: (inout MetricMetadata) -> Void) -> (index: Int, isChanged: Bool) {
        state.withLock { state in
            if let index = state.indices[family], var known = state.families[index] {
                let before = known.metadata
                change(&known.metadata)
                state.families[index] = known
                return (index, known.metadata != before)
            }
            var metadata = MetricMetadata()
            change(&metadata)
            let index: Int
            if let free = state.free.popLast() {
                index = free
                state.families[index] = (family, metadata)
            } else {
                index = state.families.count
                state.families.append((family, metadata))
            }
            state.indices[family] = index
            return (index, true)
        }
    }

    /// Forgets the family of number `index`.
    func remove(_ index: Int) {
        state.withLock { state in
            guard state.families.indices.contains(index), let known = state.families[index] else { return }
            state.indices[known.name] = nil
            state.families[index] = nil
            state.free.append(index)
        }
    }

    /// The family of number `index`.
    func family(_ index: Int) -> (name: ByteString, metadata: MetricMetadata)? {
        state.withLock { $0.families.indices.contains(index) ? $0.families[index] : nil }
    }
}
