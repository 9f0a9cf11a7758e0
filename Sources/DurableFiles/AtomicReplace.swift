/// Replaces the content of a file so that, whatever happens, either the old content or all of the new is there.
///
/// The new content is written to another name in the same directory, synced, renamed, and the directory is synced.
package struct AtomicReplace: Sendable {
    /// What is appended to the name while the new content is being written. A file of such a name that is found at
    /// start is left from a crash and may be removed.
    package static let unfinishedSuffix = ".unfinished"

    private let fileSystem: any FileSystem

    /// Replaces files of `fileSystem`.
    package init(on fileSystem: any FileSystem) { self.fileSystem = fileSystem }

    /// Makes `bytes` the content of `path`; durable on return.
    package func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        try replace(path) { (file) throws(FileError) in try file.append(bytes) }
    }

    /// Makes what `write` appends to the file it is given the content of `path`; durable on return.
    /// After an error the old content is untouched, unless the rename itself could not be made durable.
    package func replace(
        _ path: String, write: (any File) throws(FileError) -> Void
    ) throws(FileError) {
        let unfinished = path + AtomicReplace.unfinishedSuffix
        let file = try fileSystem.open(unfinished, .truncate)
        do throws(FileError) {
            try write(file)
            try file.sync(.all)
            try file.close()
            try fileSystem.rename(unfinished, to: path)
        } catch {
            try? file.close()
            try? fileSystem.remove(unfinished)
            throw error
        }
        try fileSystem.syncDirectory(PathName.parent(of: path))
    }
}
