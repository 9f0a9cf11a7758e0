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
/// for the next. Where that would lead more than ``maximumLead`` ahead, pushes wait together for the next millisecond
/// that is free, and the latest values of all are stored then: what is stored is never older than a few milliseconds.
///
/// A push costs what is pushed, on a thread of the bridge; who pushes does not wait for the store.
package final class PushBridge: GatewayObserver {
    /// How far ahead of their pushes samples may lie, in milliseconds.
    package static let maximumLead: Timestamp = 2
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
        /// Pushes that waited for a free millisecond, since too many came within one.
        package var crowded: UInt64 = 0
        /// Looks at all groups because too many pushes waited.
        package var resyncs: UInt64 = 0
        /// Histograms that were left out since they have more buckets than the rules allow.
        package var beyondLimits: UInt64 = 0
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
    private nonisolated(unsafe) var rules = BridgeRules()
    /// Whether the rules changed so that series have other labels than those known.
    private nonisolated(unsafe) var isRelabelled = false
    /// Groups with something that waits for a free millisecond, and whether a look at them is planned.
    private nonisolated(unsafe) var crowded: Set<GroupingKey> = []
    private nonisolated(unsafe) var isLookPlanned = false

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

    /// Sets how series are stored from the next push or refresh on.
    package func setRules(_ rules: BridgeRules) {
        queue.async { [self] in
            if self.rules != rules { needsLoad = true }
            if self.rules.relabelling != rules.relabelling { isRelabelled = true }
            self.rules = rules
        }
    }

    /// Stores what is waiting, then nothing more. What groups hold is taken up again by the next process.
    package func close() {
        inbox.withLock { $0.isOpen = false }
        queue.sync {
            drain(waits: false)
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
    package func flush() { queue.sync { drain(waits: false) } }

    /// Stores what all groups hold, with the present time; returns when that is done.
    package func refresh() {
        queue.sync {
            drain()
            guard let database else { return }
            let time = now() / 1_000_000
            departed = departed.filter { $0.value >= time }
            let writer = GroupWriter(database, owned, rules)
            for group in groups.values {
                write(group, at: max(time, group.lastTime + 1), writer)
                commit(writer, ifAbove: Self.batchSize)
            }
            commit(writer)
        }
    }

    private func write(_ group: BridgedGroup, at time: Timestamp, _ writer: GroupWriter) {
        if group.waiting != nil { settle(group, at: time, ahead: .max, writer, others: Array(group.families.keys)) }
        guard group.lastTime < time else { return }
        group.lastTime = time
        for name in Array(group.families.keys) { writer.write(name, of: group, at: time, extent: .again) }
        writer.writeTimes(of: group, at: time)
        writer.finish(group, at: time)
    }

    private func commit(_ writer: GroupWriter, ifAbove limit: Int = 0) {
        let count = writer.count
        if writer.beyondLimits > 0 {
            counted.withLock { $0.beyondLimits += UInt64(writer.beyondLimits) }
            writer.beyondLimits = 0
        }
        guard count > limit else { return }
        do throws(TSDB.StoreError) {
            try writer.commit()
            counted.withLock { $0.samples += UInt64(count) }
        } catch {
            counted.withLock { $0.failures += 1 }
            onFailure(error)
        }
    }

    /// - Parameter waits: Whether what finds no free millisecond may wait for one.
    private func drain(waits: Bool = true) {
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
        guard !changes.isEmpty || !crowded.isEmpty else { return }
        let writer = GroupWriter(database, owned, rules)
        for (change, time) in changes {
            apply(change, received: time, writer)
            commit(writer, ifAbove: Self.batchSize)
        }
        settleCrowded(waits: waits, writer)
        commit(writer)
    }

    private func settleCrowded(waits: Bool, _ writer: GroupWriter) {
        guard !crowded.isEmpty else { return }
        let time = now() / 1_000_000
        for key in crowded {
            guard let group = groups[key] else { continue }
            settle(group, at: time, ahead: waits ? Self.maximumLead : .max, writer)
        }
        guard !crowded.isEmpty, !isLookPlanned else { return }
        isLookPlanned = true
        queue.asyncAfter(deadline: .now() + .milliseconds(1)) { [weak self] in
            self?.isLookPlanned = false
            self?.drain()
        }
    }

    /// Stores what waits in the group, unless that would lead further ahead of `wanted` than `lead`.
    /// - Parameter others: Families that are stored with it.
    private func settle(
        _ group: BridgedGroup, at wanted: Timestamp, ahead lead: Timestamp = maximumLead, _ writer: GroupWriter,
        others: [ByteString] = []
    ) {
        guard let waiting = group.waiting else { return }
        let time = max(wanted, group.lastTime + 1)
        guard time - wanted <= lead else {
            crowded.insert(group.key)
            return
        }
        crowded.remove(group.key)
        group.waiting = nil
        group.lastTime = time
        var resumed: Set<SeriesReference> = []
        for name in waiting.families {
            resumed.formUnion(writer.write(name, of: group, at: time, former: waiting.former, extent: .pushed))
        }
        for name in others where !waiting.families.contains(name) {
            writer.write(name, of: group, at: time, extent: .again)
        }
        writer.writeTimes(of: group, at: time)
        writer.end(waiting.former.subtracting(resumed), at: time)
        writer.finish(group, at: time)
    }

    private func apply(_ change: AppliedChange, received: Timestamp, _ writer: GroupWriter) {
        switch change {
        case .pushed(let push): apply(push, writer)
        case .failed(let key, let time, let lifetime):
            let isNew = groups[key] == nil
            let group = group(key)
            _ = group.setTime(PushTimes.failureTimeName, time)
            if isNew { _ = group.setTime(PushTimes.expiryTimeName, GroupLifetime(lifetime, from: time).end) }
            group.wait([], [])
            settle(group, at: time / 1_000_000, writer)
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

        group.wait(names, dropped)
        settle(group, at: push.time / 1_000_000, writer)
        if group.waiting != nil { counted.withLock { $0.crowded += 1 } }
    }

    private func remove(_ key: GroupingKey, at received: Timestamp, _ writer: GroupWriter) {
        guard let group = groups.removeValue(forKey: key) else { return }
        crowded.remove(key)
        let references = Set(group.references).union(group.waiting?.former ?? []).filter(\.isStored)
        guard !references.isEmpty else { return }
        let time = max(received, group.lastTime + 1)
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
        let writer = GroupWriter(database, owned, rules)
        var found: Set<GroupingKey> = []
        let take = { [self] (view: GroupView) in
            found.insert(view.key)
            load(view, now: time, writer)
            commit(writer, ifAbove: Self.batchSize)
        }
        if let present, !afterLoss { present.forEach(take) } else { store.forEachGroup(take) }
        present = nil
        isRelabelled = false
        for key in Array(groups.keys) where !found.contains(key) { remove(key, at: time, writer) }
        commit(writer)
    }

    private func load(_ view: GroupView, now time: Timestamp, _ writer: GroupWriter) {
        let group = group(view.key)
        var dropped: [SeriesReference] = Array(group.waiting?.former ?? [])
        group.waiting = nil
        crowded.remove(view.key)
        if isRelabelled { dropped += group.forgetReferences() }
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
        var former = Set(dropped).filter(\.isStored)
        // Those whose push did not get into the store before the last process ended.
        for family in view.families.sorted(by: { $0.time < $1.time }) {
            let pushed = family.time / 1_000_000
            guard pushed > group.lastTime, pushed < time, time - pushed < Self.recent else { continue }
            let resumed = writer.write(family.name, of: group, at: pushed, former: former, extent: .unknown)
            former.subtract(resumed)
            writer.finish(group, at: pushed)
        }
        let present = max(time, group.lastTime + 1)
        for name in Array(group.families.keys) {
            former.subtract(writer.write(name, of: group, at: present, former: former, extent: .again))
        }
        group.lastTime = present
        writer.writeTimes(of: group, at: present)
        writer.end(former, at: present)
        writer.finish(group, at: present)
    }
}
