internal import MetricModel

/// A push made ready outside the store's lock: labels completed and sorted, series packed and hashed, and all that can
/// be refused without knowing what is stored found out. A pure function of the push.
struct PreparedPush: Sendable {
    struct Family: Sendable {
        var name: ByteString
        var help: ByteString?
        var type: MetricType
        var unit: ByteString
        /// In the order of the push.
        var series: [PackedSeries]
        /// Of the labels of each series.
        var hashes: [UInt64]
    }

    let group: GroupingKey
    private(set) var mode: Push.Mode
    let check: Push.Check
    let time: Int64
    let lifetime: Lifetime
    let gaugeRule: GaugeRule
    let gaugeRules: [ByteString: GaugeRule]
    let quota: GroupQuota?
    /// What it has beside its numbers, if that is known.
    private(set) var shape: PushShape?
    private(set) var families: [Family] = []
    /// Why the push is refused whatever is stored; empty if it is not.
    private(set) var errors: [String] = []
    /// Whether the labels of the group itself are such that its push times can be exposed.
    let isGroupValid: Bool
    /// Whether the push was taken before and is now read from a journal: limits do not apply again.
    let isReplayed: Bool

    /// Source: prometheus/pushgateway storage/diskmetricstore.go (`checkWriteRequest`).
    init(_ push: Push) {
        group = push.group
        mode = push.mode
        check = push.check
        time = push.time
        lifetime = push.lifetime
        gaugeRule = push.gaugeRule
        gaugeRules = push.gaugeRules
        quota = push.quota
        shape = push.shape
        isReplayed = false
        let labels = push.group.labels
        isGroupValid = SeriesRules.violation(in: labels) == nil
        if !isGroupValid {
            errors = PreparedPush.groupErrors(push.group)
            // Nobody could scrape or delete such a group: it is refused with the check off as well.
            return
        }
        let last = PreparedPush.lastOfEachName(push.families)
        if last.contains(where: { $0.metrics.contains { $0.timestamp != nil } }) {
            errors = ["pushed metrics must not have timestamps"]
            return
        }
        families.reserveCapacity(last.count)
        let packer = SeriesPacker(push.group, labels)
        for family in last {
            if PushTimes.isReserved(family.name, lifetime) { continue }
            families.append(prepare(family, packer))
        }
    }

    /// A push that was taken before, read from a journal: nothing is checked again.
    init(
        replaying families: [Family], group: GroupingKey, mode: Push.Mode, time: Int64, lifetime: Lifetime = .forever
    ) {
        self.lifetime = lifetime
        gaugeRule = .last
        gaugeRules = [:]
        quota = nil
        self.group = group
        self.mode = mode
        self.time = time
        self.families = families
        check = .none
        isGroupValid = true
        isReplayed = true
    }

    /// The push with families that take the place of its own: what an accumulating push comes to.
    func replacing(_ families: [Family]) -> PreparedPush {
        var copy = self
        copy.families = families
        copy.shape = nil
        copy.mode = .replaceFamilies
        return copy
    }

    private static func groupErrors(_ group: GroupingKey) -> [String] {
        let metric = Metric(labels: SeriesRules.withInstance(group.labels), value: .gauge(0))
        let violation = SeriesRules.violation(in: group.labels) ?? ""
        return [MetricText.collected(PushTimes.pushTimeName, metric) + violation]
    }

    /// Of families of the same name the last, in the order of their last occurrences.
    private static func lastOfEachName(_ families: [MetricFamily]) -> [MetricFamily] {
        guard families.count > 1 else { return families }
        var lastIndex: [ByteString: Int] = [:]
        lastIndex.reserveCapacity(families.count)
        for (index, family) in families.enumerated() { lastIndex[family.name] = index }
        if lastIndex.count == families.count { return families }
        return families.indices.filter { lastIndex[families[$0].name] == $0 }.map { families[$0] }
    }

    private mutating func prepare(_ family: MetricFamily, _ packer: SeriesPacker) -> Family {
        var prepared = Family(
            name: family.name, help: family.help, type: family.type, unit: family.unit, series: [], hashes: [])
        prepared.series.reserveCapacity(family.metrics.count)
        prepared.hashes.reserveCapacity(family.metrics.count)
        let isNameValid = SeriesRules.isValidMetricName(family.name)
        for metric in family.metrics {
            var packed = packer.pack(metric, type: family.type)
            if packed.violation == nil && !isNameValid {
                packed.series = PackedSeries(
                    labels: packed.series.labels, value: metric.value, type: family.type, isExposable: false,
                    shardHash: group.shardHash)
                packed.violation = " has an invalid name"
            }
            if let violation = packed.violation, check == .consistency {
                report(MetricText.collected(family.name, packed.series.metric) + violation)
            }
            prepared.series.append(packed.series)
            prepared.hashes.append(packed.hash)
        }
        if check == .consistency { reportDuplicates(in: prepared) }
        return prepared
    }

    private mutating func reportDuplicates(in family: Family) {
        guard family.series.count > 1 else { return }
        if family.series.count <= 16 { return reportDuplicatesOfFew(in: family) }
        var firstOfHash: [UInt64: Int] = [:]
        firstOfHash.reserveCapacity(family.series.count)
        for (index, hash) in family.hashes.enumerated() {
            guard let first = firstOfHash[hash] else {
                firstOfHash[hash] = index
                continue
            }
            if family.series[first].hasSameKey(as: family.series[index]) {
                report(MetricText.collectedBefore(family.name, family.series[index].metric))
            }
        }
    }

    private mutating func reportDuplicatesOfFew(in family: Family) {
        for index in 1..<family.series.count {
            let hash = family.hashes[index]
            for earlier in 0..<index
            where family.hashes[earlier] == hash && family.series[earlier].hasSameKey(as: family.series[index]) {
                report(MetricText.collectedBefore(family.name, family.series[index].metric))
                break
            }
        }
    }

    private mutating func report(_ error: String) { errors.append(error) }
}
