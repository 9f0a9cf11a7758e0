import Glibc
import TestSupport
import Testing

/// Runs programs of the machine, for tests against the real Prometheus.
enum RealProgram {
    static let promtool = "/usr/bin/promtool"
    static let prometheus = "/usr/bin/prometheus"

    static func isInstalled(_ path: String) -> Bool { access(path, X_OK) == 0 }

    struct Failure: Error {
        var command: [String]
        var status: Int32
        var output: String
    }

    /// Runs a program to its end.
    /// - Returns: what it printed.
    static func run(_ command: [String]) throws -> String {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(command, output: folder.file("output"), errors: folder.file("errors"))
        let status = process.wait()
        let text = folder.read("output")
        guard status == 0 else {
            throw Failure(command: command, status: status, output: text + folder.read("errors"))
        }
        return text
    }
}
