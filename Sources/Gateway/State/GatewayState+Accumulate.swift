internal import MetricModel

extension GatewayState {
    /// What an accumulating push comes to: its families with the stored values added, and those stored series that it
    /// does not have. It is then taken like a `POST`, so that what is written down sets and does not add.
    /// - Throws: why types or buckets do not fit.
    /// - Complexity: O(families of the push and of the group that share a name).
    func accumulated(_ push: PreparedPush) throws(AccumulationError) -> PreparedPush {
        guard let group = groupNumbers[push.group] else { return push.replacing(push.families) }
        let places = memberPlaces(group, for: push)
        var families: [PreparedPush.Family] = []
        var errors: [String] = []
        families.reserveCapacity(push.families.count)
        for family in push.families {
            guard let number = self.families.number(of: family.name), let place = place(number, group, places) else {
                families.append(family)
                continue
            }
            let member = groups[Int(group)].members[place]
            guard member.type == family.type else {
                errors.append(
                    "metric family \(family.name) has type \(family.type.upstreamName) but is stored with "
                        + "\(member.type.upstreamName); what is added must be of the same type")
                continue
            }
            families.append(add(family, to: member, push.gaugeRules[family.name] ?? push.gaugeRule, &errors))
        }
        guard errors.isEmpty else { throw AccumulationError(errors: errors) }
        return push.replacing(families)
    }

    private func add(
        _ family: PreparedPush.Family, to member: GroupRecord.Member, _ rule: GaugeRule, _ errors: inout [String]
    ) -> PreparedPush.Family {
        var sum = family
        sum.help = family.help ?? families[member.family].helps[member.help]
        if family.unit.isEmpty { sum.unit = families[member.family].units[member.unit] ?? "" }
        // These describe a state as a whole.
        if family.type == .info || family.type == .stateSet { return sum }
        sum.series = []
        sum.hashes = []
        var pushed: [UInt64: [Int]] = [:]
        for index in family.series.indices {
            pushed[GatewayState.hash(family.hashes[index], member.family), default: []].append(index)
        }
        var slot = member.first
        while slot != SlotTable.none {
            let hash = slots[slot].hash
            let stored = series(slot)
            slot = slots[slot].next
            guard let stored else { continue }
            let place = pushed[hash]?.firstIndex { family.series[$0].hasSameKey(as: stored) }
            guard let index = place.flatMap({ pushed[hash]?.remove(at: $0) }) else {
                sum.series.append(stored)
                sum.hashes.append(stored.keyHash)
                continue
            }
            do throws(Accumulation.Mismatch) {
                sum.series.append(try Accumulation.combine(stored, family.series[index], rule))
            } catch {
                errors.append(MetricText.collected(family.name, family.series[index].metric) + error.text)
                sum.series.append(stored)
            }
            sum.hashes.append(family.hashes[index])
        }
        for index in pushed.values.joined().sorted() {
            sum.series.append(family.series[index])
            sum.hashes.append(family.hashes[index])
        }
        return sum
    }
}

/// Why an accumulating push does not fit what is stored.
struct AccumulationError: Error {
    let errors: [String]
}
