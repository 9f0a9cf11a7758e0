internal import NIOCore

/// One HTTP/1 connection: bytes in, requests to the service, answers out.
///
/// Requests of one connection are handled one at a time and in order; what a client sends ahead waits in `input`,
/// and beyond ``readAheadLimit`` the connection is not read. All state is touched on the channel's event loop only.
final class HTTP1Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Between requests, or within a head.
        case head
        /// The service has not decided yet whether the request may go on.
        case admission
        case body(limit: Int)
        /// The service works on the answer.
        case responding
        /// An answer of many pieces is being sent.
        case sending
        /// The answer is sent, the rest of the request's body is thrown away.
        case discarding
        /// The last answer is sent and our side closed; waits until the client has read it.
        case lingering
        case closed
    }

    /// Bytes of further requests taken in while one is being answered.
    static let readAheadLimit = 64 << 10
    /// An unread body up to this size is thrown away to keep the connection, as Go's net/http does.
    static let discardLimit = 256 << 10

    let server: HTTPServerState
    let loop: HTTPLoop
    let isSecure: Bool
    var context: ChannelHandlerContext?
    var phase = Phase.head
    var input = ByteBuffer()
    var searched = 0
    var head: HTTP1Head?
    var reader = HTTP1BodyReader(.none)
    var body = ByteBuffer()
    var charged = 0
    var sequence: UInt64 = 0
    var isProcessing = false
    private var needsFlush = false
    var withheldRead = false
    var hasReachedEnd = false
    var version = 1
    var keepsAlive = true
    var isHead = false
    var deadline = NIODeadline.distantFuture
    var bodyDeadline = NIODeadline.distantFuture
    var remoteAddress: SocketAddress?
    /// The rest of an answer in pieces, or the waiting producer of a streamed one.
    var sender: (any HTTP1Sender)?
    var task: Task<Void, Never>?
    /// Called if the client goes away before the answer.
    var departure: (@Sendable () -> Void)?
    /// To be called when the answer has gone out.
    var whenSent: (@Sendable () -> Void)?

    init(_ server: HTTPServerState, loop: HTTPLoop, isSecure: Bool) {
        self.server = server
        self.loop = loop
        self.isSecure = isSecure
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        remoteAddress = context.remoteAddress
        deadline = .now() + server.limits.headTimeout.timeAmount
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { close() }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch phase {
        case .lingering, .closed: return
        default: break
        }
        if input.readableBytes == 0 {
            input = bytes
            searched = 0
        } else {
            input.writeBuffer(&bytes)
        }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    /// NIO asks to read on after each round; while enough is waiting here, it is told later.
    func read(context: ChannelHandlerContext) {
        switch phase {
        case .admission, .responding, .sending:
            if input.readableBytes >= Self.readAheadLimit {
                withheldRead = true
                return
            }
        default: break
        }
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            hasReachedEnd = true
            keepsAlive = false
            switch phase {
            case .admission, .responding, .sending: break
            case .head, .body, .discarding, .lingering, .closed: abort()
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            sender?.resume()
        } else if case .sending = phase {
            deadline = .now() + server.limits.writeTimeout.timeAmount
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { abort() }

    // MARK: Output

    func write(_ buffer: ByteBuffer) {
        context?.write(wrapOutboundOut(buffer), promise: nil)
        needsFlush = true
    }

    func flush() {
        guard needsFlush else { return }
        needsFlush = false
        context?.flush()
    }

    // MARK: Memory

    /// Makes sure that `amount` bytes are accounted for.
    func charge(upTo amount: Int) -> Bool {
        guard amount > charged else { return true }
        guard server.bytesInFlight.take(amount - charged) else { return false }
        charged = amount
        return true
    }

    func giveBack() {
        server.bytesInFlight.give(charged)
        charged = 0
    }
}
