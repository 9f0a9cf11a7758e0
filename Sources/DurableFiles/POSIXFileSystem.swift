#if canImport(Glibc)
internal import Glibc
#endif

/// The disk of the machine, through the system's calls.
package struct POSIXFileSystem: FileSystem {
    /// The one there is.
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .truncate: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = try POSIXCall.retrying(.open, path) { Glibc.open(path, flags | O_CLOEXEC, 0o666) }
        return POSIXFile(path: path, descriptor: descriptor)
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else { throw FileError(.list, directory, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError(.list, directory, code: errno) }
                break
            }
            // SAFETY: d_name is a terminated string that stays valid until the next readdir.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func rename(_ path: String, to newPath: String) throws(FileError) {
        _ = try POSIXCall.retrying(.rename, path) { Glibc.rename(path, newPath) }
    }

    package func link(_ path: String, to newPath: String) throws(FileError) {
        _ = try POSIXCall.retrying(.link, path) { Glibc.link(path, newPath) }
    }

    package func remove(_ path: String) throws(FileError) {
        _ = try POSIXCall.retrying(.remove, path) { unlink(path) }
    }

    package func removeDirectory(_ path: String) throws(FileError) {
        _ = try POSIXCall.retrying(.remove, path) { rmdir(path) }
    }

    package func makeDirectory(_ path: String) throws(FileError) {
        if path.isEmpty || path == "." || path == "/" { return }
        if mkdir(path, 0o777) == 0 { return }
        switch errno {
        case EEXIST:
            guard let found = try metadata(path), found.isDirectory else {
                throw FileError(.makeDirectory, path, code: ENOTDIR)
            }
        case ENOENT:
            let parent = PathName.parent(of: path)
            guard parent != path else { throw FileError(.makeDirectory, path, code: ENOENT) }
            try makeDirectory(parent)
            if mkdir(path, 0o777) != 0 && errno != EEXIST { throw FileError(.makeDirectory, path, code: errno) }
        case let code:
            throw FileError(.makeDirectory, path, code: code)
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = try POSIXCall.retrying(.syncDirectory, path) {
            Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        defer { Glibc.close(descriptor) }
        _ = try POSIXCall.retrying(.syncDirectory, path) { fsync(descriptor) }
    }

    package func metadata(_ path: String) throws(FileError) -> FileMetadata? {
        var status = stat()
        if stat(path, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileError(.metadata, path, code: errno)
        }
        return FileMetadata(
            size: Int64(status.st_size), isDirectory: status.st_mode & S_IFMT == S_IFDIR,
            modified: Int64(status.st_mtim.tv_sec) &* 1000 &+ Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    package func lock(_ path: String) throws(FileError) -> any FileLock {
        let descriptor = try POSIXCall.retrying(.lock, path) { Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw FileError(.lock, path, code: code)
        }
        return POSIXFileLock(descriptor: descriptor)
    }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        let descriptor = try POSIXCall.retrying(.map, path) { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(.map, path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(.map, path, code: EISDIR) }
        let size = Int(status.st_size)
        guard size > 0 else { return MappedFile(path: path, copying: []) }
        guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            throw FileError(.map, path, code: errno)
        }
        return MappedFile(path: path, mapping: UnsafeRawBufferPointer(start: base, count: size))
    }

    package func freeSpace(_ path: String) throws(FileError) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileError(.freeSpace, path, code: errno) }
        return Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
    }
}

/// Calls the system again where a signal interrupted it, and turns -1 into an error.
enum POSIXCall {
    static func retrying(
        _ operation: FileError.Operation, _ path: String, _ call: () -> Int32
    ) throws(FileError) -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw FileError(operation, path, code: errno) }
        }
    }
}

/// A lock by `flock`, which ends with its descriptor.
private final class POSIXFileLock: FileLock {
    private let descriptor: FileDescriptor

    init(descriptor: Int32) { self.descriptor = FileDescriptor(descriptor) }

    func release() { _ = descriptor.close() }
}
