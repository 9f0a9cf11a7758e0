internal import MetricModel

/// What a command changed, as it is written down: enough to make the same change again without any check.
///
/// An effect sets, it never adds: replaying effects over a state that already has some of them ends in the same state.
/// Snapshots rely on it, which are taken while pushes go on.
enum Effect: Sendable {
    case push(PreparedPush)
    case failure(GroupingKey, time: Int64, Lifetime)
    case delete(GroupingKey)
    case wipe
    /// A whole group, in a snapshot.
    case group(GroupView)
    case scraped(ScrapedGroup, by: ByteString)
    case remembered(RememberedOutcomes.Entry)
    /// The clock was set, and the end of a group with it.
    case lifetime(GroupingKey, GroupLifetime)

    private enum Kind: UInt8 {
        case push = 1
        case failure = 2
        case delete = 3
        case wipe = 4
        case group = 5
        case scraped = 6
        case remembered = 7
        case lifetime = 8
    }

    /// The effect as bytes; see docs/format/journal.md.
    var encoded: [UInt8] {
        var writer = PackedWriter()
        switch self {
        case .push(let push):
            writer.bytes.reserveCapacity(push.families.reduce(64) { $0 + 24 + $1.name.count + $1.packedSize })
            Effect.beginPush(
                of: push.group, push.mode, push.time, push.lifetime, familyCount: push.families.count, &writer)
            for family in push.families {
                Effect.append(family.name, family.help, family.type, family.unit, family.series, to: &writer)
            }
        case .failure(let key, let time, let lifetime):
            writer.byte(Kind.failure.rawValue)
            writer.signed(time)
            Effect.append(lifetime, to: &writer)
            key.append(to: &writer)
        case .delete(let key):
            writer.byte(Kind.delete.rawValue)
            key.append(to: &writer)
        case .wipe:
            writer.byte(Kind.wipe.rawValue)
        case .group(let group):
            writer.byte(Kind.group.rawValue)
            group.key.append(to: &writer)
            for time in [group.pushTime, group.failureTime, group.pushTimeChanged, group.failureTimeChanged] {
                writer.signed(time)
            }
            Effect.append(group.lifetime, to: &writer)
            writer.count(group.families.count)
            for family in group.families {
                writer.signed(family.time)
                Effect.append(family.name, family.help, family.type, family.unit, family.series, to: &writer)
            }
        case .scraped(let group, let scraper):
            writer.byte(Kind.scraped.rawValue)
            group.key.append(to: &writer)
            writer.signed(group.pushTime)
            writer.text(scraper)
        case .remembered(let entry):
            writer.byte(Kind.remembered.rawValue)
            writer.text(entry.key.key)
            writer.varint(entry.key.fingerprint)
            writer.signed(entry.key.time)
            OutcomeCoding.append(entry.outcome, to: &writer)
        case .lifetime(let key, let lifetime):
            writer.byte(Kind.lifetime.rawValue)
            key.append(to: &writer)
            Effect.append(lifetime, to: &writer)
        }
        return writer.bytes
    }

    /// A push of a known shape, as ``encoded`` has it.
    /// - Parameters:
    ///   - size: About how many bytes the series take.
    ///   - appendSeries: Appends the next series, in the order of the shape, with its length before it.
    static func encoded(
        _ push: ShapedPush, size: Int, appendSeries: (inout PackedWriter) -> Void
    ) -> [UInt8] {
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(push.shape.families.reduce(64 + size) { $0 + 24 + $1.name.count })
        beginPush(
            of: push.group, push.mode, push.time, push.lifetime, familyCount: push.shape.families.count, &writer)
        for family in push.shape.families {
            begin(family.name, family.help, family.type, family.unit, seriesCount: family.seriesCount, &writer)
            for _ in 0..<family.seriesCount { appendSeries(&writer) }
        }
        return writer.bytes
    }

    private static func beginPush(
        of group: GroupingKey, _ mode: Push.Mode, _ time: Int64, _ lifetime: Lifetime, familyCount: Int,
        _ writer: inout PackedWriter
    ) {
        writer.byte(Kind.push.rawValue)
        writer.byte(mode.rawValue)
        writer.signed(time)
        append(lifetime, to: &writer)
        group.append(to: &writer)
        writer.count(familyCount)
    }

