internal import MetricModel
package import PromQL
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// Writes queries that were evaluated to the query log, if there is one, and hands on the slow ones.
package final class QueryLog: QueryObserver {
    private struct State {
        var file: QueryLogFile?
        var failures: UInt64 = 0
        /// Seconds.
        var slowAfter = Double.infinity
        var noteSlow: (@Sendable (FinishedQuery) -> Void)?
    }

    private let state = Mutex(State())

    /// No log.
    package init() {}

    /// From now on queries are logged to the file at `path`, which is opened anew even if it was open; to none if it is
    /// empty.
    /// - Throws: ``QueryLogError``; the log then stays as it was.
    package func open(_ path: String) throws(QueryLogError) {
        var file: QueryLogFile?
        if !path.isEmpty {
            file = QueryLogFile(path: path)
            if file == nil { throw QueryLogError(path: path, reason: String(cString: strerror(errno))) }
        }
        state.withLock { $0.file = file }
    }

    /// From now on `note` is called with each query that took at least `seconds`, waiting included.
    package func noteSlow(after seconds: Double, _ note: @escaping @Sendable (FinishedQuery) -> Void) {
        state.withLock { state in
            state.slowAfter = seconds
            state.noteSlow = note
        }
    }

    /// Whether there is a log, and how often it could not be written.
    package var status: (isOpen: Bool, failures: UInt64) { state.withLock { ($0.file != nil, $0.failures) } }

    package var mayWait: Bool { state.withLock { $0.file != nil } }

    package func finished(_ query: FinishedQuery) {
        let (file, slowAfter, noteSlow) = state.withLock { ($0.file, $0.slowAfter, $0.noteSlow) }
        if let file, !file.write(query, at: WallClock.nanoseconds() / 1_000_000) {
            state.withLock { $0.failures += 1 }
        }
        if query.statistics.totalTime >= slowAfter { noteSlow?(query) }
    }
}

/// Why a query log cannot be opened.
package struct QueryLogError: Error, CustomStringConvertible {
    /// The file.
    package let path: String
    /// Why it cannot be written.
    package let reason: String

    package var description: String { "can't create json log file: open \(path): \(reason.lowercased())" }
}
