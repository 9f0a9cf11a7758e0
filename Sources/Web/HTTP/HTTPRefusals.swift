/// Answers that the server gives by itself.
enum HTTPRefusals {
    static func bodyTooLarge(limit: Int) -> HTTPResponse {
        .error(.contentTooLarge, "the request body is larger than the limit of \(limit) bytes")
    }

    static let overloaded = HTTPResponse.error(
        .serviceUnavailable, "too many requests are being processed; try again", fields: [HTTPField("Retry-After", "1")]
    )
}
