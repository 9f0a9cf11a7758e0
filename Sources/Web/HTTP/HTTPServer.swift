package import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2
package import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// An HTTP/1 and HTTP/2 server on one or more listening sockets.
///
/// It stands on SwiftNIO directly: a push costs a parse of its head, a call of the service and one write.
package final class HTTPServer: Sendable {
    private let state: HTTPServerState
    private let group: MultiThreadedEventLoopGroup
    private let tls: TLSReloader?
    private let loops: [ObjectIdentifier: HTTPLoop]
    private let listeners = Mutex<[any Channel]>([])

    /// A server that does not listen yet.
    /// - Parameters:
    ///   - group: Its threads; stays the caller's.
    ///   - tls: Where new connections get certificates and rules from; nil for plain HTTP.
    package init(
        service: any HTTPService, limits: HTTPLimits = HTTPLimits(), group: MultiThreadedEventLoopGroup,
        tls: TLSReloader? = nil
    ) {
        state = HTTPServerState(service: service, limits: limits)
        self.group = group
        self.tls = tls
        var loops: [ObjectIdentifier: HTTPLoop] = [:]
        for eventLoop in group.makeIterator() { loops[ObjectIdentifier(eventLoop)] = HTTPLoop(eventLoop) }
        self.loops = loops
    }

    /// What handles the bytes of one HTTP/1 connection without TLS, for a channel of the caller's own.
    package static func connectionHandler(
        _ service: any HTTPService, limits: HTTPLimits, on eventLoop: any EventLoop
    ) -> any ChannelHandler {
        let state = HTTPServerState(service: service, limits: limits)
        return HTTP1Connection(state, loop: HTTPLoop(eventLoop), isSecure: false)
    }

    /// Open connections.
    package var connectionCount: Int { state.connections.current }

    /// Connections that were taken since the start.
    package var acceptedCount: UInt64 { state.accepted.load(ordering: .relaxed) }

    /// Bytes of requests in memory.
    package var bytesInFlight: Int { state.bytesInFlight.current }

    /// Begins to accept connections at `address`.
    /// - Returns: The address it listens on, as Go prints it, with the port that was chosen where 0 was asked for.
    /// - Throws: What the system says.
    package func listen(_ address: ListenAddress) async throws -> String {
        var failure: (any Error)?
        for candidate in try address.resolve() {
            do {
                return register(try await bootstrap.bind(to: candidate).get())
            } catch let error as IOError where address.host.isEmpty && error.errnoCode == EAFNOSUPPORT {
                failure = error
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                throw ListenAddress.Invalid(
                    description: "listen tcp \(address.host):\(address.port): bind: address already in use")
            } catch let error as IOError {
                throw ListenAddress.Invalid(
                    description: "listen tcp \(address.host):\(address.port): bind: "
                        + String(cString: strerror(error.errnoCode)))
            }
        }
        throw failure ?? ListenAddress.Invalid(description: "listen tcp: no address to listen on")
    }

    /// Begins to accept connections on a socket that listens already.
    /// - Returns: The address it listens on.
    package func listen(on descriptor: CInt) async throws -> String {
        register(try await bootstrap.withBoundSocket(descriptor).get())
    }

    /// Stops accepting, lets requests in progress end, and closes all connections; those that take longer than `grace`
    /// are cut.
    /// - Returns: The number of connections that had to be cut.
    @discardableResult
    package func stop(grace: Duration) async -> Int {
        state.isDraining.set()
        let open = listeners.withLock { list in
            defer { list = [] }
            return list
        }
        for channel in open { try? await channel.close() }
        for loop in loops.values { loop.eventLoop.execute { loop.drain() } }
        let clock = ContinuousClock()
        let end = clock.now + grace
        while state.connections.current > 0, clock.now < end {
            try? await Task.sleep(for: .milliseconds(5))
        }
        return state.connections.current
    }

    private func register(_ channel: any Channel) -> String {
        listeners.withLock { $0.append(channel) }
        guard let address = channel.localAddress, let ip = address.ipAddress, let port = address.port else {
            return channel.localAddress.map { "\($0)" } ?? "unknown"
        }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    private var bootstrap: ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            // A client may close its side and still wait for the answer; with TLS its close is part of the protocol.
            .childChannelOption(.allowRemoteHalfClosure, value: tls == nil)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4096, maximum: 128 << 10)
            )
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel) }
            }
    }

    /// Builds the pipeline of a new connection, on its event loop.
    private func initialize(_ channel: any Channel) throws {
        guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else { throw HTTPConnectionClosed() }
        guard state.connections.take(1) else {
            try channel.pipeline.syncOperations.addHandler(HTTPTurnAway())
            return
        }
        state.accepted.add(1, ordering: .relaxed)
        let connections = state.connections
        channel.closeFuture.whenComplete { _ in connections.give(1) }
        guard let tls else {
            try channel.pipeline.syncOperations.addHandler(HTTP1Connection(state, loop: loop, isSecure: false))
            return
        }
        let session = try tls.current()
        let state = state
        try channel.pipeline.syncOperations.addHandlers([
            HandshakeKeeper(loop: loop, timeout: state.limits.headTimeout), session.makeHandler(),
        ])
        let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
            channel.eventLoop.makeCompletedFuture {
                try session.checkPeer(channel)
                if case .negotiated("h2") = result {
                    try Self.configureHTTP2(channel, state, loop)
                } else {
                    try channel.pipeline.syncOperations.addHandler(HTTP1Connection(state, loop: loop, isSecure: true))
                }
            }
        }
        try channel.pipeline.syncOperations.addHandler(negotiation)
        try channel.pipeline.syncOperations.addHandler(TLSErrorCloser())
    }

    private static func configureHTTP2(_ channel: any Channel, _ state: HTTPServerState, _ loop: HTTPLoop) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: min(state.limits.headBytes, 16 << 20)),
            HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20),
        ]
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = 1 << 20
        let remoteAddress = channel.remoteAddress
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: stream
        ) { child in
            child.eventLoop.makeCompletedFuture {
                try child.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try child.pipeline.syncOperations.addHandler(
                    HTTP2Stream(state, loop: loop, remoteAddress: remoteAddress))
            }
        }
        try channel.pipeline.syncOperations.addHandler(HTTP2ConnectionKeeper(state, loop: loop))
    }
}

