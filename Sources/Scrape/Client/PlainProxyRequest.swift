internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A request for a URL without TLS through an HTTP proxy: the proxy is asked for the whole URL.
///
/// Tunnels, which the client library opens for everything, are refused by most proxies except to the ports of HTTPS.
/// One connection a request.
struct PlainProxyRequest: Sendable {
    let host: String
    let port: Int
    /// For `Proxy-Authorization`; empty for none.
    let authorization: String

    /// Sends a GET for `url`.
    /// - Throws: what the network gives; `CancellationError`.
    func get(
        _ url: String, headers: HTTPHeaders, timeout: TimeAmount, bodyLimit: Int
    ) async throws -> (ScrapeClient.Response, location: String?) {
        var headers = headers
        headers.replaceOrAdd(name: "Host", value: RequestURL.authority(of: url))
        headers.replaceOrAdd(name: "Connection", value: "close")
        if !authorization.isEmpty { headers.replaceOrAdd(name: "Proxy-Authorization", value: authorization) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url, headers: headers)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(timeout)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(.head(head))
            try await outbound.write(.end(nil))
            return try await Self.read(inbound, bodyLimit)
        }
    }

    private static func read(
        _ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, _ limit: Int
    ) async throws -> (ScrapeClient.Response, location: String?) {
        var response: ScrapeClient.Response?
        var location: String?
        for try await part in parts {
            switch part {
            case .head(let head):
                location = head.headers.first(name: "location")
                response = ScrapeClient.Response(
                    status: Int(head.status.code), reason: head.status.reasonPhrase,
                    contentType: head.headers.first(name: "content-type") ?? "",
                    contentEncoding: head.headers.first(name: "content-encoding") ?? "", body: [], isCut: false)
            case .body(let chunk):
                let count = response?.body.count ?? 0
                let taken = limit > 0 ? min(chunk.readableBytes, limit - count) : chunk.readableBytes
                response?.body.append(contentsOf: chunk.readableBytesView.prefix(taken))
                if taken < chunk.readableBytes {
                    response?.isCut = true
                    if let response { return (response, location) }
                }
            case .end:
                if let response { return (response, location) }
            }
        }
        throw ScrapeFailure("EOF")
    }
}
