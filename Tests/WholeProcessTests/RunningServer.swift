import TestSupport

#if canImport(Glibc)
import Glibc
#endif

/// `narthex server`, started on a port that the system chose, without targets; samples come by remote write.
final class RunningServer: RunningProgram {
    /// Starts it on the data in `folder` and waits until it is ready.
    /// - Parameters:
    ///   - configuration: What `prometheus.yml` says.
    ///   - data: Where the data lies, if not in the folder.
    init(
        _ flags: [String] = [], folder: TemporaryFolder, configuration: String = "", data: String? = nil
    ) throws {
        let file = try folder.write("prometheus.yml", configuration)
        try super.init(
            [
                "server", "--web.listen-address=127.0.0.1:0", "--config.file=\(file)",
                "--storage.tsdb.path=\(data ?? folder.file("data"))",
            ] + flags, log: folder.file("server.log"))
        _ = try eventually("the server is ready") {
            log.contains("Server is ready to receive web requests.") ? true : nil
        }
    }

    /// Memory that it occupies, in MiB.
    var residentMemory: Double {
        let words = TemporaryFolder.read("/proc/\(process.id)/statm").split(separator: " ")
        return words.count > 1 ? (Double(words[1]) ?? 0) * Double(getpagesize()) / 1_048_576 : 0
    }

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
}
