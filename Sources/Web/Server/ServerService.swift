internal import ByteCoding
internal import Compression
package import MetricModel
internal import NIOCore
package import NIOPosix
internal import PromQL

/// The server's API over HTTP: requests run on threads that may block, answers are compressed and streamed.
package final class ServerService: HTTPService {
    private let api: ServerAPI
    private let workers: NIOThreadPool
    /// Without a slash at its end; removed from the paths of requests.
    private let prefix: [UInt8]
    private let prefixText: String
    private let bodyLimit: Int
    private let meter: RequestMeter?
    private let pages: (@Sendable (HTTPRequest, _ path: ByteString) -> HTTPResponse?)?

    /// A service.
    /// - Parameters:
    ///   - workers: Threads for requests, started by the caller; queries wait on them.
    ///   - routePrefix: `--web.route-prefix`.
    ///   - bodyLimit: Most bytes of a request's body, as it is sent.
    ///   - pages: Asked first, with the decoded path behind the prefix: pages, their assets and redirections.
    package init(
        api: ServerAPI, workers: NIOThreadPool, routePrefix: String = "/", bodyLimit: Int = 32 << 20,
        meter: RequestMeter? = nil,
        pages: (@Sendable (HTTPRequest, _ path: ByteString) -> HTTPResponse?)? = nil
    ) {
        self.api = api
        self.workers = workers
        var prefix = Array(routePrefix.utf8)
        while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        self.prefix = prefix
        prefixText = String(decoding: prefix, as: UTF8.self)
        self.bodyLimit = bodyLimit
        self.meter = meter
        self.pages = pages
    }

    package func admit(_ head: HTTPRequestHead) -> HTTPAdmission { .accept(bodyLimit: bodyLimit) }

    package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let path = path(of: request) else {
            let location = String(decoding: prefix, as: UTF8.self)
            let isRoot = request.head.rawPath.elementsEqual([UInt8(ascii: "/")])
            responder.complete(
                isRoot
                    ? HTTPResponse(.found, fields: [HTTPField("Location", location + "/")])
                    : .error(.notFound, "404 page not found"))
            return
        }
        if let page = pages?(request, path) {
            responder.complete(page)
            return
        }
        let cancellation = QueryCancellation()
        var serverRequest = Self.serverRequest(request, path, cancellation)
        serverRequest.routePrefix = prefixText
        let usesGzip = Self.acceptsGzip(request.head) && request.head.method != .head
        let measure = meter.flatMap { meter in
            ServerAPI.routePattern(path.string).map { RequestMeasure(meter, handler: $0) }
        }
        // What takes less time than the way to a thread and back is done here.
        if let response = api.respondLightly(to: serverRequest) {
            let answer = Self.response(response, gzip: usesGzip)
            responder.complete(measure?.applied(to: answer) ?? answer)
            return
        }
        responder.onDeparture { cancellation.cancel() }
        // Straight to a thread and back: a task in between would be two more switches for each request.
        workers.submit { [api, serverRequest] state in
            guard state == .active else {
                responder.complete(.error(.serviceUnavailable, "Service Unavailable"))
                return
            }
            let response = Self.response(api.respond(to: serverRequest), gzip: usesGzip)
            responder.complete(measure?.applied(to: response) ?? response)
        }
    }

    /// The decoded path behind the prefix; nil for paths outside of it.
    private func path(of request: HTTPRequest) -> ByteString? {
        let raw = request.head.rawPath
        let path = raw.contains(UInt8(ascii: "%")) ? PercentCoding.decode(raw) ?? Array(raw) : Array(raw)
        guard path.starts(with: prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        return rest.first == UInt8(ascii: "/") ? ByteString(rest) : nil
    }

    private static func serverRequest(
        _ request: HTTPRequest, _ path: ByteString, _ cancellation: QueryCancellation
    ) -> ServerRequest {
        var fields: [String: String] = [:]
        for name in ["origin", "accept", "content-type", "content-encoding"] as [StaticString] {
            fields["\(name)"] = request.head[name]
        }
        var result = ServerRequest(
            request.head.method.name, path, query: ByteString(request.head.rawQuery ?? []), fields: fields,
            body: Array(request.body.readableBytesView), cancellation: cancellation)
        result.client = request.head.remoteAddress?.ipAddress ?? ""
        return result
    }

    private static func acceptsGzip(_ head: HTTPRequestHead) -> Bool {
        head.values(of: "accept-encoding").contains { value in
            value.split(separator: ",").contains { coding in
                let parts = coding.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
                return parts.first == "gzip" && !parts.dropFirst().contains { $0 == "q=0" || $0.hasPrefix("q=0.000") }
            }
        }
    }

    // MARK: Answers

    private static func response(_ response: ServerResponse, gzip: Bool) -> HTTPResponse {
        var result = HTTPResponse(
            HTTPStatus(response.status), fields: response.fields.map { HTTPField($0.name, $0.value) })
        let compresses = gzip && !result.has("Content-Encoding") && response.status == 200
        switch response.body {
        case .bytes(let bytes):
            if bytes.isEmpty { return result }
            return whole([bytes], result, compresses)
        case .pieces(let next):
            var pieces: [[UInt8]] = []
            var count = 0
            while count < wholeLimit {
                guard let piece = next() else {
                    return whole(pieces, result, compresses)
                }
                pieces.append(piece)
                count += piece.count
            }
            if compresses { setGzip(&result) }
            result.body = .stream { [pieces] writer in
                try await stream(pieces, next, writer, compresses ? GzipPieces() : nil)
            }
        case .events(let subscribe):
            result.body = .stream { writer in try await stream(subscribe, writer) }
        }
        return result
    }

    /// Answers of fewer bytes are made at once, by the thread that computed them; longer ones while they are sent, so
    /// that they need not be in memory as a whole.
    private static let wholeLimit = 1 << 20

    private static func whole(_ pieces: [[UInt8]], _ response: HTTPResponse, _ compresses: Bool) -> HTTPResponse {
        var response = response
        // What fits into one packet does not get there sooner for being smaller.
        guard compresses, pieces.count > 1 || (pieces.first?.count ?? 0) > 1024 else {
            response.body = pieces.count == 1 ? .bytes(pieces[0]) : .segments(pieces)
            return response
        }
        setGzip(&response)
        let compressor = GzipPieces()
        response.body = .segments([compressor.start()] + pieces.map { compressor.add($0) } + [compressor.finish()])
        return response
    }

    private static func setGzip(_ response: inout HTTPResponse) {
        response.fields.append(HTTPField("Content-Encoding", "gzip"))
        let varies = response.fields.contains { $0.name == "Vary" && $0.value == "Accept-Encoding" }
        if !varies { response.fields.append(HTTPField("Vary", "Accept-Encoding")) }
    }

    private static func stream(
        _ first: [[UInt8]], _ next: @Sendable () -> [UInt8]?, _ writer: HTTPBodyWriter, _ compressor: GzipPieces?
    ) async throws {
        if let compressor { try await writer.write(compressor.start()) }
        for piece in first { try await writer.write(compressor?.add(piece) ?? piece) }
        while let piece = next() { try await writer.write(compressor?.add(piece) ?? piece) }
        if let compressor { try await writer.write(compressor.finish()) }
    }

    private static func stream(
        _ subscribe: (_ send: @escaping @Sendable ([UInt8]) -> Void) -> (@Sendable () -> Void), _ writer: HTTPBodyWriter
    ) async throws {
        let (events, source) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(64))
        let end = subscribe { source.yield($0) }
        defer { end() }
        // Shows the client that the stream is open.
        try await writer.write(Array(":\n\n".utf8))
        for await event in events { try await writer.write(event) }
    }
}

/// Compresses a body piece by piece.
private final class GzipPieces: @unchecked Sendable {
    // SAFETY: used by the one task or thread that sends the body.
    private let runs = DeflateRuns(level: 1)
    private var checksum: UInt32 = 0
    private var count = 0

    func start() -> [UInt8] { DeflateRuns.gzipHeader }

    func add(_ bytes: [UInt8]) -> [UInt8] {
        let (run, checksum) = runs.run(bytes)
        self.checksum =
            count == 0 ? checksum : DeflateRuns.combine(self.checksum, checksum, secondCount: bytes.count)
        count &+= bytes.count
        return run
    }

    func finish() -> [UInt8] { DeflateRuns.gzipTrailer(checksum: checksum, plainCount: count) }
}
