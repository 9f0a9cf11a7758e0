package import DurableFiles

/// What an operator should know about the store's files; meant for the log and for counters.
package enum StoreEvent: Sendable, Hashable, CustomStringConvertible {
    /// The store was opened.
    case recovered(groups: Int, effects: Int)
    /// A file written by Pushgateway was taken over; it stays under another name.
    case imported(groups: Int, keptAs: String)
    /// Bytes of a file that are not what was written; the rest was used, the file is set aside under another name.
    case damaged(path: String, offset: Int, count: Int, setAside: String?)
    /// The end of the journal was being written when the machine or process stopped; nothing of it was acknowledged.
    case tornTail(path: String, offset: Int, count: Int, setAside: String?)
    /// Parts of the journal are not there.
    case missing(path: String)
    /// A snapshot replaced the journal before it.
    case snapshotWritten(groups: Int, bytes: Int)
    /// A snapshot could not be written; the journal stays, nothing is lost.
    case snapshotFailed(String)
    /// The disk is full: pushes are refused until space returns.
    case spaceExhausted(String)
    /// The disk takes writes again.
    case spaceReturned
    /// The disk failed in a way after which nothing is known about what was written: the store is read-only.
    case failed(String)

    package var description: String {
        switch self {
        case .recovered(let groups, let effects): "recovered \(groups) groups from \(effects) records"
        case .imported(let groups, let path):
            "imported \(groups) groups from a file written by Pushgateway, which is kept as \(path)"
        case .damaged(let path, let offset, let count, let setAside):
            "\(path) is damaged: \(count) bytes at offset \(offset) were skipped" + StoreEvent.kept(setAside)
        case .tornTail(let path, let offset, let count, let setAside):
            "\(path) ends within a record that was never acknowledged: \(count) bytes at offset \(offset) were left out"
                + StoreEvent.kept(setAside)
        case .missing(let path): "\(path) is missing; what it held is lost"
        case .snapshotWritten(let groups, let bytes): "wrote a snapshot of \(groups) groups, \(bytes) bytes"
        case .snapshotFailed(let text): "could not write a snapshot, the journal is kept: \(text)"
        case .spaceExhausted(let text): "no space left, pushes are refused until it returns: \(text)"
        case .spaceReturned: "space returned, pushes are taken again"
        case .failed(let text): "the disk failed, pushes are refused until a restart: \(text)"
        }
    }

    private static func kept(_ path: String?) -> String { path.map { "; the file is kept as \($0)" } ?? "" }
}

/// Why a store could not be opened.
package enum StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process has the store open.
    case inUse(path: String)
    /// The file was written by a newer version.
    case unsupportedVersion(path: String, version: UInt32)
    /// A file could not be read or made.
    case file(FileError)

    package var description: String {
        switch self {
        case .inUse(let path):
            "\(path) is in use by another process; stop it or give this one another --persistence.file"
        case .unsupportedVersion(let path, let version):
            "\(path) was written by a newer version (format \(version)); use that version or another file"
        case .file(let error): error.description
        }
    }
}
