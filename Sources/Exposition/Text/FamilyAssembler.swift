internal import ByteCoding
internal import MetricModel

/// Puts samples together into families: finds the family of a name, and the histogram or summary of a label set.
struct FamilyAssembler {
    /// What a line of a histogram or summary says.
    private enum Role {
        case plain, count, sum
    }

    /// A summary or histogram while its lines come in; only one of the two values is used.
    private struct Draft {
        var family: Int
        var metric: Int
        var isSummary: Bool
        var summary = SummaryValue()
        var histogram = HistogramValue()
    }

    private var families: [MetricFamily] = []
    private var hasType: [Bool] = []
    private var byName = HashIndex()
    private var drafts: [Draft] = []
    private var byLabels = HashIndex()
    /// The draft of the last sample; the next line mostly continues it.
    private var lastDraft = -1
    private var current = -1
    private var currentMetric = 0
    private var role = Role.plain
    /// What the last name stood for.
    private var lastName = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private var lastFamily = -1
    private var lastRole = Role.plain
    /// The labels of the metric before: their texts are shared where they repeat.
    private var previousLabels: [LabelPair] = []

    /// The value of `le` or `quantile` in the current line; NaN without one.
    var bound = Double.nan

    init() {
        families.reserveCapacity(16)
        hasType.reserveCapacity(16)
    }

    /// The number of families, those without samples included.
    var count: Int { families.count }

    var currentType: MetricType { current >= 0 ? families[current].type : .unknown }

    var quotedCurrentName: String { current >= 0 ? Excerpt.quoted(families[current].name.bytes) : "\"\"" }

    var currentHelp: ByteString? {
        get { current >= 0 ? families[current].help : nil }
        set { if current >= 0 { families[current].help = newValue } }
    }

    var currentHasType: Bool { current >= 0 && hasType[current] }

    mutating func setCurrentType(_ type: MetricType) {
        guard current >= 0 else { return }
        families[current].type = type
        hasType[current] = true
    }

    /// After the first sample the type cannot change any more.
    @inline(__always)
    mutating func fixCurrentType() {
        if current >= 0 { hasType[current] = true }
    }

    @inline(__always)
    mutating func startSample() { bound = .nan }

    /// Makes the family that `name` belongs to the current one.
    mutating func select(_ name: UnsafeBufferPointer<UInt8>) {
        // Mostly the line before had the same name; what a name stands for never changes once it is known.
        if equals(name, lastName) {
            current = lastFamily
            role = lastRole
            return
        }
        resolve(name)
        lastName = name
        lastFamily = current
        lastRole = role
    }

    private mutating func resolve(_ name: UnsafeBufferPointer<UInt8>) {
        role = .plain
        let hash = ByteHash.hash(name)
        if let known = find(name, hash) {
            current = known
            return
        }
        if let suffix = Self.magicSuffix(name) {
            let stem = UnsafeBufferPointer(rebasing: name[..<(name.count &- suffix)])
            if let family = find(stem, ByteHash.hash(stem)) {
                let type = families[family].type
                let isHistogram = type == .histogram || type == .gaugeHistogram
                if hasType[family], isHistogram || type == .summary && suffix != 7 {
                    current = family
                    role = suffix == 6 ? .count : suffix == 4 ? .sum : .plain
                    return
                }
            }
        }
        current = byName.insert(hash)
        families.append(MetricFamily(name: ByteString(copy(name)), type: .unknown))
        hasType.append(false)
    }

