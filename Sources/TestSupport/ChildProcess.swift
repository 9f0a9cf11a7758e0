package import DurableFiles

#if canImport(Glibc)
package import Glibc
#endif

/// A process that a test started. It does not outlive the test.
package final class ChildProcess {
    /// By which the system knows it.
    package let id: pid_t
    private var exitStatus: Int32?

    /// Starts `command`, whose first word is a path.
    /// - Parameters:
    ///   - output: The file to which standard output is appended; nothing keeps it if nil.
    ///   - errors: The same for standard error; if nil, it goes where the output goes.
    /// - Throws: what keeps the process from being started.
    package init(_ command: [String], output: String? = nil, errors: String? = nil) throws(FileError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let appending = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", appending, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, appending, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var id: pid_t = 0
        let result = posix_spawn(&id, command[0], &actions, nil, arguments, environ)
        guard result == 0 else { throw FileError(.open, command[0], code: result) }
        self.id = id
    }

    deinit {
        if exitStatus == nil {
            kill(id, SIGKILL)
            wait()
        }
    }

    /// Sends a signal, unless the process has ended.
    package func signal(_ number: Int32) { if exitStatus == nil { kill(id, number) } }

    /// Waits for the end and gives the exit code, or 128 and the signal.
    @discardableResult
    package func wait() -> Int32 {
        if let exitStatus { return exitStatus }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return note(status)
    }

    /// Whether the process is still there.
    package var isRunning: Bool {
        if exitStatus != nil { return false }
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return true }
        note(status)
        return false
    }

    @discardableResult
    private func note(_ status: Int32) -> Int32 {
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        exitStatus = code
        return code
    }

    /// Whether it runs, or how it ended, and the end of what it wrote to the file `log`: for a failure's text.
    package func account(log: String) -> String {
        // A process that is just ending has closed its connections before it can be waited for.
        usleep(200_000)
        let state = isRunning ? "the process runs" : "the process ended with \(exitStatus ?? -1)"
        return "\(state), its log ends: \(TemporaryFolder.read(log).suffix(4000))"
    }
}
