internal import NIOCore

/// What comes after an answer, and how a connection ends.
extension HTTP1Connection {
    /// The request cannot be understood: says so and closes.
    func refuse(_ fault: HTTPRequestFault) {
        sequence &+= 1
        write(ByteBuffer(string: fault.answer))
        linger()
    }

    /// There is no memory for the request: says so and closes.
    func overloaded() {
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

    /// The connection is free again.
    func nextRequest() {
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

    /// Closes at once.
    func abort() {
        guard let context else { return }
        close()
        context.close(promise: nil)
    }

    /// Lets go of everything, whoever closed the channel.
    func close() {
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
