internal import DurableFiles

/// Writes frames to the segments of a journal, one after the other; for one thread. What was written before a failure
/// is known at every moment, so that it can be told apart from what was not.
struct JournalWriter {
    private struct Segment {
        let file: any File
        let salt: UInt32
        /// Where the last durable frame ends.
        var end: Int64
        /// The size of the file; what lies behind `end` is zeros.
        var size: Int64
        /// By how much the file will grow next.
        var step: Int
    }

    private static let firstStep = 64 * 1024

    private let fileSystem: any FileSystem
    private let path: String
    private var segment: Segment?
    /// The number of the segment that is written to, or of the next one to be made.
    private(set) var segmentNumber: UInt64
    private var nextSequence: UInt64
    /// Bytes in the segments since the last snapshot.
    private(set) var byteCount: Int64 = 0
    private let maximumStep: Int

    /// - Parameter maximumStep: Segments grow by up to so many bytes of zeros at a time: a sync that need not note a new
    ///   size is about twice as fast.
    init(
        _ fileSystem: any FileSystem, path: String, segmentNumber: UInt64, nextSequence: UInt64, maximumStep: Int
    ) {
        self.fileSystem = fileSystem
        self.path = path
        self.segmentNumber = segmentNumber
        self.nextSequence = nextSequence
        self.maximumStep = maximumStep
    }

    /// Makes effects durable. After an error nothing of them counts, and if the error is not for lack of space, or
    /// came from the sync, the segment must not be written to again.
    mutating func append(_ draft: inout JournalFrame.Draft) throws(FileError) {
        var current = try openSegment()
        draft.seal(sequence: nextSequence, salt: current.salt)
        let frame = draft.bytes
        do throws(FileError) {
            try write(frame, to: &current)
        } catch {
            segment = current
            throw error
        }
        try current.file.sync(.data)
        current.end += Int64(frame.count)
        byteCount += Int64(frame.count)
        nextSequence += 1
        segment = current
    }

    /// Writes a frame behind the last; the file grows by more than that if there is room.
    private func write(_ frame: [UInt8], to segment: inout Segment) throws(FileError) {
        let end = segment.end + Int64(frame.count)
        if end > segment.size, segment.step > 0 {
            do throws(FileError) {
                try segment.file.write(frame + [UInt8](repeating: 0, count: segment.step), at: segment.end)
                segment.size = end + Int64(segment.step)
                segment.step = min(segment.step * 2, maximumStep)
                return
            } catch {
                guard error.isOutOfSpace else { throw error }
                // The frame alone may still fit.
                try segment.file.truncate(to: segment.end)
                segment.size = segment.end
            }
        }
        do throws(FileError) {
            try segment.file.write(frame, at: segment.end)
            segment.size = max(segment.size, end)
        } catch {
            // What was written in part must not be taken for a frame's beginning by the next attempt.
            if error.isOutOfSpace { try segment.file.truncate(to: segment.end) }
            throw error
        }
    }

    private mutating func openSegment() throws(FileError) -> Segment {
        if let segment { return segment }
        let name = StoreLayout.segmentPath(path, segmentNumber)
        // Left from an attempt that failed for lack of space: nothing in it was acknowledged.
        let file = try fileSystem.open(name, .truncate)
        let salt = UInt32.random(in: .min ... .max)
        let header = JournalFrame.fileHeader(StoreLayout.segmentMagic, number: segmentNumber, salt: salt)
        try file.write(header, at: 0)
        try file.sync(.data)
        try fileSystem.syncDirectory(PathName.parent(of: path))
        let made = Segment(
            file: file, salt: salt, end: Int64(header.count), size: Int64(header.count),
            step: min(JournalWriter.firstStep, maximumStep))
        segment = made
        return made
    }

    /// Ends the current segment; what comes next goes to a new one.
    mutating func rotate() {
        byteCount = 0
        guard let old = segment else { return }
        // All of it was synced; nothing can be lost by failing to close.
        try? old.file.close()
        segment = nil
        segmentNumber += 1
    }
}
