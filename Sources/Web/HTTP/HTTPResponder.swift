package import Gateway
package import NIOCore

/// The place that one answer goes to; lives on one event loop.
protocol HTTPExchange: AnyObject {
    /// Sends the answer to request `sequence`, once; later and outdated calls do nothing. On the loop only.
    func finish(_ response: HTTPResponse, to sequence: UInt64)
    /// Calls `departure` when the client goes away before the answer to request `sequence`. On the loop only.
    func attach(_ departure: @escaping @Sendable () -> Void, to sequence: UInt64)
}

/// Answers one request, from any thread, at once or later.
///
/// Copies answer the same request: the first call of ``complete(_:)`` counts.
package struct HTTPResponder: @unchecked Sendable {
    // SAFETY: `exchange` is touched on `eventLoop` only.
    /// The connection's.
    package var eventLoop: any EventLoop { loop.eventLoop }
    private let loop: HTTPLoop
    private let exchange: any HTTPExchange
    private let sequence: UInt64
    private var defaults: [HTTPField] = []

    init(_ exchange: any HTTPExchange, on loop: HTTPLoop, sequence: UInt64) {
        self.exchange = exchange
        self.loop = loop
        self.sequence = sequence
    }

    /// Sends `response`. Runs at once on the connection's event loop, else is handed over to it.
    package func complete(_ response: HTTPResponse) {
        let response = response.adding(defaults)
        if eventLoop.inEventLoop {
            exchange.finish(response, to: sequence)
        } else {
            eventLoop.execute { exchange.finish(response, to: sequence) }
        }
    }

    /// Computes the answer in a task, for handlers that wait for something; it is cancelled when the client goes away.
    package func complete(with operation: @escaping @Sendable () async -> HTTPResponse) {
        let task = Task { complete(await operation()) }
        onDeparture { task.cancel() }
    }

    /// Calls `departure` on the event loop if the client goes away before it is answered; the last one set counts.
    package func onDeparture(_ departure: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop {
            exchange.attach(departure, to: sequence)
        } else {
            eventLoop.execute { exchange.attach(departure, to: sequence) }
        }
    }

    /// The connection's event loop, as a place for outcomes of the gateway's store.
    package var outcomes: any OutcomeQueue { loop }

    /// A responder that adds `fields` to the answer where it lacks them.
    func adding(_ fields: [HTTPField]) -> HTTPResponder {
        var copy = self
        copy.defaults += fields
        return copy
    }
}

/// What becomes of a request once its head is known.
package enum HTTPAdmission: Sendable {
    /// Collect a body of up to so many bytes, then handle it.
    case accept(bodyLimit: Int)
    /// Answer now; the body is read and thrown away where that keeps the connection.
    case refuse(HTTPResponse)
    /// Not decided yet: the connection waits, without reading on, until the callback is called, from any thread.
    case wait(@Sendable (_ decide: @escaping @Sendable (HTTPAdmission) -> Void) -> Void)
}

/// What a server serves. Both calls come on the connection's event loop and must not block it.
package protocol HTTPService: Sendable {
    /// Decides from the head alone: who may go on, and how large the body may be.
    func admit(_ head: HTTPRequestHead) -> HTTPAdmission
    /// Handles a request; the answer goes to `responder`, now or later.
    func handle(_ request: HTTPRequest, _ responder: HTTPResponder)
}

/// Where a streamed body is written. A write waits while the client has not taken the one before.
package struct HTTPBodyWriter: Sendable {
    let write: @Sendable (ByteBuffer) async throws -> Void

    /// Sends `bytes`.
    /// - Throws: ``HTTPConnectionClosed`` once the client is gone, `CancellationError`.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await write(ByteBuffer(bytes: bytes))
    }

    /// Sends `pieces` one behind the other.
    /// - Throws: ``HTTPConnectionClosed`` once the client is gone, `CancellationError`.
    package func write(_ pieces: [[UInt8]]) async throws {
        var buffer = ByteBufferAllocator().buffer(capacity: pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { buffer.writeBytes(piece) }
        guard buffer.readableBytes > 0 else { return }
        try await write(buffer)
    }
}

/// The client went away before the whole answer was sent.
package struct HTTPConnectionClosed: Error {}
