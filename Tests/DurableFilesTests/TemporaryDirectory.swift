import DurableFiles

/// A directory of its own for a test, removed with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = "/tmp/narthex-test-\(UInt64.random(in: 0 ... .max))"
        try POSIXFileSystem().makeDirectory(path)
    }

    deinit { try? POSIXFileSystem().removeTree(path) }

    func file(_ name: String) -> String { PathName.join(path, name) }
}
