package import MetricModel
internal import DurableFiles
internal import Synchronization

/// The gateway's store: one state behind one lock, and a journal that makes what is acknowledged durable.
///
/// All calls may come from any thread and return soon: what takes long (parsing, packing, encoding, freeing) happens
/// outside of the lock.
package final class GatewayStore: Sendable {
    /// Limits and surroundings.
    package struct Options: Sendable {
        /// What the process exposes itself; pushes are checked against it.
        package var ownFamilies: [OwnFamily]
        /// A push that would make one more group is refused with ``Refusal/limit(_:)``.
        package var maximumGroups: Int
        /// How long answers to requests with an idempotency key are remembered.
        package var remembered = RememberedOutcomes.Limits()
        /// Told each change, with what it holds.
        package var observer: (any GatewayObserver)?
        /// Both clocks of the machine, in nanoseconds: since 1970, and one that nobody sets. When the first jumps against
        /// the second, lifetimes jump with it.
        package var clocks: @Sendable () -> (wall: Int64, steady: Int64) = { ClockWatch.system() }

        /// Options; by default nothing is limited.
        package init(
            ownFamilies: [OwnFamily] = [], maximumGroups: Int = .max, observer: (any GatewayObserver)? = nil
        ) {
            self.ownFamilies = ownFamilies
            self.maximumGroups = maximumGroups
            self.observer = observer
        }

        var emptyState: GatewayState {
            GatewayState(ownFamilies: ownFamilies, maximumGroups: maximumGroups, remembering: remembered)
        }
    }

    let state: StateLock
    private let journal: Journal?
    private let keeper: SnapshotKeeper?
    let watchers = ChangeWatchers()
    private let observer: (any GatewayObserver)?
    private let clocks: @Sendable () -> (wall: Int64, steady: Int64)
    private let clockWatch = Mutex(ClockWatch())
    /// Groups that a scraper's report lets go at once, under the lock: well below a millisecond of work.
    private static let portion = 16

    /// A store that keeps its state in memory only.
    package init(options: Options = Options()) {
        state = StateLock(options.emptyState)
        observer = options.observer
        clocks = options.clocks
        journal = nil
        keeper = nil
    }

    /// Opens a store on disk: reads what is there, and makes everything that is acknowledged from now on durable.
    ///
    /// A file written by Pushgateway is taken over. Damaged bytes are passed over and reported, and the file is set
    /// aside under another name.
    /// - Throws: ``StoreError`` if the files are in use, belong to a newer version, or cannot be read or made.
    /// - Complexity: O(what is stored).
    package init(options: Options = Options(), persistence: Persistence) throws(StoreError) {
        let path = persistence.path
        let (fileLock, recovery) = try GatewayStore.recover(persistence, options)
        let writer = JournalWriter(
            persistence.fileSystem, path: path, segmentNumber: recovery.nextSegment,
            nextSequence: recovery.nextSequence, maximumStep: persistence.journalStep)
        let journal = Journal(writer, onEvent: persistence.onEvent)
        let keeper = SnapshotKeeper(persistence, journal, fileLock)
        self.journal = journal
        self.keeper = keeper
        observer = options.observer
        clocks = options.clocks
        state = StateLock(recovery.state)
        for event in recovery.events { persistence.onEvent(event) }
        do throws(FileError) {
            try journal.start()
            // What was set aside must not be read again, with the journal that goes on behind it.
            if recovery.needsSnapshot { keeper.writeSnapshot(self) }
            try keeper.start(self)
        } catch {
            throw .file(error)
        }
    }

    private static func recover(
        _ persistence: Persistence, _ options: Options
    ) throws(StoreError) -> (any FileLock, Recovery) {
        let fileLock: any FileLock
        do throws(FileError) {
            try persistence.fileSystem.makeDirectory(PathName.parent(of: persistence.path))
            fileLock = try persistence.fileSystem.lock(StoreLayout.lockPath(persistence.path))
        } catch {
            throw error.isLockedElsewhere ? .inUse(path: persistence.path) : .file(error)
        }
        return (fileLock, try Recovery(persistence.fileSystem, path: persistence.path, empty: options.emptyState))
    }

    /// Does what `command` says; `completion` is called once, when the outcome is durable or the command refused:
    /// before this call returns, or later.
    /// - Parameter queue: Where the completion is called if it is called later; the journal's thread if there is none.
    package func submit(
        _ command: Command, on queue: (any OutcomeQueue)? = nil, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let prepared = PreparedCommand(command, encoding: journal != nil)
        var wiped: WipedState?
        commit(queue, completion) { state, log in
            if case .wipe = prepared { wiped = WipedState(state) }
            return state.perform(prepared, &log)
        }
        if let wiped, wiped.isLarge { _ = try? WorkerThread(name: "free") { wiped.free() } }
    }

    /// Takes a push of a known shape, if its group was last pushed in this shape: far cheaper than ``submit(_:on:completion:)``,
    /// with the same outcome.
    /// - Parameter queue: Where the completion is called if it is called later.
    /// - Returns: Whether it was taken or refused; if not, nothing was done, `completion` is not called, and the push has
    ///   to be submitted with all that it holds.
    package func submit(
        _ push: ShapedPush, on queue: (any OutcomeQueue)? = nil, completion: @escaping @Sendable (Outcome) -> Void
    ) -> Bool {
        // An observer is told what a push holds.
        guard observer == nil else { return false }
        return commit(queue, completion) { state, log in
            guard let (group, encoded) = state.apply(push, encoding: log.isKept) else { return nil }
            state.note(.pushed, state.groups[Int(group)].key, time: push.time)
            log.append(encoded: encoded)
            return .accepted
        }
    }

    /// Makes a change, and writes down its effects.
    /// - Parameter change: Yields nil if it does nothing: then there is no outcome.
    /// - Returns: Whether there is an outcome.
    @discardableResult
    func commit(
        _ queue: (any OutcomeQueue)?, _ completion: @escaping @Sendable (Outcome) -> Void,
        _ change: (inout GatewayState, inout EffectLog) -> Outcome?
    ) -> Bool {
        var isChanged = false
        var isDone = true
        let immediate: Outcome? = state.withLock { state in
            if let refusal = journal?.refusal { return .refused(refusal) }
            let lastChange = state.changes.lastID
            defer { isChanged = state.changes.lastID != lastChange }
            var log = EffectLog(isKept: journal != nil, isObserved: observer != nil)
            let jump = clockWatch.withLock { $0.jump(at: clocks()) }
            if jump != 0 { state.moveEnds(by: jump, &log) }
            guard let outcome = change(&state, &log) else {
                isDone = false
                // The clock may have been set.
                if let journal, !log.effects.isEmpty { journal.submit(log.effects, on: nil) { _ in } }
                return nil
            }
            if let observer, !log.applied.isEmpty { observer.note(log.applied) }
            guard let journal else { return outcome }
            // An answer that repeats an earlier one must not come before that is durable.
            if log.effects.isEmpty, case .repeated = outcome {} else if log.effects.isEmpty { return outcome }
            journal.submit(log.effects, on: queue) { refusal in completion(refusal.map { .refused($0) } ?? outcome) }
            return nil
        }
        if let immediate { completion(immediate) }
        if isChanged { watchers.notify() }
        return isDone
    }

    /// Removes groups whose lifetime has ended. Call it often, several times a second: it costs nothing if none has.
    ///
    /// Many groups that end at once are removed in small portions, so that pushes between them wait for little; it then
    /// takes seconds, and must not run on an event loop's thread.
    /// - Parameter now: Nanoseconds since 1970, of the clock that gives pushes their time.
    /// - Returns: How many were removed.
    @discardableResult
    package func expire(at now: Int64) -> Int {
        var removed = 0
        while true {
            let before = removed
            commit(nil, { _ in }) { state, log in
                let count = state.expiredCount
                _ = state.perform(.expire(at: now, limit: GatewayState.portion), &log)
                removed += state.expiredCount - count
                return .accepted
            }
            if removed == before { return removed }
            WorkerThread.pause()
        }
    }

    /// Notes that a scraper was sent all of `scrape`: groups that waited for it go.
    ///
    /// Many groups are removed in small portions, as in ``expire(at:)``: not for an event loop's thread.
    /// - Parameter scraper: What tells scrapers apart, such as an address.
    package func confirm(_ scrape: Scrape, by scraper: ByteString) {
        let awaited = scrape.awaited
        for start in stride(from: 0, to: awaited.count, by: GatewayStore.portion) {
            if start > 0 { WorkerThread.pause() }
            let part = awaited[start..<min(start + GatewayStore.portion, awaited.count)]
            submit(.scraped(Array(part), by: scraper)) { _ in }
        }
    }

    /// Groups that were removed since the process began: because their lifetime had ended, and by deletion.
    package var removedCounts: (expired: Int, deleted: Int) {
        state.withLock { ($0.expiredCount, $0.deletedCount) }
    }

    /// Why pushes cannot be taken at this moment; nil if they can.
    package var refusal: Refusal? { journal?.refusal }

    /// Whether everything that was taken is durable.
    package var isIdle: Bool { journal?.isIdle ?? true }

    /// Replaces the journal by a snapshot now.
    /// - Returns: Whether it was written; always so for a store in memory.
    @discardableResult
    package func writeSnapshot() -> Bool { keeper?.writeSnapshot(self) ?? true }

    /// Takes no more commands, waits until those that were taken are durable or refused, and leaves a snapshot.
    package func close() { keeper?.close(self) }

    /// What a scrape sees at this moment: whole pushes only. Encode it with ``Scrape``'s methods, at leisure.
    /// - Complexity: O(families).
    package func scrape() -> Scrape { state.withLock { $0.scrape() } }

    /// Number of groups.
    package var groupCount: Int { state.withLock { $0.groupCount } }

    /// Bytes of the journal since the last snapshot was begun; nil without one.
    package var journalBytes: Int64? { journal?.byteCount }

    /// One group, or nil if it is not there.
    package func group(_ key: GroupingKey) -> GroupView? { state.withLock { $0.group(key) } }

    /// Calls `body` with all groups, in no particular order, a few at a time; the lock is not held meanwhile, so that
    /// groups that change during the walk may be seen before or after.
    package func forEachGroup(_ body: (GroupView) throws -> Void) rethrows {
        var next = 0
        while true {
            let (batch, end) = state.withLock { state in
                let end = min(next + 64, state.groups.count)
                return ((next..<end).compactMap { state.groupView($0) }, end)
            }
            if next >= end { return }
            for group in batch { try body(group) }
            next = end
        }
    }

    /// All groups, by their keys.
    /// - Complexity: O(n log n) in the number of groups.
    package func groups() -> [GroupView] {
        var groups: [GroupView] = []
        forEachGroup { groups.append($0) }
        return groups.sorted { $0.key < $1.key }
    }
}

/// What was wiped: freeing it takes long if there is much of it, and must not hold up an event loop.
private final class WipedState: Sendable {
    private let state: Mutex<GatewayState?>
    let isLarge: Bool

    init(_ state: GatewayState) {
        isLarge = state.groupCount > 256
        self.state = Mutex(state)
    }

    func free() {
        let state = state.withLock { $0.take() }
        _ = consume state
    }
}
