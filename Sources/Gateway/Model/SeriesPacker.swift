internal import ByteCoding
internal import MetricModel

/// Packs the metrics of one push: completes and sorts their labels, checks them, and hashes them.
struct SeriesPacker {
    /// The group's labels.
    private let own: [LabelPair]
    /// The group's labels, and an empty `instance` if the group has none, sorted.
    private let added: [LabelPair]
    /// Each of `added` as it is packed.
    private let packedAdded: [[UInt8]]
    private let addedSize: Int
    private let addedFlags: UInt8
    private let shardHash: UInt16

    /// - Parameter labels: The group's.
    init(_ group: GroupingKey, _ labels: [LabelPair]) {
        own = labels
        shardHash = group.shardHash
        added = SeriesRules.withInstance(labels)
        packedAdded = added.map { label in
            var writer = PackedWriter()
            writer.text(label.name)
            writer.text(label.value)
            return writer.bytes
        }
        addedSize = packedAdded.reduce(0) { $0 + $1.count }
        addedFlags = added.allSatisfy { LegacyNames.isLabelName($0.name) } ? 0 : PackedSeries.utf8NameFlag
    }

    struct Packed {
        var series: PackedSeries
        var hash: UInt64
        /// What is wrong with the metric, as the end of a sentence.
        var violation: String?
    }

    /// Packs a metric of a family of `type`.
    func pack(_ metric: Metric, type: MetricType) -> Packed {
        if let violation = SeriesRules.violation(of: metric.value, in: type) {
            return packSlowly(metric, type: type, violation: violation)
        }
        let reserved = SeriesRules.reservedLabel(of: metric.value)
        var labels = metric.labels
        if !SeriesPacker.isSorted(labels) { labels.sort { $0.name < $1.name } }
        guard canMerge(labels, reserved: reserved) else { return packSlowly(metric, type: type, violation: nil) }
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(size(metric))
        writer.byte(type.rawValue)
        writer.byte(PackedValue.kind(of: metric.value).rawValue)
        writer.shardHash(shardHash)
        writer.count(metric.labels.count + added.count)
        var next = 0
        var flags = addedFlags
        for label in labels {
            while next < added.count, added[next].name < label.name {
                writer.bytes.append(contentsOf: packedAdded[next])
                next += 1
            }
            if !LegacyNames.isLabelName(label.name) { flags |= PackedSeries.utf8NameFlag }
            writer.text(label.name)
            writer.text(label.value)
        }
        while next < added.count {
            writer.bytes.append(contentsOf: packedAdded[next])
            next += 1
        }
        let end = writer.bytes.count
        if flags != 0 { writer.bytes[0] |= flags }
        PackedValue.append(metric.value, to: &writer)
        let series = PackedSeries(packed: writer.bytes)
        return Packed(series: series, hash: series.keyHash(end: end), violation: nil)
    }

    private func size(_ metric: Metric) -> Int {
        var size = 8 + addedSize + PackedSeries.sizeHint(metric.value)
        for label in metric.labels { size += label.name.count + label.value.count + 2 }
        return size
    }

    private static func isSorted(_ labels: [LabelPair]) -> Bool {
        var index = 1
        while index < labels.count {
            if labels[index].name < labels[index - 1].name { return false }
            index += 1
        }
        return true
    }

    /// Whether sorted labels are valid, all different, and none of them is the group's: the most frequent case.
    private func canMerge(_ labels: [LabelPair], reserved: ByteString?) -> Bool {
        if let reserved, added.contains(where: { $0.name == reserved }) { return false }
        var index = 0
        while index < labels.count {
            if index > 0, labels[index - 1].name == labels[index].name { return false }
            guard SeriesRules.isPlainlyValid(labels[index]), labels[index].name != reserved else { return false }
            for other in added where other.name == labels[index].name { return false }
            index += 1
        }
        return true
    }

    private func packSlowly(_ metric: Metric, type: MetricType, violation: String?) -> Packed {
        let labels = SeriesRules.sanitized(metric.labels, with: own)
        let found =
            violation ?? SeriesRules.violation(in: labels, reserved: SeriesRules.reservedLabel(of: metric.value))
        let series = PackedSeries(
            labels: labels, value: metric.value, type: type, isExposable: found == nil, shardHash: shardHash)
        return Packed(series: series, hash: series.keyHash, violation: found)
    }
}
