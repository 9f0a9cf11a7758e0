internal import Gateway
internal import MetricModel
internal import TSDB

/// A group as the bridge knows it: what it holds, and the references of the store's series for it.
final class BridgedGroup {
    /// A metric, and the series it is stored in.
    struct Member {
        var stored: StoredMetric
        var form: SampleForm
        /// In the order of the form; ``SeriesReference/none`` for a series that is not known yet,
        /// ``SeriesReference/dropped`` for one that is not stored.
        var references: [SeriesReference]
        /// Whether a series that is made for it begins at zero.
        var zero = Zero.always
        /// When it began to count, as far as the last push told.
        var start: Timestamp?

        /// Whether there is a series whose reference is not known yet.
        var isIncomplete: Bool { references.contains(.none) }
    }

    enum Zero {
        /// The metric is new.
        case always
        /// It was pushed before this process began: only where the store has not heard of the series.
        case ifUnknown
        case never
    }

    struct Family {
        var metadata: MetricMetadata
        /// Whether the store was not told it yet.
        var isMetadataNew = true
        var members: [Member] = []

        /// Whether its metrics count something up from a start.
        var countsUp: Bool {
            switch metadata.type {
            case .counter, .histogram, .summary: true
            case .unknown, .gauge, .gaugeHistogram, .info, .stateSet: false
            }
        }

        var references: [SeriesReference] { members.flatMap(\.references) }
    }

    /// What was pushed, and waits for a millisecond of its own.
    struct Waiting {
        var families: Set<ByteString> = []
        /// Series that ended with it, or go on under another metric.
        var former: Set<SeriesReference> = []
    }

    /// One of the times that each group exposes, in seconds.
    struct TimeSeries {
        let name: ByteString
        var seconds: Double
        var reference = SeriesReference.none
    }

    let key: GroupingKey
    var families: [ByteString: Family] = [:]
    var times: [TimeSeries]
    /// The time of the latest samples.
    var lastTime: Timestamp
    /// What is not stored yet.
    var waiting: Waiting?
    /// Pushes up to this time, in nanoseconds, came with a look at the whole group.
    var loadedTime = Int64.min

    init(_ key: GroupingKey, after lastTime: Timestamp) {
        self.key = key
        self.lastTime = lastTime
        times = [
            TimeSeries(name: PushTimes.pushTimeName, seconds: 0),
            TimeSeries(name: PushTimes.failureTimeName, seconds: 0),
        ]
    }

    /// Sets one of the times; nil takes it away.
    /// - Returns: The series that is gone.
    func setTime(_ name: ByteString, _ nanoseconds: Int64?) -> SeriesReference? {
        let place = times.firstIndex { $0.name == name }
        guard let nanoseconds else { return place.map { times.remove(at: $0).reference } }
        let seconds = Double(nanoseconds) / 1e9
        if let place {
            times[place].seconds = seconds
        } else {
            times.append(TimeSeries(name: name, seconds: seconds))
        }
        return nil
    }

    /// All series of the group.
    var references: [SeriesReference] {
        families.values.flatMap(\.references) + times.map(\.reference)
    }

    /// Notes that `families` have values, and `former` series an end, that are not stored yet.
    func wait(_ families: some Sequence<ByteString>, _ former: some Sequence<SeriesReference>) {
        var waiting = waiting ?? Waiting()
        self.waiting = nil
        waiting.families.formUnion(families)
        waiting.former.formUnion(former.lazy.filter(\.isStored))
        self.waiting = waiting
    }

    /// Takes all series for unknown, since other rules make others of them.
    /// - Returns: Those that were known.
    func forgetReferences() -> [SeriesReference] {
        let known = references
        for name in Array(families.keys) {
            guard var family = families.removeValue(forKey: name) else { continue }
            for index in family.members.indices {
                for place in family.members[index].references.indices {
                    family.members[index].references[place] = .none
                }
            }
            families[name] = family
        }
        for index in times.indices { times[index].reference = .none }
        return known
    }

    /// The gauges that tell when the metrics of the family `name` began to count, as clients write it in the text
    /// format; none if there are none.
    func startGauges(of name: ByteString) -> StartGauges {
        let total: ByteString = "_total"
        let base = name.hasSuffix(total) ? name.bytes.dropLast(total.count) : name.bytes[...]
        return StartGauges(members: families[ByteString(base + Array("_created".utf8))]?.members ?? [])
    }

