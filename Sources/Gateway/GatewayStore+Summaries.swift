package import MetricModel

/// What a list of groups shows of one.
package struct GroupSummary: Sendable {
    /// The labels of the group.
    package let key: GroupingKey
    /// Of the last push that was taken, in nanoseconds since 1970; 0 if there was none.
    package let pushTime: Int64
    /// Of the last push that was refused; 0 if there was none.
    package let failureTime: Int64
    /// Without the times of pushes.
    package let familyCount: Int
    /// Metrics of all families: a histogram counts once.
    package let metricCount: Int
    /// How long it stays.
    package let lifetime: GroupLifetime

    /// Whether the last push was taken.
    package var lastPushSuccessful: Bool { failureTime <= pushTime }
}

extension GatewayStore {
    /// Summaries of the groups that have `text` (ASCII case ignored) in a label name, a label value or a family name;
    /// of all groups for an empty text.
    ///
    /// The lock is taken for a few groups at a time, so that pushes wait for microseconds only.
    /// - Complexity: O(groups × (labels + families)); no series is looked at.
    package func summaries(containing text: ByteString) -> [GroupSummary] {
        let wanted = text.bytes.map(Self.lowercase)
        var result: [GroupSummary] = []
        var next = 0
        while true {
            let end = state.withLock { state in
                let end = min(next + 64, state.groups.count)
                for group in state.groups[next..<max(next, end)] where group.isUsed {
                    guard wanted.isEmpty || Self.contains(wanted, group, state) else { continue }
                    result.append(
                        GroupSummary(
                            key: group.key, pushTime: group.pushTime, failureTime: group.failureTime,
                            familyCount: group.members.count,
                            metricCount: group.members.reduce(0) { $0 + Int($1.count) },
                            lifetime: group.lifetime))
                }
                return end
            }
            if next >= end { return result }
            next = end
        }
    }

    /// The bytes that the series of some groups take, labels and values, packed as they are stored; 0 for groups that are
    /// not there.
    /// - Complexity: O(series of these groups); the lock is taken for each group alone.
    package func packedBytes(of keys: [GroupingKey]) -> [Int] {
        keys.map { key in state.withLock { $0.packedBytes(of: key) } }
    }

    /// The names of the first families of some groups, at most `limit` of each.
    /// - Complexity: O(families of these groups); the lock is taken for each group alone.
    package func familyNames(of keys: [GroupingKey], limit: Int) -> [[ByteString]] {
        keys.map { key in
            state.withLock { state in
                guard let number = state.groupNumbers[key] else { return [] }
                return state.groups[Int(number)].members.prefix(limit).map { state.families[$0.family].name }
            }
        }
    }

    private static func contains(_ wanted: [UInt8], _ group: GroupRecord, _ state: GatewayState) -> Bool {
        group.key.labels.contains { contains(wanted, $0.name.bytes) || contains(wanted, $0.value.bytes) }
            || group.members.contains { contains(wanted, state.families[$0.family].name.bytes) }
    }

    private static func contains(_ wanted: [UInt8], _ bytes: [UInt8]) -> Bool {
        guard let first = wanted.first, bytes.count >= wanted.count else { return wanted.isEmpty }
        for start in 0...(bytes.count - wanted.count) where lowercase(bytes[start]) == first {
            if wanted.indices.allSatisfy({ lowercase(bytes[start + $0]) == wanted[$0] }) { return true }
        }
        return false
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