/// Answers a connection beyond the limit at once and closes it.
private final class HTTPTurnAway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        let text = "too many connections are open; try again\n"
        let answer = ByteBuffer(
            string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
                + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n\(text)")
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        context.close(mode: .output, promise: nil)
        let bound = LoopBound(context)
        context.eventLoop.scheduleTask(in: .milliseconds(500)) { bound.value.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Tells a client that speaks plain HTTP to a TLS port so, as Go's net/http does, and closes connections whose
/// handshake takes too long, or that are still at it when the server stops.
private final class HandshakeKeeper: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: HTTPLoop
    private let deadline: NIODeadline
    private var isDecided = false
    private var context: ChannelHandlerContext?

    init(loop: HTTPLoop, timeout: Duration) {
        self.loop = loop
        deadline = .now() + timeout.timeAmount
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish() }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func finish() {
        context = nil
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else {
            context.fireChannelRead(data)
            return
        }
        isDecided = true
        let bytes = unwrapInboundIn(data)
        let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) ?? 0
        guard first &- 0x41 < 26 else {
            context.fireChannelRead(data)
            return
        }
        let text = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
        let bound = LoopBound(context)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).assumeIsolated().whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
            bound.value.eventLoop.scheduleTask(in: .milliseconds(500)) { bound.value.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { finish() }
        context.fireUserInboundEventTriggered(event)
    }
}

extension HandshakeKeeper: HTTPLoopMember {
    func sweep(now: NIODeadline) {
        if now >= deadline { context?.close(promise: nil) }
    }

    func drain() { context?.close(promise: nil) }
}

/// Ends a connection whose handshake or negotiation failed.
private final class TLSErrorCloser: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
