import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `narthex server`, started on a port that the system chose, without targets; samples come by remote write.
final class RunningServer {
    let port: Int
    let process: ChildProcess
    private let logPath: String

    /// Starts it on the data in `folder` and waits until it listens.
    /// - Parameter configuration: What `prometheus.yml` says.
    init(_ flags: [String] = [], folder: TemporaryFolder, configuration: String = "") throws {
        let narthex = try #require(Installed.narthex)
        let file = try folder.write("prometheus.yml", configuration)
        let logPath = folder.path + "/server.log"
        self.logPath = logPath
        unlink(logPath)
        let process = try ChildProcess(
            [
                narthex, "server", "--web.listen-address=127.0.0.1:0", "--config.file=\(file)",
                "--storage.tsdb.path=\(folder.path)/data",
            ] + flags, output: logPath)
        self.process = process
        port = try eventually("the server listens") {
            let text = TemporaryFolder.read(logPath)
            for line in text.split(separator: "\n") where line.contains("msg=\"Listening on\"") {
                guard let colon = line.lastIndex(of: ":") else { continue }
                if let port = Int(line[line.index(after: colon)...].prefix { $0.isNumber }) { return port }
            }
            try #require(process.isRunning, "the server ended: \(text)")
            return nil
        }
    }

    /// A client of it.
    var client: PlainHTTP { PlainHTTP(port: port) }

    /// What it logged so far.
    var log: String { TemporaryFolder.read(logPath) }

    /// The answer to an instant query; `query` is percent-encoded already.
    func query(_ query: String, _ more: String = "") throws -> String {
        try client.request("GET", "/api/v1/query?query=\(query)\(more)").body
    }

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
