internal import MetricModel
internal import Synchronization

/// A stretch of time, both ends included.
struct TimeInterval: Sendable, Hashable {
    var minimumTime: Timestamp
    var maximumTime: Timestamp

    func contains(_ timestamp: Timestamp) -> Bool { timestamp >= minimumTime && timestamp <= maximumTime }
}

/// What was deleted from series of the head.
final class HeadDeletions: Sendable {
    private let intervals = Mutex<[UInt64: [TimeInterval]]>([:])

    /// All deletions, as they are now.
    var all: [UInt64: [TimeInterval]] { intervals.withLock { $0 } }

    /// Adds a deletion, merged with those that it touches.
    func add(_ reference: UInt64, _ interval: TimeInterval) {
        intervals.withLock { all in
            all[reference] = HeadDeletions.adding(interval, to: all[reference] ?? [])
        }
    }

    /// Forgets what ends before `time`, and series for which `isGone` holds.
    func truncate(before time: Timestamp, isGone: (UInt64) -> Bool) {
        intervals.withLock { all in
            for (reference, list) in all {
                let left = isGone(reference) ? [] : list.filter { $0.maximumTime >= time }
                all[reference] = left.isEmpty ? nil : left
            }
        }
    }

    /// `list`, ascending and without overlaps, with `interval` in it.
    static func adding(_ interval: TimeInterval, to list: [TimeInterval]) -> [TimeInterval] {
        var merged = interval
        var before: [TimeInterval] = []
        var after: [TimeInterval] = []
        for other in list {
            if other.maximumTime < merged.minimumTime && other.maximumTime &+ 1 < merged.minimumTime {
                before.append(other)
            } else if other.minimumTime > merged.maximumTime && other.minimumTime &- 1 > merged.maximumTime {
                after.append(other)
            } else {
                merged.minimumTime = min(merged.minimumTime, other.minimumTime)
                merged.maximumTime = max(merged.maximumTime, other.maximumTime)
            }
        }
        return before + [merged] + after
    }
}
