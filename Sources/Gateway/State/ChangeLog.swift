/// Something that happened to a group.
package struct GroupChange: Sendable, Hashable {
    /// What happened.
    package enum Kind: String, Sendable, Hashable {
        case pushed, failed, deleted, expired
        /// All groups went.
        case wiped
    }

    /// Grows by one with each change, from 1 at each start of the process.
    package let id: UInt64
    /// What happened.
    package let kind: Kind
    /// nil if all groups are concerned.
    package let key: GroupingKey?
    /// Of the request, in nanoseconds since 1970; 0 where a request has none.
    package let time: Int64
}

/// The latest changes, in a ring: who is too slow misses some and is told so.
package struct ChangeLog: Sendable {
    private static let maximumCount = 4096

    private var ring: [GroupChange] = []
    private var nextID: UInt64 = 1

    /// The id of the latest change; 0 if there was none.
    package var lastID: UInt64 { nextID - 1 }

    mutating func append(_ kind: GroupChange.Kind, _ key: GroupingKey?, time: Int64) {
        let change = GroupChange(id: nextID, kind: kind, key: key, time: time)
        if ring.count < ChangeLog.maximumCount {
            ring.append(change)
        } else {
            ring[Int(truncatingIfNeeded: (nextID - 1) % UInt64(ChangeLog.maximumCount))] = change
        }
        nextID += 1
    }

    /// Up to `limit` changes after `id`.
    /// - Returns: nil if some of them are gone: the reader has to look at everything again.
    package func changes(after id: UInt64, limit: Int) -> [GroupChange]? {
        guard id <= lastID, lastID - id <= UInt64(ring.count) else { return nil }
        let count = min(UInt64(max(0, limit)), lastID - id)
        return (0..<count).map { ring[Int(truncatingIfNeeded: (id + $0) % UInt64(ChangeLog.maximumCount))] }
    }
}
