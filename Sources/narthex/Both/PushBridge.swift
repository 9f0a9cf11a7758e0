import Dispatch
import Gateway
import Logging
import MetricModel
import Synchronization
import TSDB

/// Carries pushes into the store at the time of the push, in a process that has both: two pushes between two scrapes are
/// both kept.
///
/// What a group holds after a push becomes samples with the labels that a scrape with `honor_labels` would give them.
final class PushBridge: Sendable {
    private let database = Mutex<Database?>(nil)
    /// Pushes in their order; the store's locks are not waited for by those who push.
    private let queue = DispatchQueue(label: "narthex.pushes")
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// From now on pushes are passed on.
    func open(_ database: Database) { self.database.withLock { $0 = database } }

    /// Passes on what is waiting, then nothing more.
    func close() {
        queue.sync {}
        database.withLock { $0 = nil }
    }

    /// Passes on what a group holds now.
    /// - Parameter time: Of the push, in nanoseconds since 1970.
    func pass(_ key: GroupingKey, of store: GatewayStore, at time: Int64) {
        queue.async { [self] in
            guard let database = database.withLock({ $0 }), let group = store.group(key) else { return }
            let appender = database.appender()
            var samples = PushedSamples(group)
            samples.append(to: appender, at: time / 1_000_000)
            do {
                _ = try appender.commit(.relaxed)
            } catch {
                logger.error("pushed samples could not be stored", metadata: ["err": "\(error)", "group": "\(key)"])
            }
        }
    }
}
