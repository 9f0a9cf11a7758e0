internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// One request of an HTTP/2 connection: the same service, limits and answers as over HTTP/1.
///
/// The codec in front checks what HTTP/2 demands of pseudo-fields and lengths. All state is touched on the stream
/// channel's event loop only.
final class HTTP2Stream: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case head
        case admission
        case body(limit: Int)
        case responding
        case sending
        case closed
    }

    private let server: HTTPServerState
    private let loop: HTTPLoop
    private let remoteAddress: SocketAddress?
    private var context: ChannelHandlerContext?
    private var phase = Phase.head
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var charged = 0
    private var hasBodyEnd = false
    private var isHead = false
    private var deadline = NIODeadline.distantFuture
    private var waiting: CheckedContinuation<Void, any Error>?
    private var segments: [[UInt8]] = []
    private var segment = 0
    private var task: Task<Void, Never>?
    /// Called if the client goes away before the answer.
    private var departure: (@Sendable () -> Void)?
    /// To be called when the answer has gone out.
    private var whenSent: (@Sendable () -> Void)?

    init(_ server: HTTPServerState, loop: HTTPLoop, remoteAddress: SocketAddress?) {
        self.server = server
        self.loop = loop
        self.remoteAddress = remoteAddress
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { close() }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            waiting?.resume()
            waiting = nil
            sendSegments()
        } else {
            deadline = .now() + server.limits.writeTimeout.timeAmount
        }
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let piece): take(piece)
        case .end:
            hasBodyEnd = true
            handle()
        }
    }

    // MARK: Requests

    private func begin(_ incoming: NIOHTTP1.HTTPRequestHead) {
        let parsed: HTTPRequestHead
        do throws(HTTPRequestFault) {
            parsed = try Self.convert(incoming, limit: server.limits.headBytes)
        } catch {
            phase = .responding
            let status: HTTPStatus = error == .headTooLarge ? .headerFieldsTooLarge : .badRequest
            finish(.error(status, "\(status.code) \(status.phrase)"), to: 0)
            return
        }
        var head = parsed
        head.remoteAddress = remoteAddress
        head.isSecure = true
        isHead = head.method == .head
        self.head = head
        decide(server.service.admit(head))
    }

    private func decide(_ admission: HTTPAdmission) {
        switch admission {
        case .accept(let limit):
            phase = .body(limit: limit)
            deadline = .now() + server.limits.bodyTimeout.timeAmount
            if body.readableBytes > limit {
                answerNow(HTTPRefusals.bodyTooLarge(limit: limit))
            } else {
                handle()
            }
        case .refuse(let response): answerNow(response)
        case .wait(let start):
            phase = .admission
            let bound = LoopBound(self)
            let eventLoop = loop.eventLoop
            start { admission in
                eventLoop.execute {
                    guard case .admission = bound.value.phase else { return }
                    bound.value.decide(admission)
                }
            }
        }
    }

    private func answerNow(_ response: HTTPResponse) {
        phase = .responding
        finish(response, to: 0)
    }

    private func take(_ piece: ByteBuffer) {
        var piece = piece
        let size = piece.readableBytes
        switch phase {
        case .admission, .body: break
        case .head, .responding, .sending, .closed: return
        }
        if case .body(let limit) = phase, body.readableBytes + size > limit {
            answerNow(HTTPRefusals.bodyTooLarge(limit: limit))
            return
        }
        guard server.bytesInFlight.take(size) else {
            answerNow(HTTPRefusals.overloaded)
            return
        }
        charged += size
        if body.readableBytes == 0 { body = piece } else { body.writeBuffer(&piece) }
    }

    private func handle() {
        guard hasBodyEnd, case .body = phase, let head else { return }
        phase = .responding
        deadline = .distantFuture
        let request = HTTPRequest(head: head, body: body)
        body = ByteBuffer()
        self.head = nil
        server.service.handle(request, HTTPResponder(self, on: loop, sequence: 0))
    }

    /// Brings head and fields into the form that HTTP/1 requests have.
    private static func convert(
        _ incoming: NIOHTTP1.HTTPRequestHead, limit: Int
    ) throws(HTTPRequestFault) -> HTTPRequestHead {
        var text = "\(incoming.method.rawValue) \(incoming.uri) HTTP/1.1\r\n"
        for (name, value) in incoming.headers {
            // A line end in a value would begin a field of its own below.
            guard !value.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A }) else {
                throw .malformed("invalid header value")
            }
            text += "\(name): \(value)\r\n"
        }
        if incoming.headers["host"].isEmpty { text += "host: h2\r\n" }
        text += "\r\n"
        guard text.utf8.count <= limit else { throw .headTooLarge }
        let head = try HTTP1HeadParser.parse(Array(text.utf8)).head
        return HTTPRequestHead(
            bytes: head.bytes, method: head.method, target: head.target, version: 2, fields: head.fields)
    }

    // MARK: Answers

    private func end() {
        guard let context else { return }
        if let whenSent {
            self.whenSent = nil
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenSuccess(whenSent)
        } else {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        giveBack()
        // A client that still sends its body is told to stop.
        if !hasBodyEnd { context.close(promise: nil) }
    }

    private func sendSegments() {
        guard case .sending = phase, !segments.isEmpty, let context else { return }
        while segment < segments.count {
            guard context.channel.isWritable else { return }
            let bytes = segments[segment]
            segments[segment] = []
            segment += 1
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        segments = []
        end()
    }

    private func close() {
        if case .closed = phase { return }
        phase = .closed
        context = nil
        loop.remove(self)
        task?.cancel()
        task = nil
        departure?()
        departure = nil
        waiting?.resume(throwing: HTTPConnectionClosed())
        waiting = nil
        segments = []
        whenSent = nil
        giveBack()
    }

    private func giveBack() {
        server.bytesInFlight.give(charged)
        charged = 0
    }
}

extension HTTP2Stream: HTTPExchange {
    func finish(_ response: HTTPResponse, to sequence: UInt64) {
        guard case .responding = phase, let context else { return }
        phase = .sending
        departure = nil
        whenSent = response.whenSent
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.fields.count + 2)
        for field in response.fields {
            let value = field.value.utf8.contains { $0 == 0x0D || $0 == 0x0A } ? "" : field.value
            headers.add(name: field.name.lowercased(), value: value)
        }
        headers.add(name: "date", value: String(decoding: loop.dateBytes(), as: UTF8.self))
        if let length = response.body.length, response.status.code != 204, response.status.code != 304 {
            headers.add(name: "content-length", value: String(length))
        }
        let status = HTTPResponseStatus(statusCode: response.status.code)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http2, status: status, headers: headers))), promise: nil)
        if isHead || response.body.length == 0 {
            end()
            return
        }
        switch response.body {
        case .empty: end()
        case .bytes(let bytes):
            segments = [bytes]
            sendSegments()
        case .segments(let pieces):
            segments = pieces
            sendSegments()
        case .stream(let produce): stream(produce)
        }
    }

    func attach(_ departure: @escaping @Sendable () -> Void, to sequence: UInt64) {
        guard case .responding = phase else { return }
        self.departure = departure
    }

    private func stream(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) {
        let bound = LoopBound(self)
        let eventLoop = loop.eventLoop
        let writer = HTTPBodyWriter { buffer in
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute { bound.value.write(buffer, continuation) }
            }
        }
        context?.flush()
        task = Task {
            do {
                try await produce(writer)
                eventLoop.execute { bound.value.end() }
            } catch {
                eventLoop.execute { bound.value.context?.close(promise: nil) }
            }
        }
    }

    private func write(_ buffer: ByteBuffer, _ continuation: CheckedContinuation<Void, any Error>) {
        guard let context else {
            continuation.resume(throwing: HTTPConnectionClosed())
            return
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        if context.channel.isWritable { continuation.resume() } else { waiting = continuation }
    }
}

