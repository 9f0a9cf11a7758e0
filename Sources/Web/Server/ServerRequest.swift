package import MetricModel
package import PromQL

/// A request to the server's API, apart from how it came in.
package struct ServerRequest: Sendable {
    /// `GET`, `POST`, … as sent.
    package var method: String
    /// Decoded, without prefix and query: `/api/v1/query`.
    package var path: ByteString
    /// What follows the question mark, still encoded.
    package var query: ByteString
    /// Header fields by name in lower case, each with its first value.
    package var fields: [String: String]
    /// The whole body as sent.
    package var body: [UInt8]
    /// Cancelled when the client goes away, so that nobody waits for the answer.
    package var cancellation: QueryCancellation
    /// The client's address without port; empty if it is not known.
    package var client = ""
    /// What stood before ``path``: empty, or without a slash at its end.
    package var routePrefix = ""
    /// How much may be done for the answer.
    package var effort = Effort.any

    /// How much may be done for an answer.
    package enum Effort: Sendable {
        /// Whatever it takes.
        case any
        /// A small part of a millisecond, without waiting for anything: what needs more is refused.
        case light
    }

    /// A request.
    package init(
        _ method: String, _ path: ByteString, query: ByteString = "", fields: [String: String] = [:],
        body: [UInt8] = [], cancellation: QueryCancellation = QueryCancellation()
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.cancellation = cancellation
    }
}

/// An answer of the server's API.
package struct ServerResponse: Sendable {
    /// What is sent.
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces that are produced one by one while the ones before are sent; nil ends it. Called from one thread
        /// at a time.
        case pieces(@Sendable () -> [UInt8]?)
        /// Server-sent events: `subscribe` is given a place to put events, and gives back how to end it.
        case events(@Sendable (_ send: @escaping @Sendable ([UInt8]) -> Void) -> (@Sendable () -> Void))
    }

    /// Of HTTP.
    package var status: Int
    /// In the order in which they are sent.
    package var fields: [(name: String, value: String)]
    /// What is sent.
    package var body: Body

    /// An answer.
    package init(_ status: Int, fields: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Plain text.
    package static func text(_ status: Int, _ text: String) -> ServerResponse {
        ServerResponse(
            status, fields: [("Content-Type", "text/plain; charset=utf-8")], body: .bytes(Array(text.utf8)))
    }

    /// An error as Go's `http.Error` writes it.
    package static func plainError(_ status: Int, _ text: String) -> ServerResponse {
        ServerResponse(
            status,
            fields: [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")],
            body: .bytes(Array(text.utf8) + [UInt8(ascii: "\n")]))
    }

    /// All bytes of the body, for tests and small answers; empty for events.
    package func collected() -> [UInt8] {
        switch body {
        case .bytes(let bytes): return bytes
        case .events: return []
        case .pieces(let next):
            var all: [UInt8] = []
            while let piece = next() { all += piece }
            return all
        }
    }
}

/// The parameters of a request: those of the query, and of a body that is a form.
///
/// Source: Go's `http.Request.ParseForm`, whose order (body before query) decides what a repeated parameter means.
package struct FormValues: Sendable {
    private var pairs: [(name: ByteString, value: ByteString)] = []
    private var queryPairs: [(name: ByteString, value: ByteString)] = []
    /// What is wrong with the form, in Go's words.
    package private(set) var fault: String?

    /// The parameters of `request`.
    /// - Complexity: O(bytes).
    package init(_ request: ServerRequest) {
        let type = request.fields["content-type"]?.split(separator: ";").first.map(String.init) ?? ""
        let isForm = type.lowercased().filter { $0 != " " } == "application/x-www-form-urlencoded"
        if isForm, request.method == "POST" || request.method == "PUT" || request.method == "PATCH" {
            pairs = decoded(request.body[...])
        }
        queryPairs = decoded(request.query.bytes[...])
        pairs += queryPairs
    }

    /// The first value of `name`; empty if there is none.
    package func first(_ name: ByteString) -> ByteString { pairs.first { $0.name == name }?.value ?? "" }

    /// The first value of `name` in the query alone; empty if there is none.
    package func firstInQuery(_ name: ByteString) -> ByteString {
        queryPairs.first { $0.name == name }?.value ?? ""
    }

    /// All values of `name`.
    package func all(_ name: ByteString) -> [ByteString] { pairs.filter { $0.name == name }.map(\.value) }

    private mutating func decoded(_ text: ArraySlice<UInt8>) -> [(name: ByteString, value: ByteString)] {
        var pairs: [(name: ByteString, value: ByteString)] = []
        for field in text.split(separator: UInt8(ascii: "&")) {
            if field.contains(UInt8(ascii: ";")) {
                fault = fault ?? "invalid semicolon separator in query"
                continue
            }
            let mark = field.firstIndex(of: UInt8(ascii: "=")) ?? field.endIndex
            let rawValue = mark < field.endIndex ? field[(mark + 1)...] : []
            guard let name = unescaped(field[..<mark]), let value = unescaped(rawValue) else { continue }
            pairs.append((name, value))
        }
        return pairs
    }

    private mutating func unescaped(_ text: ArraySlice<UInt8>) -> ByteString? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard index + 1 < text.endIndex, let high = Self.hex(text[index]), let low = Self.hex(text[index + 1])
                else {
                    let rest = ByteString(text[(index - 1)...].prefix(3))
                    fault = fault ?? "invalid URL escape \(Quoting.quote(rest))"
                    return nil
                }
                result.append(high << 4 | low)
                index += 2
            default: result.append(byte)
            }
        }
        return ByteString(result)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
