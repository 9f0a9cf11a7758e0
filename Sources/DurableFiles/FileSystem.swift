/// The seam between our stores and the disk: ``POSIXFileSystem`` in production, a simulated disk in tests.
///
/// Paths are absolute or relative to the working directory, parts separated by `/`. All calls block; none may run on
/// Swift's cooperative thread pool. Implementations may be called from several threads at once.
package protocol FileSystem: Sendable {
    /// Opens a file.
    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File
    /// The names in a directory, sorted, without `.` and `..`.
    func list(_ directory: String) throws(FileError) -> [String]
    /// Renames a file or directory; a file that has the new name is replaced at once.
    /// Durable only after ``syncDirectory(_:)`` of the parent.
    func rename(_ path: String, to newPath: String) throws(FileError)
    /// Gives a file a second name.
    func link(_ path: String, to newPath: String) throws(FileError)
    /// Removes a file.
    func remove(_ path: String) throws(FileError)
    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws(FileError)
    /// Makes a directory and those above it; one that is there already is no error.
    func makeDirectory(_ path: String) throws(FileError)
    /// Makes names that were created, changed or removed in a directory survive a loss of power.
    func syncDirectory(_ path: String) throws(FileError)
    /// What is known about a file or directory; nil if there is none of that name.
    func metadata(_ path: String) throws(FileError) -> FileMetadata?
    /// Takes an exclusive advisory lock on a file, which is created if it is missing; held until the returned lock
    /// is released or deallocated.
    /// - Throws: an error for which ``FileError/isLockedElsewhere`` holds if somebody else has it.
    func lock(_ path: String) throws(FileError) -> any FileLock
    /// The content of a file, for reading, without copying it into memory.
    func map(_ path: String) throws(FileError) -> MappedFile
    /// Bytes that an ordinary user may still write where `path` lies.
    func freeSpace(_ path: String) throws(FileError) -> Int64
}

/// How a file is opened.
package enum OpenMode: Sendable, Hashable {
    /// For reading; the file must exist.
    case read
    /// For reading and writing; the file is created if it is missing, its content is kept.
    case readWrite
    /// For reading and writing; the file must not exist yet.
    case createNew
    /// For reading and writing; the file is created or emptied.
    case truncate
}

/// What is known about a file or directory.
package struct FileMetadata: Sendable, Hashable {
    /// Bytes.
    package let size: Int64
    /// Whether this is a directory.
    package let isDirectory: Bool
    /// When the content last changed, in milliseconds since 1970.
    package let modified: Int64

    /// Metadata as given.
    package init(size: Int64, isDirectory: Bool, modified: Int64) {
        self.size = size
        self.isDirectory = isDirectory
        self.modified = modified
    }
}

/// How much of a file a sync makes durable.
package enum SyncKind: Sendable, Hashable {
    /// The content, and what is needed to find it, such as the size (`fdatasync`).
    case data
    /// All, times included (`fsync`).
    case all
}

/// An open file. Closed by ``close()``, or when it is deallocated.
///
/// All reads and writes name their offset, except ``append(_:)``. A handle may be used from several threads, which
/// then see each other's writes in no particular order.
package protocol File: AnyObject, Sendable {
    /// As given to `open`.
    var path: String { get }
    /// Reads until `buffer` is full or the file ends.
    /// - Returns: how many bytes were read; fewer than asked for only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int
    /// Writes all of `bytes` at `offset`; after an error, any part of them may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileError)
    /// Writes all of `bytes` at the end of the file; after an error, any part of them may have been written.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError)
    /// Size in bytes.
    func size() throws(FileError) -> Int64
    /// Cuts the file, or extends it with zeros.
    func truncate(to size: Int64) throws(FileError)
    /// Makes sure that `byteCount` bytes from the start can be written without running out of space: the file is
    /// extended with zeros to at least that size.
    func preallocate(byteCount: Int64) throws(FileError)
    /// Makes what was written survive a loss of power. After an error nothing is known about what was written since
    /// the last success: the file must not be written to any more.
    func sync(_ kind: SyncKind) throws(FileError)
    /// Closes the file; further calls throw.
    func close() throws(FileError)
}

/// An advisory lock that is held.
package protocol FileLock: AnyObject, Sendable {
    /// Gives the lock up; a second call does nothing.
    func release()
}

extension File {
    /// Writes all of `bytes` at the end of the file.
    package func append(_ bytes: [UInt8]) throws(FileError) {
        try withBytes(bytes) { (buffer) throws(FileError) in try append(buffer) }
    }

    /// Writes all of `bytes` at `offset`.
    package func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
        try withBytes(bytes) { (buffer) throws(FileError) in try write(buffer, at: offset) }
    }

    /// Reads up to `count` bytes; fewer come back only at the end of the file.
    package func read(count: Int, at offset: Int64) throws(FileError) -> [UInt8] {
        let known = try size()
        let available = Int(clamping: Swift.max(0, known &- offset))
        let wanted = Swift.max(0, Swift.min(count, available))
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
            do {
                // SAFETY: `read` fills the first bytes of the buffer and returns how many.
                initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch let error {
                failure = error as? FileError
                initialized = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func withBytes(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(FileError) -> Void
    ) throws(FileError) {
        // SAFETY: the buffer is only read within the call.
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            do throws(FileError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        try result.get()
    }
}

extension FileSystem {
    /// The whole content of a file.
    package func contents(_ path: String) throws(FileError) -> [UInt8] {
        let file = try open(path, .read)
        defer { try? file.close() }
        return try file.read(count: .max, at: 0)
    }

    /// Whether there is a file or directory of that name.
    package func exists(_ path: String) throws(FileError) -> Bool { try metadata(path) != nil }

    /// Removes a file or a directory with all that it holds; one that is missing is no error.
    /// - Complexity: O(files); directories nested deeper than 64 levels are an error.
    package func removeTree(_ path: String) throws(FileError) { try removeTree(path, depth: 0) }

    private func removeTree(_ path: String, depth: Int) throws(FileError) {
        guard depth < 64 else { throw FileError(.remove, path, code: FileError.invalidCode) }
        guard let found = try metadata(path) else { return }
        if found.isDirectory {
            for name in try list(path) { try removeTree(PathName.join(path, name), depth: depth + 1) }
            try removeDirectory(path)
        } else {
            try remove(path)
        }
    }
}

/// Takes paths apart and puts them together.
package enum PathName {
    /// `directory/name`.
    package static func join(_ directory: String, _ name: String) -> String {
        if directory.isEmpty { return name }
        return directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
    }

    /// What comes before the last `/`: `.` if there is none, `/` for a path directly under the root.
    package static func parent(of path: String) -> String {
        let bytes = trimmed(path)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
    }

    /// What comes after the last `/`.
    package static func last(of path: String) -> String {
        let bytes = trimmed(path)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: bytes[(slash + 1)...], as: UTF8.self)
    }

    private static func trimmed(_ path: String) -> ArraySlice<UInt8> {
        var bytes = Array(path.utf8)[...]
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return bytes
    }
}
