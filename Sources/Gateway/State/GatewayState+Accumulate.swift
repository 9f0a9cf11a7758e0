internal import MetricModel

extension GatewayState {
    /// What an accumulating push comes to.
    struct Accumulated {
        /// It is taken like a `POST`, so that what is written down sets and does not add.
        var push: PreparedPush
        /// For each of its families, where it goes; nil where that has to be found out again.
        var plans: [FamilyPlan?]
    }

    /// The families of a push with the stored values added, and those stored series that it does not have.
    /// - Throws: why types or buckets do not fit.
    /// - Complexity: O(families of the push and of the group that share a name).
    func accumulated(_ push: PreparedPush) throws(AccumulationError) -> Accumulated {
        guard let group = groupNumbers[push.group] else {
            return Accumulated(push: push.replacing(push.families), plans: [])
        }
        let places = memberPlaces(group, for: push)
        var families: [PreparedPush.Family] = []
        var plans: [FamilyPlan?] = []
        var errors: [String] = []
        families.reserveCapacity(push.families.count)
        plans.reserveCapacity(push.families.count)
        for family in push.families {
            let plan = plan(family, for: group, places)
            guard let place = plan.member else {
                families.append(family)
                plans.append(plan)
                continue
            }
            let member = groups[Int(group)].members[place]
            guard member.type == family.type else {
                errors.append(
                    "metric family \(family.name) has type \(family.type.upstreamName) but is stored with "
                        + "\(member.type.upstreamName); what is added must be of the same type")
                continue
            }
            let rule = push.gaugeRules[family.name] ?? push.gaugeRule
            if plan.isSameShape {
                families.append(addEach(family, to: member, plan, rule, &errors))
                plans.append(plan)
            } else {
                families.append(add(family, to: member, rule, &errors))
                plans.append(nil)
            }
        }
        guard errors.isEmpty else { throw AccumulationError(errors: errors) }
        return Accumulated(push: push.replacing(families), plans: plans)
    }

    /// The most frequent case: the same series as last time.
    private func addEach(
        _ family: PreparedPush.Family, to member: GroupRecord.Member, _ plan: FamilyPlan, _ rule: GaugeRule,
        _ errors: inout [String]
    ) -> PreparedPush.Family {
        var sum = family
        takeTexts(of: member, into: &sum)
        guard !family.type.describesWhole, family.type != .unknown, family.type != .gauge || rule != .last else {
            return sum
        }
        for index in family.series.indices {
            guard let stored = series(plan.slots[index]) else { continue }
            do throws(Accumulation.Mismatch) {
                sum.series[index] = try Accumulation.combine(stored, family.series[index], rule)
            } catch {
                errors.append(MetricText.collected(family.name, family.series[index].metric) + error.text)
            }
        }
        return sum
    }

    /// A push without help or unit leaves those that are stored.
    private func takeTexts(of member: GroupRecord.Member, into family: inout PreparedPush.Family) {
        if family.help == nil { family.help = families[member.family].helps[member.help] }
        if family.unit.isEmpty { family.unit = families[member.family].units[member.unit] ?? "" }
    }

    private func add(
        _ family: PreparedPush.Family, to member: GroupRecord.Member, _ rule: GaugeRule, _ errors: inout [String]
    ) -> PreparedPush.Family {
        var sum = family
        takeTexts(of: member, into: &sum)
        if family.type.describesWhole { return sum }
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

extension MetricType {
    /// Whether a family of this type describes a state as a whole, so that nothing can be added to it.
    fileprivate var describesWhole: Bool { self == .info || self == .stateSet }
}
