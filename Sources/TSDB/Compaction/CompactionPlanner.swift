internal import MetricModel

/// Decides which blocks are merged next.
///
/// Source: prometheus/prometheus tsdb/compact.go (`plan`).
package struct CompactionPlanner: Sendable {
    /// Lengths of blocks in milliseconds, from the head's blocks upwards, each a multiple of the one before.
    package let ranges: [Int64]
    /// Whether blocks that overlap are merged.
    package let mergesOverlapping: Bool

    /// Lengths from `smallest` upwards by factors of three, up to `largest`.
    package init(smallest: Int64, largest: Int64, mergesOverlapping: Bool = true) {
        var ranges = [max(1, smallest)]
        while ranges.count < 10 {
            let (next, overflow) = ranges[ranges.count - 1].multipliedReportingOverflow(by: 3)
            if overflow || next > largest { break }
            ranges.append(next)
        }
        self.ranges = ranges
        self.mergesOverlapping = mergesOverlapping
    }

    /// The blocks to merge into one, in order of time; a single one is to be rewritten for its deletions; none: all is
    /// well.
    package func plan(_ blocks: [BlockMeta]) -> [ULID] {
        // Blocks of a part of the head are never merged with others: their hint must survive.
        var classes: [[BlockMeta]] = [
            blocks.filter { block in !BlockMeta.partialHints.contains { block.hints.contains($0) } }
        ]
        for hint in BlockMeta.partialHints { classes.append(blocks.filter { $0.hints.contains(hint) }) }
        for members in classes {
            let sorted = members.sorted { left, right in
                left.minimumTime != right.minimumTime ? left.minimumTime < right.minimumTime : left.ulid < right.ulid
            }
            let planned = planClass(sorted)
            if !planned.isEmpty { return planned }
        }
        return []
    }

    private func planClass(_ blocks: [BlockMeta]) -> [ULID] {
        guard !blocks.isEmpty else { return [] }
        let overlapping = overlapping(blocks)
        if !overlapping.isEmpty { return overlapping.map(\.ulid) }
        // The newest block stays as it is for a while, so that it can be copied to a backup.
        let older = Array(blocks.dropLast())
        let selected = fillingRange(older)
        if !selected.isEmpty { return selected.map(\.ulid) }
        for block in older.reversed() {
            let span = block.maximumTime.subtractingReportingOverflow(block.minimumTime).partialValue
            if span < ranges[ranges.count / 2] {
                if block.stats.tombstones > 0 && block.stats.tombstones >= block.stats.series { return [block.ulid] }
                break
            }
            if Double(block.stats.tombstones) / (Double(block.stats.series) + 1) > 0.05 { return [block.ulid] }
        }
        return []
    }

    /// The first run of blocks that overlap.
    private func overlapping(_ blocks: [BlockMeta]) -> [BlockMeta] {
        guard mergesOverlapping, var end = blocks.first?.maximumTime else { return [] }
        var result: [BlockMeta] = []
        for index in blocks.indices.dropFirst() {
            if blocks[index].minimumTime < end {
                if result.isEmpty { result.append(blocks[index - 1]) }
                result.append(blocks[index])
            } else if !result.isEmpty {
                break
            }
            end = max(end, blocks[index].maximumTime)
        }
        return result
    }

    /// The blocks that fill a longer range, or as much of it as ever will be filled.
    private func fillingRange(_ blocks: [BlockMeta]) -> [BlockMeta] {
        guard let newest = blocks.last?.minimumTime else { return [] }
        for range in ranges.dropFirst() {
            for group in CompactionPlanner.split(blocks, by: range) where group.count > 1 {
                guard let first = group.first, let last = group.last, !group.contains(where: \.compactionFailed) else {
                    continue
                }
                let span = last.maximumTime.subtractingReportingOverflow(first.minimumTime).partialValue
                if span == range || last.maximumTime <= newest { return group }
            }
        }
        return []
    }

    /// Groups of blocks that lie within the same stretch of length `range`, counted from 0; blocks across a border
    /// are left out.
    static func split(_ blocks: [BlockMeta], by range: Int64) -> [[BlockMeta]] {
        var groups: [[BlockMeta]] = []
        var index = 0
        while index < blocks.count {
            let start = floor(blocks[index].minimumTime, range)
            let end = start.addingReportingOverflow(range).partialValue
            if blocks[index].maximumTime > end {
                index += 1
                continue
            }
            var group: [BlockMeta] = []
            while index < blocks.count, blocks[index].maximumTime <= end {
                group.append(blocks[index])
                index += 1
            }
            groups.append(group)
        }
        return groups
    }

    /// The multiple of `range` at or before `time`.
    private static func floor(_ time: Timestamp, _ range: Int64) -> Timestamp {
        let rest = time % range
        return rest < 0 ? time &- rest &- range : time &- rest
    }
}
