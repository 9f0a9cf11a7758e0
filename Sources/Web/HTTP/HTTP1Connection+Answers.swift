internal import NIOCore

/// From an answer of the service to bytes.
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
