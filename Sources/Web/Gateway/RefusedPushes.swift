package import Gateway
internal import Synchronization

/// The last pushes that were refused, for the pages: why a job's metrics are missing is the first question asked.
package final class RefusedPushes: Sendable {
    /// One refused push.
    package struct Entry: Sendable {
        /// Nanoseconds since 1970.
        package let time: Int64
        /// Of the request.
        package let method: HTTPMethod
        /// The group, or nil where the path names none.
        package let group: GroupingKey?
        /// The path as it was sent, for those.
        package let path: String
        /// The client's address.
        package let source: String
        /// What it was answered with.
        package let status: HTTPStatus
        /// What it was told.
        package let reason: String
    }

    private static let capacity = 100
    /// Enough to find the fault; the client got all of it.
    private static let reasonLimit = 1000
    private let entries = Mutex<(ring: [Entry], total: UInt64)>(([], 0))

    /// None yet.
    package init() {}

    /// Keeps `entry`; the oldest goes once there are many.
    package func add(_ entry: Entry) {
        entries.withLock { state in
            state.total &+= 1
            if state.ring.count >= Self.capacity { state.ring.removeFirst() }
            state.ring.append(entry)
        }
    }

    /// The newest first.
    package var latest: [Entry] { entries.withLock { $0.ring.reversed() } }

    /// Refused since the start.
    package var total: UInt64 { entries.withLock { $0.total } }

    /// A reason no longer than what is kept.
    package static func shortened(_ reason: String) -> String {
        reason.utf8.count <= reasonLimit ? reason : String(reason.prefix(reasonLimit)) + "…"
    }
}
