internal import MetricModel

/// What was answered to requests with an idempotency key, for a while: the oldest are forgotten first, by number and by
/// age, as the times in later commands have it.
struct RememberedOutcomes: Sendable {
    struct Entry: Sendable {
        let key: IdempotencyKey
        let outcome: Outcome
    }

    static let maximumCount = 100_000
    /// 24 hours.
    static let maximumAge: Int64 = 86_400 * 1_000_000_000

    private var entries: [ByteString: Entry] = [:]
    /// In order of insertion; what stands before `first` is forgotten.
    private var order: [IdempotencyKey] = []
    private var first = 0

    var count: Int { entries.count }

    /// All entries, oldest first.
    var all: [Entry] { order[first...].compactMap { entries[$0.key] } }

    func entry(for key: IdempotencyKey) -> Entry? {
        guard let entry = entries[key.key], key.time &- entry.key.time <= RememberedOutcomes.maximumAge else {
            return nil
        }
        return entry
    }

    mutating func insert(_ entry: Entry) {
        if entries.updateValue(entry, forKey: entry.key.key) != nil {
            order[first...].removeAll { $0.key == entry.key.key }
        }
        order.append(entry.key)
        while let oldest = first < order.count ? order[first] : nil,
            entries.count > RememberedOutcomes.maximumCount
                || entry.key.time &- oldest.time > RememberedOutcomes.maximumAge
        {
            entries[oldest.key] = nil
            first += 1
        }
        if first > 1024, first > order.count / 2 {
            order.removeSubrange(..<first)
            first = 0
        }
    }
}
