import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// `narthex gateway`, started on a port that the system chose.
final class RunningGateway {
    let port: Int
    let process: ChildProcess
    private let log: String

    /// Starts it and waits until it listens.
    init(_ flags: [String] = [], folder: TemporaryFolder) throws {
        let narthex = try #require(Installed.narthex)
        let log = folder.path + "/gateway.log"
        self.log = log
        unlink(log)
        let process = try ChildProcess(
            [narthex, "gateway", "--web.listen-address=127.0.0.1:0"] + flags, output: log)
        self.process = process
        port = try eventually("the gateway listens") {
            let text = TemporaryFolder.read(log)
            if let port = Self.port(in: text) { return port }
            try #require(process.isRunning, "the gateway ended: \(text)")
            return nil
        }
    }

    /// A client of it.
    var client: PlainHTTP { PlainHTTP(port: port) { [process, log] in process.account(log: log) } }

    var address: String { "127.0.0.1:\(port)" }

    private static func port(in log: String) -> Int? {
        for line in log.split(separator: "\n") where line.contains("msg=\"Listening on\"") {
            guard let colon = line.lastIndex(of: ":") else { continue }
            return Int(line[line.index(after: colon)...].prefix { $0.isNumber })
        }
        return nil
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

    /// The value of a series that a scrape shows, by its name and labels as they are written there.
    func value(of series: String) throws -> Double? {
        let body = try client.request("GET", "/metrics").body
        for line in body.split(separator: "\n") where line.hasPrefix(series + " ") {
            return Double(line.dropFirst(series.count + 1))
        }
        return nil
    }

    /// All values of the family `name` by the value of the label `job`.
    func valuesByJob(_ name: String) throws -> [String: Double] {
        var result: [String: Double] = [:]
        for line in try client.request("GET", "/metrics").body.split(separator: "\n") where line.hasPrefix(name + "{") {
            let parts = line.split(separator: "\"")
            guard let index = parts.firstIndex(where: { $0.hasSuffix("job=") }), let space = line.lastIndex(of: " ")
            else { continue }
            result[String(parts[index + 1])] = Double(line[line.index(after: space)...])
        }
        return result
    }
}
