internal import ByteCoding
internal import DurableFiles
internal import MetricModel
internal import Synchronization

/// The files under `chunks_head`: full chunks of the head, so that they need no memory and no replay.
///
/// The log holds the same samples until they are in a block, so that a damaged file costs time, never samples.
/// Source of the format: prometheus/prometheus tsdb/docs/format/head_chunks.md.
final class HeadChunkFiles: Sendable {
    /// How a file is read.
    enum Reader: Sendable {
        case file(any File)
        case mapped(MappedFile)
    }

    /// A file that a reader keeps, and its number.
    struct OpenFile {
        let number: Int
        let reader: Reader
    }

    private struct State: ~Copyable {
        var readers: [Int: Reader] = [:]
        var current: (any File)?
        var currentNumber = 0
        /// Bytes of the current file that are written.
        var offset: Int64 = 0
        var pending = WireBuffer(capacity: 64 * 1024)
        var needsCut = false
        /// Oldest late sample of each file.
        var oldestLate: [Int: Timestamp] = [:]
    }

    let directory: String
    private let fileSystem: any FileSystem
    private let lock = Mutex<Void>(())
    // SAFETY: read and written under `lock` only.
    private nonisolated(unsafe) var state = State()

    init(_ directory: String, on fileSystem: any FileSystem) throws(StoreError) {
        self.directory = directory
        self.fileSystem = fileSystem
        do throws(FileError) { try fileSystem.makeDirectory(directory) } catch { throw .file(error) }
    }

    // MARK: Loading

    /// Reads all files, in order, and calls `body` with each chunk. From damage on everything is removed, as the log
    /// has it too; so is a last file that no chunk reached.
    /// - Returns: where damage was found, and what.
    func load(_ body: (StoredHeadChunk) -> Void) throws(StoreError) -> (path: String, offset: Int64, reason: String)? {
        var damage: (path: String, offset: Int64, reason: String)?
        do throws(FileError) {
            let numbers = try fileSystem.list(directory).compactMap { WALFormat.segmentNumber($0) }.sorted()
            var previous: Int?
            for number in numbers {
                let path = self.path(number)
                if damage == nil, let previous, number != previous + 1 {
                    damage = (path, 0, "head chunk files are not sequential")
                }
                previous = number
                if damage != nil {
                    try fileSystem.remove(path)
                    continue
                }
                let file = try fileSystem.map(path)
                var (end, reason) = scan(file, number, body)
                if end <= HeadChunkFormat.headerSize, number != numbers.last {
                    reason = reason ?? "head chunk file without chunks before others"
                }
                if let reason { damage = (path, Int64(end), reason) }
                if end <= HeadChunkFormat.headerSize {
                    // Its number is used again: Prometheus does not open files with a gap between their numbers.
                    try fileSystem.remove(path)
                    continue
                }
                if reason != nil {
                    let writer = try fileSystem.open(path, .readWrite)
                    try writer.truncate(to: Int64(end))
                    try writer.sync(.data)
                    try writer.close()
                    let cut = try fileSystem.map(path)
                    lock.withLock { _ in state.readers[number] = .mapped(cut) }
                } else {
                    lock.withLock { _ in state.readers[number] = .mapped(file) }
                }
                lock.withLock { _ in state.currentNumber = max(state.currentNumber, number) }
            }
        } catch {
            throw .file(error)
        }
        return damage
    }

    /// - Returns: where the last good chunk ends, and why the file does not go on, if it should.
    private func scan(
        _ file: MappedFile, _ number: Int, _ body: (StoredHeadChunk) -> Void
    ) -> (end: Int, reason: String?) {
        file.withUnsafeBytes { bytes in
            guard bytes.count >= HeadChunkFormat.headerSize else {
                return (0, bytes.isEmpty ? nil : "file ends within its header")
            }
            let magic = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
            if magic == 0 && bytes.allSatisfy({ $0 == 0 }) { return (0, nil) }
            guard magic == HeadChunkFormat.magic else { return (0, "invalid magic number \(String(magic, radix: 16))") }
            guard bytes[4] == 1 else { return (0, "unknown head chunk format version \(bytes[4])") }
            var offset = HeadChunkFormat.headerSize
            while offset < bytes.count {
                switch HeadChunkFormat.parse(UnsafeRawBufferPointer(rebasing: bytes[offset...])) {
                case .end: return (offset, nil)
                case .bad(let reason): return (offset, reason)
                case .chunk(let parsed):
                    let chunk = MappedChunk(
                        minimumTime: parsed.minimumTime, maximumTime: parsed.maximumTime,
                        reference: UInt64(number) << 32 | UInt64(offset), sampleCount: parsed.sampleCount)
                    if parsed.series != HeadChunkFormat.nobody {
                        if parsed.isOutOfOrder { noteLate(number, parsed.minimumTime) }
                        body(
                            StoredHeadChunk(series: parsed.series, chunk: chunk, isOutOfOrder: parsed.isOutOfOrder))
                    }
                    offset += parsed.size
                }
            }
            return (offset, nil)
        }
    }