    /// Reads what ``encoded`` made.
    init(_ bytes: [UInt8]) throws(MalformedBytes) {
        var reader = PackedReader(bytes)
        guard let kind = Kind(rawValue: try reader.byte()) else { throw MalformedBytes() }
        switch kind {
        case .push:
            guard let mode = Push.Mode(rawValue: try reader.byte()) else { throw MalformedBytes() }
            let time = try reader.signed()
            let lifetime = try Effect.lifetime(&reader)
            let key = try Effect.key(&reader)
            var families: [PreparedPush.Family] = []
            for _ in 0..<(try reader.count()) { families.append(try Effect.family(&reader)) }
            self = .push(PreparedPush(replaying: families, group: key, mode: mode, time: time, lifetime: lifetime))
        case .failure:
            let time = try reader.signed()
            let lifetime = try Effect.lifetime(&reader)
            self = .failure(try Effect.key(&reader), time: time, lifetime)
        case .delete: self = .delete(try Effect.key(&reader))
        case .wipe: self = .wipe
        case .group: self = .group(try Effect.group(&reader))
        case .scraped:
            let key = try Effect.key(&reader)
            let group = ScrapedGroup(key: key, pushTime: try reader.signed())
            self = .scraped(group, by: try reader.text())
        case .remembered:
            let key = IdempotencyKey(
                try reader.text(), fingerprint: try reader.varint(), time: try reader.signed())
            self = .remembered(.init(key: key, outcome: try OutcomeCoding.read(&reader)))
        case .lifetime:
            let key = try Effect.key(&reader)
            self = .lifetime(key, try Effect.groupLifetime(&reader))
        }
        guard reader.isAtEnd else { throw MalformedBytes() }
    }

    private static func group(_ reader: inout PackedReader) throws(MalformedBytes) -> GroupView {
        let key = try key(&reader)
        var times: [Int64] = []
        for _ in 0..<4 { times.append(try reader.signed()) }
        let lifetime = try Effect.groupLifetime(&reader)
        var families: [GroupView.Family] = []
        for _ in 0..<(try reader.count()) {
            let time = try reader.signed()
            let family = try family(&reader)
            families.append(
                GroupView.Family(
                    name: family.name, help: family.help, type: family.type, unit: family.unit, time: time,
                    series: family.series))
        }
        return GroupView(
            key: key, pushTime: times[0], failureTime: times[1], pushTimeChanged: times[2],
            failureTimeChanged: times[3], lifetime: lifetime, families: families)
    }

    private static func append(_ lifetime: Lifetime, to writer: inout PackedWriter) {
        switch lifetime {
        case .forever: writer.byte(0)
        case .nanoseconds(let duration):
            writer.byte(1)
            writer.signed(duration)
        case .untilScraped(let count):
            writer.byte(2)
            writer.count(count)
        }
    }

    private static func lifetime(_ reader: inout PackedReader) throws(MalformedBytes) -> Lifetime {
        switch try reader.byte() {
        case 0: return .forever
        case 1: return .nanoseconds(try reader.signed())
        case 2: return .untilScraped(by: Int(clamping: try reader.varint()))
        default: throw MalformedBytes()
        }
    }

    private static func append(_ lifetime: GroupLifetime, to writer: inout PackedWriter) {
        switch lifetime {
        case .forever: writer.byte(0)
        case .until(let end):
            writer.byte(1)
            writer.signed(end)
        case .scrapes(let count, let seen):
            writer.byte(2)
            writer.count(count)
            writer.count(seen.count)
            for scraper in seen { writer.text(scraper) }
        }
    }

    private static func groupLifetime(_ reader: inout PackedReader) throws(MalformedBytes) -> GroupLifetime {
        switch try reader.byte() {
        case 0: return .forever
        case 1: return .until(try reader.signed())
        case 2:
            let count = Int(clamping: try reader.varint())
            var seen: [ByteString] = []
            for _ in 0..<(try reader.count()) { seen.append(try reader.text()) }
            return .scrapes(count: count, seen: seen)
        default: throw MalformedBytes()
        }
    }

