package import MetricModel

/// Where a query came from, for logs.
package struct QueryOrigin: Sendable, Hashable {
    /// The client's address without port; empty if it is not known.
    package var client: String
    /// Of the request: `GET` or `POST`.
    package var method: String
    /// Of the request, decoded.
    package var path: String

    /// An origin.
    package init(client: String, method: String, path: String) {
        self.client = client
        self.method = method
        self.path = path
    }
}

/// A query that was evaluated, or failed while it was.
package struct FinishedQuery: Sendable {
    /// Its text.
    package let query: ByteString
    /// The moments at which it was evaluated.
    package let time: Engine.Time
    /// As far as the query came.
    package let statistics: QueryStatistics
    /// Why it failed; nil if it did not.
    package let failure: QueryError?
    /// nil if it is not known.
    package let origin: QueryOrigin?
}

/// Is told of every query that was evaluated: logs and counters. Queries that cannot be parsed do not count.
package protocol QueryObserver: Sendable {
    /// A query ended; called by its own thread.
    func finished(_ query: FinishedQuery)

    /// Whether ``finished(_:)`` may wait for something, such as a disk.
    var mayWait: Bool { get }
}
