/// A field of a response.
package struct HTTPField: Sendable, Hashable {
    /// In the form it is sent.
    package var name: String
    /// Without line ends; see ``HTTP1ResponseHead`` for what becomes of those.
    package var value: String

    /// The field `name: value`.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What is sent after the head.
package enum HTTPResponseBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Many pieces, sent one after the other without being joined first.
    case segments([[UInt8]])
    /// Produced while it is sent, with chunked coding.
    case stream(@Sendable (HTTPBodyWriter) async throws -> Void)

    /// The number of bytes, nil if it is not known before they are sent.
    package var length: Int? {
        switch self {
        case .empty: 0
        case .bytes(let bytes): bytes.count
        case .segments(let segments): segments.reduce(0) { $0 + $1.count }
        case .stream: nil
        }
    }
}

/// A whole answer. `Date`, `Content-Length`, `Transfer-Encoding` and `Connection` are added where it is sent.
package struct HTTPResponse: Sendable {
    /// The status.
    package var status: HTTPStatus
    /// In the order in which they are sent; length, coding and date are added.
    package var fields: [HTTPField]
    /// What is sent.
    package var body: HTTPResponseBody
    /// Called once when all of it was handed to the system to be sent, on the connection's event loop; not at all if the
    /// client went away before.
    package var whenSent: (@Sendable () -> Void)?

    /// An answer.
    package init(_ status: HTTPStatus, fields: [HTTPField] = [], body: HTTPResponseBody = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// An error in plain text with a line feed at its end, as Go's `http.Error` sends it.
    package static func error(_ status: HTTPStatus, _ text: String, fields: [HTTPField] = []) -> HTTPResponse {
        HTTPResponse(
            status,
            fields: [
                HTTPField("Content-Type", "text/plain; charset=utf-8"), HTTPField("X-Content-Type-Options", "nosniff"),
            ]
                + fields,
            body: .bytes(Array(text.utf8) + [UInt8(ascii: "\n")]))
    }

    /// Plain text as Go's net/http sends what a handler writes without a type.
    package static func text(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status, fields: [HTTPField("Content-Type", "text/plain; charset=utf-8")], body: .bytes(Array(text.utf8)))
    }

    /// Whether a field `name` is there, whatever its case.
    package func has(_ name: String) -> Bool {
        fields.contains { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }
    }

    /// The same answer with each of `defaults` that it does not have.
    package func adding(_ defaults: [HTTPField]) -> HTTPResponse {
        guard !defaults.isEmpty else { return self }
        var result = self
        for field in defaults where !has(field.name) { result.fields.append(field) }
        return result
    }
}
