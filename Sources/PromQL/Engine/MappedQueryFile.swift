#if canImport(Glibc)
internal import Glibc
#endif

/// A file for an ``ActiveQueryLog``: upstream's `queries.active`.
///
/// It is mapped into memory, so that noting a query costs no call to the system, and what was noted is in the file
/// even if the process dies at once.
package final class MappedQueryFile: ActiveQueryLog.Storage {
    // SAFETY: the bytes of an entry are written only by the query that holds it, which the log sees to; unmapped once,
    // in deinit.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer

    /// What an earlier process had been running when it ended, as a list in JSON; empty if it ended in good order.
    package let unfinished: String

    /// Opens the file at `path`, emptied, with room for `count` queries at a time.
    /// - Returns: nil if the file cannot be made or mapped.
    package init?(path: String, count: Int) {
        let size = 1 + max(1, count) * ActiveQueryLog.entrySize
        unfinished = Self.unfinished(path, size)
        let descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        // The space is claimed now: writing to a page that the disk has no room for would end the process.
        guard posix_fallocate(descriptor, 0, off_t(size)) == 0,
            let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), start != MAP_FAILED
        else { return nil }
        memory = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    deinit { munmap(memory.baseAddress, memory.count) }

    /// Writes `bytes` at `offset`, as far as the file has room.
    package func write(_ bytes: [UInt8], at offset: Int) {
        guard offset >= 0 && offset < memory.count else { return }
        let room = memory.count - offset
        // SAFETY: at most `room` bytes, which is what lies between `offset` and the end of the mapping.
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: bytes.prefix(room))
    }

    private static func unfinished(_ path: String, _ size: Int) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 1 else { return "" }
        var text = bytes[..<count].filter { $0 != 0 }
        guard text.count > 1 else { return "" }
        if text.last == UInt8(ascii: ",") { text.removeLast() }
        return String(decoding: text, as: UTF8.self) + "]"
    }
}
