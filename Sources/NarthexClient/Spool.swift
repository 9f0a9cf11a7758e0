#if canImport(Glibc)
internal import Glibc
#endif

/// Pushes that could not be delivered, one file each, kept until a later run delivers them.
///
/// A file's first line is `METHOD PATH`, perhaps with the request's idempotency key behind, the rest is the body. Names begin with the time, so that
/// files are delivered in the order they were made. Files appear by rename, so a reader never sees half of one.
public struct Spool: Sendable {
    /// Why the folder could not be used.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// Path, operation and the system's words.
        public let description: String
    }

    /// A push that waits.
    public struct Entry: Sendable, Hashable {
        /// The file's path.
        public let path: String
        /// How the push meets what is stored.
        public let mode: PushGateway.Mode
        /// The request's path, with its query.
        public let target: String
        /// Lets the gateway recognise a repeated request.
        public let idempotencyKey: String?
        /// In the text format.
        public let body: [UInt8]
    }

    private let folder: String
    private let limit: Int

    /// The spool in `folder`, which is made when it is first needed; the oldest entries beyond `limit` are dropped.
    public init(folder: String, limit: Int = 1000) {
        self.folder = folder
        self.limit = limit
    }

    /// Keeps a push.
    /// - Throws: ``Failure`` where the folder cannot be written.
    public func keep(
        _ body: [UInt8], target: String, mode: PushGateway.Mode, idempotencyKey: String? = nil, nanoseconds: Int64
    ) throws {
        try makeFolder()
        let name = "\(nanoseconds)-\(getpid()).push"
        let temporary = "\(folder)/.\(name)"
        let content = Array("\(mode.rawValue) \(target)\(idempotencyKey.map { " " + $0 } ?? "")\n".utf8) + body
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("create", temporary) }
        defer { close(file) }
        var written = 0
        while written < content.count {
            // SAFETY: the buffer is only read within the call, from `written` to its end.
            let count = content.withUnsafeBytes { bytes in
                write(file, UnsafeRawBufferPointer(rebasing: bytes[written...]).baseAddress, bytes.count - written)
            }
            guard count > 0 else {
                let error = failure("write", temporary)
                unlink(temporary)
                throw error
            }
            written += count
        }
        guard fsync(file) == 0, rename(temporary, "\(folder)/\(name)") == 0 else {
            let error = failure("rename", temporary)
            unlink(temporary)
            throw error
        }
        for path in try names().dropLast(limit) { unlink(path) }
    }

    /// What waits, oldest first. Files that are not entries are left alone.
    /// - Throws: ``Failure`` where the folder cannot be read; a missing folder is an empty spool.
    public func entries() throws -> [Entry] {
        try names().compactMap { path in Self.read(path) }
    }

    /// Removes an entry that was delivered or can never be.
    public func remove(_ entry: Entry) { unlink(entry.path) }

    private func names() throws -> [String] {
        guard let directory = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw failure("open", folder)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let item = readdir(directory) {
            let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".push"), !name.hasPrefix(".") { names.append(name) }
        }
        // Same number of digits until the year 2286: order of text is order of time.
        return names.sorted().map { "\(folder)/\($0)" }
    }

    private static func read(_ path: String) -> Entry? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while content.count < 64 << 20 {
            let count = Glibc.read(file, &piece, piece.count)
            guard count > 0 else { break }
            content.append(contentsOf: piece[..<count])
        }
        guard let end = content.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: content[..<end], as: UTF8.self).split(
            separator: " ", omittingEmptySubsequences: false)
        guard (2...3).contains(words.count), let mode = PushGateway.Mode(rawValue: String(words[0])),
            words[1].hasPrefix("/")
        else {
            return nil
        }
        return Entry(
            path: path, mode: mode, target: String(words[1]),
            idempotencyKey: words.count == 3 ? String(words[2]) : nil, body: Array(content[(end + 1)...]))
    }

    private func makeFolder() throws {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0 && errno != EEXIST { throw failure("make folder", path) }
        }
    }

    private func failure(_ operation: String, _ path: String) -> Failure {
        Failure(description: "\(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
