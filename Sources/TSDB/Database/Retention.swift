internal import MetricModel

/// Which blocks are too old or too many.
///
/// Source: prometheus/prometheus tsdb/db.go (`BeyondTimeRetention`, `BeyondSizeRetention`).
enum Retention {
    /// Blocks that end `retention` milliseconds or more before the newest one.
    static func beyondTime(_ blocks: [Block], _ retention: Int64) -> [Block] {
        guard retention > 0, let newest = blocks.map(\.meta.maximumTime).max() else { return [] }
        return blocks.filter { block in
            let age = newest.subtractingReportingOverflow(block.meta.maximumTime)
            return age.overflow || age.partialValue >= retention
        }
    }

    /// The oldest blocks, as many as must go so that the rest and `other` bytes stay within `limit`.
    static func beyondSize(_ blocks: [Block], other: Int64, limit: Int64) -> [Block] {
        guard limit > 0 else { return [] }
        var size = other
        var doomed: [Block] = []
        for block in blocks.sorted(by: { $0.meta.maximumTime > $1.meta.maximumTime }) {
            size = size.addingReportingOverflow(block.byteCount).partialValue
            // Once one is too many, the older ones are too.
            if size > limit || !doomed.isEmpty { doomed.append(block) }
        }
        return doomed
    }
}
