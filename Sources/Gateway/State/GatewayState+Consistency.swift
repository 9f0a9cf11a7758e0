internal import MetricModel

/// Whether a push fits what is stored. What is stored fits together, so only what is pushed has to be looked at.
///
/// Source: prometheus/client_golang prometheus/registry.go (`Gatherers.Gather`, `checkSuffixCollisions`,
/// `checkMetricConsistency`).
extension GatewayState {
    func conflicts(of push: PreparedPush, _ plans: [FamilyPlan], _ group: Int32?) -> [String] {
        var errors: [String] = []
        var pushed: [ByteString: MetricType] = [:]
        for family in push.families { pushed[family.name] = family.type }
        for (family, plan) in zip(push.families, plans) {
            if let number = plan.family {
                if let error = typeConflict(family, number, isMember: plan.member != nil) {
                    errors += error
                    continue
                }
                errors += duplicates(family, number, plan)
            }
            if let error = suffixConflict(family, pushed, push, group) { errors.append(error) }
        }
        return errors
    }

    private func typeConflict(_ family: PreparedPush.Family, _ number: Int32, isMember: Bool) -> [String]? {
        let record = families[number]
        if let own = record.own {
            guard own.type != family.type else { return nil }
            return [
                "gathered metric family \(family.name) has type \(family.type.upstreamName) but should have "
                    + own.type.upstreamName
            ]
        }
        guard record.memberCount > (isMember ? 1 : 0), record.type != family.type else { return nil }
        guard !family.series.isEmpty else {
            return ["metric family \(family.name) is not a \(record.type.upstreamName)"]
        }
        return family.series.map {
            MetricText.collected(family.name, $0.metric) + " is not a \(record.type.upstreamName)"
        }
    }

    private func duplicates(_ family: PreparedPush.Family, _ number: Int32, _ plan: FamilyPlan) -> [String] {
        var errors: [String] = []
        for index in family.series.indices where index >= plan.slots.count || plan.slots[index] == SlotTable.none {
            let hash = GatewayState.hash(family.hashes[index], number)
            guard let slot = shownSlot(like: family.series[index], hash, family: number) else { continue }
            let owner = groups[Int(slots[slot].group)].key.description
            errors.append(
                MetricText.collectedBefore(family.name, family.series[index].metric) + " by group \(owner)")
        }
        return errors
    }

    /// A histogram `h` owns `h_sum`, `h_count` and `h_bucket`, a summary the first two.
    private func suffixConflict(
        _ family: PreparedPush.Family, _ pushed: [ByteString: MetricType], _ push: PreparedPush, _ group: Int32?
    ) -> String? {
        func otherType(_ name: ByteString) -> MetricType? {
            if let type = pushed[name] { return type }
            guard let number = families.number(of: name) else { return nil }
            let record = families[number]
            if record.own != nil { return record.type }
            let isReplaced =
                push.mode == .replaceGroup
                && group.flatMap { groups[Int($0)].members.contains { $0.family == number } } ?? false
            return record.memberCount > (isReplaced ? 1 : 0) ? record.type : nil
        }
        let name = Quoting.quote(family.name)
        if let base = FamilyRecord.base(of: family.name), let type = otherType(base.name) {
            switch type {
            case .summary where base.suffix != .bucket:
                return "collected metric named \(name) collides with previously collected summary named "
                    + Quoting.quote(base.name)
            case .histogram, .gaugeHistogram:
                return "collected metric named \(name) collides with previously collected histogram named "
                    + Quoting.quote(base.name)
            default: break
            }
        }
        let isHistogram = family.type == .histogram || family.type == .gaugeHistogram
        guard isHistogram || family.type == .summary else { return nil }
        for suffix in ["_count", "_sum", "_bucket"] where isHistogram || suffix != "_bucket" {
            let other = ByteString(family.name.bytes + Array(suffix.utf8))
            // Within one push the other family reports it.
            guard pushed[other] == nil, otherType(other) != nil else { continue }
            let kind = suffix == "_bucket" ? "histogram" : "histogram or summary"
            return "collected \(kind) named \(name) collides with previously collected metric named "
                + Quoting.quote(other)
        }
        return nil
    }
}
