internal import DurableFiles
internal import Synchronization

/// A disk in memory that fails on demand: full, defective, losing power after any operation. All randomness follows
/// from one seed.
///
/// Directories follow an ordered metadata journal: after a loss of power, of the names that were changed since the
/// last sync of their directory a prefix (in the order of the changes) is kept. File content is not ordered with
/// it: a renamed file may lack what was not synced before.
package final class SimulatedDisk: FileSystem {
    /// What a loss of power does with what was not synced.
    package enum Damage: Sendable, Hashable, CaseIterable {
        /// A crash of the process alone: all that was written is there.
        case keepAll
        /// Only what was synced is there.
        case dropUnsynced
        /// Each unsynced change is kept, lost or torn, as the seed has it.
        case random
    }

    /// Faults to inject. Operations are counted from 1, those of the kind concerned only.
    package struct Faults: Sendable {
        /// All operations from this one on fail, as if the machine had lost power: see ``SimulatedDisk/restart(_:)``.
        package var crashAfterOperation: Int?
        /// The sync that fails with "input/output error". As on Linux, what it should have made durable can be read
        /// until the power is lost, but no later sync makes it durable.
        package var failingSync: Int?
        /// The write that fails with "input/output error" after an arbitrary part of it.
        package var failingWrite: Int?
        /// The read, or mapping, that fails with "input/output error".
        package var failingRead: Int?
        /// Bytes that files may take up together; writes beyond it are cut short and fail with "no space left".
        package var capacity: Int?
        /// From the operation after this one on the disk is full: nothing grows, and no file is made.
        package var fullAfterOperation: Int?

        /// No faults.
        package init() {}
    }

    struct DirectoryChange {
        let path: String
        let inode: Int?
        /// The directory whose sync makes it durable.
        let directory: String
        /// Changes of one operation, which are kept or lost together.
        let operation: Int
        /// The old name, if `path` is a directory that was renamed.
        var movedFrom: String?
    }

    struct Handle {
        let inode: Int
        let generation: Int
    }

    struct State {
        var generator: SeededGenerator
        var faults = Faults()
        var inodes: [Int: SimulatedInode] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var pendingNames: [DirectoryChange] = []
        var directories: Set<String> = ["/", "."]
        var locks: [String: Int] = [:]
        var nextInode = 1
        /// Counts restarts: handles of an earlier life no longer work.
        var generation = 0
        var operations = 0
        var syncs = 0
        var writes = 0
        var reads = 0
        var isCrashed = false
        var now: Int64 = 1_700_000_000_000

        /// Whether names and files need space that is not there.
        var isFull: Bool { faults.fullAfterOperation.map { operations > $0 } ?? false }
    }

    let state: Mutex<State>
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)

    /// An empty disk whose faults follow from `seed`.
    package init(seed: UInt64 = 0) { state = Mutex(State(generator: SeededGenerator(seed: seed))) }

    /// A disk with the content of another, synced or not, and with a seed of its own. Files that are open on the other
    /// one stay there.
    package init(copying other: SimulatedDisk, seed: UInt64) {
        var copy = other.state.withLock { $0 }
        copy.generator = SeededGenerator(seed: seed)
        state = Mutex(copy)
    }

    /// Calls `observer` before each operation that changes the disk, which it may copy.
    package func beforeEachChange(_ observer: (@Sendable () -> Void)?) {
        self.observer.withLock { $0 = observer }
    }

    /// The faults to inject from now on.
    package var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// How many operations that change the disk were attempted.
    package var operationCount: Int { state.withLock { $0.operations } }

    /// How many reads, and mappings, were attempted.
    package var readCount: Int { state.withLock { $0.reads } }

    /// How many writes were attempted.
    package var writeCount: Int { state.withLock { $0.writes } }

    /// How many syncs of files were attempted.
    package var syncCount: Int { state.withLock { $0.syncs } }

    /// Whether the crash that was asked for has happened.
    package var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// Ends a crash (or makes one, if none has happened): what was not synced suffers `damage`, open files and locks
    /// are gone, faults are lifted, and the disk works again.
    package func restart(_ damage: Damage) {
        state.withLock { state in
            state.loseNames(damage)
            for number in state.inodes.keys.sorted() {
                var inode = state.inodes[number] ?? SimulatedInode()
                inode.losePower(&state.generator, damage)
                state.inodes[number] = inode
            }
            let living = Set(state.names.values)
            state.inodes = state.inodes.filter { living.contains($0.key) }
            state.generation += 1
            state.locks = [:]
            state.faults = Faults()
            state.isCrashed = false
            state.operations = 0
            state.syncs = 0
            state.writes = 0
            state.reads = 0
        }
    }

    /// The content of a file as a reader sees it, or nil; not counted as an operation.
    package func peek(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.inodes[$0]?.content } }
    }

    /// Replaces the content of a file, durably and uncounted: damage done behind the program's back.
    package func poke(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            let number = state.names[path] ?? state.create(path)
            state.inodes[number] = SimulatedInode(content: bytes, durable: bytes, modified: state.now)
            state.durableNames[path] = number
        }
    }

    /// The paths of all files, sorted.
    package var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    func attempt<Result>(
        _ operation: FileError.Operation, _ path: String, changing: Bool = true,
        _ body: (inout State) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        if changing { observer.withLock { $0 }?() }
        return try state.withLock { (state) throws(FileError) in
            if state.isCrashed { throw FileError(operation, path, code: FileError.inputOutputCode) }
            if changing {
                state.operations += 1
                state.now += 1
                if let last = state.faults.crashAfterOperation, state.operations > last {
                    state.isCrashed = true
                    throw FileError(operation, path, code: FileError.inputOutputCode)
                }
            }
            return try body(&state)
        }
    }
}

