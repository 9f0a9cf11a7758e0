internal import MetricModel

extension GatewayState {
    /// What became of a push, and what of it has to be written down.
    struct Applied {
        enum Effect {
            case none
            /// - Parameter group: The group's number.
            case push(group: Int32)
            case failure
        }

        var outcome: Outcome
        var effect: Effect
    }

    /// Takes a push, or refuses it and marks its group as failed.
    /// - Parameter known: For each family where it goes, as far as that is known already.
    mutating func apply(_ push: PreparedPush, known: [FamilyPlan?] = []) -> Applied {
        guard push.isGroupValid else { return refused(push.errors, nil) }
        let number = groupNumbers[push.group]
        if number == nil, groupNumbers.count >= maximumGroups, !push.isReplayed {
            let text = "the gateway holds its maximum of \(maximumGroups) groups; delete groups or raise the limit"
            return Applied(outcome: .refused(.limit(text)), effect: .none)
        }
        if let text = quotaRefusal(push, number) {
            return Applied(outcome: .refused(.limit(text)), effect: .none)
        }
        if push.check == .consistency, number == nil, let rival = groupWithSameTimes(push.group) {
            // Marking this group as failed would itself collide with the other group.
            let labels = SeriesRules.withInstance(push.group.labels)
            let text = MetricText.collectedBefore(
                PushTimes.pushTimeName, Metric(labels: labels, value: .gauge(Double(push.time) / 1e9)))
            return refused(["\(text) by group \(rival)"], nil)
        }
        guard push.errors.isEmpty else { return refused(push.errors, push) }
        if let number { warm(number) }
        let places = number.flatMap { memberPlaces($0, for: push) }
        let plans = push.families.indices.map { index in
            (index < known.count ? known[index] : nil) ?? plan(push.families[index], for: number, places)
        }
        if push.check == .consistency {
            let errors = conflicts(of: push, plans, number)
            guard errors.isEmpty else { return refused(errors, push) }
        }
        return Applied(outcome: .accepted, effect: .push(group: commit(push, plans)))
    }

    /// - Parameter isAlways: Whether the push is refused with the check off as well.
    mutating func refused(_ errors: [String], _ failed: PreparedPush?, isAlways: Bool = false) -> Applied {
        let refusal = Outcome.refused(.inconsistent(MetricText.list(errors)))
        guard let failed else { return Applied(outcome: refusal, effect: .none) }
        markFailed(failed.group, time: failed.time, failed.lifetime, quota: failed.quota?.id ?? 0)
        let isHidden = failed.check == .none && !isAlways
        return Applied(outcome: isHidden ? .accepted : refusal, effect: .failure)
    }

    /// Marks a group as failed, and makes it if it is not there.
    /// - Parameters:
    ///   - lifetime: Of a group that is made.
    ///   - quota: What a group that is made counts towards.
    mutating func markFailed(_ key: GroupingKey, time: Int64, _ lifetime: Lifetime, quota: UInt32 = 0) {
        let isNew = groupNumbers[key] == nil
        let number = groupNumber(making: key, time: time)
        setFailureTime(time, of: number, changed: time)
        guard isNew else { return }
        setLifetime(GroupLifetime(lifetime, from: time), of: number)
        setQuota(quota, of: number)
    }

    /// Whether a group can be made without hiding another's push times.
    func canMark(_ key: GroupingKey) -> Bool { groupNumbers[key] != nil || groupWithSameTimes(key) == nil }

    /// A group of another key whose push times would have the same labels: one with an empty `instance`, one without.
    private func groupWithSameTimes(_ key: GroupingKey) -> GroupingKey? {
        let series = PackedSeries(
            labels: SeriesRules.withInstance(key.labels), value: .gauge(0), type: .gauge, isExposable: true)
        let hash = GatewayState.hash(series.keyHash, pushTimeFamily)
        return shownSlot(like: series, hash, family: pushTimeFamily).flatMap { groups[Int(slots[$0].group)].key }
    }

    // MARK: Planning