extension HTTP2Stream: HTTPLoopMember {
    func sweep(now: NIODeadline) {
        guard now >= deadline else { return }
        switch phase {
        case .body: context?.close(promise: nil)
        case .sending: if context?.channel.isWritable == false { context?.close(promise: nil) }
        case .head, .admission, .responding, .closed: break
        }
    }

    func drain() {}
}

/// Closes an HTTP/2 connection that stays without streams, and tells clients of a stopping server to go elsewhere.
final class HTTP2ConnectionKeeper: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let server: HTTPServerState
    private let loop: HTTPLoop
    private var context: ChannelHandlerContext?
    private var openStreams = 0
    private var deadline = NIODeadline.distantFuture

    init(_ server: HTTPServerState, loop: HTTPLoop) {
        self.server = server
        self.loop = loop
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadline = .now() + server.limits.idleTimeout.timeAmount
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is NIOHTTP2StreamCreatedEvent {
            openStreams += 1
        } else if event is StreamClosedEvent {
            openStreams -= 1
            deadline = .now() + server.limits.idleTimeout.timeAmount
            if openStreams == 0, server.isDraining.isSet { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension HTTP2ConnectionKeeper: HTTPLoopMember {
    func sweep(now: NIODeadline) {
        if openStreams <= 0, now >= deadline { context?.close(promise: nil) }
    }

    func drain() {
        guard let context else { return }
        if openStreams <= 0 {
            context.close(promise: nil)
        } else {
            let frame = HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
            context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        }
    }
}
