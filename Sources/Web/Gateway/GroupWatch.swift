internal import ByteCoding
internal import Gateway
internal import Synchronization

/// Clients that follow changes of groups, as server-sent events: `GET /api/v1/watch`.
///
/// Nothing is kept for a client but where it stands in the store's ring of changes: one that is so slow that changes
/// are overwritten is dropped, and told to look at all groups when it comes back. An id is `START-NUMBER`, with the time
/// when the process began: after a restart clients are told the same.
final class GroupWatch: Sendable {
    /// Between two signs of life on a quiet stream.
    private static let heartbeat = Duration.seconds(15)
    /// Changes that are sent in one piece.
    private static let portion = 256

    private struct State {
        var wakes: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextNumber: UInt64 = 0
        var isStopping = false
    }

    private let store: GatewayStore
    /// What ids begin with.
    private let epoch: String
    private let limit: Int
    private let state = Mutex(State())

    init(store: GatewayStore, start: (second: Int64, nanosecond: Int), limit: Int) {
        self.store = store
        self.limit = limit
        epoch = "\(start.second &* 1_000_000_000 &+ Int64(start.nanosecond))"
    }

    /// Clients that follow now.
    var count: Int { state.withLock { $0.wakes.count } }

    /// Ends all streams, so that the server can stop.
    func stop() {
        let open = state.withLock { state in
            state.isStopping = true
            return Array(state.wakes.values)
        }
        for wake in open { wake.finish() }
    }

    /// Where a client begins.
    enum Start {
        /// With what comes from now on, or after the change of this number.
        case after(UInt64)
        /// Changes are missing that the client wanted.
        case lost
    }

    /// Where the client of a request begins: behind `Last-Event-ID`, else `?since=`, else now.
    /// - Returns: nil if the id is none of ours.
    func start(_ head: HTTPRequestHead) -> Start? {
        let given = head["last-event-id"] ?? QueryParameters(head.rawQuery ?? [])["since"]
        guard let given, !given.isEmpty else { return .after(store.lastChangeID) }
        let parts = given.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, UInt64(parts[0]) != nil, let number = UInt64(parts[1]) else { return nil }
        guard String(parts[0]) == epoch, store.changes(after: number, limit: 0) != nil else { return .lost }
        return .after(number)
    }

    /// Sends changes of the groups that `selectors` select until the client goes.
    /// - Throws: `HTTPConnectionClosed`, ``TooSlow``.
    func run(
        from start: Start, _ selectors: [GroupSelector], _ scope: AccessScope, _ writer: HTTPBodyWriter
    ) async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        guard let number = register(wake) else { return }
        defer { unregister(number) }
        let subscription = store.subscribe { wake.yield() }
        defer { withExtendedLifetime(subscription) {} }
        var place = Place(store: store, epoch: epoch, selectors: selectors, scope: scope)
        try await writer.write(place.begin(start))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: Self.heartbeat)) != nil { wake.yield() }
            }
            defer { group.cancelAll() }
            var lastSign = ContinuousClock.now
            for await _ in wakes {
                while let events = try place.next(limit: Self.portion) {
                    guard !events.isEmpty else { continue }
                    try await writer.write(events)
                    lastSign = .now
                }
                if lastSign.duration(to: .now) >= Self.heartbeat {
                    try await writer.write(Array(": \n\n".utf8))
                    lastSign = .now
                }
            }
        }
    }

    /// Whether another client may follow.
    var hasRoom: Bool { state.withLock { $0.wakes.count < limit && !$0.isStopping } }

    private func register(_ wake: AsyncStream<Void>.Continuation) -> UInt64? {
        wake.yield()
        return state.withLock { state in
            guard state.wakes.count < limit, !state.isStopping else { return nil }
            state.nextNumber += 1
            state.wakes[state.nextNumber] = wake
            return state.nextNumber
        }
    }

    private func unregister(_ number: UInt64) { _ = state.withLock { $0.wakes.removeValue(forKey: number) } }
}

extension GroupWatch {
    /// Changes came faster than the client took them.
    struct TooSlow: Error {}

    /// Where one client stands.
    private struct Place {
        let store: GatewayStore
        let epoch: String
        let selectors: [GroupSelector]
        let scope: AccessScope
        /// The latest change that was sent or passed over.
        private var last: UInt64 = 0

        init(store: GatewayStore, epoch: String, selectors: [GroupSelector], scope: AccessScope) {
            self.store = store
            self.scope = scope
            self.epoch = epoch
            self.selectors = selectors
        }

        /// What the stream begins with.
        mutating func begin(_ start: Start) -> [UInt8] {
            switch start {
            case .after(let id):
                last = id
                // An id without data: where the client stands though nothing has happened yet.
                return Array("retry: 2000\nid: \(epoch)-\(id)\n\n".utf8)
            case .lost:
                last = store.lastChangeID
                return Array("retry: 2000\nevent: reset\nid: \(epoch)-\(last)\ndata: {}\n\n".utf8)
            }
        }

        /// The events of the next changes; empty if they concern other groups, nil if there are none.
        mutating func next(limit: Int) throws(TooSlow) -> [UInt8]? {
            guard let changes = store.changes(after: last, limit: limit) else { throw TooSlow() }
            guard let newest = changes.last else { return nil }
            last = newest.id
            var events: [UInt8] = []
            for change in changes {
                if let key = change.key, !concerns(key) { continue }
                append(change, to: &events)
            }
            return events
        }

        private func concerns(_ key: GroupingKey) -> Bool {
            scope.includes(key) && (selectors.isEmpty || selectors.contains { $0.selects(key) })
        }

        private func append(_ change: GroupChange, to events: inout [UInt8]) {
            events += "event: \(change.kind.rawValue)\nid: \(epoch)-\(change.id)\ndata: {".utf8
            if let key = change.key {
                events += "\"labels\":".utf8
                APIAnswer.append(key, to: &events)
                events += ",\"push\":".utf8
                JSONText.append("metrics/" + PushPath.text(key), to: &events)
            }
            if change.time != 0 {
                if change.key != nil { events.append(UInt8(ascii: ",")) }
                events += "\"time\":".utf8
                FloatText.append(Double(change.time / 1_000_000) / 1000, .fixed, to: &events)
            }
            events += "}\n\n".utf8
        }
    }
}

extension GatewayService {
    func watch(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let selectors: [GroupSelector]
        do throws(PushTarget.Invalid) {
            selectors = try Self.selectors(QueryParameters(request.head.rawQuery ?? []))
        } catch {
            answer(.apiWatch, request, responder, APIAnswer.error(error.status, error.description))
            return
        }
        guard let start = watchers.start(request.head) else {
            let text = "since has to be the id of an event that this gateway sent"
            answer(.apiWatch, request, responder, APIAnswer.error(.badRequest, text))
            return
        }
        guard watchers.hasRoom else {
            let text = "too many clients follow changes; see --web.max-watchers"
            answer(.apiWatch, request, responder, APIAnswer.error(.serviceUnavailable, text))
            return
        }
        let fields = [
            HTTPField("Content-Type", "text/event-stream"), HTTPField("Cache-Control", "no-store"),
            // Proxies that collect answers before they pass them on would hold events back.
            HTTPField("X-Accel-Buffering", "no"),
        ]
        let scope = request.scope
        let body = HTTPResponseBody.stream { [watchers] writer in
            try await watchers.run(from: start, selectors, scope, writer)
        }
        answer(.apiWatch, request, responder, HTTPResponse(.ok, fields: fields, body: body))
    }
}
