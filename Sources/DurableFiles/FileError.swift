#if canImport(Glibc)
internal import Glibc
#endif

/// What went wrong with a file: the operation, the path and the reason the system gave.
package struct FileError: Error, Sendable, Hashable {
    /// What was attempted.
    package enum Operation: String, Sendable, Hashable {
        case open, read, write, sync, truncate, preallocate, close, rename, remove, list, link, lock, map
        case makeDirectory = "make directory"
        case syncDirectory = "sync directory"
        case metadata = "read the attributes of"
        case freeSpace = "read the free space of"
    }

    /// What was attempted.
    package let operation: Operation
    /// The file or directory it was attempted on.
    package let path: String
    /// The system's error number (`errno`).
    package let code: Int32

    /// An error of `operation` on `path`, with the system's number for it.
    package init(_ operation: Operation, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// The system's number for "no space left on device".
    package static let noSpaceCode: Int32 = ENOSPC
    /// The system's number for "input/output error".
    package static let inputOutputCode: Int32 = EIO
    /// The system's number for "no such file or directory".
    package static let notFoundCode: Int32 = ENOENT
    /// The system's number for "file exists".
    package static let existsCode: Int32 = EEXIST
    /// The system's number for "resource temporarily unavailable", here: somebody else holds the lock.
    package static let wouldBlockCode: Int32 = EWOULDBLOCK
    /// The system's number for "is a directory".
    package static let isDirectoryCode: Int32 = EISDIR
    /// The system's number for "not a directory".
    package static let notDirectoryCode: Int32 = ENOTDIR
    /// The system's number for "directory not empty".
    package static let notEmptyCode: Int32 = ENOTEMPTY
    /// The system's number for "bad file descriptor": used after `close`.
    package static let closedCode: Int32 = EBADF
    /// The system's number for "invalid argument".
    package static let invalidCode: Int32 = EINVAL

    /// Whether the disk or a quota is full: worth another try once space returns.
    package var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// Whether the file or directory is not there.
    package var isNotFound: Bool { code == ENOENT }
    /// Whether another process holds the lock.
    package var isLockedElsewhere: Bool { operation == .lock && code == EWOULDBLOCK }
}

extension FileError: CustomStringConvertible {
    /// `write /data/journal: No space left on device (errno 28)`.
    package var description: String {
        "\(operation.rawValue) \(path): \(SystemError.sentence(code)) (errno \(code))"
    }
}
