internal import ByteCoding
internal import Exposition
internal import MetricModel
internal import TSDB

/// Which series the value of a metric stands for: one for a number, several for a summary or a histogram. The numbers
/// come first, in the order of an exposition's lines, then the native histogram.
struct SampleForm: Hashable {
    private enum Kind: UInt8 {
        case number, summary, histogram
    }

    /// Where the native histogram comes from.
    private enum Native: UInt8 {
        case none, pushed
        /// Made of the classic buckets.
        case converted
    }

    private var kind = Kind.number
    /// Quantiles or upper bounds, as bits: every number equals itself.
    private var bounds: [UInt64] = []
    private var native = Native.none

    /// The form of a number.
    static let number = SampleForm()

    private init() {}

    /// The form that a protobuf scrape gives a value.
    ///
    /// Source: prometheus/prometheus model/textparse/protobufparse.go (`Next`).
    init(_ value: MetricValue, _ rules: BridgeRules) {
        switch value {
        case .counter, .gauge, .untyped: break
        case .summary(let summary):
            kind = .summary
            bounds = summary.quantiles.map(\.quantile.bitPattern)
        case .histogram(let histogram):
            kind = .histogram
            if rules.keepsNative, histogram.native?.isReadAsNative ?? false {
                native = .pushed
                if !rules.alwaysKeepsClassic || histogram.buckets.isEmpty { return }
            } else if rules.convertsClassic {
                native = .converted
                if !rules.alwaysKeepsClassic { return }
            }
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
    var count: Int { numberCount + (native == .none ? 0 : 1) }

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

    /// The native histogram of `value`, which has this form, within `limits`; nil if it has none, or none can be made
    /// of its buckets.
    func nativeHistogram(
        of value: MetricValue, in type: MetricType, _ limits: HistogramLimits
    ) -> PushedHistogram? {
        guard case .histogram(let histogram) = value else { return nil }
        switch native {
        case .none: return nil
        case .pushed: return histogram.native.map { PushedHistogram(Self.asScraped($0, type, maximumEmpty: 0), limits) }
        case .converted:
            var converter = ClassicHistogramConverter()
            converter.setCount(histogram.count ?? 0)
            converter.setSum(histogram.sum ?? 0)
            for bucket in histogram.buckets { converter.setBucket(bucket.upperBound, bucket.count) }
            // Buckets that make no histogram are passed over.
            guard let converted = try? converter.convert() else { return nil }
            return PushedHistogram(Self.asScraped(converted, type, maximumEmpty: nil), limits)
        }
    }

    private static func asScraped(
        _ native: HistogramValue.NativePart, _ type: MetricType, maximumEmpty: Int?
    ) -> HistogramValue.NativePart {
        let hint: CounterResetHint = type == .gaugeHistogram ? .gauge : .unknown
        switch native {
        case .integer(var histogram):
            histogram.counterResetHint = hint
            if let maximumEmpty { histogram.compact(maximumEmpty: maximumEmpty) }
            return .integer(histogram)
        case .float(var histogram):
            histogram.counterResetHint = hint
            if let maximumEmpty { histogram.compact(maximumEmpty: maximumEmpty) }
            return .float(histogram)
        }
    }

    /// The exemplars of `value`, which has this form, and the places of their series. Those of a native histogram need
    /// a time of their own.
    func exemplars(of value: MetricValue) -> [(place: Int, exemplar: Exemplar)] {
        switch value {
        case .gauge, .untyped, .summary: return []
        case .counter(let counter): return counter.exemplar.map { [(0, $0)] } ?? []
        case .histogram(let histogram):
            var result: [(place: Int, exemplar: Exemplar)] = []
            if hasTotals {
                for (place, bucket) in histogram.buckets.enumerated() {
                    if let exemplar = bucket.exemplar { result.append((place, exemplar)) }
                }
            }
            guard native != .none else { return result }
            let own = histogram.exemplars.isEmpty ? histogram.buckets.compactMap(\.exemplar) : histogram.exemplars
            let sorted = own.filter { $0.timestamp != nil }
                .sorted { ($0.timestamp ?? 0, $0.value) < ($1.timestamp ?? 0, $1.value) }
            return result + sorted.map { (count - 1, $0) }
        }
    }

    /// The label sets of all series of a metric; nil for those that the rules drop.
    func labels(
        _ name: ByteString, _ labels: [LabelPair], _ metadata: MetricMetadata, _ rules: BridgeRules
    ) -> [Labels?] {
        func series(_ name: ByteString, _ extra: LabelPair? = nil) -> Labels? {
            var pairs = [(name: Labels.metricName, value: name)]
            pairs += labels.map { (name: $0.name, value: $0.value) }
            if let extra { pairs.append((name: extra.name, value: extra.value)) }
            return rules.labels(pairs, metadata)
        }
        if kind == .number { return [series(name)] }
        var result: [Labels?] = []
        result.reserveCapacity(count)
        let isSummary = kind == .summary
        let member = isSummary ? name : Self.joined(name, "_bucket")
        for bound in bounds {
            let text = ByteString(FloatText.string(Double(bitPattern: bound), .openMetrics))
            result.append(series(member, LabelPair(isSummary ? "quantile" : "le", text)))
        }
        if hasTotals {
            result.append(series(Self.joined(name, "_sum")))
            result.append(series(Self.joined(name, "_count")))
        }
        if native != .none { result.append(series(name)) }
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

    private static func joined(_ name: ByteString, _ suffix: String) -> ByteString {
        ByteString(name.bytes + Array(suffix.utf8))
    }
}

/// A native histogram as it is to be stored.
enum PushedHistogram {
    case fitted(HistogramValue.NativePart)
    /// It has more buckets than the limits allow, at the coarsest resolution as well.
    case beyondLimits

    init(_ histogram: HistogramValue.NativePart, _ limits: HistogramLimits) {
        // One that is broken cannot be made coarser, and is left out as well.
        guard let fitted = try? limits.fitted(histogram) else {
            self = .beyondLimits
            return
        }
        self = .fitted(fitted)
    }
}

extension HistogramValue.NativePart {
    /// Whether a scrape takes the histogram for a native one: one without spans has to have a zero bucket.
    fileprivate var isReadAsNative: Bool {
        switch self {
        case .integer(let histogram):
            !histogram.positiveSpans.isEmpty || !histogram.negativeSpans.isEmpty || histogram.zeroThreshold > 0
                || histogram.zeroCount > 0
        case .float(let histogram):
            !histogram.positiveSpans.isEmpty || !histogram.negativeSpans.isEmpty || histogram.zeroThreshold > 0
                || histogram.zeroCount > 0
        }
    }
}
