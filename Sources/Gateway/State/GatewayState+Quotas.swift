internal import MetricModel

extension GatewayState {
    /// Why a push would exceed its quota; nil if it does not.
    /// - Complexity: O(families of the push and of its group).
    func quotaRefusal(_ push: PreparedPush, _ number: Int32?) -> String? {
        guard let quota = push.quota, !push.isReplayed else { return nil }
        var use = quotaUse[quota.id] ?? QuotaUse()
        var after = push.families.reduce(0) { $0 + $1.series.count }
        if let number, groups[Int(number)].quota == quota.id {
            use.groups -= 1
            use.series -= Int(groups[Int(number)].quotaSeries)
        }
        if let number, push.mode != .replaceGroup {
            let replaced = Set(push.families.compactMap { families.number(of: $0.name) })
            for member in groups[Int(number)].members where !replaced.contains(member.family) {
                after += Int(member.count)
            }
        }
        if use.groups >= quota.maximumGroups {
            return "the policy for \(quota.name) allows \(quota.maximumGroups) groups, and all of them exist; delete "
                + "groups, give them a lifetime or raise the policy's limit"
        }
        if use.series + after > quota.maximumSeries {
            return "the policy for \(quota.name) allows \(quota.maximumSeries) series; there would be "
                + "\(use.series + after)"
        }
        return nil
    }

    /// Counts a group towards the quota `id`, as large as it is now, and no longer towards the one before.
    mutating func setQuota(_ id: UInt32, of number: Int32) {
        releaseQuota(of: number)
        guard id != 0 else { return }
        let series = groups[Int(number)].members.reduce(0) { $0 + Int($1.count) }
        groups[Int(number)].quota = id
        groups[Int(number)].quotaSeries = Int32(clamping: series)
        quotaUse[id, default: QuotaUse()].groups += 1
        quotaUse[id, default: QuotaUse()].series += series
    }

    /// Counts a group towards no quota.
    mutating func releaseQuota(of number: Int32) {
        let id = groups[Int(number)].quota
        guard id != 0 else { return }
        groups[Int(number)].quota = 0
        quotaUse[id]?.groups -= 1
        quotaUse[id]?.series -= Int(groups[Int(number)].quotaSeries)
        if quotaUse[id]?.groups == 0 { quotaUse[id] = nil }
    }
}

extension GatewayStore {
    /// Gives every group its quota anew: after the start, and when the rules change.
    ///
    /// Pushes go on meanwhile and bring their own quota with them.
    /// - Parameter quota: The quota's number for a group; 0 for none. Called outside of the lock.
    /// - Complexity: O(groups), a few at a time under the lock.
    package func assignQuotas(_ quota: (GroupingKey) -> UInt32) {
        var next = 0
        while true {
            let (keys, end) = state.withLock { state in
                let end = min(next + 256, state.groups.count)
                let keys = (next..<end).map { state.groups[$0].isUsed ? state.groups[$0].key : nil }
                return (keys, end)
            }
            if next >= end { return }
            let ids = keys.map { $0.map(quota) }
            state.withLock { state in
                for (offset, id) in ids.enumerated() {
                    // A wipe may have come in between.
                    guard let id, next + offset < state.groups.count else { continue }
                    guard state.groups[next + offset].isUsed, state.groups[next + offset].key == keys[offset] else {
                        continue
                    }
                    state.setQuota(id, of: Int32(truncatingIfNeeded: next + offset))
                }
            }
            next = end
        }
    }

    /// What the groups of a quota take up.
    package func quotaUse(_ id: UInt32) -> QuotaUse { state.withLock { $0.quotaUse[id] ?? QuotaUse() } }
}