    /// Which stored series each pushed one takes the place of.
    struct FamilyPlan {
        /// The family's number; nil if it is new.
        var family: Int32?
        /// Where the group has the family among its members.
        var member: Int?
        /// For each series the slot of the group that has its labels, or ``SlotTable/none``.
        var slots: [Int32]
        /// Where in their chunks the first of them stand.
        var hints: [Int]
        /// Whether `slots` are all of the member's, in order.
        var isSameShape: Bool
    }

    private func warm(_ group: Int32) {
        let record = groups[Int(group)]
        let firsts = record.members.lazy.map(\.first)
        let sum = slots.warm(firsts) &+ slots.warm(CollectionOfOne(record.pushTimeSlot))
        withExtendedLifetime(sum) {}
    }

    /// Where the group has each of its families, in a table if a search for each would take long.
    func memberPlaces(_ group: Int32, for push: PreparedPush) -> [Int32: Int]? {
        let members = groups[Int(group)].members
        guard members.count > 16, push.families.count > 4 else { return nil }
        return Dictionary(
            members.indices.map { (members[$0].family, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func place(_ family: Int32, _ group: Int32, _ places: [Int32: Int]?) -> Int? {
        if let places { return places[family] }
        return groups[Int(group)].members.firstIndex { $0.family == family }
    }

    /// Where the series of a family go.
    func plan(
        _ family: PreparedPush.Family, for group: Int32?, _ places: [Int32: Int]?
    ) -> FamilyPlan {
        var plan = FamilyPlan(
            family: families.number(of: family.name), member: nil, slots: [], hints: [], isSameShape: false)
        guard let number = plan.family, let group,
            let position = place(number, group, places)
        else { return plan }
        plan.member = position
        plan.slots.reserveCapacity(family.series.count)
        plan.hints.reserveCapacity(family.series.count)
        var slot = groups[Int(group)].members[position].first
        for index in family.series.indices {
            guard slot != SlotTable.none, slots[slot].hash == GatewayState.hash(family.hashes[index], number),
                let hint = self.position(of: slot, like: family.series[index])
            else { break }
            plan.slots.append(slot)
            plan.hints.append(hint)
            slot = slots[slot].next
        }
        plan.isSameShape = plan.slots.count == family.series.count && slot == SlotTable.none
        if plan.slots.count < family.series.count { match(family, number, from: slot, &plan) }
        return plan
    }

    /// Finds the places of the series that are not where they were.
    private func match(_ family: PreparedPush.Family, _ number: Int32, from first: Int32, _ plan: inout FamilyPlan) {
        var rest: [UInt64: [Int32]] = [:]
        var slot = first
        while slot != SlotTable.none {
            rest[slots[slot].hash, default: []].append(slot)
            slot = slots[slot].next
        }
        for index in plan.slots.count..<family.series.count {
            let hash = GatewayState.hash(family.hashes[index], number)
            let series = family.series[index]
            let found = rest[hash]?.firstIndex { position(of: $0, like: series) != nil }
            plan.slots.append(found.flatMap { rest[hash]?.remove(at: $0) } ?? SlotTable.none)
        }
    }

    // MARK: Committing

    /// - Returns: The group's number.
    private mutating func commit(_ push: PreparedPush, _ plans: [FamilyPlan]) -> Int32 {
        let number = groupNumber(making: push.group, time: push.time)
        var members = groups[Int(number)].members
        groups[Int(number)].members = []
        var isReplaced = [Bool](repeating: false, count: members.count)
        for (family, plan) in zip(push.families, plans) {
            if let position = plan.member {
                isReplaced[position] = true
                if plan.isSameShape {
                    replaceValues(&members[position], family, plan, time: push.time)
                } else {
                    members[position] = replace(members[position], family, plan, group: number, time: push.time)
                }
            } else {
                members.append(add(family, group: number, time: push.time))
                isReplaced.append(true)
            }
        }
        if push.mode == .replaceGroup, isReplaced.contains(false) {
            for position in members.indices where !isReplaced[position] { remove(members[position]) }
            var kept: [GroupRecord.Member] = []
            for position in members.indices where isReplaced[position] { kept.append(members[position]) }
            members = kept
        }
        groups[Int(number)].members = members
        setShape(of: number, push)
        setPushTime(push.time, of: number, changed: push.time)
        setLifetime(GroupLifetime(push.lifetime, from: push.time), of: number)
        setQuota(push.quota?.id ?? 0, of: number)
        return number
    }

    /// The most frequent case: the same series as last time, with other values.
    private mutating func replaceValues(
        _ member: inout GroupRecord.Member, _ family: PreparedPush.Family, _ plan: FamilyPlan, time: Int64
    ) {
        for index in family.series.indices {
            replaceSeries(plan.slots[index], at: plan.hints[index], with: family.series[index])
        }
        member.time = time
        update(&member, family)
    }

    /// Takes over type, help and unit.
    private mutating func update(_ member: inout GroupRecord.Member, _ family: PreparedPush.Family) {
        let number = member.family
        if member.type != family.type {
            families.removeMember(number, member.type)
            families.addMember(number, family.type)
            member.type = family.type
        }
        if families[number].helps[member.help] != family.help {
            families[number].touch()
            families[number].helps.remove(member.help)
            member.help = families[number].helps.add(family.help)
        }
        let unit = family.unit.isEmpty ? nil : family.unit
        if families[number].units[member.unit] != unit {
            families[number].touch()
            families[number].units.remove(member.unit)
            member.unit = families[number].units.add(unit)
        }
    }

    private mutating func replace(
        _ old: GroupRecord.Member, _ family: PreparedPush.Family, _ plan: FamilyPlan, group: Int32, time: Int64
    ) -> GroupRecord.Member {
        var member = old
        let kept = Set(plan.slots)
        var slot = old.first
        while slot != SlotTable.none {
            let next = slots[slot].next
            if !kept.contains(slot) { removeSeries(slot) }
            slot = next
        }
        link(family, plan.slots, &member, group: group)
        member.time = time
        update(&member, family)
        return member
    }

    private mutating func add(_ family: PreparedPush.Family, group: Int32, time: Int64) -> GroupRecord.Member {
        let number = families.number(making: family.name)
        families.addMember(number, family.type)
        var member = GroupRecord.Member(
            family: number, type: family.type, help: families[number].helps.add(family.help),
            unit: families[number].units.add(family.unit.isEmpty ? nil : family.unit), time: time,
            first: SlotTable.none, count: 0)
        link(family, [], &member, group: group)
        return member
    }

    /// Stores the series of a family, in the slots they had or in new ones, and links them in order.
    private mutating func link(
        _ family: PreparedPush.Family, _ planned: [Int32], _ member: inout GroupRecord.Member, group: Int32
    ) {
        var last = SlotTable.none
        member.first = SlotTable.none
        member.isRun = true
        for (index, series) in family.series.enumerated() {
            var slot = index < planned.count ? planned[index] : SlotTable.none
            if slot == SlotTable.none {
                let hash = GatewayState.hash(family.hashes[index], member.family)
                slot = addSeries(series, hash, family: member.family, group: group)
            } else {
                replaceSeries(slot, with: series)
            }
            slots[slot].next = SlotTable.none
            if last == SlotTable.none {
                member.first = slot
            } else {
                slots[last].next = slot
                if slot != last + 1 { member.isRun = false }
            }
            last = slot
        }
        member.count = Int32(truncatingIfNeeded: family.series.count)
    }

    /// Removes a family from a group.
    mutating func remove(_ member: GroupRecord.Member) {
        var slot = member.first
        while slot != SlotTable.none {
            let next = slots[slot].next
            removeSeries(slot)
            slot = next
        }
        families[member.family].helps.remove(member.help)
        families[member.family].units.remove(member.unit)
        families.removeMember(member.family, member.type)
        families.removeIfUnused(member.family)
    }
}
