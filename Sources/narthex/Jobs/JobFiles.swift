import Web

#if canImport(Glibc)
import Glibc
#endif

/// Small files that the job commands read, and standard input.
enum JobFiles {
    /// The bytes of `path`; `-` is standard input.
    /// - Throws: `CommandLineError` naming the file, the reason, or the limit.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw CommandLineError("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { if path != "-" { close(file) } }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CommandLineError("cannot read \(path): \(String(cString: strerror(errno)))") }
            guard count > 0 else { return content }
            content.append(contentsOf: piece[..<count])
            guard content.count <= limit else { throw CommandLineError("\(path) is larger than \(limit) bytes") }
        }
    }

    /// Runs a command and says on standard error why it failed; gives the exit code.
    static func reporting(_ name: String, _ body: () async throws -> Void) async -> Int32 {
        do {
            try await body()
            return 0
        } catch {
            complain("narthex \(name): \(error)")
            return 1
        }
    }

    /// Writes a line to standard error.
    static func complain(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// The time in nanoseconds since 1970.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