    private func find(_ name: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int? {
        byName.find(hash) { equals(name, families[$0].name.bytes) }
    }

    /// The length of `_count`, `_sum` or `_bucket` at the end of `name`.
    private static func magicSuffix(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let last = name.last else { return nil }
        func ends(_ suffix: StaticString) -> Bool {
            let length = suffix.utf8CodeUnitCount
            guard name.count > length else { return false }
            return equals(UnsafeBufferPointer(rebasing: name[(name.count &- length)...]), suffix)
        }
        if last == UInt8(ascii: "m") { return ends("_sum") ? 4 : nil }
        if last == UInt8(ascii: "t") { return ends("_count") ? 6 : ends("_bucket") ? 7 : nil }
        return nil
    }

    /// Whether `label` is no label of the metric but the bound of a bucket or a quantile.
    @inline(__always)
    func isSpecial(_ label: UnsafeBufferPointer<UInt8>) -> Bool {
        switch currentType {
        case .summary: label.count == 8 && equals(label, "quantile")
        case .histogram, .gaugeHistogram: label.count == 2 && equals(label, "le")
        default: false
        }
    }

    // MARK: Metrics

    /// Makes the metric with `labels` the current one: a new one, or the histogram or summary they belong to.
    mutating func selectMetric(_ labels: [TextReader.PendingLabel]) {
        let isSummary: Bool
        switch families[current].type {
        case .summary: isSummary = true
        case .histogram, .gaugeHistogram: isSummary = false
        default:
            appendMetric(labels)
            return
        }
        if lastDraft >= 0, drafts[lastDraft].family == current,
            matches(families[current].metrics[drafts[lastDraft].metric].labels, labels)
        {
            currentMetric = drafts[lastDraft].metric
            return
        }
        let hash = Self.hash(labels, family: current)
        let found = byLabels.find(hash) { index in
            drafts[index].family == current
                && isSameSet(families[current].metrics[drafts[index].metric].labels, labels)
        }
        if let found {
            lastDraft = found
            currentMetric = drafts[found].metric
            return
        }
        lastDraft = byLabels.insert(hash)
        appendMetric(labels)
        drafts.append(Draft(family: current, metric: currentMetric, isSummary: isSummary))
    }

    private mutating func appendMetric(_ labels: [TextReader.PendingLabel]) {
        currentMetric = families[current].metrics.count
        // Most families have one metric or several: grow once from 1 to 8 rather than in three steps.
        if currentMetric == 1 { families[current].metrics.reserveCapacity(8) }
        families[current].metrics.append(Metric(labels: makeLabels(labels), value: .untyped(0)))
    }

    private func matches(_ known: [LabelPair], _ labels: [TextReader.PendingLabel]) -> Bool {
        guard known.count == labels.count else { return false }
        for index in 0..<labels.count {
            guard equals(labels[index].value, known[index].value.bytes),
                equals(labels[index].name, known[index].name.bytes)
            else { return false }
        }
        return true
    }

    /// Names are unique on both sides.
    private func isSameSet(_ known: [LabelPair], _ labels: [TextReader.PendingLabel]) -> Bool {
        if matches(known, labels) { return true }
        guard known.count == labels.count else { return false }
        // The same bytes in another order: sort both rather than compare each with each.
        let left = known.sorted { $0.name < $1.name }
        let right = labels.map { LabelPair(ByteString(Array($0.name)), ByteString(Array($0.value))) }
            .sorted { $0.name < $1.name }
        return left == right
    }

    /// The same for any order of `labels`.
    private static func hash(_ labels: [TextReader.PendingLabel], family: Int) -> UInt64 {
        var sum = UInt64(truncatingIfNeeded: family) &* 0x9E37_79B9_7F4A_7C15
        for label in labels {
            let name = ByteHash.hash(label.name)
            let value = ByteHash.hash(label.value)
            sum = sum &+ (name ^ (value &* 0xA076_1D64_78BD_642F))
        }
        return sum ^ (sum >> 29)
    }

    private mutating func makeLabels(_ labels: [TextReader.PendingLabel]) -> [LabelPair] {
        let count = labels.count
        if count == 0 {
            return []
        }
        if matches(previousLabels, labels) { return previousLabels }
        var made: [LabelPair] = []
        made.reserveCapacity(count)
        for index in 0..<count {
            let label = labels[index]
            var pair: LabelPair
            if index < previousLabels.count {
                pair = previousLabels[index]
                if !equals(label.name, pair.name.bytes) { pair.name = ByteString(copy(label.name)) }
                if !equals(label.value, pair.value.bytes) { pair.value = ByteString(copy(label.value)) }
            } else {
                pair = LabelPair(ByteString(copy(label.name)), ByteString(copy(label.value)))
            }
            made.append(pair)
        }
        previousLabels = made
        return made
    }

    // MARK: Values

    /// Stores the value of the current line.
    /// - Returns: Why it cannot be taken, or nil.
    mutating func setValue(_ value: Double) -> String? {
        switch families[current].type {
        case .counter: families[current].metrics[currentMetric].value = .counter(CounterValue(value))
        case .gauge: families[current].metrics[currentMetric].value = .gauge(value)
        case .summary, .histogram, .gaugeHistogram: return setDraft(value)
        default: families[current].metrics[currentMetric].value = .untyped(value)
        }
        return nil
    }

    mutating func setTimestamp(_ timestamp: Timestamp) {
        families[current].metrics[currentMetric].timestamp = timestamp
    }

    /// Whether the number of the current line counts observations, so that it may be changed or refused.
    var isCountNext: Bool {
        switch families[current].type {
        case .summary: role == .count
        case .histogram, .gaugeHistogram: role != .sum
        default: false
        }
    }

    private mutating func setDraft(_ value: Double) -> String? {
        if drafts[lastDraft].isSummary {
            switch role {
            case .count: drafts[lastDraft].summary.count = Double(GoConversion.uint64(value))
            case .sum: drafts[lastDraft].summary.sum = value
            case .plain:
                if !bound.isNaN { drafts[lastDraft].summary.quantiles.append(SummaryValue.Quantile(bound, value)) }
            }
            return nil
        }
        if role == .sum {
            drafts[lastDraft].histogram.sum = value
            return nil
        }
        if role == .plain, bound.isNaN { return nil }
        if Double(GoConversion.uint64(value)) != value {
            if value < 0 {
                let what = role == .count ? "count" : "bucket population"
                return "negative \(what) for histogram \(quotedCurrentName)"
            }
            drafts[lastDraft].histogram.hasFloatCounts = true
        }
        if role == .count {
            drafts[lastDraft].histogram.count = value
        } else {
            if drafts[lastDraft].histogram.buckets.isEmpty { drafts[lastDraft].histogram.buckets.reserveCapacity(12) }
            drafts[lastDraft].histogram.buckets.append(HistogramValue.Bucket(upperBound: bound, count: value))
        }
        return nil
    }

    /// The families that have samples.
    mutating func finish() -> [MetricFamily] {
        for draft in drafts {
            if draft.isSummary {
                families[draft.family].metrics[draft.metric].value = .summary(draft.summary)
            } else {
                var histogram = draft.histogram
                if histogram.hasFloatCounts, histogram.count == nil { histogram.count = 0 }
                families[draft.family].metrics[draft.metric].value = .histogram(histogram)
            }
        }
        for index in families.indices where families[index].metrics.isEmpty {
            return families.filter { !$0.metrics.isEmpty }
        }
        return families
    }
}

/// Conversions that Go leaves to the processor, as amd64 does them.
enum GoConversion {
    /// Go's `uint64(f)`.
    static func uint64(_ value: Double) -> UInt64 {
        if value >= 0 { return value < 0x1p64 ? UInt64(value) : 1 << 63 }
        return value >= -0x1p63 ? UInt64(bitPattern: Int64(value)) : 1 << 63
    }
}
