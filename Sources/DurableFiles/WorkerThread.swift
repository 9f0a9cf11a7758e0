#if canImport(Glibc)
internal import Glibc
#endif
internal import Synchronization

/// A thread of the system, for work that blocks: Swift's own threads must not wait for a disk.
package final class WorkerThread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: Mutex<pthread_t?>

    /// Starts a thread that runs `body` once.
    /// - Parameter name: For the error.
    /// - Throws: the system's error if it has no room for another thread.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(FileError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(body))
        // SAFETY: the argument is retained for the thread, which takes the reference over.
        let code = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            throw FileError(.open, "thread \(name)", code: code)
        }
        handle = Mutex(thread)
    }

    /// A thread that nobody waited for ends on its own.
    deinit {
        if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
    }

    /// Waits until the thread has ended; a second call returns at once.
    package func join() {
        let thread = handle.withLock { handle -> pthread_t? in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }

    /// Lets other threads run for a few dozen microseconds: between portions of long work under a lock, which would
    /// else be taken again before anybody who waits for it wakes up.
    package static func pause() { usleep(20) }
}
