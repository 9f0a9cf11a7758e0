internal import MetricModel

/// What was answered to requests with an idempotency key, for a while: the oldest are forgotten first, by number and by
/// age, as the times in later commands have it.
package struct RememberedOutcomes: Sendable {
    struct Entry: Sendable {
        let key: IdempotencyKey
        let outcome: Outcome
    }

    /// How much is remembered.
    package struct Limits: Sendable, Hashable {
        /// Requests.
        package var maximumCount = 100_000
        /// How long, as the times in commands have it.
        package var maximumAge: Duration = .seconds(86_400)
        /// Bytes, about, of keys and answers.
        package var maximumBytes = 64 << 20

        /// The defaults.
        package init() {}
    }

    private let limits: Limits
    /// ``Limits/maximumAge`` in nanoseconds.
    private let maximumAge: Int64
    private var bytes = 0
    private var entries: [ByteString: Entry] = [:]
    /// In order of insertion; what stands before `first` is forgotten.
    private var order: [IdempotencyKey] = []
    private var first = 0

    init(_ limits: Limits = Limits()) {
        self.limits = limits
        let (seconds, attoseconds) = limits.maximumAge.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        maximumAge = isTooLong ? .max : whole &+ attoseconds / 1_000_000_000
    }

    var count: Int { entries.count }

    /// All entries, oldest first.
    var all: [Entry] { order[first...].compactMap { entries[$0.key] } }

    func entry(for key: IdempotencyKey) -> Entry? {
        guard let entry = entries[key.key], key.time &- entry.key.time <= maximumAge else {
            return nil
        }
        return entry
    }

    mutating func insert(_ entry: Entry) {
        if let old = entries.updateValue(entry, forKey: entry.key.key) {
            bytes -= RememberedOutcomes.size(old)
            order[first...].removeAll { $0.key == entry.key.key }
        }
        bytes += RememberedOutcomes.size(entry)
        order.append(entry.key)
        while let oldest = first < order.count ? order[first] : nil,
            entries.count > limits.maximumCount || bytes > limits.maximumBytes
                || entry.key.time &- oldest.time > maximumAge
        {
            if let old = entries.removeValue(forKey: oldest.key) { bytes -= RememberedOutcomes.size(old) }
            first += 1
        }
        if first > 1024, first > order.count / 2 {
            order.removeSubrange(..<first)
            first = 0
        }
    }

    private static func size(_ entry: Entry) -> Int { 128 + entry.key.key.count + size(entry.outcome) }

    private static func size(_ outcome: Outcome) -> Int {
        switch outcome {
        case .accepted: 0
        case .refused(let refusal): 64 + refusal.description.utf8.count
        case .each(let outcomes): outcomes.reduce(0) { $0 + 16 + size($1) }
        case .repeated(let outcome): size(outcome)
        }
    }
}
