internal import ByteCoding
internal import Gateway
internal import MetricModel
internal import NIOCore

/// `Idempotency-Key`: a request that is sent again has its effect once, and is answered as it was the first time.
enum RepeatedRequests {
    /// Longer keys are refused.
    private static let maximumLength = 255
    /// Marks the answer to a request that was repeated.
    static let mark = HTTPField("Idempotency-Replayed", "true")

    /// The key of a request, or nil if it has none.
    ///
    /// The fingerprint is a hash of method, target and body as they were sent: with the same key anything else is
    /// another request.
    /// - Throws: ``PushTarget/Invalid`` for an empty or overlong key.
    /// - Complexity: O(bytes) if there is a key.
    static func key(of request: HTTPRequest, time: Int64) throws(PushTarget.Invalid) -> IdempotencyKey? {
        guard let range = request.head.range(of: "idempotency-key") else { return nil }
        guard !range.isEmpty, range.count <= maximumLength else {
            throw PushTarget.Invalid(description: "an Idempotency-Key has 1 to \(maximumLength) bytes")
        }
        let body = request.body.withUnsafeReadableBytes { XXHash64.hash($0) }
        var text = Array(request.head.method.name.utf8)
        text.append(0)
        text += request.head.bytes[request.head.target]
        text.append(0)
        withUnsafeBytes(of: body.littleEndian) { text.append(contentsOf: $0) }
        return IdempotencyKey(
            ByteString(request.head.bytes[range]), fingerprint: XXHash64.hash(text), time: time)
    }
}
