import TestSupport

/// `narthex gateway`, started on a port that the system chose.
final class RunningGateway: RunningProgram {
    /// Starts it and waits until it listens.
    init(_ flags: [String] = [], folder: TemporaryFolder) throws {
        try super.init(["gateway", "--web.listen-address=127.0.0.1:0"] + flags, log: folder.file("gateway.log"))
    }

    var address: String { "127.0.0.1:\(port)" }

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
