#if canImport(Glibc)
internal import Glibc
#endif
internal import Synchronization

/// A descriptor that is closed once, by whoever comes first.
final class FileDescriptor: Sendable {
    private let number: Atomic<Int32>

    init(_ number: Int32) { self.number = Atomic(number) }

    deinit { _ = close() }

    /// The number, or -1 after `close`: the system then answers "bad file descriptor".
    var value: Int32 { number.load(ordering: .relaxed) }

    /// - Returns: 0, or the system's error number.
    func close() -> Int32 {
        let old = number.exchange(-1, ordering: .relaxed)
        guard old >= 0 else { return 0 }
        return Glibc.close(old) == 0 ? 0 : errno
    }
}

/// An open file of the machine.
final class POSIXFile: File {
    let path: String
    private let descriptor: FileDescriptor

    init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = FileDescriptor(descriptor)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            // SAFETY: `done` stays below the count of the buffer, and the rest is what is left of it.
            let count = pread(descriptor.value, base + done, buffer.count - done, off_t(offset) &+ off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(.read, path, code: errno)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            // SAFETY: `done` stays below the count of the buffer, and the rest is what is left of it.
            let count = pwrite(descriptor.value, base + done, bytes.count - done, off_t(offset) &+ off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(.write, path, code: errno)
            }
            // A disk that takes nothing and reports nothing has no room.
            if count == 0 { throw FileError(.write, path, code: ENOSPC) }
            done += count
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try write(bytes, at: size())
    }

    func size() throws(FileError) -> Int64 {
        var status = stat()
        guard fstat(descriptor.value, &status) == 0 else { throw FileError(.metadata, path, code: errno) }
        return Int64(status.st_size)
    }

    func truncate(to size: Int64) throws(FileError) {
        _ = try POSIXCall.retrying(.truncate, path) { ftruncate(descriptor.value, off_t(size)) }
    }

    func preallocate(byteCount: Int64) throws(FileError) {
        guard byteCount > 0 else { return }
        while true {
            // Unlike other calls, this one returns the error number.
            let code = posix_fallocate(descriptor.value, 0, off_t(byteCount))
            if code == 0 || code == EOPNOTSUPP || code == ENOSYS { return }
            if code != EINTR { throw FileError(.preallocate, path, code: code) }
        }
    }

    func sync(_ kind: SyncKind) throws(FileError) {
        // An interrupted sync is no failed one: nothing was reported lost yet.
        _ = try POSIXCall.retrying(.sync, path) {
            switch kind {
            case .data: fdatasync(descriptor.value)
            case .all: fsync(descriptor.value)
            }
        }
    }

    func close() throws(FileError) {
        let code = descriptor.close()
        if code != 0 && code != EINTR { throw FileError(.close, path, code: code) }
    }
}
