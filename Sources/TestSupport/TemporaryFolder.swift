package import DurableFiles

#if canImport(Glibc)
internal import Glibc
#endif

/// A folder of its own for a test, on the real disk; removed with everything in it when nobody holds it any more.
package final class TemporaryFolder: Sendable {
    /// Where it is.
    package let path: String

    /// A new folder below `TMPDIR`, or `/tmp`.
    /// - Throws: what keeps it from being made.
    package init() throws(FileError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = PathName.join(parent, "narthex-test-" + String(UInt64.random(in: 0 ... .max), radix: 36))
        try POSIXFileSystem().makeDirectory(path)
    }

    deinit { try? POSIXFileSystem().removeTree(path) }

    /// The path of a file in it.
    package func file(_ name: String) -> String { PathName.join(path, name) }

    /// Writes a file in it.
    /// - Returns: its path.
    /// - Throws: what keeps it from being written.
    @discardableResult
    package func write(_ name: String, _ text: String) throws(FileError) -> String {
        let opened = try POSIXFileSystem().open(file(name), .truncate)
        try opened.append(Array(text.utf8))
        try opened.close()
        return file(name)
    }

    /// What a file in it holds, as text; empty if it is not there.
    package func read(_ name: String) -> String { Self.read(file(name)) }

    /// What the file at `path` holds, as text; empty if it is not there.
    package static func read(_ path: String) -> String {
        let bytes = (try? POSIXFileSystem().contents(path)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }
}
