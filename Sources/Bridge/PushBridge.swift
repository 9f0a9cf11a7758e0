internal import Dispatch
package import Gateway
package import MetricModel
internal import Synchronization
package import TSDB

/// Carries the gateway's groups into the store of the same process.
///
/// What is pushed is stored with the time of the push, so that two pushes between two scrapes are both kept; what
/// groups hold is stored again by each ``refresh()``, so that it stays visible for as long as they live; when a group
/// goes, its series end at once. Series and values are those that a scrape with `honor_labels` would give.
///
/// The store keeps one sample of a series for each millisecond: of two pushes of a group within one, the second counts
/// for the next. Where that would lead more than ``maximumLead`` ahead, values are left out until the next refresh.
///
/// A push costs what is pushed, on a thread of the bridge; who pushes does not wait for the store.
package final class PushBridge: GatewayObserver {
    /// How far ahead of their pushes samples may lie, in milliseconds.
    package static let maximumLead: Timestamp = 1000
    /// Metrics that may wait to be stored; beyond, the bridge looks at the groups as a whole instead.
    private static let maximumBacklog = 500_000
    /// Samples that are made visible at once.
    private static let batchSize = 20_000
    /// A push that was lost with an earlier process is stored with its own time only if that is so recent.
    private static let recent: Timestamp = 30 * 60 * 1000

    /// What is counted.
    package struct Counts: Sendable, Hashable {
        /// Pushes that were passed on.
        package var pushes: UInt64 = 0
        /// Samples that were handed to the store.
        package var samples: UInt64 = 0
        /// Pushes whose values were left out until the next refresh, since too many came within a millisecond.
        package var crowded: UInt64 = 0
        /// Looks at all groups because too many pushes waited.
        package var resyncs: UInt64 = 0
        /// Batches that the store refused.
        package var failures: UInt64 = 0
    }

    private struct Inbox {
        var changes: [(change: AppliedChange, time: Timestamp)] = []
        var backlog = 0
        var isOverflowing = false
        var isScheduled = false
        var isOpen = true
    }

    /// The series that the bridge writes.
    package let owned = OwnedSeries()
    private let inbox = Mutex(Inbox())
    private let counted = Mutex(Counts())
    private let queue = DispatchQueue(label: "narthex.bridge")
    private let now: @Sendable () -> Int64
    private let onFailure: @Sendable (TSDB.StoreError) -> Void
    // SAFETY: used on `queue` only.
    private nonisolated(unsafe) var store: GatewayStore?
    private nonisolated(unsafe) var database: Database?
    private nonisolated(unsafe) var groups: [GroupingKey: BridgedGroup] = [:]
    /// When groups that went since the last refresh did so.
    private nonisolated(unsafe) var departed: [GroupingKey: Timestamp] = [:]
    private nonisolated(unsafe) var needsLoad = true
    /// The groups that were there before the first change that was noted.
    private nonisolated(unsafe) var present: [GroupView]?
    private nonisolated(unsafe) var rules = HistogramRules()

    /// A bridge that is not open at either end.
    /// - Parameters:
    ///   - now: Nanoseconds since 1970.
    ///   - onFailure: Told when samples cannot be stored.
    package init(
        now: @escaping @Sendable () -> Int64, onFailure: @escaping @Sendable (TSDB.StoreError) -> Void = { _ in }
    ) {
        self.now = now
        self.onFailure = onFailure
    }

    /// What was counted so far.
    package var counts: Counts { counted.withLock { $0 } }

    // MARK: Ends

    /// Opens the gateway's end: `store` has this bridge as its observer, and takes no pushes yet.
    /// - Complexity: O(groups): what is there now is noted, so that later pushes are stored one by one.
    package func open(from store: GatewayStore) {
        var present: [GroupView] = []
        store.forEachGroup { present.append($0) }
        let views = present
        queue.async { [self] in
            self.store = store
            self.present = views
            drain()
        }
    }

    /// Opens the store's end.
    package func open(into database: Database) {
        queue.async { [self] in
            self.database = database
            drain()
        }
    }

    /// Sets how histograms are stored from now on.
    package func setRules(_ rules: HistogramRules) {
        queue.async { [self] in
            if self.rules != rules { needsLoad = true }
            self.rules = rules
        }
    }

    /// Stores what is waiting, then nothing more. What groups hold is taken up again by the next process.
    package func close() {
        inbox.withLock { $0.isOpen = false }
        queue.sync {
            drain()
            database = nil
            store = nil
            groups = [:]
        }
    }

    // MARK: Changes

    package func note(_ changes: [AppliedChange]) {
        let time = now() / 1_000_000
        let isFirst = inbox.withLock { inbox in
            guard inbox.isOpen else { return false }
            for change in changes {
                inbox.changes.append((change, time))
                if case .pushed(let push) = change { inbox.backlog += push.metricCount }
            }
            if inbox.backlog > Self.maximumBacklog || inbox.changes.count > Self.maximumBacklog {
                inbox.changes = []
                inbox.backlog = 0
                inbox.isOverflowing = true
            }
            defer { inbox.isScheduled = true }
            return !inbox.isScheduled
        }
        if isFirst { queue.async { [self] in drain() } }
    }

    /// Returns when all that was pushed before is stored; not on an event loop.
    package func flush() { queue.sync { drain() } }

    /// Stores what all groups hold, with the present time; returns when that is done.
    package func refresh() {
        queue.sync {
            drain()
            guard let database else { return }
            let time = now() / 1_000_000
            departed = departed.filter { $0.value >= time }
            let writer = GroupWriter(database, owned)
            for group in groups.values where group.lastTime < time {
                write(group, at: time, writer)
                commit(writer, ifAbove: Self.batchSize)
            }
            commit(writer)
        }
    }

    private func write(_ group: BridgedGroup, at time: Timestamp, _ writer: GroupWriter) {
        group.lastTime = time
        var starts = StartTimes(nil)
        for name in Array(group.families.keys) { writer.write(name, of: group, at: time, &starts) }
        writer.writeTimes(of: group, at: time)
        writer.finish(group, at: time)
    }

    private func commit(_ writer: GroupWriter, ifAbove limit: Int = 0) {
        let count = writer.count
        guard count > limit else { return }
        do throws(TSDB.StoreError) {
            try writer.commit()
            counted.withLock { $0.samples += UInt64(count) }
        } catch {
            counted.withLock { $0.failures += 1 }
            onFailure(error)
        }
    }

    private func drain() {
        guard let database, store != nil else { return }
        let (changes, isOverflowing) = inbox.withLock { inbox in
            defer {
                inbox.changes = []
                inbox.backlog = 0
                inbox.isOverflowing = false
                inbox.isScheduled = false
            }
            return (inbox.changes, inbox.isOverflowing)
        }
        if isOverflowing { counted.withLock { $0.resyncs += 1 } }
        if needsLoad || isOverflowing { load(database, afterLoss: isOverflowing) }
        guard !changes.isEmpty else { return }
        let writer = GroupWriter(database, owned)
        for (change, time) in changes {
            apply(change, received: time, writer)
            commit(writer, ifAbove: Self.batchSize)
        }
        commit(writer)
    }

    private func apply(_ change: AppliedChange, received: Timestamp, _ writer: GroupWriter) {
        switch change {
        case .pushed(let push): apply(push, writer)
        case .failed(let key, let time, let lifetime):
            let isNew = groups[key] == nil
            let group = group(key)
            _ = group.setTime(PushTimes.failureTimeName, time)
            if isNew { _ = group.setTime(PushTimes.expiryTimeName, GroupLifetime(lifetime, from: time).end) }
            let sampleTime = max(time / 1_000_000, group.lastTime + 1)
            group.lastTime = sampleTime
            writer.writeTimes(of: group, at: sampleTime)
            writer.finish(group, at: sampleTime)
        case .removed(let key): remove(key, at: received, writer)
        case .wiped: for key in Array(groups.keys) { remove(key, at: received, writer) }
        }
    }

    /// The group of `key`, made if it is not there. A group that comes again leaves room for a zero behind its end.
    private func group(_ key: GroupingKey) -> BridgedGroup {
        if let group = groups[key] { return group }
        let group = BridgedGroup(key, after: departed[key].map { $0 + 1 } ?? 0)
        groups[key] = group
        return group
    }

    private func apply(_ push: AppliedPush, _ writer: GroupWriter) {
        let group = group(push.key)
        guard push.time > group.loadedTime else { return }
        counted.withLock { $0.pushes += 1 }
        var dropped: [SeriesReference] = []
        var names: Set<ByteString> = []
        for index in 0..<push.familyCount {
            let family = push.family(index)
            names.insert(family.name)
            dropped += group.replace(family, zero: .always, rules)
        }
        if push.replacesGroup {
            for name in Array(group.families.keys) where !names.contains(name) {
                dropped += group.families.removeValue(forKey: name)?.references ?? []
            }
        }
        _ = group.setTime(PushTimes.pushTimeName, push.time)
        if let gone = group.setTime(PushTimes.expiryTimeName, push.lifetime.end) { dropped.append(gone) }
        owned.remove(dropped)

        let wanted = push.time / 1_000_000
        let time = max(wanted, group.lastTime + 1)
        var former = Set(dropped)
        former.remove(.none)
        if time - wanted > Self.maximumLead {
            counted.withLock { $0.crowded += 1 }
            writer.end(former, at: group.lastTime + 1)
            writer.finish(group, at: group.lastTime + 1)
            return
        }
        group.lastTime = time
        var starts = StartTimes(push)
        var resumed: Set<SeriesReference> = []
        for name in names { resumed.formUnion(writer.write(name, of: group, at: time, &starts, former: former)) }
        writer.writeTimes(of: group, at: time)
        writer.end(former.subtracting(resumed), at: time)
        writer.finish(group, at: time)
    }

    private func remove(_ key: GroupingKey, at received: Timestamp, _ writer: GroupWriter) {
        guard let group = groups.removeValue(forKey: key) else { return }
        let time = max(received, group.lastTime + 1)
        let references = group.references
        owned.remove(references)
        writer.end(references, at: time)
        writer.finish(group, at: time)
        departed[key] = time
    }

    // MARK: All at once

    /// Takes up all groups as they are, and ends those that are not there any more.
    /// - Parameter afterLoss: Whether changes were thrown away, so that those before them do not tell the whole.
    private func load(_ database: Database, afterLoss: Bool) {
        guard let store else { return }
        needsLoad = false
        let time = now() / 1_000_000
        let writer = GroupWriter(database, owned)
        var found: Set<GroupingKey> = []
        let take = { [self] (view: GroupView) in
            found.insert(view.key)
            load(view, now: time, writer)
            commit(writer, ifAbove: Self.batchSize)
        }
        if let present, !afterLoss { present.forEach(take) } else { store.forEachGroup(take) }
        present = nil
        for key in Array(groups.keys) where !found.contains(key) { remove(key, at: time, writer) }
        commit(writer)
    }

    private func load(_ view: GroupView, now time: Timestamp, _ writer: GroupWriter) {
        let group = group(view.key)
        var dropped: [SeriesReference] = []
        for family in view.families { dropped += group.replace(family.stored, zero: .ifUnknown, rules) }
        let names = Set(view.families.map(\.name))
        for name in Array(group.families.keys) where !names.contains(name) {
            dropped += group.families.removeValue(forKey: name)?.references ?? []
        }
        _ = group.setTime(PushTimes.pushTimeName, view.pushTime)
        _ = group.setTime(PushTimes.failureTimeName, view.failureTime)
        if let gone = group.setTime(PushTimes.expiryTimeName, view.lifetime.end) { dropped.append(gone) }
        group.loadedTime = max(view.pushTime, view.failureTime)
        owned.remove(dropped)
        var former = Set(dropped)
        former.remove(.none)
        var starts = StartTimes(nil)
        // Those whose push did not get into the store before the last process ended.
        for family in view.families.sorted(by: { $0.time < $1.time }) {
            let pushed = family.time / 1_000_000
            guard pushed > group.lastTime, pushed < time, time - pushed < Self.recent else { continue }
            let resumed = writer.write(
                family.name, of: group, at: pushed, &starts, former: former, extent: .unknown)
            former.subtract(resumed)
            writer.finish(group, at: pushed)
        }
        let present = max(time, group.lastTime + 1)
        for name in Array(group.families.keys) {
            former.subtract(writer.write(name, of: group, at: present, &starts, former: former))
        }
        group.lastTime = present
        writer.writeTimes(of: group, at: present)
        writer.end(former, at: present)
        writer.finish(group, at: present)
    }
}
