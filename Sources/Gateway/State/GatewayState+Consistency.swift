internal import MetricModel

/// Whether a push fits what is stored. What is stored fits together, so only what is pushed has to be looked at.
///
/// Source: prometheus/client_golang prometheus/registry.go (`Gatherers.Gather`, `checkSuffixCollisions`,
/// `checkMetricConsistency`).
extension GatewayState {
    func conflicts(of push: PreparedPush, _ plans: [FamilyPlan], _ group: Int32?) -> [String] {
        var errors: [String] = []
        var pushed = PushedTypes(push)
        for (family, plan) in zip(push.families, plans) {
            if let number = plan.family {
                if let error = typeConflict(family, number, isMember: plan.member != nil) {
                    errors += error
                    continue
                }
                errors += duplicates(family, number, plan)
            }
            if let error = suffixConflict(family, &pushed, push, group) { errors.append(error) }
        }
        return errors
    }

    private func typeConflict(_ family: PreparedPush.Family, _ number: Int32, isMember: Bool) -> [String]? {
        if let own = families[number].own {
            guard own.type != family.type else { return nil }
            return [
                "gathered metric family \(family.name) has type \(family.type.upstreamName) but should have "
                    + own.type.upstreamName
            ]
        }
        guard families[number].memberCount > (isMember ? 1 : 0) else { return nil }
        let type = families[number].type
        guard type != family.type else { return nil }
        guard !family.series.isEmpty else {
            return ["metric family \(family.name) is not a \(type.upstreamName)"]
        }
        return family.series.map {
            MetricText.collected(family.name, $0.metric) + " is not a \(type.upstreamName)"
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
        _ family: PreparedPush.Family, _ pushed: inout PushedTypes, _ push: PreparedPush, _ group: Int32?
    ) -> String? {
        if let base = FamilyRecord.base(of: family.name),
            let type = pushed[base.name] ?? storedType(base.name, push, group)
        {
            let names =
                "collected metric named \(Quoting.quote(family.name)) collides with previously collected "
            switch type {
            case .summary where base.suffix != .bucket: return names + "summary named \(Quoting.quote(base.name))"
            case .histogram, .gaugeHistogram: return names + "histogram named \(Quoting.quote(base.name))"
            default: break
            }
        }
        let isHistogram = family.type == .histogram || family.type == .gaugeHistogram
        guard isHistogram || family.type == .summary else { return nil }
        for suffix in FamilyRecord.Suffix.allCases where isHistogram || suffix != .bucket {
            let other = ByteString(family.name.bytes + suffix.text.bytes)
            // Within one push the other family reports it.
            guard pushed[other] == nil, storedType(other, push, group) != nil else { continue }
            let kind = suffix == .bucket ? "histogram" : "histogram or summary"
            return "collected \(kind) named \(Quoting.quote(family.name)) collides with previously collected metric "
                + "named \(Quoting.quote(other))"
        }
        return nil
    }

    /// The type under which a family that the push does not have will be exposed after it; nil if it will not be.
    private func storedType(_ name: ByteString, _ push: PreparedPush, _ group: Int32?) -> MetricType? {
        guard let number = families.number(of: name) else { return nil }
        if families[number].own != nil { return families[number].type }
        var left = families[number].memberCount
        if push.mode == .replaceGroup, let group, groups[Int(group)].members.contains(where: { $0.family == number }) {
            left -= 1
        }
        return left > 0 ? families[number].type : nil
    }
}

/// The types of the families in a push by name, in a table only if anybody asks.
private struct PushedTypes {
    private let push: PreparedPush
    private var table: [ByteString: MetricType]?

    init(_ push: PreparedPush) { self.push = push }

    subscript(name: ByteString) -> MetricType? {
        mutating get {
            if push.families.count <= 8 { return push.families.first { $0.name == name }?.type }
            if table == nil {
                table = Dictionary(push.families.map { ($0.name, $0.type) }, uniquingKeysWith: { _, last in last })
            }
            return table?[name]
        }
    }
}
