package import MetricModel

/// Who is told each change of the store together with what it holds: a second place that follows the first.
package protocol GatewayObserver: Sendable {
    /// Called under the store's lock, in the order of the changes, before they are durable. It must return at once and
    /// must not call the store.
    func note(_ changes: [AppliedChange])
}

/// A change of the store as it was made.
package enum AppliedChange: Sendable {
    case pushed(AppliedPush)
    /// A push was refused; the group is made where it was not there, with the lifetime given.
    case failed(GroupingKey, time: Int64, Lifetime)
    /// Deleted, or its lifetime ended.
    case removed(GroupingKey)
    /// All groups went.
    case wiped

    init?(_ effect: Effect) {
        switch effect {
        case .push(let push): self = .pushed(AppliedPush(push: push))
        case .failure(let key, let time, let lifetime): self = .failed(key, time: time, lifetime)
        case .delete(let key): self = .removed(key)
        case .wipe: self = .wiped
        case .group, .scraped, .remembered, .lifetime: return nil
        }
    }
}

/// A push that was taken, as it came out: what was added to stored values is the sum.
package struct AppliedPush: Sendable {
    let push: PreparedPush

    /// The group's labels.
    package var key: GroupingKey { push.group }
    /// When it came, in nanoseconds since 1970.
    package var time: Int64 { push.time }
    /// How long the group stays from then on.
    package var lifetime: GroupLifetime { GroupLifetime(push.lifetime, from: push.time) }
    /// Whether the families of the group that are not in the push are gone.
    package var replacesGroup: Bool { push.mode == .replaceGroup }
    /// Number of families.
    package var familyCount: Int { push.families.count }
    /// Number of metrics in all families.
    package var metricCount: Int { push.families.reduce(0) { $0 + $1.series.count } }

    /// A family of the push: it takes the place of the one of its name.
    package func family(_ index: Int) -> StoredFamily {
        let family = push.families[index]
        return StoredFamily(
            name: family.name, help: family.help, type: family.type, unit: family.unit, series: family.series)
    }
}

/// A family as the store holds it, its metrics still packed.
package struct StoredFamily: Sendable {
    /// Of the family.
    package let name: ByteString
    /// nil where none was pushed.
    package let help: ByteString?
    /// Of the family.
    package let type: MetricType
    /// Empty for none.
    package let unit: ByteString
    let series: [PackedSeries]

    /// Number of metrics.
    package var count: Int { series.count }

    /// A metric, in the order of the push.
    package subscript(index: Int) -> StoredMetric { StoredMetric(series: series[index]) }
}

/// A metric as the store holds it: shares the store's bytes, and can be compared and read without unpacking all.
package struct StoredMetric: Sendable {
    let series: PackedSeries

    /// Whether both have the same labels.
    /// - Complexity: O(bytes); no allocation.
    package func hasSameLabels(as other: StoredMetric) -> Bool { series.hasSameKey(as: other.series) }

    /// A hash of the labels; it changes from process to process.
    package var labelsHash: UInt64 { series.keyHash }

    /// The labels with those of the group, sorted, an empty `instance` among them if there is no other.
    package var labels: [LabelPair] { series.labels }

    /// The number of a counter, gauge or untyped metric; nil for summaries and histograms.
    /// - Complexity: O(labels); no allocation.
    package var number: Double? { series.number }

    /// Whether it is of a kind that may hold exemplars: a histogram, or a counter that holds more than its number.
    /// - Complexity: O(1); no allocation.
    package var mayHaveExemplars: Bool {
        switch PackedValue.Kind(rawValue: series.bytes[1]) {
        case .histogram, .detailedCounter: true
        case .counter, .gauge, .untyped, .meanGauge, .summary, nil: false
        }
    }

    /// The value as the model has it.
    package var value: MetricValue { series.value }

    /// Whether a scrape may show it at all.
    package var isExposable: Bool { series.isExposable }
}

extension GroupView.Family {
    /// The family with its metrics still packed.
    package var stored: StoredFamily {
        StoredFamily(name: name, help: help, type: type, unit: unit, series: series)
    }
}

extension PackedSeries {
    /// The number of a counter, gauge or untyped metric; nil for summaries and histograms.
    var number: Double? {
        switch PackedValue.Kind(rawValue: bytes[1]) {
        case .counter, .gauge, .untyped, .detailedCounter, .meanGauge:
            let offset = valueOffset
            guard offset + 8 <= bytes.count else { return nil }
            // SAFETY: eight bytes from `offset` lie within the array, as was just checked.
            let pattern = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
            return Double(bitPattern: UInt64(littleEndian: pattern))
        case .summary, .histogram, nil: return nil
        }
    }
}
