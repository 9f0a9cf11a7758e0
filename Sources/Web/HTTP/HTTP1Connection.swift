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
    private var searched = 0
    private var head: HTTP1Head?
    var reader = HTTP1BodyReader(.none)
    private var body = ByteBuffer()
    private var charged = 0
    var sequence: UInt64 = 0
    private var isProcessing = false
    private var needsFlush = false
    private var withheldRead = false
    private var hasReachedEnd = false
    var version = 1
    var keepsAlive = true
    private var isHead = false
    var deadline = NIODeadline.distantFuture
    private var bodyDeadline = NIODeadline.distantFuture
    private var remoteAddress: SocketAddress?
    /// The rest of an answer in pieces, or the waiting producer of a streamed one.
    var sender: (any HTTP1Sender)?
    private var task: Task<Void, Never>?
    /// Called if the client goes away before the answer.
    private var departure: (@Sendable () -> Void)?
    /// To be called when the answer has gone out.
    private var whenSent: (@Sendable () -> Void)?

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

    // MARK: Requests

    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        var goesOn = true
        while goesOn {
            switch phase {
            case .head: goesOn = readHead()
            case .body(let limit): goesOn = readBody(limit: limit)
            case .discarding: goesOn = discard()
            case .admission, .responding, .sending, .lingering, .closed: goesOn = false
            }
        }
        if input.readableBytes == 0 { input = ByteBuffer() }
        if withheldRead, input.readableBytes < Self.readAheadLimit {
            withheldRead = false
            context?.read()
        }
    }

    private func readHead() -> Bool {
        if searched == 0 { skipLeadingLineEnds() }
        guard input.readableBytes > 0 else { return false }
        let length = input.withUnsafeReadableBytes { HTTP1HeadParser.headLength($0, from: searched) }
        guard let length, length <= server.limits.headBytes else {
            if searched == 0 { deadline = .now() + server.limits.headTimeout.timeAmount }
            searched = input.readableBytes
            if length != nil || searched > server.limits.headBytes { refuse(.headTooLarge) }
            if !charge(upTo: input.readableBytes) { overloaded() }
            return false
        }
        searched = 0
        giveBack()
        guard let bytes = input.readBytes(length: length) else { return false }
        do throws(HTTPRequestFault) {
            begin(try HTTP1HeadParser.parse(bytes))
            return true
        } catch {
            refuse(error)
            return false
        }
    }

    /// Old clients send a line end after a body; Go skips up to four bytes of them.
    private func skipLeadingLineEnds() {
        while let byte = input.getInteger(at: input.readerIndex, as: UInt8.self), byte == 0x0A || byte == 0x0D {
            input.moveReaderIndex(forwardBy: 1)
        }
    }

    private func begin(_ parsed: HTTP1Head) {
        var parsed = parsed
        parsed.head.remoteAddress = remoteAddress
        parsed.head.isSecure = isSecure
        sequence &+= 1
        head = parsed
        version = parsed.head.version
        isHead = parsed.head.method == .head
        keepsAlive = parsed.keepsAlive && !hasReachedEnd && !server.isDraining.isSet
        reader = HTTP1BodyReader(parsed.framing)
        deadline = .distantFuture
        if parsed.hasUnknownExpectation {
            phase = .responding
            finish(.error(.expectationFailed, "Expectation Failed"), to: sequence)
            return
        }
        decide(server.service.admit(parsed.head))
    }

    private func decide(_ admission: HTTPAdmission) {
        switch admission {
        case .accept(let limit): accept(bodyLimit: limit)
        case .refuse(let response):
            phase = .responding
            finish(response, to: sequence)
        case .wait(let start):
            phase = .admission
            let sequence = sequence
            let connection = LoopBound(self)
            let eventLoop = loop.eventLoop
            start { admission in
                eventLoop.execute { connection.value.resume(admission, for: sequence) }
            }
        }
    }

    private func resume(_ admission: HTTPAdmission, for sequence: UInt64) {
        guard case .admission = phase, sequence == self.sequence else { return }
        decide(admission)
        process()
        flush()
    }

    private func accept(bodyLimit: Int) {
        if let length = reader.remaining, length > bodyLimit {
            phase = .responding
            finish(HTTPRefusals.bodyTooLarge(limit: bodyLimit), to: sequence)
            return
        }
        phase = .body(limit: bodyLimit)
        if reader.isComplete { return }
        let now = NIODeadline.now()
        bodyDeadline = now + server.limits.bodyTimeout.timeAmount
        deadline = min(bodyDeadline, now + server.limits.bodyStallTimeout.timeAmount)
        if head?.expectsContinue == true, input.readableBytes == 0 {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        }
    }

    private func readBody(limit: Int) -> Bool {
        do throws(HTTPRequestFault) {
            while var piece = try reader.next(&input) {
                let size = piece.readableBytes
                guard body.readableBytes + size <= limit else {
                    phase = .responding
                    finish(HTTPRefusals.bodyTooLarge(limit: limit), to: sequence)
                    return true
                }
                guard charge(upTo: body.readableBytes + size) else {
                    overloaded()
                    return true
                }
                if body.readableBytes == 0 {
                    body = piece
                    if let rest = reader.remaining, rest > 0 { body.reserveCapacity(min(size + rest, 1 << 20)) }
                } else {
                    body.writeBuffer(&piece)
                }
                deadline = min(bodyDeadline, .now() + server.limits.bodyStallTimeout.timeAmount)
            }
        } catch {
            refuse(error)
            return false
        }
        guard reader.isComplete, let head else { return false }
        let request = HTTPRequest(head: head.head, body: body)
        body = ByteBuffer()
        self.head = nil
        phase = .responding
        deadline = .distantFuture
        server.service.handle(request, HTTPResponder(self, on: loop, sequence: sequence))
        return true
    }

    private func discard() -> Bool {
        do throws(HTTPRequestFault) {
            while try reader.next(&input) != nil {}
        } catch {
            abort()
            return false
        }
        guard reader.isComplete else { return false }
        nextRequest()
        return true
    }

    // MARK: Ends

    /// The request cannot be understood: says so and closes.
    private func refuse(_ fault: HTTPRequestFault) {
        sequence &+= 1
        write(ByteBuffer(string: fault.answer))
        linger()
    }

    private func overloaded() {
        if case .head = phase {
            sequence &+= 1
            version = 1
        }
        keepsAlive = false
        phase = .responding
        finish(HTTPRefusals.overloaded, to: sequence)
    }

    /// After an answer: what comes next depends on what is left of the request.
    func answered() {
        task = nil
        departure = nil
        sender = nil
        if let whenSent, let context {
            self.whenSent = nil
            // Written behind the answer: its promise is kept when everything before it has gone out.
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenSuccess(whenSent)
        }
        giveBack()
        body = ByteBuffer()
        guard keepsAlive, !hasReachedEnd else {
            linger()
            return
        }
        if reader.isComplete {
            nextRequest()
        } else {
            phase = .discarding
            deadline = .now() + server.limits.bodyStallTimeout.timeAmount
        }
    }

    private func nextRequest() {
        phase = .head
        head = nil
        guard !server.isDraining.isSet else {
            linger()
            return
        }
        deadline = .now() + server.limits.idleTimeout.timeAmount
    }

    /// Closes our side and waits a moment for the client's: closing at once, with bytes of the client unread, would
    /// make the system throw away the answer.
    private func linger() {
        flush()
        guard let context else { return }
        let isSettled = reader.isComplete && input.readableBytes == 0
        input.clear()
        phase = .lingering
        if isSecure || hasReachedEnd || isSettled {
            // NIO closes after what was flushed has gone out.
            closeAfterWrites(context)
            return
        }
        deadline = .now() + .seconds(2)
        let bound = LoopBound(self)
        context.close(mode: .output).whenFailure { _ in bound.value.abort() }
    }

    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        deadline = .now() + server.limits.writeTimeout.timeAmount
        let bound = LoopBound(self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in bound.value.abort() }
    }

    func abort() {
        guard let context else { return }
        close()
        context.close(promise: nil)
    }

    private func close() {
        if case .closed = phase { return }
        phase = .closed
        context = nil
        sequence &+= 1
        loop.remove(self)
        sender?.cancel()
        sender = nil
        task?.cancel()
        task = nil
        departure?()
        departure = nil
        whenSent = nil
        giveBack()
        input = ByteBuffer()
        body = ByteBuffer()
    }

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
    private func charge(upTo amount: Int) -> Bool {
        guard amount > charged else { return true }
        guard server.bytesInFlight.take(amount - charged) else { return false }
        charged = amount
        return true
    }

    private func giveBack() {
        server.bytesInFlight.give(charged)
        charged = 0
    }
}

