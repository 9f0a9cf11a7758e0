internal import ByteCoding
internal import Gateway
internal import MetricModel

/// How histograms are stored.
package struct HistogramRules: Sendable, Hashable {
    /// Native histograms are stored as such, not as their classic buckets.
    package var keepsNative: Bool
    /// Classic buckets are stored beside the native part.
    package var alwaysKeepsClassic: Bool

    /// Rules; those of a scrape without native histograms by default.
    package init(keepsNative: Bool = false, alwaysKeepsClassic: Bool = false) {
        self.keepsNative = keepsNative
        self.alwaysKeepsClassic = alwaysKeepsClassic
    }
}

/// Which series the value of a metric stands for: one for a number, several for a summary or a histogram. The numbers
/// come first, in the order of an exposition's lines, then the native histogram.
struct SampleForm: Hashable {
    private enum Kind: UInt8 {
        case number, summary, histogram
    }

    private var kind = Kind.number
    /// Quantiles or upper bounds, as bits: every number equals itself.
    private var bounds: [UInt64] = []
    private(set) var hasNative = false

    /// The form of a number.
    static let number = SampleForm()

    private init() {}

    init(_ value: MetricValue, _ rules: HistogramRules) {
        switch value {
        case .counter, .gauge, .untyped: break
        case .summary(let summary):
            kind = .summary
            bounds = summary.quantiles.map(\.quantile.bitPattern)
        case .histogram(let histogram):
            kind = .histogram
            hasNative = rules.keepsNative && histogram.native != nil
            if hasNative, !rules.alwaysKeepsClassic || histogram.buckets.isEmpty { return }
            bounds = histogram.buckets.map(\.upperBound.bitPattern)
            if !histogram.buckets.contains(where: { $0.upperBound == .infinity }) {
                bounds.append(Double.infinity.bitPattern)
            }
        }
    }

    private var hasTotals: Bool { kind == .summary || !bounds.isEmpty }

    /// Number of series that hold numbers.
    var numberCount: Int { kind == .number ? 1 : bounds.count + (hasTotals ? 2 : 0) }

    /// Number of all series.
    var count: Int { numberCount + (hasNative ? 1 : 0) }

    /// Appends the numbers of `value`, which has this form.
    func append(_ value: MetricValue, to numbers: inout [Double]) {
        switch value {
        case .counter(let counter): numbers.append(counter.value)
        case .gauge(let number), .untyped(let number): numbers.append(number)
        case .summary(let summary):
            for quantile in summary.quantiles { numbers.append(quantile.value) }
            numbers.append(summary.sum ?? 0)
            numbers.append(summary.count ?? 0)
        case .histogram(let histogram):
            guard hasTotals else { return }
            for bucket in histogram.buckets { numbers.append(bucket.count) }
            if histogram.buckets.count < bounds.count { numbers.append(histogram.count ?? 0) }
            numbers.append(histogram.sum ?? 0)
            numbers.append(histogram.count ?? 0)
        }
    }

    /// The label sets of all series of a metric. Empty labels are missing ones, as in a scrape that honours labels.
    func labels(_ name: ByteString, _ labels: [LabelPair]) -> [Labels] {
        if kind == .number { return [Self.series(name, labels)] }
        var result: [Labels] = []
        result.reserveCapacity(count)
        let isSummary = kind == .summary
        let member = isSummary ? name : Self.joined(name, "_bucket")
        for bound in bounds {
            let text = ByteString(FloatText.string(Double(bitPattern: bound), .openMetrics))
            result.append(Self.series(member, labels, LabelPair(isSummary ? "quantile" : "le", text)))
        }
        if hasTotals {
            result.append(Self.series(Self.joined(name, "_sum"), labels))
            result.append(Self.series(Self.joined(name, "_count"), labels))
        }
        if hasNative { result.append(Self.series(name, labels)) }
        return result
    }

    /// Whether the series at `index` starts at zero in a family of `type`: it counts something up.
    func startsAtZero(_ index: Int, in type: MetricType) -> Bool {
        switch kind {
        case .number: type == .counter
        case .summary: index >= bounds.count
        case .histogram: type == .histogram
        }
    }

    private static func series(_ name: ByteString, _ labels: [LabelPair], _ extra: LabelPair? = nil) -> Labels {
        var pairs = [(name: Labels.metricName, value: name)]
        pairs += labels.map { (name: $0.name, value: $0.value) }
        if let extra { pairs.append((name: extra.name, value: extra.value)) }
        return Labels(pairs)
    }

    private static func joined(_ name: ByteString, _ suffix: String) -> ByteString {
        ByteString(name.bytes + Array(suffix.utf8))
    }
}
