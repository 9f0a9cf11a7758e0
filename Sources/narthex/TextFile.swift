import DurableFiles

/// Files that are named on the command line.
enum TextFile {
    /// What the file holds, or nil if it cannot be read.
    static func read(_ path: String) -> String? {
        // The callers say which file it is, and need no more.
        (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
