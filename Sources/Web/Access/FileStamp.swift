#if canImport(Glibc)
internal import Glibc
#endif

/// Which version of a file was read, told by a `stat` instead of reading it again.
struct FileStamp: Sendable, Equatable {
    private var device: UInt64
    private var inode: UInt64
    private var size: Int64
    private var modified: Int64
    private var changed: Int64
    /// Whether the file was last changed long enough before it was looked at that a further change shows.
    let isSettled: Bool

    /// The file at `path`, or nil if it cannot be looked at.
    init?(path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        size = Int64(facts.st_size)
        modified = Int64(facts.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(facts.st_mtim.tv_nsec)
        changed = Int64(facts.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(facts.st_ctim.tv_nsec)
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let present = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
        isSettled = present &- changed > 100_000_000
    }

    /// Whether both are the same version for certain.
    func isSame(as other: FileStamp?) -> Bool {
        guard let other, isSettled else { return false }
        return device == other.device && inode == other.inode && size == other.size && modified == other.modified
            && changed == other.changed
    }
}

/// A small file read whole.
enum SmallFile {
    /// What keeps a file from being read, in Go's words: `open PATH: no such file or directory`.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads at most `limit` bytes.
    /// - Throws: ``Unreadable``.
    static func read(_ path: String, limit: Int = 4 << 20) throws(Unreadable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { _ = close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read", path)
            }
            content += chunk[..<count]
            guard content.count <= limit else {
                throw Unreadable(description: "read \(path): larger than \(limit) bytes")
            }
        }
    }

    private static func failure(_ action: String, _ path: String) -> Unreadable {
        // Go prints system errors in lower case.
        let text = String(cString: strerror(errno))
        return Unreadable(description: "\(action) \(path): \(text.prefix(1).lowercased() + text.dropFirst())")
    }
}
