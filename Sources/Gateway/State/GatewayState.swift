internal import MetricModel

/// The groups and the rules for changing them.
///
/// Pure and deterministic: no clock, no input or output, no randomness that shows. The same commands give the same
/// state, on replay after a crash and on every replica. All that a push must be checked against is kept in tables, so
/// that it costs what is pushed, whatever is stored.
package struct GatewayState: Sendable {
    var slots = SlotTable()
    var index = SeriesIndex()
    var families = FamilyTable()
    var groups: [GroupRecord] = []
    var freeGroups: [Int32] = []
    var groupNumbers: [GroupingKey: Int32] = [:]
    /// Series that are left out because another group exposes the same labels.
    var duplicates = DuplicateSeries()
    /// When groups with a lifetime end.
    var expiries = ExpiryQueue()
    /// Groups that stay until they were scraped.
    var awaitingScrapes: Set<Int32> = []
    /// What was answered to requests with an idempotency key.
    var remembered: RememberedOutcomes
    /// What the groups of each quota take up.
    var quotaUse: [UInt32: QuotaUse] = [:]
    /// The latest changes of groups.
    package private(set) var changes = ChangeLog()
    /// Groups that were removed because their lifetime ended.
    package internal(set) var expiredCount = 0
    /// Groups that were deleted.
    package internal(set) var deletedCount = 0
    let maximumGroups: Int

    /// No groups.
    /// - Parameters:
    ///   - ownFamilies: What the process exposes itself; pushes are checked against it.
    ///   - maximumGroups: A push that would make one more group is refused.
    ///   - remembering: How long answers to requests with an idempotency key are remembered.
    package init(
        ownFamilies: [OwnFamily] = [], maximumGroups: Int = .max,
        remembering limits: RememberedOutcomes.Limits = RememberedOutcomes.Limits()
    ) {
        self.maximumGroups = maximumGroups
        remembered = RememberedOutcomes(limits)
        families.own = Dictionary(ownFamilies.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for family in ownFamilies { _ = families.number(making: family.name) }
        pushTimeFamily = families.number(making: PushTimes.pushTimeName)
        failureTimeFamily = families.number(making: PushTimes.failureTimeName)
        expiryTimeFamily = families.number(making: PushTimes.expiryTimeName)
        families.pin(expiryTimeFamily, help: PushTimes.expiryTimeHelp)
        families.pin(pushTimeFamily, help: PushTimes.pushTimeHelp)
        families.pin(failureTimeFamily, help: PushTimes.failureTimeHelp)
    }

    let pushTimeFamily: Int32
    let failureTimeFamily: Int32
    let expiryTimeFamily: Int32

    /// Number of groups.
    package var groupCount: Int { groupNumbers.count }

    /// Does what `command` says.
    /// - Returns: what became of it.
    /// - Complexity: O(what is pushed, replaced or deleted).
    package mutating func apply(_ command: Command) -> Outcome {
        var log = EffectLog(isKept: false)
        return perform(PreparedCommand(command, encoding: false), &log)
    }

    /// Notes a change for those who watch.
    mutating func note(_ kind: GroupChange.Kind, _ key: GroupingKey?, time: Int64) {
        changes.append(kind, key, time: time)
    }

    /// Removes all groups.
    /// - Returns: What was removed, to be freed where nobody waits.
    /// - Complexity: O(1), apart from freeing.
    @discardableResult
    mutating func wipe() -> GatewayState {
        let old = self
        self = GatewayState(ownFamilies: Array(families.own.values), maximumGroups: maximumGroups)
        remembered = old.remembered
        changes = old.changes
        expiredCount = old.expiredCount
        deletedCount = old.deletedCount + old.groupCount
        return old
    }

    /// The group of `key`, made if it is not there.
    mutating func groupNumber(making key: GroupingKey, time: Int64) -> Int32 {
        if let number = groupNumbers[key] { return number }
        var group = GroupRecord(key: key)
        group.pushTimeChanged = time
        group.failureTimeChanged = time
        let number: Int32
        if let free = freeGroups.popLast() {
            number = free
            groups[Int(number)] = group
        } else {
            number = Int32(truncatingIfNeeded: groups.count)
            groups.append(group)
        }
        groupNumbers[key] = number
        let labels = SeriesRules.withInstance(key.labels)
        let series = PackedSeries(
            labels: labels, value: .gauge(0), type: .gauge, isExposable: true, shardHash: key.shardHash)
        let hash = series.keyHash
        for (family, isPushTime) in [(pushTimeFamily, true), (failureTimeFamily, false)] {
            families.addMember(family, .gauge)
            let slot = addSeries(series, GatewayState.hash(hash, family), family: family, group: number)
            if isPushTime {
                groups[Int(number)].pushTimeSlot = slot
            } else {
                groups[Int(number)].failureTimeSlot = slot
            }
        }
        return number
    }

    /// Sets when a push of the group was taken.
    mutating func setPushTime(_ time: Int64, of number: Int32, changed: Int64) {
        let slot = groups[Int(number)].pushTimeSlot
        groups[Int(number)].pushTime = time
        groups[Int(number)].pushTimeChanged = changed
        setGauge(slot, Double(time) / 1e9)
    }

    /// Sets when a push of the group was refused.
    mutating func setFailureTime(_ time: Int64, of number: Int32, changed: Int64) {
        let slot = groups[Int(number)].failureTimeSlot
        groups[Int(number)].failureTime = time
        groups[Int(number)].failureTimeChanged = changed
        setGauge(slot, Double(time) / 1e9)
    }
}
