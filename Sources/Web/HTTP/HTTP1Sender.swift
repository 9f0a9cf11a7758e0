internal import NIOCore

/// What sends an answer that does not go out in one write. On the connection's event loop only.
protocol HTTP1Sender: AnyObject {
    /// The client has taken what was sent: go on.
    func resume()
    /// The connection is gone.
    func cancel()
}

/// How much of a long answer is sent before other connections of the loop get their turn.
///
/// A task that is handed to the loop runs before the loop looks at its connections again; one that is due later, however
/// little, does not.
private enum SendingTurn {
    static let byteCount = 512 << 10
    static let pause = TimeAmount.microseconds(20)
}

/// Sends pieces of known length, copied into one buffer after the other while the client keeps up, so that an answer
/// of any size costs the memory of a few buffers.
final class HTTP1Pieces: HTTP1Sender {
    private static let bufferSize = 128 << 10

    private weak var connection: HTTP1Connection?
    private var segments: [[UInt8]]
    private var segment = 0
    private var offset = 0
    private var isScheduled = false

    init(_ connection: HTTP1Connection, _ segments: [[UInt8]]) {
        self.connection = connection
        self.segments = segments
    }

    func resume() {
        guard !isScheduled, let connection, let context = connection.context else { return }
        var sent = 0
        while segment < segments.count {
            guard context.channel.isWritable else { return }
            guard sent < SendingTurn.byteCount else {
                isScheduled = true
                let bound = LoopBound(self)
                connection.loop.eventLoop.scheduleTask(in: SendingTurn.pause) {
                    bound.value.isScheduled = false
                    bound.value.resume()
                }
                return
            }
            let buffer = nextBuffer(context.channel.allocator)
            sent += buffer.readableBytes
            connection.write(buffer)
            connection.flush()
            if connection.context == nil { return }
        }
        segments = []
        connection.answered()
        connection.process()
        connection.flush()
    }

    func cancel() { segments = [] }

    private func nextBuffer(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: Self.bufferSize)
        while segment < segments.count, buffer.writableBytes > 0 {
            let length = min(segments[segment].count - offset, buffer.writableBytes)
            segments[segment].withUnsafeBytes { raw in
                _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: raw[offset..<(offset + length)]))
            }
            offset += length
            if offset == segments[segment].count {
                // Frees what the next scrape will not share.
                segments[segment] = []
                segment += 1
                offset = 0
            }
        }
        return buffer
    }
}

/// Sends what a task produces. While the client does not keep up, the task waits with one buffer: so it produces one
/// while the one before is being sent.
final class HTTP1Stream: HTTP1Sender {
    private weak var connection: HTTP1Connection?
    private let eventLoop: any EventLoop
    private let sequence: UInt64
    private let isChunked: Bool
    private var waiting: (buffer: ByteBuffer, continuation: CheckedContinuation<Void, any Error>)?
    private var sentInTurn = 0

    init(_ connection: HTTP1Connection, sequence: UInt64, isChunked: Bool) {
        self.connection = connection
        self.eventLoop = connection.loop.eventLoop
        self.sequence = sequence
        self.isChunked = isChunked
    }

    func start(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) -> Task<Void, Never> {
        let bound = LoopBound(self)
        let eventLoop = eventLoop
        let writer = HTTPBodyWriter { buffer in
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute { bound.value.write(buffer, continuation) }
            }
        }
        return Task {
            do {
                try await produce(writer)
                eventLoop.execute { bound.value.end() }
            } catch {
                // The head is gone already: only a broken end tells the client that the body is not whole.
                eventLoop.execute { bound.value.fail() }
            }
        }
    }

    private var live: HTTP1Connection? {
        guard let connection, connection.sequence == sequence, connection.context != nil else { return nil }
        return connection
    }

    private func write(_ buffer: ByteBuffer, _ continuation: CheckedContinuation<Void, any Error>) {
        guard let connection = live, let context = connection.context else {
            continuation.resume(throwing: HTTPConnectionClosed())
            return
        }
        guard context.channel.isWritable else {
            waiting = (buffer, continuation)
            return
        }
        if isChunked {
            connection.write(ByteBuffer(string: String(buffer.readableBytes, radix: 16) + "\r\n"))
            connection.write(buffer)
            connection.write(ByteBuffer(staticString: "\r\n"))
        } else {
            connection.write(buffer)
        }
        connection.flush()
        sentInTurn += buffer.readableBytes
        if sentInTurn < SendingTurn.byteCount {
            continuation.resume()
        } else {
            sentInTurn = 0
            eventLoop.scheduleTask(in: SendingTurn.pause) { continuation.resume() }
        }
    }

    private func end() {
        guard let connection = live else { return }
        if isChunked { connection.write(ByteBuffer(staticString: "0\r\n\r\n")) }
        connection.answered()
        connection.process()
        connection.flush()
    }

    private func fail() { live?.abort() }

    func resume() {
        guard let (buffer, continuation) = waiting else { return }
        waiting = nil
        write(buffer, continuation)
    }

    func cancel() {
        waiting?.continuation.resume(throwing: HTTPConnectionClosed())
        waiting = nil
    }
}