extension HTTP1Connection: HTTPLoopMember {
    func sweep(now: NIODeadline) {
        guard now >= deadline else { return }
        switch phase {
        case .head where input.readableBytes == 0: abort()
        case .head, .body:
            keepsAlive = false
            sequence &+= 1
            version = 1
            phase = .responding
            finish(.error(.requestTimeout, "the request took too long to arrive"), to: sequence)
        case .admission, .responding: break
        case .sending:
            if context?.channel.isWritable == false { abort() }
        case .discarding, .lingering: abort()
        case .closed: break
        }
    }

    func drain() {
        if case .head = phase, input.readableBytes == 0 {
            abort()
        } else {
            keepsAlive = false
        }
    }
}

extension HTTP1Connection: HTTPExchange {
    func finish(_ response: HTTPResponse, to sequence: UInt64) {
        guard sequence == self.sequence, case .responding = phase, let context else { return }
        if !reader.isComplete, (reader.remaining ?? Int.max) > Self.discardLimit { keepsAlive = false }
        if server.isDraining.isSet { keepsAlive = false }
        let framing = framing(of: response)
        if framing == .untilClose { keepsAlive = false }
        whenSent = response.whenSent
        if response.status.code == 200, version == 1, keepsAlive, response.fields.isEmpty, framing == .length(0) {
            write(loop.emptyOK(context.channel.allocator))
            answered()
            if !isProcessing {
                process()
                flush()
            }
            return
        }
        var buffer = context.channel.allocator.buffer(capacity: 256)
        HTTP1ResponseHead.write(
            response, framing: framing, version: version, keepsAlive: keepsAlive, date: loop.dateBytes(), to: &buffer)
        if isHead || framing == .none {
            write(buffer)
            answered()
        } else {
            send(response.body, after: buffer, framing: framing)
        }
        if !isProcessing {
            process()
            flush()
        }
    }

