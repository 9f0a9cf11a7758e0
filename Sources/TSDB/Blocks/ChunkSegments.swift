internal import ByteCoding
internal import DurableFiles
internal import MetricModel

/// Numbers and sizes of chunk segment files, `chunks/000001` and so on.
///
/// Source: prometheus/prometheus tsdb/docs/format/chunks.md.
enum ChunkSegmentFormat {
    static let directory = "chunks"
    static let magic: UInt32 = 0x85BD_40DD
    static let version: UInt8 = 1
    static let headerSize = 8
    /// Bytes after which the next file is begun.
    static let fileSize = 512 << 20

    static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}

/// Writes the chunks of a block, one after the other, into segment files.
final class ChunkSegmentWriter {
    private let directory: String
    private let fileSystem: any FileSystem
    private let fileSize: Int
    private var output: FileOutput?
    private var number = 0

    /// Creates `directory`.
    init(
        _ directory: String, fileSize: Int = ChunkSegmentFormat.fileSize, on fileSystem: any FileSystem
    ) throws(StoreError) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.fileSize = fileSize
        do { try fileSystem.makeDirectory(directory) } catch { throw .file(error) }
    }

    /// Writes a chunk.
    /// - Returns: Its reference.
    func write(_ chunk: Chunk) throws(StoreError) -> UInt64 {
        let bound = chunk.byteCount + 10
        if let output, output.position + bound > fileSize, output.position > ChunkSegmentFormat.headerSize {
            try output.finish()
            self.output = nil
        }
        let output = try current()
        let reference = UInt64(number - 1) << 32 | UInt64(output.position)
        output.put(uvarint: UInt64(chunk.byteCount))
        output.beginChecksum()
        output.put(chunk.encoding.rawValue)
        chunk.withUnsafeBytes { output.put($0) }
        output.putChecksum()
        try output.flushIfLarge()
        return reference
    }

    private func current() throws(StoreError) -> FileOutput {
        if let output { return output }
        number += 1
        let path = PathName.join(directory, ChunkSegmentFormat.name(number))
        let created = try FileOutput(path, on: fileSystem)
        created.put(bigEndian32: ChunkSegmentFormat.magic)
        created.put(ChunkSegmentFormat.version)
        for _ in 0..<3 { created.put(0) }
        output = created
        return created
    }

    /// Writes the rest, syncs files and directory.
    func finish() throws(StoreError) {
        try output?.finish()
        output = nil
        do { try fileSystem.syncDirectory(directory) } catch { throw .file(error) }
    }

    /// Closes the unfinished file after an error.
    func abandon() { output?.abandon() }
}

/// Reads the chunks of a block through mappings.
struct ChunkSegmentReader: Sendable {
    private let files: [MappedFile]

    /// The segment files in `directory`.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)`` for a file with a wrong header or a gap in their numbers.
    init(_ directory: String, on fileSystem: any FileSystem) throws(StoreError) {
        var files: [MappedFile] = []
        do throws(FileError) {
            for name in try fileSystem.list(directory) where Int(name) != nil {
                files.append(try fileSystem.map(PathName.join(directory, name)))
            }
        } catch {
            // A block without series has no directory of chunks.
            guard error.isNotFound && files.isEmpty else { throw .file(error) }
        }
        for (index, file) in files.enumerated() {
            guard PathName.last(of: file.path) == ChunkSegmentFormat.name(index + 1) else {
                throw .corrupt(path: file.path, offset: 0, reason: "segment file \(index + 1) is missing before it")
            }
            guard file.bigEndian(at: 0, as: UInt32.self) == ChunkSegmentFormat.magic else {
                throw .corrupt(path: file.path, offset: 0, reason: "invalid magic number")
            }
            guard file[4] == ChunkSegmentFormat.version else {
                throw .corrupt(path: file.path, offset: 4, reason: "invalid chunk format version \(file[4] ?? 0)")
            }
        }
        self.files = files
    }

    /// Bytes of all files.
    var byteCount: Int64 { files.reduce(0) { $0 + Int64($1.count) } }

    /// Calls `body` with encoding and data of the chunk at `reference`, whose checksum is right.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)``; what `body` throws is reported with file and offset.
    func withChunk<R>(
        _ reference: UInt64, _ body: (ChunkEncoding, UnsafeRawBufferPointer) throws(ChunkError) -> R
    ) throws(StoreError) -> R {
        let number = Int(reference >> 32)
        let offset = Int(reference & 0xFFFF_FFFF)
        guard number < files.count else {
            throw .corrupt(
                path: files.last?.path ?? ChunkSegmentFormat.directory, offset: Int64(offset),
                reason: "reference to segment \(number + 1), of which there is none")
        }
        let file = files[number]
        func corrupt(_ reason: String) -> StoreError {
            .corrupt(path: file.path, offset: Int64(offset), reason: reason)
        }
        guard offset >= ChunkSegmentFormat.headerSize, offset < file.count else {
            throw corrupt("segment doesn't include enough bytes to read the chunk")
        }
        let result: Result<R, StoreError>? = file.withUnsafeBytes(in: offset..<file.count) { bytes in
            var cursor = WireCursor(bytes)
            let length = cursor.count(minimumSize: 1)
            let content = cursor.slice(length + 1)
            let expected = cursor.bigEndian32()
            guard !cursor.isBad, content.count == length + 1 else {
                return .failure(corrupt("segment doesn't include enough bytes to read the chunk"))
            }
            guard CRC32C.checksum(content) == expected else { return .failure(corrupt("checksum mismatch")) }
            guard let encoding = ChunkEncoding(rawValue: content[0]) else {
                return .failure(corrupt("unknown chunk encoding \(content[0])"))
            }
            do throws(ChunkError) {
                return .success(try body(encoding, UnsafeRawBufferPointer(rebasing: content[1...])))
            } catch {
                return .failure(corrupt(error.description))
            }
        }
        return try (result ?? .failure(corrupt("chunk exceeds the file"))).get()
    }

    /// A copy of the chunk at `reference`.
    func chunk(_ reference: UInt64) throws(StoreError) -> Chunk {
        try withChunk(reference) { encoding, bytes in Chunk(encoding: encoding, bytes: Array(bytes)) }
    }
}
