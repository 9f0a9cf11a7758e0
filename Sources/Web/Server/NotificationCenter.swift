package import MetricModel
internal import PromQL
internal import Synchronization

/// What the pages tell the operator: that the configuration could not be loaded, that the server is stopping.
///
/// Source: prometheus/prometheus util/notifications.
package final class NotificationCenter: Sendable {
    /// One message.
    struct Notification: Sendable {
        var text: String
        var date: Timestamp
        var isActive: Bool
    }

    /// The configuration could not be loaded.
    package static let reloadFailed = "Configuration reload has failed."
    /// The log is being replayed.
    package static let starting = "Prometheus is starting and replaying the write-ahead log (WAL)."
    /// The process is about to end.
    package static let stopping = "Prometheus is shutting down and gracefully stopping all operations."

    private struct State {
        var active: [Notification] = []
        var subscribers: [Int: @Sendable ([UInt8]) -> Void] = [:]
        var nextSubscriber = 0
    }

    private let state = Mutex(State())
    private let counters: APICounters
    /// How many pages may listen at a time (`--web.max-notifications-subscribers`).
    private let maximumSubscribers: Int

    /// No notifications.
    package init(maximumSubscribers: Int = 16, counters: APICounters = APICounters()) {
        self.maximumSubscribers = maximumSubscribers
        self.counters = counters
    }

    /// Shows `text`, unless it is shown already.
    package func add(_ text: String, now: Timestamp) {
        let notification = Notification(text: text, date: now, isActive: true)
        let subscribers = state.withLock { state -> [@Sendable ([UInt8]) -> Void] in
            if state.active.contains(where: { $0.text == text }) { return [] }
            state.active.append(notification)
            return Array(state.subscribers.values)
        }
        send(notification, to: subscribers)
    }

    /// Takes `text` away again.
    package func remove(_ text: String) {
        let (removed, subscribers) = state.withLock { state in
            guard let index = state.active.firstIndex(where: { $0.text == text }) else {
                return (Notification?.none, [@Sendable ([UInt8]) -> Void]())
            }
            var removed = state.active.remove(at: index)
            removed.isActive = false
            return (removed, Array(state.subscribers.values))
        }
        if let removed { send(removed, to: subscribers) }
    }

    private func send(_ notification: Notification, to subscribers: [@Sendable ([UInt8]) -> Void]) {
        for subscriber in subscribers { subscriber(Self.event(notification)) }
        counters.notificationsSent.add(subscribers.count, ordering: .relaxed)
    }

    private static func event(_ notification: Notification) -> [UInt8] {
        Array("data: ".utf8) + ServerAPI.json(notification.json) + Array("\n\n".utf8)
    }

    /// All notifications as JSON.
    var json: [UInt8] { ServerAPI.json(.list(state.withLock { $0.active }.map(\.json))) }

    /// A stream of notifications, the ones that are shown now first; 204 where too many listen already.
    func live() -> ServerResponse {
        let isFull = state.withLock { $0.subscribers.count >= maximumSubscribers }
        if isFull { return ServerResponse(204) }
        let fields = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")]
        return ServerResponse(
            200, fields: fields.map { (name: $0.0, value: $0.1) },
            body: .events { [self] send in
                let (number, active) = state.withLock { state in
                    state.nextSubscriber += 1
                    state.subscribers[state.nextSubscriber] = send
                    return (state.nextSubscriber, state.active)
                }
                for notification in active { send(Self.event(notification)) }
                counters.notificationsSent.add(active.count, ordering: .relaxed)
                counters.notificationSubscribers.add(1, ordering: .relaxed)
                return { [self] in
                    guard state.withLock({ $0.subscribers.removeValue(forKey: number) }) != nil else { return }
                    counters.notificationSubscribers.subtract(1, ordering: .relaxed)
                }
            })
    }
}

extension NotificationCenter.Notification {
    fileprivate var json: JSONField {
        .object([
            ("text", .text(text)), ("date", .text(RFC3339.text(milliseconds: date))), ("active", .flag(isActive)),
        ])
    }
}
