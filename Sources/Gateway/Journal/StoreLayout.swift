internal import DurableFiles

/// The names and magic numbers of the gateway's files; their form is described in docs/format/journal.md.
enum StoreLayout {
    /// The first bytes of a snapshot.
    static let snapshotMagic: [UInt8] = Array("NXGWSNAP".utf8)
    /// The first bytes of a journal segment.
    static let segmentMagic: [UInt8] = Array("NXGWJRNL".utf8)
    /// The version of both formats that is written, and the newest that is read.
    static let version: UInt32 = 1
    /// Magic, version, a number, a salt, and the checksum of these.
    static let fileHeaderSize = 28
    /// The first bytes of each frame: what a reader looks for behind damaged bytes.
    static let frameMagic: UInt32 = 0x4E_58_46_52
    /// Magic, length, sequence number, checksum of the payload, checksum of the header.
    static let frameHeaderSize = 24
    /// The largest payload that is believed when a file is read.
    static let maximumFrame = 1 << 30

    /// `PATH.journal-00000012`.
    static func segmentPath(_ path: String, _ number: UInt64) -> String {
        let digits = String(number)
        return path + ".journal-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The number of a segment of `path` from its file name, or nil if it is none.
    static func segmentNumber(_ name: String, of path: String) -> UInt64? {
        let prefix = PathName.last(of: path) + ".journal-"
        guard name.hasPrefix(prefix) else { return nil }
        let digits = name.dropFirst(prefix.count)
        guard digits.count >= 8, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt64(digits)
    }

    /// The lock that keeps a second process away.
    static func lockPath(_ path: String) -> String { path + ".lock" }

    /// Where a file written by Pushgateway stays after it was imported.
    static func importedPath(_ path: String) -> String { path + ".pushgateway" }

    /// Where damaged files are set aside.
    static func damagedPath(_ path: String, attempt: Int) -> String {
        attempt == 0 ? path + ".damaged" : path + ".damaged-\(attempt + 1)"
    }
}
