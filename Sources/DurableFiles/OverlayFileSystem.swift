internal import Synchronization

/// A view of another file system that is never written to: what is written, renamed or removed through the view is
/// kept in memory and lost with it.
///
/// Lets a data directory be opened, repaired and replayed for a look, while another process owns it. Memory: the bytes
/// of all files that are written. Locks are granted to everybody.
package final class OverlayFileSystem: FileSystem {
    /// What stands at a path, where it is not what the base has there.
    private enum Entry {
        case memory(MemoryFile)
        /// A file of the base, under another name.
        case base(String)
        case directory
        case removed
    }

    private let base: any FileSystem
    private let entries = Mutex<[String: Entry]>([:])

    /// A view of `base`.
    package init(over base: any FileSystem) { self.base = base }

    /// What stands at a path.
    private enum Found {
        case memory(MemoryFile)
        case base(String)
        case directory
        case nothing
    }

    private static func normal(_ path: String) -> String {
        var path = path
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }

    private func find(_ path: String) throws(FileError) -> Found {
        let path = Self.normal(path)
        let entry = entries.withLock { $0[path] }
        switch entry {
        case .memory(let file): return .memory(file)
        case .base(let path): return .base(path)
        case .directory: return .directory
        case .removed: return .nothing
        case nil:
            guard let found = try base.metadata(path) else { return .nothing }
            return found.isDirectory ? .directory : .base(path)
        }
    }

    private func set(_ path: String, _ entry: Entry) {
        let path = Self.normal(path)
        entries.withLock { $0[path] = entry }
    }

    package func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        let found = try find(path)
        switch (found, mode) {
        case (.directory, _): throw FileError(.open, path, code: FileError.isDirectoryCode)
        case (.nothing, .read): throw FileError(.open, path, code: FileError.notFoundCode)
        case (.memory, .createNew), (.base, .createNew): throw FileError(.open, path, code: FileError.existsCode)
        case (.memory(let file), .read), (.memory(let file), .readWrite): return file
        case (.base(let original), .read): return try base.open(original, .read)
        case (.base(let original), .readWrite):
            let file = MemoryFile(path, try base.contents(original))
            set(path, .memory(file))
            return file
        case (.nothing, _), (_, .truncate):
            // An open handle goes on with the file it was opened on, as on a disk only where the name is removed;
            // nobody here empties a file that another still writes.
            let file = MemoryFile(path, [])
            set(path, .memory(file))
            return file
        }
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        guard case .directory = try find(directory) else {
            throw FileError(.list, directory, code: FileError.notFoundCode)
        }
        let directory = Self.normal(directory)
        var names: Set<String> = []
        if let found = try base.metadata(directory), found.isDirectory { names = Set(try base.list(directory)) }
        entries.withLock { entries in
            for (path, entry) in entries where PathName.parent(of: path) == directory {
                if case .removed = entry {
                    names.remove(PathName.last(of: path))
                } else {
                    names.insert(PathName.last(of: path))
                }
            }
        }
        return names.sorted()
    }

    package func rename(_ path: String, to newPath: String) throws(FileError) {
        switch try find(path) {
        case .nothing: throw FileError(.rename, path, code: FileError.notFoundCode)
        case .memory(let file): set(newPath, .memory(file))
        case .base(let original): set(newPath, .base(original))
        case .directory:
            let names = try list(path)
            set(newPath, .directory)
            for name in names { try rename(PathName.join(path, name), to: PathName.join(newPath, name)) }
        }
        set(path, .removed)
    }

    package func link(_ path: String, to newPath: String) throws(FileError) {
        switch try find(path) {
        case .nothing, .directory: throw FileError(.link, path, code: FileError.notFoundCode)
        case .memory(let file): set(newPath, .memory(file))
        case .base(let original): set(newPath, .base(original))
        }
    }

    package func remove(_ path: String) throws(FileError) {
        if case .nothing = try find(path) { throw FileError(.remove, path, code: FileError.notFoundCode) }
        set(path, .removed)
    }

    package func removeDirectory(_ path: String) throws(FileError) {
        guard try list(path).isEmpty else { throw FileError(.remove, path, code: FileError.notEmptyCode) }
        set(path, .removed)
    }

    package func makeDirectory(_ path: String) throws(FileError) {
        switch try find(path) {
        case .directory: return
        case .memory, .base: throw FileError(.makeDirectory, path, code: FileError.existsCode)
        case .nothing:
            let parent = PathName.parent(of: path)
            if parent != path { try makeDirectory(parent) }
            set(path, .directory)
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {}

    package func metadata(_ path: String) throws(FileError) -> FileMetadata? {
        switch try find(path) {
        case .nothing: return nil
        case .memory(let file): return FileMetadata(size: file.size(), isDirectory: false, modified: 0)
        case .base(let original): return try base.metadata(original)
        case .directory: return FileMetadata(size: 0, isDirectory: true, modified: 0)
        }
    }

    package func lock(_ path: String) throws(FileError) -> any FileLock { FreeLock() }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        switch try find(path) {
        case .nothing, .directory: throw FileError(.map, path, code: FileError.notFoundCode)
        case .memory(let file): return MappedFile(path: path, copying: file.content)
        case .base(let original): return try base.map(original)
        }
    }

    package func freeSpace(_ path: String) throws(FileError) -> Int64 { .max }

    private final class FreeLock: FileLock {
        func release() {}
    }
}

/// A file of an ``OverlayFileSystem``. All handles are the file itself, so that closing one does nothing.
private final class MemoryFile: File {
    let path: String
    private let bytes: Mutex<[UInt8]>

    init(_ path: String, _ bytes: [UInt8]) {
        self.path = path
        self.bytes = Mutex(bytes)
    }

    var content: [UInt8] { bytes.withLock { $0 } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
        bytes.withLock { bytes in
            guard offset >= 0, offset < Int64(bytes.count) else { return 0 }
            let start = Int(offset)
            let count = min(buffer.count, bytes.count - start)
            // SAFETY: `count` is within both.
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
            }
            return count
        }
    }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int64) throws(FileError) {
        guard let start = Int(exactly: offset), start >= 0 else {
            throw FileError(.write, path, code: FileError.invalidCode)
        }
        bytes.withLock { bytes in
            if bytes.count < start { bytes += repeatElement(0, count: start - bytes.count) }
            let overlap = min(new.count, bytes.count - start)
            bytes.replaceSubrange(start..<(start + overlap), with: new)
        }
    }

    func append(_ new: UnsafeRawBufferPointer) throws(FileError) {
        bytes.withLock { $0.append(contentsOf: new) }
    }

    func size() -> Int64 { bytes.withLock { Int64($0.count) } }

    func truncate(to size: Int64) throws(FileError) {
        guard let size = Int(exactly: size), size >= 0 else {
            throw FileError(.truncate, path, code: FileError.invalidCode)
        }
        bytes.withLock { bytes in
            if size < bytes.count { bytes.removeLast(bytes.count - size) }
            if size > bytes.count { bytes += repeatElement(0, count: size - bytes.count) }
        }
    }

    // Space in memory need not be reserved; the file's size is what was written.
    func preallocate(byteCount: Int64) throws(FileError) {
        if size() < byteCount { try truncate(to: byteCount) }
    }

    func sync(_ kind: SyncKind) throws(FileError) {}

    func close() throws(FileError) {}
}
