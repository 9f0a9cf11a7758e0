internal import MetricModel

/// All that is stored under one metric name.
struct FamilyRecord: Sendable {
    let name: ByteString
    /// Set if the process itself exposes a family of this name.
    let own: OwnFamily?
    /// What the name reads without `_sum`, `_count` or `_bucket`; nil if it has no such ending.
    let base: (name: ByteString, suffix: Suffix)?
    let isLegacyName: Bool
    var helps = TextVotes()
    var units = TextVotes()
    var sorted = SortedSeries()
    /// Number of groups that have the family.
    private(set) var memberCount = 0
    /// Number of groups by the type they give the family.
    private var membersOfType = [Int32](repeating: 0, count: MetricType.allCases.count)
    /// Number of series in `sorted` that may be shown, by type.
    private var exposableOfType = [Int32](repeating: 0, count: MetricType.allCases.count)
    /// Series that are left out because another group exposes the same labels.
    var duplicateCount = 0
    /// Series with a label name that is not legacy.
    private var utf8NameCount = 0
    /// What scrapes see; nil if something changed since it was made.
    var view: FamilyView?

    /// Endings that histograms and summaries reserve.
    enum Suffix: Sendable, CaseIterable {
        case count, sum, bucket

        var text: ByteString {
            switch self {
            case .count: FamilyRecord.countText
            case .sum: FamilyRecord.sumText
            case .bucket: FamilyRecord.bucketText
            }
        }
    }

    init(name: ByteString, own: OwnFamily?) {
        self.name = name
        self.own = own
        base = FamilyRecord.base(of: name)
        isLegacyName = LegacyNames.isMetricName(name)
    }

    static func base(of name: ByteString) -> (name: ByteString, suffix: Suffix)? {
        guard let last = name.bytes.last else { return nil }
        let ending: (text: ByteString, suffix: Suffix)
        switch last {
        case UInt8(ascii: "m"): ending = (sumText, .sum)
        case UInt8(ascii: "t"): ending = name.hasSuffix(countText) ? (countText, .count) : (bucketText, .bucket)
        default: return nil
        }
        guard name.count > ending.text.count, name.hasSuffix(ending.text) else { return nil }
        return (ByteString(name.bytes.dropLast(ending.text.count)), ending.suffix)
    }

    private static let sumText: ByteString = "_sum"
    private static let countText: ByteString = "_count"
    private static let bucketText: ByteString = "_bucket"

    /// The type under which the family is exposed; nil if it is not.
    var exposedType: MetricType? { isUnused ? nil : type }

    /// Whether nobody has the family any more.
    var isUnused: Bool { memberCount == 0 && own == nil }

    /// The type that is exposed: our own, else the one that most groups give (of several the first in order).
    var type: MetricType {
        if let own { return own.type }
        var best = MetricType.unknown
        var votes: Int32 = 0
        for type in MetricType.allCases where membersOfType[Int(type.rawValue)] > votes {
            votes = membersOfType[Int(type.rawValue)]
            best = type
        }
        return best
    }

    /// Whether the exposed family reserves `suffix` behind its name.
    func reserves(_ suffix: Suffix) -> Bool {
        guard memberCount > 0 || own != nil else { return false }
        switch type {
        case .histogram, .gaugeHistogram: return true
        case .summary: return suffix != .bucket
        default: return false
        }
    }

    /// Whether all names can be written without quotes or escaping.
    var hasOnlyLegacyNames: Bool { isLegacyName && utf8NameCount == 0 }

    /// Series that a scrape shows, unless the whole family is left out.
    var shownCount: Int { Int(exposableOfType[Int(type.rawValue)]) }

    /// Series that are left out for reasons of their own.
    var leftOutCount: Int { duplicateCount + sorted.count - shownCount }

    mutating func addMember(_ type: MetricType) {
        view = nil
        memberCount += 1
        membersOfType[Int(type.rawValue)] += 1
    }

    mutating func removeMember(_ type: MetricType) {
        view = nil
        memberCount -= 1
        membersOfType[Int(type.rawValue)] -= 1
    }

    /// Counts a series by its first byte.
    mutating func count(_ head: UInt8, by change: Int32) {
        if head & PackedSeries.unexposableFlag == 0 { exposableOfType[Int(head & 0x07)] += change }
        if head & PackedSeries.utf8NameFlag != 0 { utf8NameCount += Int(change) }
    }

    /// Notes that a scrape would see something new.
    mutating func touch() {
        if view != nil { view = nil }
    }
}
