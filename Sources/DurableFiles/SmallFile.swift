#if canImport(Glibc)
internal import Glibc
#endif

/// A file read whole: a configuration, a list of targets, a credential, what `/proc` shows.
package enum SmallFile {
    /// What keeps a file from being read, in Go's words: `open PATH: no such file or directory`.
    package struct Unreadable: Error, Sendable, Hashable, CustomStringConvertible {
        /// Whether there is no such file.
        package let isMissing: Bool
        package let description: String

        fileprivate init(_ operation: String, _ path: String, code: Int32) {
            isMissing = code == ENOENT
            description = "\(operation) \(path): \(SystemError.reason(code))"
        }

        fileprivate init(_ path: String, limit: Int) {
            isMissing = false
            description = "read \(path): larger than \(limit) bytes"
        }
    }

    /// The bytes of the file at `path`.
    /// - Parameters:
    ///   - path: of a file, or of a pipe, which is read to its end.
    ///   - limit: No such file is larger.
    /// - Throws: ``Unreadable``.
    package static func read(_ path: String, limit: Int = 256 << 20) throws(Unreadable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable("open", path, code: errno) }
        defer { _ = close(descriptor) }
        return try read(descriptor, path, limit)
    }

    /// All that comes on the standard input.
    /// - Throws: ``Unreadable``.
    package static func readStandardInput(limit: Int = 256 << 20) throws(Unreadable) -> [UInt8] {
        try read(STDIN_FILENO, "-", limit)
    }

    private static func read(_ descriptor: Int32, _ path: String, _ limit: Int) throws(Unreadable) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return content }
            if count < 0 {
                if errno == EINTR { continue }
                throw Unreadable("read", path, code: errno)
            }
            content += chunk[..<count]
            guard content.count <= limit else { throw Unreadable(path, limit: limit) }
        }
    }
}
