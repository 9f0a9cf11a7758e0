internal import DurableFiles

/// Writes the snapshot: all groups, in frames of moderate size, ended by an empty one.
struct SnapshotFile {
    private static let frameSize = 256 * 1024

    private let file: any File
    private let salt: UInt32
    private var offset: Int64 = 0
    private var sequence: UInt64 = 1
    private var effects: [[UInt8]] = []
    private var pendingBytes = 0
    private(set) var groupCount = 0

    /// Bytes written.
    var byteCount: Int { Int(offset) }

    /// Begins a snapshot that covers all segments before `firstSegment`.
    init(_ file: any File, firstSegment: UInt64) throws(FileError) {
        self.file = file
        salt = UInt32.random(in: .min ... .max)
        let header = JournalFrame.fileHeader(StoreLayout.snapshotMagic, number: firstSegment, salt: salt)
        try file.write(header, at: 0)
        offset = Int64(header.count)
    }

    mutating func append(_ group: GroupView) throws(FileError) {
        groupCount += 1
        try append(.group(group))
    }

    mutating func append(_ effect: Effect) throws(FileError) {
        let encoded = effect.encoded
        effects.append(encoded)
        pendingBytes += encoded.count
        if pendingBytes >= SnapshotFile.frameSize { try flush() }
    }

    mutating func finish() throws(FileError) {
        if !effects.isEmpty { try flush() }
        try flush()
    }

    private mutating func flush() throws(FileError) {
        let frame = JournalFrame.encode(effects, sequence: sequence, salt: salt)
        try file.write(frame, at: offset)
        offset += Int64(frame.count)
        sequence += 1
        effects = []
        pendingBytes = 0
    }
}
