package import DurableFiles

/// What went wrong with the store as a whole: what failed, where, and what the operator can do.
package enum StoreError: Error, Sendable, Hashable {
    /// The system refused an operation on a file.
    case file(FileError)
    /// Bytes on disk are not what was written, or are of a kind that this version does not know.
    case corrupt(path: String, offset: Int64, reason: String)
    /// Another process has the data directory open.
    case locked(path: String)
    /// A sync failed earlier, so nothing more is written; reads go on. Restart once the disk is sound.
    case readOnly(reason: String)
    /// The disk is full: appends are refused until space returns, reads go on.
    case diskFull(path: String)
    /// The options contradict each other.
    case invalidOptions(String)
    /// The database, querier or appender was closed.
    case closed
    /// The operation was refused, for the reason given.
    case refused(String)
}

extension StoreError: CustomStringConvertible {
    /// One sentence.
    package var description: String {
        switch self {
        case .file(let error): error.description
        case .corrupt(let path, let offset, let reason): "corruption in \(path) at \(offset): \(reason)"
        case .locked(let path): "cannot lock \(path): another process uses this data directory"
        case .readOnly(let reason):
            "the store is read-only since a sync failed (\(reason)); restart once the disk is sound"
        case .diskFull(let path): "no space left for \(path): samples are refused until space returns"
        case .invalidOptions(let reason): "invalid storage options: \(reason)"
        case .closed: "the store is closed"
        case .refused(let reason): reason
        }
    }
}
