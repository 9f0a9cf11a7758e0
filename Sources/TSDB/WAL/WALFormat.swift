internal import DurableFiles

/// The layout of write logs on disk: segments of pages of fragments of records.
///
/// Source: prometheus/prometheus tsdb/docs/format/wal.md.
enum WALFormat {
    static let pageSize = 32 * 1024
    /// Type, length and checksum before each fragment.
    static let headerSize = 7
    static let snappyFlag: UInt8 = 1 << 3
    static let zstdFlag: UInt8 = 1 << 4
    static let kindMask: UInt8 = 0b111

    /// Kinds of fragments.
    enum Fragment: UInt8 {
        /// The rest of the page is empty.
        case pageEnd = 0
        case full = 1
        case first = 2
        case middle = 3
        case last = 4
    }

    /// The name of segment `number`: at least eight digits.
    static func segmentName(_ number: Int) -> String { padded(number, 8) }

    /// The name of file `number` of `chunks_head`: at least six digits.
    static func headChunksName(_ number: Int) -> String { padded(number, 6) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// The number of a segment file, or nil for other files.
    static func segmentNumber(_ name: String) -> Int? {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        // A larger one is nobody's: numbers are counted on from the last.
        return Int(name).flatMap { $0 <= Int.max / 2 ? $0 : nil }
    }

    static let checkpointPrefix = "checkpoint."
    static let unfinishedSuffix = ".tmp"
    /// What a damaged segment is renamed to once its readable records were written again.
    static let damagedSuffix = ".damaged"

    /// The name of the checkpoint of all segments up to `number`: at least eight digits.
    static func checkpointName(_ number: Int) -> String {
        checkpointPrefix + padded(number, 8)
    }

    /// The number of a finished checkpoint, or nil for other files.
    static func checkpointNumber(_ name: String) -> Int? {
        guard name.hasPrefix(checkpointPrefix) else { return nil }
        return segmentNumber(String(name.dropFirst(checkpointPrefix.count)))
    }
}

/// What a log's directory holds.
struct WALListing {
    /// Numbers of the segments, ascending.
    var segments: [Int] = []
    /// Numbers of the finished checkpoints, ascending.
    var checkpoints: [Int] = []
    /// Names left from a crash.
    var unfinished: [String] = []

    /// Lists `directory`; one that is missing is empty.
    init(_ directory: String, on fileSystem: any FileSystem) throws(StoreError) {
        do throws(FileError) {
            guard try fileSystem.exists(directory) else { return }
            for name in try fileSystem.list(directory) {
                if name.hasSuffix(WALFormat.unfinishedSuffix) {
                    unfinished.append(name)
                } else if let number = WALFormat.segmentNumber(name) {
                    segments.append(number)
                } else if let number = WALFormat.checkpointNumber(name) {
                    checkpoints.append(number)
                }
            }
        } catch {
            throw .file(error)
        }
        segments.sort()
        checkpoints.sort()
    }
}
