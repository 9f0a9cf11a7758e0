import AsyncHTTPClient
import MetricModel
import NIOCore
import Web

/// Asks a server's HTTP API, for the commands.
struct ServerClient {
    /// The flags that say where the server is and how long it may take.
    static let flags: [FlagTable.Flag] = [
        .init("server", "The server's URL.", kind: .url, default: "http://localhost:9090"),
        .init("timeout", "Longest time to wait for the answer.", kind: .duration, default: "2m"),
    ]

    private let base: String
    private let seconds: Int64

    init(_ flags: ParsedFlags) {
        var base = flags["server"]
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        seconds = max(1, flags.duration("timeout").components.seconds)
    }

    /// The body of the answer to a request below `/api/v1/`, by POST where there is a form.
    func ask(_ path: String, _ form: [(name: String, value: String)], isPost: Bool = true) async throws -> [UInt8] {
        let fields = QueryText.encode(form.map { ($0.name, $0.value) })
        var request = HTTPClientRequest(
            url: base + "/api/v1/" + path + (isPost || fields.isEmpty ? "" : "?" + fields))
        if isPost {
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: fields))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(seconds))
        return Array(try await response.body.collect(upTo: 1 << 30).readableBytesView)
    }
}
