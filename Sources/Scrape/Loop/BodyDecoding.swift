internal import Compression

/// A body ready to be read.
struct DecodedBody: Sendable {
    var bytes: [UInt8]
    var format: ScrapeAppender.Format
}

/// From an answer to a body that can be read: status, compression, format.
///
/// Source: prometheus/prometheus scrape/scrape.go (`readResponse`), model/textparse/interface.go (`extractMediaType`).
enum BodyDecoding {
    static let overLimit = ScrapeFailure("body size limit exceeded")
    /// More than this is not held in memory, whatever the configuration says.
    static let hardLimit = 256 << 20

    /// - Throws: `ScrapeFailure`, in Prometheus' words.
    static func decode(
        _ response: ScrapeClient.Response, limit: Int, fallback: ScrapeProtocol?
    ) throws(ScrapeFailure) -> DecodedBody {
        guard response.status == 200 else {
            throw ScrapeFailure("server returned HTTP status \(response.status) \(response.reason)")
        }
        var bytes = response.body
        let most = limit > 0 ? limit : hardLimit
        if response.isCut || limit > 0 && bytes.count >= limit { throw overLimit }
        if response.contentEncoding.lowercased() == "gzip" {
            bytes = try inflated(bytes, limit: most)
            if limit > 0, bytes.count >= limit { throw overLimit }
        }
        if bytes.isEmpty { return DecodedBody(bytes: [], format: .text) }
        let format = try format(response.contentType, fallback)
        if format == .text, bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        return DecodedBody(bytes: bytes, format: format)
    }

    private static func inflated(_ bytes: [UInt8], limit: Int) throws(ScrapeFailure) -> [UInt8] {
        do throws(CompressionError) {
            // The limit bounds memory; a ratio of its own would refuse honest targets.
            return try Gzip.unpack(bytes, limits: DecompressionLimits(maximumBytes: limit, maximumRatio: .max))
        } catch {
            throw error.isLimit ? overLimit : ScrapeFailure(error.description)
        }
    }

    static func format(_ contentType: String, _ fallback: ScrapeProtocol?) throws(ScrapeFailure)
        -> ScrapeAppender.Format
    {
        let mediaType = contentType.prefix { $0 != ";" }.description.trimmed.lowercased()
        if let known = named(mediaType) { return known }
        if let fallback, let known = named(fallback.mediaType) { return known }
        if contentType.isEmpty {
            throw ScrapeFailure(
                "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
            )
        }
        guard mediaType.contains("/") else {
            throw ScrapeFailure(
                "cannot parse Content-Type \"\(contentType)\" and no fallback_scrape_protocol for target\nmime: no media type"
            )
        }
        throw ScrapeFailure(
            "received unsupported Content-Type \"\(contentType)\" and no fallback_scrape_protocol specified for target")
    }

    private static func named(_ mediaType: String) -> ScrapeAppender.Format? {
        switch mediaType {
        case "text/plain": .text
        case "application/openmetrics-text": .openMetrics
        case "application/vnd.google.protobuf": .protobuf
        default: nil
        }
    }
}
