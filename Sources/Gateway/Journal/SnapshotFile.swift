internal import DurableFiles

/// Writes the snapshot: all groups, in frames of moderate size, ended by an empty one.
struct SnapshotFile {
    private static let frameSize = 256 * 1024

    private let file: any File
    private let salt: UInt32
    private var offset: Int64 = 0
    private var sequence: UInt64 = 1
    private var draft = JournalFrame.Draft()
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
        draft.append(effect.encoded)
        if draft.count >= SnapshotFile.frameSize { try flush() }
    }

    mutating func finish() throws(FileError) {
        if !draft.isEmpty { try flush() }
        try flush()
    }

    private mutating func flush() throws(FileError) {
        draft.seal(sequence: sequence, salt: salt)
        try file.write(draft.bytes, at: offset)
        offset += Int64(draft.bytes.count)
        sequence += 1
        draft.removeAll()
    }
}
