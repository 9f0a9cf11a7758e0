internal import Compression
internal import NIOCore

/// How the body of a push is compressed, by `Content-Encoding`; unknown words are ignored, as upstream does.
///
/// Source: prometheus/pushgateway main.go (`decodeRequest`).
enum BodyCoding: Sendable {
    case gzip
    case snappy

    /// The coding that a head announces, or nil.
    init?(_ head: HTTPRequestHead) {
        guard let range = head.range(of: "content-encoding") else { return nil }
        switch String(decoding: head.bytes[range], as: UTF8.self).lowercased() {
        case "gzip": self = .gzip
        case "snappy": self = .snappy
        default: return nil
        }
    }

    /// What is wrong with the very beginning of a gzip stream, which upstream looks at before anything else.
    func startFault(_ body: ByteBuffer) -> String? {
        guard self == .gzip else { return nil }
        let start = Array(body.readableBytesView.prefix(10))
        if start.isEmpty { return "EOF" }
        if start.count < 10 { return "unexpected EOF" }
        return start[0] == 0x1F && start[1] == 0x8B && start[2] == 8 ? nil : "gzip: invalid header"
    }

    /// The bytes before compression.
    /// - Throws: `CompressionError`.
    func decode(_ body: ByteBuffer, limits: GatewaySettings.Limits) throws(CompressionError) -> [UInt8] {
        let limits = DecompressionLimits(maximumBytes: limits.decodedBytes, maximumRatio: limits.expansion)
        // The closure cannot throw a typed error, so it returns one.
        let result: Result<[UInt8], CompressionError> = body.withUnsafeReadableBytes { raw in
            do throws(CompressionError) {
                switch self {
                case .gzip: return .success(try GzipReader().unpackAll(raw, limits: limits))
                case .snappy: return .success(try SnappyFramed.unpack(raw, limits: limits))
                }
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
