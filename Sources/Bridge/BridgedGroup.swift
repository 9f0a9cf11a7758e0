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
        var type: MetricType
        var members: [Member] = []

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

    /// When the metric at `index` of `family` began to count, in milliseconds: as it says itself, or as a `…_created`
    /// gauge beside it says, which is how clients write it in the text format; nil if nothing says so.
    func start(of stored: StoredMetric, in family: ByteString, at index: Int) -> Timestamp? {
        let created: Int64? =
            switch stored.value {
            case .counter(let counter): counter.created
            case .summary(let summary): summary.created
            case .histogram(let histogram): histogram.created
            case .gauge, .untyped: nil
            }
        if let created { return created / 1_000_000 }
        let total: ByteString = "_total"
        let base = family.hasSuffix(total) ? family.bytes.dropLast(total.count) : family.bytes[...]
        guard let gauges = families[ByteString(base + Array("_created".utf8))]?.members else { return nil }
        // Usually in the same order.
        let isHere = gauges.indices.contains(index) && gauges[index].stored.hasSameLabels(as: stored)
        let gauge = isHere ? gauges[index] : gauges.first { $0.stored.hasSameLabels(as: stored) }
        return gauge?.stored.number.flatMap { Timestamp(exactly: ($0 * 1000).rounded(.down)) }
    }

    /// Puts `family` in the place of the one of its name.
    /// - Parameters:
    ///   - zero: For metrics that are new.
    ///   - rules: How series are stored.
    /// - Returns: References of series that may be gone: of metrics that went, or whose form changed.
    /// - Complexity: O(metrics of both).
    func replace(_ family: StoredFamily, zero: Zero, _ rules: BridgeRules) -> [SeriesReference] {
        var old = families.removeValue(forKey: family.name) ?? Family(type: family.type)
        var dropped: [SeriesReference] = []
        var isSame = old.members.count == family.count
        if isSame {
            for index in 0..<family.count where !old.members[index].stored.hasSameLabels(as: family[index]) {
                isSame = false
                break
            }
        }
        old.type = family.type
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
        families[family.name] = Family(type: family.type, members: members)
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

extension SeriesReference {
    /// A series that the rules drop.
    static let dropped = SeriesReference(rawValue: .max)

    /// Whether it is known, and not dropped.
    var isStored: Bool { self != .none && self != .dropped }
}
