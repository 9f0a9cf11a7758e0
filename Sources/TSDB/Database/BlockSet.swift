internal import DurableFiles
internal import MetricModel

/// The blocks of a data directory: finding, opening, removing.
struct BlockSet {
    private let directory: String
    private let fileSystem: any FileSystem
    private let selections: BlockSelections
    private let events: @Sendable (StoreEvent) -> Void

    /// - Parameter selections: Where the blocks remember what was selected.
    init(
        _ directory: String, on fileSystem: any FileSystem, _ selections: BlockSelections,
        events: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.directory = directory
        self.selections = selections
        self.fileSystem = fileSystem
        self.events = events
    }

    /// Removes what an interrupted write or removal left.
    func removeUnfinished() throws(StoreError) {
        do throws(FileError) {
            for name in try fileSystem.list(directory) {
                let isBlock =
                    name.hasSuffix(StoreLayout.creationSuffix) || name.hasSuffix(StoreLayout.deletionSuffix)
                let isOld = name.hasSuffix(WALFormat.unfinishedSuffix) && ULID(String(name.dropLast(4))) != nil
                let isSnapshot =
                    name.hasPrefix(StoreLayout.snapshotPrefix) && name.hasSuffix(WALFormat.unfinishedSuffix)
                if isBlock || isOld || isSnapshot { try fileSystem.removeTree(PathName.join(directory, name)) }
            }
        } catch { throw .file(error) }
    }

    /// Opens all blocks. One that cannot be opened is told, left where it is, and not served; blocks whose samples
    /// are in a larger one are removed.
    /// - Returns: by time.
    func open() throws(StoreError) -> [Block] {
        let names: [String]
        do throws(FileError) { names = try fileSystem.list(directory) } catch { throw .file(error) }
        var opened: [Block] = []
        for name in names where ULID(name) != nil {
            let path = PathName.join(directory, name)
            do throws(StoreError) { opened.append(try Block(path, on: fileSystem, selections)) } catch {
                events(.blockSetAside(path: path, reason: error.description))
            }
        }
        let replaced = Set(opened.flatMap { $0.meta.parents.map(\.ulid) })
        for block in opened where replaced.contains(block.meta.ulid) || block.meta.isDeletable {
            try remove(block, reason: "a larger block holds its samples")
        }
        return BlockSet.sorted(
            opened.filter { !replaced.contains($0.meta.ulid) && !$0.meta.isDeletable })
    }

    /// Opens the block of a name.
    func open(_ ulid: ULID) throws(StoreError) -> Block {
        try Block(PathName.join(directory, ulid.description), on: fileSystem, selections)
    }

    /// Removes a block's files: it is renamed first, so that a crash leaves no half of it. Who reads it still can.
    func remove(_ block: Block, reason: String) throws(StoreError) {
        let name = block.meta.ulid.description
        let path = PathName.join(directory, name)
        let doomed = path + StoreLayout.deletionSuffix
        do throws(FileError) {
            try fileSystem.rename(path, to: doomed)
            try fileSystem.removeTree(doomed)
            try fileSystem.syncDirectory(directory)
        } catch { throw .file(error) }
        events(.blockDeleted(ulid: name, reason: reason))
    }

    static func sorted(_ blocks: [Block]) -> [Block] {
        blocks.sorted {
            let left = $0.meta
            let right = $1.meta
            if left.minimumTime != right.minimumTime { return left.minimumTime < right.minimumTime }
            if left.maximumTime != right.maximumTime { return left.maximumTime < right.maximumTime }
            return left.ulid < right.ulid
        }
    }

    /// Where the samples in order end that blocks hold; `.min` without blocks.
    static func inOrderEnd(_ blocks: [Block]) -> Timestamp {
        blocks.map(\.meta).filter { !$0.isPartial }.map(\.maximumTime).max() ?? .min
    }
}
