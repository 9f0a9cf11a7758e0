package import DurableFiles
internal import Synchronization

extension SimulatedDisk {
    package func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        let existing = state.withLock { $0.names[path] != nil }
        let handle = try attempt(.open, path, changing: mode != .read && !(mode == .readWrite && existing)) {
            (state) throws(FileError) in
            if state.directories.contains(path) { throw FileError(.open, path, code: FileError.isDirectoryCode) }
            if let number = state.names[path] {
                if mode == .createNew { throw FileError(.open, path, code: FileError.existsCode) }
                if mode == .truncate { state.inodes[number]?.apply(.resize(0)) }
                return Handle(inode: number, generation: state.generation)
            }
            guard mode != .read, state.directories.contains(PathName.parent(of: path)) else {
                throw FileError(.open, path, code: FileError.notFoundCode)
            }
            if state.isFull { throw FileError(.open, path, code: FileError.noSpaceCode) }
            return Handle(inode: state.create(path), generation: state.generation)
        }
        return SimulatedFile(disk: self, path: path, handle: handle)
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        try attempt(.list, directory, changing: false) { (state) throws(FileError) in
            guard state.directories.contains(directory) else {
                throw FileError(.list, directory, code: FileError.notFoundCode)
            }
            return state.entries(of: directory).sorted()
        }
    }

    package func rename(_ path: String, to newPath: String) throws(FileError) {
        try attempt(.rename, path) { (state) throws(FileError) in
            if let number = state.names[path] {
                state.setName(newPath, number)
                state.setName(path, nil)
            } else if state.directories.contains(path) {
                state.moveDirectory(path, to: newPath)
            } else {
                throw FileError(.rename, path, code: FileError.notFoundCode)
            }
        }
    }

    package func link(_ path: String, to newPath: String) throws(FileError) {
        try attempt(.link, path) { (state) throws(FileError) in
            guard let number = state.names[path] else {
                throw FileError(.link, path, code: FileError.notFoundCode)
            }
            guard state.names[newPath] == nil else {
                throw FileError(.link, newPath, code: FileError.existsCode)
            }
            state.setName(newPath, number)
        }
    }

    package func remove(_ path: String) throws(FileError) {
        try attempt(.remove, path) { (state) throws(FileError) in
            guard state.names[path] != nil else { throw FileError(.remove, path, code: FileError.notFoundCode) }
            state.setName(path, nil)
        }
    }

    package func removeDirectory(_ path: String) throws(FileError) {
        try attempt(.remove, path) { (state) throws(FileError) in
            guard state.directories.contains(path) else {
                throw FileError(.remove, path, code: FileError.notFoundCode)
            }
            guard state.entries(of: path).isEmpty else { throw FileError(.remove, path, code: FileError.notEmptyCode) }
            state.directories.remove(path)
        }
    }

    package func makeDirectory(_ path: String) throws(FileError) {
        try attempt(.makeDirectory, path) { (state) throws(FileError) in
            var current = path
            if state.isFull, !state.directories.contains(path) {
                throw FileError(.makeDirectory, path, code: FileError.noSpaceCode)
            }
            while !state.directories.contains(current) {
                guard state.names[current] == nil else {
                    throw FileError(.makeDirectory, current, code: FileError.notDirectoryCode)
                }
                // Directories are taken as durable at once: none of our stores relies on the contrary.
                state.directories.insert(current)
                current = PathName.parent(of: current)
            }
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        try attempt(.syncDirectory, path) { (state) throws(FileError) in
            guard state.directories.contains(path) else {
                throw FileError(.syncDirectory, path, code: FileError.notFoundCode)
            }
            state.syncNames(of: path)
        }
    }

    package func metadata(_ path: String) throws(FileError) -> FileMetadata? {
        try attempt(.metadata, path, changing: false) { (state) throws(FileError) in
            if state.directories.contains(path) {
                return FileMetadata(size: 4096, isDirectory: true, modified: state.now)
            }
            guard let number = state.names[path], let inode = state.inodes[number] else { return nil }
            return FileMetadata(size: Int64(inode.content.count), isDirectory: false, modified: inode.modified)
        }
    }

    package func lock(_ path: String) throws(FileError) -> any FileLock {
        try attempt(.lock, path, changing: false) { (state) throws(FileError) in
            guard state.locks[path] == nil else {
                throw FileError(.lock, path, code: FileError.wouldBlockCode)
            }
            if state.names[path] == nil { _ = state.create(path) }
            state.locks[path] = state.generation
            return SimulatedLock(disk: self, path: path, generation: state.generation)
        }
    }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        try attempt(.map, path, changing: false) { (state) throws(FileError) in
            state.reads += 1
            if state.faults.failingRead == state.reads {
                throw FileError(.map, path, code: FileError.inputOutputCode)
            }
            guard let number = state.names[path], let inode = state.inodes[number] else {
                throw FileError(.map, path, code: FileError.notFoundCode)
            }
            return MappedFile(path: path, copying: inode.content)
        }
    }

    package func freeSpace(_ path: String) throws(FileError) -> Int64 {
        try attempt(.freeSpace, path, changing: false) { (state) throws(FileError) in
            guard let capacity = state.faults.capacity else { return 1 << 40 }
            return Int64(max(0, capacity - state.usedBytes))
        }
    }
}

extension SimulatedDisk.State {
    /// The names of the files and directories in a directory.
    func entries(of directory: String) -> [String] {
        let prefix = directory == "." ? "" : directory == "/" ? "/" : directory + "/"
        var found: [String] = []
        for path in names.keys where path.hasPrefix(prefix) { found.append(String(path.dropFirst(prefix.count))) }
        for path in directories where path.hasPrefix(prefix) && path != "/" && path != "." {
            found.append(String(path.dropFirst(prefix.count)))
        }
        return found.filter { !$0.isEmpty && !$0.contains("/") }
    }

    mutating func moveDirectory(_ path: String, to newPath: String) {
        let prefix = path + "/"
        for name in names.keys.sorted() where name.hasPrefix(prefix) {
            let number = names[name]
            setName(newPath + "/" + name.dropFirst(prefix.count), number, in: PathName.parent(of: newPath))
            setName(name, nil, in: PathName.parent(of: newPath))
        }
        pendingNames.append(
            SimulatedDisk.DirectoryChange(
                path: newPath, inode: nil, directory: PathName.parent(of: newPath), operation: operations,
                movedFrom: path))
        renameDirectories(from: path, to: newPath)
    }

    mutating func renameDirectories(from path: String, to newPath: String) {
        let inside = directories.filter { $0 == path || $0.hasPrefix(path + "/") }
        directories.subtract(inside)
        for directory in inside { directories.insert(newPath + directory.dropFirst(path.count)) }
    }
}

/// A lock on the simulated disk; a crash gives it up.
private final class SimulatedLock: FileLock {
    private let disk: SimulatedDisk
    private let path: String
    private let generation: Int

    init(disk: SimulatedDisk, path: String, generation: Int) {
        self.disk = disk
        self.path = path
        self.generation = generation
    }

    deinit { release() }

    func release() {
        disk.state.withLock { state in
            if state.locks[path] == generation && state.generation == generation { state.locks[path] = nil }
        }
    }
}
