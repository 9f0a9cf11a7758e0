/// A request method; the ones that routes know are cases of their own.
package enum HTTPMethod: Sendable, Hashable {
    case get
    case head
    case post
    case put
    case delete
    case options
    case patch
    case connect
    case trace
    /// Any other token, as it was sent.
    case other(String)

    /// The method whose name is `bytes`; names are case-sensitive.
    package init(_ bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 3 where bytes.elementsEqual("GET".utf8): self = .get
        case 3 where bytes.elementsEqual("PUT".utf8): self = .put
        case 4 where bytes.elementsEqual("POST".utf8): self = .post
        case 4 where bytes.elementsEqual("HEAD".utf8): self = .head
        case 6 where bytes.elementsEqual("DELETE".utf8): self = .delete
        case 7 where bytes.elementsEqual("OPTIONS".utf8): self = .options
        case 5 where bytes.elementsEqual("PATCH".utf8): self = .patch
        case 7 where bytes.elementsEqual("CONNECT".utf8): self = .connect
        case 5 where bytes.elementsEqual("TRACE".utf8): self = .trace
        default: self = .other(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// The name as it is sent.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other(let name): name
        }
    }

    /// A small number for tables: methods that share a label in metrics share it.
    var metricIndex: Int {
        switch self {
        case .get: 0
        case .head: 1
        case .post: 2
        case .put: 3
        case .delete: 4
        case .options: 5
        case .patch: 6
        case .connect: 7
        case .trace: 8
        case .other("NOTIFY"): 9
        case .other: 10
        }
    }

    /// The values of the label `method` in metrics by ``metricIndex``: a closed set, so that clients cannot make series.
    ///
    /// Source: prometheus/client_golang prometheus/promhttp/instrument_server.go (`sanitizeMethod`).
    static let metricLabels = [
        "get", "head", "post", "put", "delete", "options", "patch", "connect", "trace", "notify", "unknown",
    ]
}
