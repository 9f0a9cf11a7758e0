package import MetricModel

/// A group as it is stored, for the JSON API, pages and snapshots.
package struct GroupView: Sendable {
    /// A family as the group has it.
    package struct Family: Sendable {
        /// Of the family.
        package let name: ByteString
        /// nil where none was pushed.
        package let help: ByteString?
        /// Of the family.
        package let type: MetricType
        /// Empty for none.
        package let unit: ByteString
        /// When it was pushed, in nanoseconds since 1970.
        package let time: Int64
        let series: [PackedSeries]

        /// The metrics in the order of the push, labels sorted. Each costs several allocations.
        package var metrics: [Metric] { series.map(\.metric) }
        /// Number of metrics.
        package var count: Int { series.count }
    }

    /// The labels of the group.
    package let key: GroupingKey
    /// Of the last push that was taken, in nanoseconds since 1970; 0 if there was none.
    package let pushTime: Int64
    /// Of the last push that was refused; 0 if there was none.
    package let failureTime: Int64
    /// When `pushTime` was set, or the group made.
    package let pushTimeChanged: Int64
    /// When `failureTime` was set, or the group made.
    package let failureTimeChanged: Int64
    /// How long the group stays.
    package let lifetime: GroupLifetime
    /// By name, without the times of pushes.
    package let families: [Family]

    /// Whether the last push was taken.
    package var lastPushSuccessful: Bool { failureTime <= pushTime }

    /// The group as `/api/v1/metrics` shows it: an object.
    package var json: [UInt8] {
        var writer = GroupJSON()
        writer.append(self)
        return writer.bytes
    }
}

extension GatewayState {
    /// The group of a number, or nil if it stands for none.
    /// - Complexity: O(series of the group).
    func groupView(_ number: Int) -> GroupView? {
        guard number < groups.count, groups[number].isUsed else { return nil }
        let group = groups[number]
        let views = group.members.map { member in
            GroupView.Family(
                name: families[member.family].name, help: families[member.family].helps[member.help],
                type: member.type, unit: families[member.family].units[member.unit] ?? "", time: member.time,
                series: series(of: member))
        }
        return GroupView(
            key: group.key, pushTime: group.pushTime, failureTime: group.failureTime,
            pushTimeChanged: group.pushTimeChanged, failureTimeChanged: group.failureTimeChanged,
            lifetime: group.lifetime,
            families: views.sorted { $0.name < $1.name })
    }

    /// The group of a key.
    package func group(_ key: GroupingKey) -> GroupView? {
        groupNumbers[key].flatMap { groupView(Int($0)) }
    }

    /// The bytes that the series of a group take, packed.
    /// - Complexity: O(series of the group).
    func packedBytes(of key: GroupingKey) -> Int {
        guard let number = groupNumbers[key] else { return 0 }
        return groups[Int(number)].members.reduce(0) { sum, member in
            series(of: member).reduce(sum) { $0 + $1.bytes.count }
        }
    }

    private func series(of member: GroupRecord.Member) -> [PackedSeries] {
        var result: [PackedSeries] = []
        result.reserveCapacity(Int(member.count))
        var slot = member.first
        while slot != SlotTable.none {
            if let series = series(slot) { result.append(series) }
            slot = slots[slot].next
        }
        return result
    }
}
