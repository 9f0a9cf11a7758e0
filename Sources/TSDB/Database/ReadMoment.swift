package import MetricModel

/// The database as it is at one moment, for a query that reads more than once: whatever is committed meanwhile, all its
/// queriers see the same commits and the same blocks.
///
/// Source of the behaviour: one querier serves all selectors of a query in prometheus/prometheus promql/engine.go
/// (`execEvalStmt`).
package final class ReadMoment: Sendable {
    private let head: Head
    private let blocks: [Block]
    /// Samples in order of the head before it are in blocks.
    private let headStart: Timestamp
    private let snapshot: UInt64

    init(_ head: Head, blocks: [Block], headStart: Timestamp) {
        self.head = head
        self.blocks = blocks
        self.headStart = headStart
        snapshot = head.isolation.openReader()
    }

    deinit { head.isolation.closeReader(snapshot) }

    /// A view of all samples from `start` to `end`, both included.
    package func querier(from start: Timestamp, to end: Timestamp) -> Querier {
        let view = HeadView(head, from: start, inOrderFrom: max(start, headStart), to: end, at: snapshot)
        return Querier(from: start, to: end, head: view, blocks: blocks.filter { $0.meta.overlaps(start, end) })
    }
}
