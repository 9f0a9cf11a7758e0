internal import Synchronization

/// The right to apply a commit: its number, and what readers that are open see.
struct CommitTicket: Sendable {
    /// Commits are numbered from 1, in the order in which they are applied.
    var number: UInt64
    /// The last commit that the oldest reader sees; `number - 1` without readers.
    var oldestReader: UInt64
    /// The last commit that the newest reader sees.
    var newestReader: UInt64
}

/// Keeps readers from seeing part of a commit: commits are applied one at a time, and a reader sees those that were
/// complete when it was opened.
///
/// The head also asks here which appenders are open, before it forgets series.
final class Isolation: Sendable {
    private struct State {
        var lastComplete: UInt64 = 0
        /// Snapshots of open readers, ascending, with how many have each.
        var readers: [(snapshot: UInt64, count: Int)] = []
        var lastAppender: UInt64 = 0
        /// Numbers of open appenders, ascending.
        var appenders: [UInt64] = []
    }

    private let state = Mutex(State())

    /// Begins to apply the next commit. Only one may be applied at a time.
    func beginCommit() -> CommitTicket {
        state.withLock { state in
            CommitTicket(
                number: state.lastComplete + 1, oldestReader: state.readers.first?.snapshot ?? state.lastComplete,
                newestReader: state.readers.last?.snapshot ?? state.lastComplete)
        }
    }

    /// Makes a commit visible to readers that are opened from now on.
    func endCommit(_ ticket: CommitTicket) {
        state.withLock { $0.lastComplete = ticket.number }
    }

    /// The appenders that are open, all that were ever opened, the commit that the oldest reader sees, the last commit.
    var status: (appenders: Int, appendersOpened: UInt64, oldest: UInt64, newest: UInt64) {
        state.withLock { state in
            (
                state.appenders.count, state.lastAppender, state.readers.first?.snapshot ?? state.lastComplete,
                state.lastComplete
            )
        }
    }

    /// Opens a reader.
    /// - Parameter known: What another reader sees, which is open: the new one then sees the same.
    /// - Returns: the last commit that it sees.
    func openReader(beside known: UInt64? = nil) -> UInt64 {
        state.withLock { state in
            if let known, let index = state.readers.firstIndex(where: { $0.snapshot == known }) {
                state.readers[index].count += 1
                return known
            }
            if let last = state.readers.last, last.snapshot == state.lastComplete {
                state.readers[state.readers.count - 1].count += 1
            } else {
                state.readers.append((state.lastComplete, 1))
            }
            return state.lastComplete
        }
    }

    /// Closes a reader.
    func closeReader(_ snapshot: UInt64) {
        state.withLock { state in
            guard let index = state.readers.firstIndex(where: { $0.snapshot == snapshot }) else { return }
            state.readers[index].count -= 1
            if state.readers[index].count == 0 { state.readers.remove(at: index) }
        }
    }

    /// The last commit that the oldest reader sees which is open now or will be opened later.
    var oldestReader: UInt64 { state.withLock { $0.readers.first?.snapshot ?? $0.lastComplete } }

    /// Numbers an appender; series that it names are kept until it ends.
    func openAppender() -> UInt64 {
        state.withLock { state in
            state.lastAppender += 1
            state.appenders.append(state.lastAppender)
            return state.lastAppender
        }
    }

    /// Ends an appender.
    func closeAppender(_ number: UInt64) {
        state.withLock { state in state.appenders.removeAll { $0 == number } }
    }

    /// The lowest number that an appender has which is open now or will be opened later.
    var oldestAppender: UInt64 { state.withLock { $0.appenders.first ?? $0.lastAppender + 1 } }
}
