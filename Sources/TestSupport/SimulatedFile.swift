internal import DurableFiles
internal import Synchronization

/// An open file of the simulated disk.
final class SimulatedFile: File {
    let path: String
    private let disk: SimulatedDisk
    private let handle: SimulatedDisk.Handle
    private let isOpen = Atomic(true)

    init(disk: SimulatedDisk, path: String, handle: SimulatedDisk.Handle) {
        self.disk = disk
        self.path = path
        self.handle = handle
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
        try attempt(.read, changing: false) { (state, inode) throws(FileError) in
            state.reads += 1
            if state.faults.failingRead == state.reads {
                throw FileError(.read, path, code: FileError.inputOutputCode)
            }
            let start = Int(clamping: offset)
            guard start >= 0, start < inode.content.count else { return 0 }
            let slice = inode.content[start...].prefix(buffer.count)
            buffer.copyBytes(from: slice)
            return slice.count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileError) {
        try attempt(.write) { (state, inode) throws(FileError) in
            try write(Array(bytes), at: Int(offset), &state, &inode)
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try attempt(.write) { (state, inode) throws(FileError) in
            try write(Array(bytes), at: inode.content.count, &state, &inode)
        }
    }

    private func write(
        _ bytes: [UInt8], at offset: Int, _ state: inout SimulatedDisk.State, _ inode: inout SimulatedInode
    ) throws(FileError) {
        state.writes += 1
        inode.modified = state.now
        var allowed = bytes.count
        var code: Int32?
        if state.faults.failingWrite == state.writes {
            allowed = Int(state.generator.next() % UInt64(bytes.count + 1))
            code = FileError.inputOutputCode
        }
        if state.isFull {
            let room = max(0, inode.content.count - offset)
            if allowed > room { (allowed, code) = (room, FileError.noSpaceCode) }
        } else if let capacity = state.faults.capacity {
            let growth = max(0, offset + allowed - inode.content.count)
            // The inode that is being written was taken out of the table: count it apart.
            let room = max(0, capacity - state.usedBytes - inode.content.count)
            if growth > room {
                allowed = max(0, allowed - (growth - room))
                code = FileError.noSpaceCode
            }
        }
        if allowed > 0 { inode.apply(.write(offset: offset, bytes: Array(bytes.prefix(allowed)))) }
        if let code { throw FileError(.write, path, code: code) }
    }

    func size() throws(FileError) -> Int64 {
        try attempt(.metadata, changing: false) { (_, inode) throws(FileError) in Int64(inode.content.count) }
    }

    func truncate(to size: Int64) throws(FileError) {
        try attempt(.truncate) { (state, inode) throws(FileError) in
            inode.modified = state.now
            inode.apply(.resize(Int(size)))
        }
    }

    func preallocate(byteCount: Int64) throws(FileError) {
        try attempt(.preallocate) { (state, inode) throws(FileError) in
            let growth = max(0, Int(byteCount) - inode.content.count)
            if state.isFull, growth > 0 { throw FileError(.preallocate, path, code: FileError.noSpaceCode) }
            if let capacity = state.faults.capacity, state.usedBytes + inode.content.count + growth > capacity {
                throw FileError(.preallocate, path, code: FileError.noSpaceCode)
            }
            if growth > 0 { inode.apply(.resize(Int(byteCount))) }
        }
    }

    func sync(_ kind: SyncKind) throws(FileError) {
        try attempt(.sync) { (state, inode) throws(FileError) in
            state.syncs += 1
            if state.faults.failingSync == state.syncs {
                inode.failSync()
                throw FileError(.sync, path, code: FileError.inputOutputCode)
            }
            inode.sync()
        }
    }

    func close() throws(FileError) {
        if !isOpen.exchange(false, ordering: .relaxed) {
            throw FileError(.close, path, code: FileError.closedCode)
        }
    }

    private func attempt<Result>(
        _ operation: FileError.Operation, changing: Bool = true,
        _ body: (inout SimulatedDisk.State, inout SimulatedInode) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        try disk.attempt(operation, path, changing: changing) { (state) throws(FileError) in
            guard isOpen.load(ordering: .relaxed), state.generation == handle.generation,
                var inode = state.inodes.removeValue(forKey: handle.inode)
            else { throw FileError(operation, path, code: FileError.closedCode) }
            // Taken out and put back, so that large files are not copied at each write.
            defer { state.inodes[handle.inode] = inode }
            return try body(&state, &inode)
        }
    }
}