    /// Puts `family` in the place of the one of its name.
    /// - Parameters:
    ///   - zero: For metrics that are new.
    ///   - rules: How series are stored.
    /// - Returns: References of series that may be gone: of metrics that went, or whose form changed.
    /// - Complexity: O(metrics of both).
    func replace(_ family: StoredFamily, zero: Zero, _ rules: BridgeRules) -> [SeriesReference] {
        let metadata = MetricMetadata(type: family.type, unit: family.unit, help: family.help ?? "")
        var old = families.removeValue(forKey: family.name) ?? Family(metadata: metadata)
        var dropped: [SeriesReference] = []
        var isSame = old.members.count == family.count
        if isSame {
            for index in 0..<family.count where !old.members[index].stored.hasSameLabels(as: family[index]) {
                isSame = false
                break
            }
        }
        if old.metadata != metadata { (old.metadata, old.isMetadataNew) = (metadata, true) }
        if isSame {
            for index in 0..<family.count {
                dropped += Self.update(&old.members[index], family[index], rules)
            }
            families[family.name] = old
            return dropped
        }
        var places: [UInt64: [Int]] = [:]
        for (index, member) in old.members.enumerated() { places[member.stored.labelsHash, default: []].append(index) }
        var members: [Member] = []
        members.reserveCapacity(family.count)
        for index in 0..<family.count {
            let stored = family[index]
            guard stored.isExposable else { continue }
            let hash = stored.labelsHash
            let found = places[hash]?.firstIndex { old.members[$0].stored.hasSameLabels(as: stored) }
            if let found, let place = places[hash]?.remove(at: found) {
                var member = old.members[place]
                dropped += Self.update(&member, stored, rules)
                members.append(member)
            } else {
                members.append(Self.member(stored, zero: zero, rules))
            }
        }
        for place in places.values.joined() { dropped += old.members[place].references }
        old.members = members
        families[family.name] = old
        return dropped
    }

    private static func form(of stored: StoredMetric, _ rules: BridgeRules) -> SampleForm {
        stored.number == nil ? SampleForm(stored.value, rules) : .number
    }

    private static func member(_ stored: StoredMetric, zero: Zero, _ rules: BridgeRules) -> Member {
        let form = form(of: stored, rules)
        return Member(
            stored: stored, form: form, references: Array(repeating: .none, count: form.count), zero: zero)
    }

    /// - Returns: The references that the metric had in another form.
    private static func update(
        _ member: inout Member, _ stored: StoredMetric, _ rules: BridgeRules
    ) -> [SeriesReference] {
        member.stored = stored
        let form = form(of: stored, rules)
        if form == member.form { return [] }
        let dropped = member.references
        member = Self.member(stored, zero: .always, rules)
        return dropped
    }
}

extension BridgedGroup.Member {
    /// The value, unpacked; nil for one that is but a number.
    var detail: MetricValue? { form == .number && !stored.mayHaveExemplars ? nil : stored.value }

}

/// The `…_created` gauges beside a family.
struct StartGauges {
    let members: [BridgedGroup.Member]
    /// Places by the hash of the labels; made when one is not where it is expected.
    private lazy var places = Dictionary(
        members.indices.map { (members[$0].stored.labelsHash, $0) }, uniquingKeysWith: { first, _ in first })

    init(members: [BridgedGroup.Member]) { self.members = members }

    /// When the metric at `index` of the family began to count, in milliseconds: as `detail`, its own value, says, or
    /// as the gauge of its labels says; nil if nothing says so.
    mutating func start(of stored: StoredMetric, _ detail: MetricValue?, at index: Int) -> Timestamp? {
        if let created = detail?.created { return created / 1_000_000 }
        guard !members.isEmpty else { return nil }
        var place = index
        if !members.indices.contains(index) || !members[index].stored.hasSameLabels(as: stored) {
            guard let found = places[stored.labelsHash], members[found].stored.hasSameLabels(as: stored) else {
                return nil
            }
            place = found
        }
        return members[place].stored.number.flatMap { Timestamp(exactly: ($0 * 1000).rounded(.down)) }
    }
}

extension MetricValue {
    /// When it began to count, as it says itself, in nanoseconds since 1970.
    var created: Int64? {
        switch self {
        case .counter(let counter): counter.created
        case .summary(let summary): summary.created
        case .histogram(let histogram): histogram.created
        case .gauge, .untyped: nil
        }
    }
}

extension SeriesReference {
    /// A series that the rules drop.
    static let dropped = SeriesReference(rawValue: .max)

    /// Whether it is known, and not dropped.
    var isStored: Bool { self != .none && self != .dropped }
}
