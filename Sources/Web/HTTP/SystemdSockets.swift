#if canImport(Glibc)
internal import Glibc
#endif

/// Listening sockets handed over by systemd (`sd_listen_fds(3)`).
package enum SystemdSockets {
    /// The descriptors, from 3 on, if they are meant for this process.
    ///
    /// They are marked to be closed when another program is run.
    package static func descriptors() -> [CInt] {
        guard let pid = getenv("LISTEN_PID"), Int32(String(cString: pid)) == getpid(),
            let countText = getenv("LISTEN_FDS"), let count = CInt(String(cString: countText)), count > 0, count < 1024
        else { return [] }
        let descriptors = (0..<count).map { 3 + $0 }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return Array(descriptors)
    }
}
