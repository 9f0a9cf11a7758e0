internal import NIOCore

/// From bytes to a request that the service answers.
extension HTTP1Connection {
    /// Goes as far as the bytes that are here allow.
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
}