    private func framing(of response: HTTPResponse) -> HTTPResponseFraming {
        if response.status.code == 204 || response.status.code == 304 { return .none }
        if let length = response.body.length { return .length(length) }
        return version == 0 ? .untilClose : .chunked
    }

    private func send(_ content: HTTPResponseBody, after start: ByteBuffer, framing: HTTPResponseFraming) {
        var start = start
        switch content {
        case .empty:
            write(start)
            answered()
        case .bytes(let bytes) where bytes.count <= 64 << 10:
            start.writeBytes(bytes)
            write(start)
            answered()
        case .bytes(let bytes):
            write(start)
            sendSegments([bytes])
        case .segments(let segments):
            write(start)
            sendSegments(segments)
        case .stream(let produce):
            write(start)
            flush()
            phase = .sending
            let stream = HTTP1Stream(self, sequence: sequence, isChunked: framing == .chunked)
            sender = stream
            task = stream.start(produce)
        }
    }

    private func sendSegments(_ segments: [[UInt8]]) {
        phase = .sending
        let pieces = HTTP1Pieces(self, segments)
        sender = pieces
        pieces.resume()
    }

    func attach(_ departure: @escaping @Sendable () -> Void, to sequence: UInt64) {
        guard sequence == self.sequence, case .responding = phase else { return }
        self.departure = departure
    }
}