    private static func key(_ reader: inout PackedReader) throws(MalformedBytes) -> GroupingKey {
        var labels: [LabelPair] = []
        for _ in 0..<(try reader.count()) { labels.append(LabelPair(try reader.text(), try reader.text())) }
        return GroupingKey(labels)
    }

    private static func append(
        _ name: ByteString, _ help: ByteString?, _ type: MetricType, _ unit: ByteString, _ series: [PackedSeries],
        to writer: inout PackedWriter
    ) {
        begin(name, help, type, unit, seriesCount: series.count, &writer)
        for one in series {
            writer.count(one.bytes.count)
            writer.bytes.append(contentsOf: one.bytes)
        }
    }

    private static func begin(
        _ name: ByteString, _ help: ByteString?, _ type: MetricType, _ unit: ByteString, seriesCount: Int,
        _ writer: inout PackedWriter
    ) {
        writer.text(name)
        writer.optional(help)
        writer.byte(type.rawValue)
        writer.text(unit)
        writer.count(seriesCount)
    }

    private static func family(_ reader: inout PackedReader) throws(MalformedBytes) -> PreparedPush.Family {
        let name = try reader.text()
        let help = try reader.optionalText()
        guard let type = MetricType(rawValue: try reader.byte()) else { throw MalformedBytes() }
        var family = PreparedPush.Family(
            name: name, help: help, type: type, unit: try reader.text(), series: [], hashes: [])
        let count = try reader.count()
        family.series.reserveCapacity(count)
        family.hashes.reserveCapacity(count)
        for _ in 0..<count {
            let series = try PackedSeries(checking: Array(reader.bytes[try reader.textRange()]))
            guard series.type == type else { throw MalformedBytes() }
            family.series.append(series)
            family.hashes.append(series.keyHash)
        }
        return family
    }
}

extension PreparedPush.Family {
    /// About how many bytes the series take.
    var packedSize: Int { series.reduce(0) { $0 + $1.bytes.count + 2 } }
}

extension GatewayState {
    /// Makes a change again from the bytes that the journal has of it.
    /// - Returns: Whether they were such bytes; nothing is changed if not.
    package mutating func replay(encoded bytes: [UInt8]) -> Bool {
        guard let effect = try? Effect(bytes) else { return false }
        replay(effect)
        return true
    }

    /// Makes a change again that was written down.
    mutating func replay(_ effect: Effect) {
        switch effect {
        case .push(let push): _ = apply(push)
        case .failure(let key, let time, let lifetime): markFailed(key, time: time, lifetime)
        case .delete(let key): delete(key)
        case .wipe: wipe()
        case .group(let group): restore(group)
        case .scraped(let group, let scraper): _ = credit(group, to: scraper)
        case .remembered(let entry): remembered.insert(entry)
        case .lifetime(let key, let lifetime):
            if let number = groupNumbers[key] { setLifetime(lifetime, of: number) }
        }
    }

    /// Puts a group back as it was; one of the same key is replaced.
    mutating func restore(_ group: GroupView) {
        let families = group.families.map { family in
            PreparedPush.Family(
                name: family.name, help: family.help, type: family.type, unit: family.unit, series: family.series,
                hashes: family.series.map(\.keyHash))
        }
        let push = PreparedPush(replaying: families, group: group.key, mode: .replaceGroup, time: group.pushTime)
        _ = apply(push)
        guard let number = groupNumbers[group.key] else { return }
        setPushTime(group.pushTime, of: number, changed: group.pushTimeChanged)
        setFailureTime(group.failureTime, of: number, changed: group.failureTimeChanged)
        setLifetime(group.lifetime, of: number)
        let times = Dictionary(group.families.map { ($0.name, $0.time) }, uniquingKeysWith: { _, last in last })
        for index in groups[Int(number)].members.indices {
            let family = groups[Int(number)].members[index].family
            groups[Int(number)].members[index].time = times[self.families[family].name] ?? group.pushTime
        }
    }
}