extension SimulatedDisk.State {
    mutating func create(_ path: String) -> Int {
        let number = nextInode
        nextInode += 1
        inodes[number] = SimulatedInode(modified: now)
        setName(path, number)
        return number
    }

    /// - Parameter directory: The directory that records the change, if it is not the one of the file: the rename of a
    ///   directory is a change of the directory above it.
    mutating func setName(_ path: String, _ inode: Int?, in directory: String? = nil) {
        names[path] = inode
        pendingNames.append(
            SimulatedDisk.DirectoryChange(
                path: path, inode: inode, directory: directory ?? PathName.parent(of: path), operation: operations))
    }

    mutating func syncNames(of directory: String) {
        // The journal is ordered: syncing one directory commits all changes made before.
        guard let last = pendingNames.lastIndex(where: { $0.directory == directory }) else { return }
        for change in pendingNames[...last] where change.movedFrom == nil { durableNames[change.path] = change.inode }
        pendingNames.removeSubrange(...last)
    }

    mutating func loseNames(_ damage: SimulatedDisk.Damage) {
        var kept: Int
        switch damage {
        case .keepAll: kept = pendingNames.count
        case .dropUnsynced: kept = 0
        case .random: kept = Int(generator.next() % UInt64(pendingNames.count + 1))
        }
        while kept > 0, kept < pendingNames.count, pendingNames[kept].operation == pendingNames[kept - 1].operation {
            kept += 1
        }
        for change in pendingNames.prefix(kept) where change.movedFrom == nil {
            durableNames[change.path] = change.inode
        }
        for change in pendingNames.dropFirst(kept).reversed() {
            guard let old = change.movedFrom else { continue }
            renameDirectories(from: change.path, to: old)
        }
        pendingNames = []
        names = durableNames
        // A directory whose removal or new name was lost is there again, with what is in it.
        for path in names.keys {
            var directory = PathName.parent(of: path)
            while directories.insert(directory).inserted { directory = PathName.parent(of: directory) }
        }
    }

    var usedBytes: Int { inodes.values.reduce(0) { $0 + $1.content.count } }
}
