#if canImport(Glibc)
internal import Glibc
#endif

/// Which version of a file was read, told by a `stat` instead of reading it again.
package struct FileStamp: Sendable, Equatable {
    private struct Facts: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var modified: Int64
        var changed: Int64
    }

    private let facts: Facts
    /// Whether the file was last changed long enough before it was looked at that a further change shows.
    private let isSettled: Bool

    /// The file at `path`, or nil if it cannot be looked at.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        facts = Facts(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: Self.nanoseconds(status.st_mtim), changed: Self.nanoseconds(status.st_ctim))
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        isSettled = Self.nanoseconds(now) &- facts.changed > 100_000_000
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Whether both look the same.
    package static func == (left: FileStamp, right: FileStamp) -> Bool { left.facts == right.facts }

    /// Whether both are the same version for certain: a file that has only just changed may do so again unnoticed.
    package func isSame(as other: FileStamp?) -> Bool { isSettled && facts == other?.facts }

    /// Whether all of `stamps`, taken now, are for certain those of `known`; files that are not there are the same.
    package static func areSame(_ stamps: [FileStamp?], as known: [FileStamp?]) -> Bool {
        stamps.count == known.count && zip(stamps, known).allSatisfy { $0?.isSame(as: $1) ?? ($1 == nil) }
    }
}
