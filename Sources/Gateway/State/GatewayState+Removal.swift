internal import MetricModel

extension GatewayState {
    /// Series that are removed at once, under the lock, beside the first group: a millisecond or two of work.
    static let portion = 4096

    /// Removes a group; one that is not there is no error.
    /// - Returns: Whether it was there.
    /// - Complexity: O(what the group holds).
    @discardableResult
    mutating func delete(_ key: GroupingKey) -> Bool {
        guard let number = groupNumbers[key] else { return false }
        delete(groups: [number])
        return true
    }

    /// Removes groups, all at the same moment.
    /// - Parameter numbers: Of groups that are there, each once.
    /// - Complexity: O(what the groups hold), and O(series of the chunks that have some of it).
    mutating func delete(groups numbers: [Int32]) {
        // What was left out in favour of a series that goes has to be found one by one.
        let isTogether = duplicates.isEmpty && numbers.count > 1
        var chunks: [Int32: [Int32]] = [:]
        if isTogether { prefetch(groups: numbers) }
        for number in numbers {
            let group = groups[Int(number)]
            groupNumbers[group.key] = nil
            releaseQuota(of: number)
            for member in group.members {
                if isTogether { mark(member, &chunks) } else { remove(member) }
            }
            for (slot, family) in [
                (group.pushTimeSlot, pushTimeFamily), (group.failureTimeSlot, failureTimeFamily),
                (group.expiryTimeSlot, expiryTimeFamily),
            ] where slot != SlotTable.none {
                if isTogether { mark(slot, &chunks[family, default: []]) } else { removeSeries(slot) }
                families.removeMember(family, .gauge)
            }
            if case .scrapes = group.lifetime { awaitingScrapes.remove(number) }
            groups[Int(number)] = GroupRecord()
            freeGroups.append(number)
        }
        // In an order that is the same on replay.
        for (family, numbers) in chunks.sorted(by: { $0.key < $1.key }) {
            families[family].sorted.removeMarked(in: numbers, &slots)
            families.removeIfUnused(family)
        }
    }

    /// Those of `keys`, from the end, that come to a portion: removed from the list, whether they are there or not.
    /// - Parameter time: Groups that were pushed since (nanoseconds since 1970) are passed over.
    /// - Returns: Numbers of groups that are there, each once, and their keys.
    func portion(of keys: inout ArraySlice<GroupingKey>, before time: Int64) -> [(number: Int32, key: GroupingKey)] {
        var found: [(number: Int32, key: GroupingKey)] = []
        var known: Set<Int32> = []
        var series = 0
        while series < GatewayState.portion, let key = keys.popLast() {
            series += 1
            guard let number = groupNumbers[key] else { continue }
            let group = groups[Int(number)]
            guard max(group.pushTime, group.failureTime) < time, known.insert(number).inserted else { continue }
            series += group.members.reduce(1) { $0 + Int($1.count) }
            found.append((number, group.key))
        }
        return found
    }

    /// Begins to read what the index has of the groups' series: places far apart, which would else be waited for one by
    /// one.
    private func prefetch(groups numbers: [Int32]) {
        for number in numbers {
            for member in groups[Int(number)].members {
                var slot = member.first
                while slot != SlotTable.none {
                    index.prefetch(slots[slot].hash)
                    slot = slots[slot].next
                }
            }
        }
    }

    mutating func removeTimeSeries(_ slot: Int32, _ family: Int32) {
        guard slot != SlotTable.none else { return }
        removeSeries(slot)
        families.removeMember(family, .gauge)
    }

    private mutating func mark(_ member: GroupRecord.Member, _ chunks: inout [Int32: [Int32]]) {
        var slot = member.first
        while slot != SlotTable.none {
            let next = slots[slot].next
            mark(slot, &chunks[member.family, default: []])
            slot = next
        }
        families[member.family].helps.remove(member.help)
        families[member.family].units.remove(member.unit)
        families.removeMember(member.family, member.type)
    }

    /// Removes a series from all tables but its chunk.
    private mutating func mark(_ slot: Int32, _ chunks: inout [Int32]) {
        let series = slots[slot]
        index.remove(series.hash, slot)
        let position = slots.position(of: series.place)
        if let (head, isFirst) = families[series.family].sorted.mark(
            slot, inChunkAt: position, hint: series.place.hint, &slots)
        {
            families[series.family].count(head, by: -1)
            if isFirst { chunks.append(series.place.chunk) }
        }
        families[series.family].view = nil
        slots.release(slot)
    }
}
