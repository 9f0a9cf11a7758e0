internal import Gateway
package import NIOCore
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// A connection as its event loop sees it.
protocol HTTPLoopMember: AnyObject {
    /// Closes the connection if one of its time limits has passed. On the loop only.
    func sweep(now: NIODeadline)
    /// Closes the connection once it has nothing to do. On the loop only.
    func drain()
}

/// What all connections of one event loop share: the text of `Date`, and the round that looks for time limits.
///
/// One round a second over all connections is far cheaper than a timer for each of them.
final class HTTPLoop: @unchecked Sendable {
    // SAFETY: all stored state is touched on `eventLoop` only.
    let eventLoop: any EventLoop
    private var date = HTTPDate()
    private var emptyOKDate: [UInt8] = []
    private var emptyOKBuffer = ByteBuffer()
    private var members: [ObjectIdentifier: any HTTPLoopMember] = [:]
    private var round: RepeatedTask?

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// The value of `Date` for now.
    func dateBytes() -> [UInt8] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        return date.bytes(at: Int64(now.tv_sec))
    }

    /// A whole `200 OK` of HTTP/1.1 without fields or body on a connection that goes on, which is what most pushes are
    /// answered: made once a second and shared by all connections of the loop.
    func emptyOK(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        let date = dateBytes()
        if date != emptyOKDate {
            emptyOKDate = date
            emptyOKBuffer = allocator.buffer(capacity: 128)
            HTTP1ResponseHead.write(
                HTTPResponse(.ok), framing: .length(0), version: 1, keepsAlive: true, date: date, to: &emptyOKBuffer)
        }
        return emptyOKBuffer
    }

    func add(_ member: any HTTPLoopMember) {
        members[ObjectIdentifier(member)] = member
        guard round == nil else { return }
        round = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [self] task in
            let now = NIODeadline.now()
            for member in Array(members.values) { member.sweep(now: now) }
            if members.isEmpty {
                task.cancel()
                round = nil
            }
        }
    }

    func remove(_ member: any HTTPLoopMember) { members[ObjectIdentifier(member)] = nil }

    /// Asks every connection to close as soon as it has answered what it began.
    func drain() {
        for member in Array(members.values) { member.drain() }
    }
}

extension HTTPLoop: OutcomeQueue {
    func run(_ body: @escaping @Sendable () -> Void) { eventLoop.execute(body) }
}

/// What all connections of one server share.
final class HTTPServerState: Sendable {
    let service: any HTTPService
    let limits: HTTPLimits
    let connections: HTTPBudget
    /// Connections that were ever taken.
    let accepted = Atomic<UInt64>(0)
    let bytesInFlight: HTTPBudget
    let isDraining = DrainFlag()

    init(service: any HTTPService, limits: HTTPLimits) {
        self.service = service
        self.limits = limits
        connections = HTTPBudget(limit: limits.connections)
        bytesInFlight = HTTPBudget(limit: limits.bytesInFlight)
    }
}

extension Duration {
    /// The same span for NIO, cut to what it can hold.
    package var timeAmount: TimeAmount {
        let (seconds, attoseconds) = components
        let whole = min(max(seconds, -9_000_000_000), 9_000_000_000)
        return .nanoseconds(whole * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
