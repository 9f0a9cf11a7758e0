package import DurableFiles

extension Database {
    /// Opens the data directory at `path` for a look: nothing in it is written, locked or removed, so that another
    /// process may go on using it. What the log says is replayed into memory.
    ///
    /// Source of the behaviour: prometheus/prometheus tsdb/db.go (`DBReadOnly`), which writes to a sandbox directory
    /// instead.
    /// - Parameter events: Told of damage.
    package static func view(
        _ path: String, fileSystem: any FileSystem = POSIXFileSystem(),
        events: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(StoreError) -> Database {
        do throws(FileError) {
            guard try fileSystem.exists(path) else { throw FileError(.open, path, code: FileError.notFoundCode) }
        } catch { throw .file(error) }
        var options = Options()
        options.noLockFile = true
        options.retention = 0
        options.compacts = false
        options.memorySnapshotOnShutdown = true
        return try open(path, options: options, fileSystem: OverlayFileSystem(over: fileSystem), events: events)
    }

    /// Opens the blocks in the directory at `path`, by time, without a look at the log.
    /// - Throws: The first damage: a listing must not leave out blocks silently.
    package static func viewBlocks(
        _ path: String, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(StoreError) -> [Block] {
        let names: [String]
        do throws(FileError) { names = try fileSystem.list(path) } catch { throw .file(error) }
        var blocks: [Block] = []
        for name in names where ULID(name) != nil {
            blocks.append(try Block(PathName.join(path, name), on: fileSystem))
        }
        return BlockSet.sorted(blocks)
    }
}
