import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A command of `narthex` that listens on a port that the system chose.
class RunningProgram {
    let port: Int
    let process: ChildProcess
    private let logPath: String

    /// Starts it and waits until it listens.
    /// - Parameters:
    ///   - arguments: Behind the program's name.
    ///   - logPath: The file that it logs to, in logfmt; one that is there is removed.
    init(_ arguments: [String], log logPath: String) throws {
        let narthex = try #require(Installed.narthex)
        self.logPath = logPath
        unlink(logPath)
        let process = try ChildProcess([narthex] + arguments, output: logPath)
        self.process = process
        port = try eventually("\(arguments.first ?? "narthex") listens") {
            let text = TemporaryFolder.read(logPath)
            if let port = Self.port(in: text) { return port }
            try #require(process.isRunning, "\(arguments.first ?? "narthex") ended: \(text)")
            return nil
        }
    }

    private static func port(in log: String) -> Int? {
        for line in log.split(separator: "\n") where line.contains("msg=\"Listening on\"") {
            guard let colon = line.lastIndex(of: ":") else { continue }
            if let port = Int(line[line.index(after: colon)...].prefix { $0.isNumber }) { return port }
        }
        return nil
    }

    /// A client of it.
    var client: PlainHTTP { PlainHTTP(port: port) { [process, logPath] in process.account(log: logPath) } }

    /// What it logged so far.
    var log: String { TemporaryFolder.read(logPath) }

    /// Asks it to stop and gives the exit code.
    func stop() -> Int32 {
        process.signal(SIGTERM)
        return process.wait()
    }

    /// Ends it at once.
    func kill() {
        process.signal(SIGKILL)
        process.wait()
    }
}
