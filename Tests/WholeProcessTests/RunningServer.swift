import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `narthex server`, started on a port that the system chose, without targets; samples come by remote write.
final class RunningServer {
    let port: Int
    let process: ChildProcess
    private let logPath: String

    /// Starts it on the data in `folder` and waits until it is ready.
    /// - Parameters:
    ///   - configuration: What `prometheus.yml` says.
    ///   - data: Where the data lies, if not in the folder.
    init(
        _ flags: [String] = [], folder: TemporaryFolder, configuration: String = "", data: String? = nil
    ) throws {
        let narthex = try #require(Installed.narthex)
        let file = try folder.write("prometheus.yml", configuration)
        let logPath = folder.path + "/server.log"
        self.logPath = logPath
        unlink(logPath)
        let process = try ChildProcess(
            [
                narthex, "server", "--web.listen-address=127.0.0.1:0", "--config.file=\(file)",
                "--storage.tsdb.path=\(data ?? folder.path + "/data")",
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
        _ = try eventually("the server is ready") {
            TemporaryFolder.read(logPath).contains("Server is ready to receive web requests.") ? true : nil
        }
    }

    /// A client of it.
    var client: PlainHTTP { PlainHTTP(port: port) { [process, logPath] in process.account(log: logPath) } }

    /// Memory that it occupies, in MiB.
    var residentMemory: Double {
        let words = TemporaryFolder.read("/proc/\(process.id)/statm").split(separator: " ")
        return words.count > 1 ? (Double(words[1]) ?? 0) * Double(getpagesize()) / 1_048_576 : 0
    }

    /// What it logged so far.
    var log: String { TemporaryFolder.read(logPath) }

    /// The answer to an instant query; `query` is percent-encoded already.
    func query(_ query: String, _ more: String = "") throws -> String {
        try client.request("GET", "/api/v1/query?query=\(query)\(more)").body
    }

    /// The value of the one series that an instant query gives; nil if there is not one.
    func value(_ expression: String) throws -> Double? {
        let encoded = expression.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }
        let body = try query(encoded.joined())
        guard let place = body.firstRange(of: "\"value\":[") else { return nil }
        let rest = body[place.upperBound...]
        guard rest.firstRange(of: "\"value\":[") == nil else { return nil }
        let texts = rest.split(separator: "\"")
        return texts.count > 1 ? Double(texts[1]) : nil
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
