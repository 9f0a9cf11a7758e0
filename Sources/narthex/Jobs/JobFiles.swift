import DurableFiles
import Web

#if canImport(Glibc)
import Glibc
#endif

/// Small files that the job commands read, and standard input.
enum JobFiles {
    /// The bytes of `path`; `-` is standard input.
    /// - Throws: `SmallFile.Unreadable`.
    static func read(_ path: String, limit: Int) throws(SmallFile.Unreadable) -> [UInt8] {
        path == "-" ? try SmallFile.readStandardInput(limit: limit) : try SmallFile.read(path, limit: limit)
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
}