    private func noteLate(_ number: Int, _ oldest: Timestamp) {
        lock.withLock { _ in state.oldestLate[number] = min(state.oldestLate[number] ?? .max, oldest) }
    }

    /// The oldest late sample in any file, though it may be in a block: the next start finds it again.
    var oldestLateTime: Timestamp { lock.withLock { _ in state.oldestLate.values.min() ?? .max } }

    // MARK: Writing

    /// Adds a chunk to what the next ``flush()`` writes.
    /// - Returns: its reference, good once it is flushed.
    func append(_ series: UInt64, _ full: FullChunk, isOutOfOrder: Bool) throws(StoreError) -> MappedChunk {
        try lock.withLock { (_) throws(StoreError) -> MappedChunk in
            let size = Int64(full.chunk.byteCount + HeadChunkFormat.fixedSize + 16)
            if state.current == nil
                || state.offset + Int64(state.pending.count) + size
                    > HeadChunkFormat.maximumFileSize
            {
                try syncLocked()
                try beginFile()
            }
            if isOutOfOrder {
                let known = state.oldestLate[state.currentNumber] ?? .max
                state.oldestLate[state.currentNumber] = min(known, full.minimumTime)
            }
            let offset = state.offset + Int64(state.pending.count)
            let start = state.pending.count
            state.pending.put(bigEndian: series)
            state.pending.put(bigEndian: UInt64(bitPattern: full.minimumTime))
            state.pending.put(bigEndian: UInt64(bitPattern: full.maximumTime))
            state.pending.put(full.chunk.encoding.rawValue | (isOutOfOrder ? HeadChunkFormat.outOfOrderBit : 0))
            state.pending.put(uvarint: UInt64(full.chunk.byteCount))
            full.chunk.withUnsafeBytes { state.pending.put($0) }
            let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: state.pending.bytes[start...]))
            state.pending.put(bigEndian32: sum)
            return MappedChunk(
                minimumTime: full.minimumTime, maximumTime: full.maximumTime,
                reference: UInt64(state.currentNumber) << 32 | UInt64(offset),
                sampleCount: UInt32(full.chunk.sampleCount))
        }
    }

    /// Writes what was appended. After an error none of it is written, and its references are void.
    func flush() throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in try flushLocked() }
    }

    private func flushLocked() throws(StoreError) {
        guard state.pending.count > 0, let file = state.current else { return }
        defer { state.pending.removeAll() }
        do throws(FileError) {
            if state.needsCut {
                try file.truncate(to: state.offset)
                state.needsCut = false
            }
            try file.write(state.pending.bytes, at: state.offset)
            state.offset += Int64(state.pending.count)
        } catch {
            state.needsCut = true
            throw error.isOutOfSpace ? .diskFull(path: error.path) : .file(error)
        }
    }

    private func beginFile() throws(StoreError) {
        let number = state.currentNumber + 1
        do throws(FileError) {
            let file = try fileSystem.open(path(number), .truncate)
            var header = [UInt8](repeating: 0, count: HeadChunkFormat.headerSize)
            for byte in 0..<4 { header[byte] = UInt8(truncatingIfNeeded: HeadChunkFormat.magic >> (24 - 8 * byte)) }
            header[4] = 1
            try file.write(header, at: 0)
            state.current = file
            state.currentNumber = number
            state.offset = Int64(header.count)
            state.readers[number] = .file(file)
        } catch {
            throw error.isOutOfSpace ? .diskFull(path: error.path) : .file(error)
        }
    }

    /// Marks late chunks that are in blocks now, so that the next start does not find them again. Nobody may read them
    /// any more.
    func retire(_ chunks: [MappedChunk]) throws(StoreError) {
        for (number, some) in Dictionary(grouping: chunks, by: { Int($0.reference >> 32) }) {
            do throws(FileError) {
                guard try fileSystem.exists(path(number)) else { continue }
                let file = try fileSystem.open(path(number), .readWrite)
                for chunk in some {
                    let offset = Int64(chunk.reference & 0xFFFF_FFFF)
                    let start = try file.read(count: 64, at: offset)
                    let size = HeadChunkFormat.neededSize(start)
                    var bytes = try file.read(count: size, at: offset)
                    guard size > HeadChunkFormat.fixedSize, bytes.count == size else { continue }
                    for index in 0..<8 { bytes[index] = 0xFF }
                    let checksum = CRC32C.checksum(bytes[..<(size - 4)])
                    for index in 0..<4 {
                        bytes[size - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index))
                    }
                    // One write: should a crash tear it, the chunks from here on are taken from the logs.
                    try file.write(bytes, at: offset)
                }
                try file.sync(.data)
                try file.close()
            } catch { throw error.isOutOfSpace ? .diskFull(path: error.path) : .file(error) }
        }
    }

    // MARK: Reading

    /// The files as they are now: who keeps this can read them after they were removed.
    var openFiles: [Int: Reader] { lock.withLock { _ in state.readers } }

    /// The chunk of a reference.
    /// - Parameter openFile: Where it is, if the reader kept that.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` if it is not what was written.
    func read(
        _ chunk: MappedChunk, of series: UInt64, in openFile: OpenFile? = nil
    ) throws(StoreError) -> Chunk {
        try withChunk(chunk, of: series, in: openFile) { encoding, bytes in
            Chunk(encoding: encoding, bytes: Array(bytes))
        }
    }

    /// Calls `body` with encoding and data of the chunk of a reference; the buffer must not be kept.
    /// - Parameter openFile: Where it is, if the reader kept that.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` if it is not what was written.
    func withChunk<R>(
        _ chunk: MappedChunk, of series: UInt64, in openFile: OpenFile?,
        _ body: (ChunkEncoding, UnsafeRawBufferPointer) -> R
    ) throws(StoreError) -> R {
        let number = chunk.fileNumber
        let offset = Int(chunk.reference & 0xFFFF_FFFF)
        let reader = openFile?.reader ?? lock.withLock { _ in state.readers[number] }
        func extracted(_ bytes: UnsafeRawBufferPointer) -> Result<R, StoreError> {
            do throws(StoreError) {
                let parsed = try extract(bytes, number, offset, series)
                return .success(body(parsed.encoding, UnsafeRawBufferPointer(rebasing: bytes[parsed.data])))
            } catch {
                return .failure(error)
            }
        }
        switch reader {
        case nil: throw .corrupt(path: path(number), offset: Int64(offset), reason: "head chunk file is gone")
        case .mapped(let file):
            let result = file.withUnsafeBytes(in: min(offset, file.count)..<file.count) { extracted($0) }
            return try (result ?? extracted(UnsafeRawBufferPointer(start: nil, count: 0))).get()
        case .file(let file):
            var size = 2048
            while true {
                let bytes: [UInt8]
                do throws(FileError) { bytes = try file.read(count: size, at: Int64(offset)) } catch {
                    throw .file(error)
                }
                let needed = HeadChunkFormat.neededSize(bytes)
                if needed > bytes.count && bytes.count == size {
                    size = needed
                    continue
                }
                return try bytes.withUnsafeBytes { extracted($0) }.get()
            }
        }
    }

    private func extract(
        _ bytes: UnsafeRawBufferPointer, _ number: Int, _ offset: Int, _ series: UInt64
    ) throws(StoreError) -> HeadChunkFormat.Parsed {
        switch HeadChunkFormat.parse(bytes) {
        case .end: throw .corrupt(path: path(number), offset: Int64(offset), reason: "no chunk")
        case .bad(let reason): throw .corrupt(path: path(number), offset: Int64(offset), reason: reason)
        case .chunk(let parsed):
            guard parsed.series == series else {
                throw .corrupt(path: path(number), offset: Int64(offset), reason: "chunk of another series")
            }
            return parsed
        }
    }

    // MARK: Truncation

    /// Removes the files before `number`, oldest first, but never the current one. Readers that keep ``openFiles`` can
    /// still read them.
    func truncate(before number: Int) throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in
            for old in state.readers.keys.sorted()
            where old < number && (old != state.currentNumber || state.current == nil) {
                do throws(FileError) { try fileSystem.remove(path(old)) } catch { throw .file(error) }
                state.readers[old] = nil
                state.oldestLate[old] = nil
            }
        }
    }

    /// The number that the next chunk's file has at least.
    var nextNumber: Int { lock.withLock { _ in state.currentNumber + (state.current == nil ? 1 : 0) } }

    /// Makes all files durable. Earlier files are synced when the next one begins.
    func sync() throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in try syncLocked() }
    }

    private func syncLocked() throws(StoreError) {
        try flushLocked()
        guard let file = state.current else { return }
        do throws(FileError) {
            try file.sync(.data)
            try fileSystem.syncDirectory(directory)
        } catch { throw .file(error) }
    }

    /// Flushes, syncs and closes the current file.
    func close() throws(StoreError) {
        try lock.withLock { (_) throws(StoreError) in
            try syncLocked()
            do throws(FileError) { try state.current?.close() } catch { throw .file(error) }
            state.current = nil
            state.readers = [:]
        }
    }

    private func path(_ number: Int) -> String { PathName.join(directory, WALFormat.headChunksName(number)) }
}
