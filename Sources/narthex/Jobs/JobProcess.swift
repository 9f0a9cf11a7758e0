import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// A child process that shares standard input, output and error with us, and gets our signals.
struct JobProcess {
    /// How it ended.
    struct Ending {
        /// What a shell would report: the exit code, or 128 and the signal.
        let exitCode: Int32
        let signal: Int32?
        /// User and system time of the process and its waited-for children.
        let cpuSeconds: Double
        /// Never less than our own memory when the job was started, since Linux counts what exec replaced.
        let peakMemoryBytes: Double
    }

    /// Why it did not start; 127 for a missing command and 126 for one that cannot be run, as in shells.
    struct StartFailure: Error {
        let message: String
        let exitCode: Int32
    }

    let identifier: pid_t

    /// Signals that are passed on.
    private static let forwarded = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    /// Starts `command` with our environment and `variables`.
    init(_ command: [String], variables: [String: String]) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Dispatch blocks signals in its threads; the job must not inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        for (name, value) in variables { setenv(name, value, 1) }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let result = posix_spawnp(&child, command[0], nil, &attributes, &arguments, environ)
        guard result == 0 else {
            let reason = String(cString: strerror(result))
            throw StartFailure(message: "cannot run \(command[0]): \(reason)", exitCode: result == ENOENT ? 127 : 126)
        }
        identifier = child
    }

    /// Passes signals on to the child from now on. One job a process: the handler knows only the latest child.
    func forwardSignals() {
        runningChild.store(identifier, ordering: .relaxed)
        for number in Self.forwarded {
            // Only what POSIX allows in a handler: an atomic load and kill(2).
            signal(number) { number in
                let child = runningChild.load(ordering: .relaxed)
                if child > 0 { kill(child, number) }
            }
        }
    }

    /// Waits for the end on a thread of its own, since wait4(2) blocks.
    func ending() async -> Ending {
        let identifier = identifier
        return await withCheckedContinuation { continuation in
            let waiter = Unmanaged.passRetained(Waiter(identifier: identifier, continuation: continuation))
            var thread = pthread_t()
            let started = pthread_create(
                &thread, nil,
                { argument in
                    // SAFETY: the thread takes over the reference that was retained for it.
                    if let argument { Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue().wait() }
                    return nil
                }, waiter.toOpaque())
            if started == 0 { pthread_detach(thread) } else { waiter.takeRetainedValue().wait() }
        }
    }

    /// Sends a signal.
    func send(_ number: Int32) { kill(identifier, number) }

    private final class Waiter: Sendable {
        let identifier: pid_t
        let continuation: CheckedContinuation<Ending, Never>

        init(identifier: pid_t, continuation: CheckedContinuation<Ending, Never>) {
            self.identifier = identifier
            self.continuation = continuation
        }

        func wait() {
            var status: Int32 = 0
            var usage = rusage()
            while wait4(identifier, &status, 0, &usage) < 0 && errno == EINTR {}
            continuation.resume(returning: JobProcess.ending(status, usage))
        }
    }

    private static func ending(_ status: Int32, _ usage: rusage) -> Ending {
        let signal = status & 0x7F
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Ending(
            exitCode: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, signal: signal == 0 ? nil : signal,
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            peakMemoryBytes: Double(usage.ru_maxrss) * 1024)
    }
}

/// The child that signals are passed to; 0 before there is one.
private let runningChild = Atomic<pid_t>(0)
