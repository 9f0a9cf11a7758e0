internal import Synchronization
package import TSDB

/// The series of the store that pushes write. Nobody else writes them: a scrape of the gateway, which has the same
/// series, would be late or early by some milliseconds.
package final class OwnedSeries: Sendable {
    private let references = Mutex<Set<SeriesReference>>([])

    /// None.
    package init() {}

    /// Number of series.
    package var count: Int { references.withLock { $0.count } }

    /// Whether pushes write the series.
    package func contains(_ reference: SeriesReference) -> Bool { references.withLock { $0.contains(reference) } }

    /// Appends those of `samples` to `others` that pushes do not write, and to `places` where each of them was.
    package func filter(
        _ samples: [ReferencedSample], others: inout [ReferencedSample], places: inout [Int]
    ) {
        references.withLock { references in
            for (place, sample) in samples.enumerated() where !references.contains(sample.reference) {
                others.append(sample)
                places.append(place)
            }
        }
    }

    /// - Returns: Whether it was nobody's.
    func insert(_ reference: SeriesReference) -> Bool { references.withLock { $0.insert(reference).inserted } }

    func remove(_ gone: some Sequence<SeriesReference>) {
        references.withLock { references in
            for reference in gone { references.remove(reference) }
        }
    }
}
