internal import ByteCoding
package import MetricModel

/// Something the user should know about a result that was still computed.
///
/// Source: prometheus/prometheus util/annotations.
package struct Annotation: Sendable, Hashable {
    /// What there is to say; two annotations that say the same are one, wherever they point.
    package enum Kind: Sendable, Hashable {
        /// A warning of the store.
        case source(String)
        case invalidRatio(Figure, capped: Figure)
        case invalidQuantile(Figure)
        case badBucketLabel(metric: ByteString, label: ByteString)
        case mixedFloatsHistograms(metric: ByteString)
        case mixedFloatsHistogramsAggregation
        case mixedClassicNativeHistograms(metric: ByteString)
        case nativeHistogramNotCounter(metric: ByteString)
        case nativeHistogramNotGauge(metric: ByteString)
        case mixedExponentialCustomHistograms(metric: ByteString)
        case incompatibleBucketLayout(operation: String)
        case sortInRangeQuery
        case counterResetCollision(HistogramOperation)
        case startTimeOverlap(metric: ByteString)
        case possibleNonCounter(metric: ByteString)
        case possibleNonCounterLabel(metric: ByteString, type: ByteString)
        case forcedMonotonicity(metric: ByteString)
        case incompatibleTypes(left: String, operation: String, right: String)
        case histogramIgnored(aggregation: String)
        case histogramIgnoredInMixedRange(metric: ByteString)
        case quantileNaNResult(metric: ByteString)
        case quantileNaNSkew(metric: ByteString)
        case fractionNaNs(metric: ByteString)
        case mismatchedCustomBuckets(HistogramOperation)
    }

    /// A number as annotations compare it: by its text, so that NaN equals NaN.
    package struct Figure: Sendable, Hashable {
        /// The number.
        package let value: Double

        /// The number `value`.
        package init(_ value: Double) { self.value = value }

        package static func == (left: Figure, right: Figure) -> Bool {
            left.value == right.value && left.value.sign == right.value.sign || left.value.isNaN && right.value.isNaN
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(value.isNaN ? 0 : value) }
    }

    /// What histograms were put through.
    package enum HistogramOperation: String, Sendable, Hashable {
        case addition
        case subtraction
        case aggregation
    }

    /// Where classic buckets had to be made ascending, summed up over all occurrences.
    struct Monotonicity: Hashable {
        var earliest: Timestamp
        var latest: Timestamp
        var lowestBucket: Double
        var highestBucket: Double
        var maximumDifference: Double
        var count = 1

        mutating func merge(_ other: Monotonicity) {
            earliest = min(earliest, other.earliest)
            latest = max(latest, other.latest)
            lowestBucket = min(lowestBucket, other.lowestBucket)
            highestBucket = max(highestBucket, other.highestBucket)
            maximumDifference = max(maximumDifference, other.maximumDifference)
            count += other.count
        }
    }

    /// What it is about.
    package var kind: Kind
    /// Where in the query it points.
    package var position: PositionRange
    var monotonicity: Monotonicity?
    /// How often it was added; only counted for ``Kind/startTimeOverlap(metric:)``.
    var occurrences = 1

    /// An annotation that points to `position`.
    package init(_ kind: Kind, at position: PositionRange) {
        self.kind = kind
        self.position = position
    }

    /// Whether this is a hint rather than a warning.
    package var isInfo: Bool {
        switch kind {
        case .possibleNonCounter, .possibleNonCounterLabel, .forcedMonotonicity, .incompatibleTypes,
            .histogramIgnored, .histogramIgnoredInMixedRange, .quantileNaNResult, .quantileNaNSkew, .fractionNaNs,
            .mismatchedCustomBuckets:
            true
        default: false
        }
    }
}

/// The annotations of a query, each kind once.
package struct Annotations: Sendable {
    private var places: [Annotation.Kind: Int] = [:]
    private var entries: [Annotation] = []

    /// None.
    package init() {}

    /// Whether there are none.
    package var isEmpty: Bool { entries.isEmpty }

    /// All, in the order in which they first came up.
    package var all: [Annotation] { entries }

    /// Adds an annotation; one that is there already moves to the new position.
    package mutating func add(_ kind: Annotation.Kind, at position: PositionRange) {
        add(Annotation(kind, at: position))
    }

    /// Adds an annotation; one that is there already is merged with it.
    package mutating func add(_ annotation: Annotation) {
        guard let place = places[annotation.kind] else {
            places[annotation.kind] = entries.count
            entries.append(annotation)
            return
        }
        if let monotonicity = annotation.monotonicity {
            entries[place].monotonicity?.merge(monotonicity)
        } else if case .startTimeOverlap = annotation.kind {
            entries[place].occurrences += annotation.occurrences
        } else {
            entries[place].position = annotation.position
        }
    }

    /// Adds all of `other`.
    package mutating func merge(_ other: Annotations) {
        for entry in other.entries { add(entry) }
    }

    /// The texts, warnings and infos apart, with positions in `query`; at most `limit` of each, then how many more
    /// there are. A limit of 0 is none.
    package func texts(query: ByteString, limit: Int = 0) -> (warnings: [String], infos: [String]) {
        var warnings: [String] = []
        var infos: [String] = []
        var left = (warnings: 0, infos: 0)
        for entry in entries {
            let text = entry.text(in: query)
            if entry.isInfo {
                if limit == 0 || infos.count < limit { infos.append(text) } else { left.infos += 1 }
            } else {
                if limit == 0 || warnings.count < limit { warnings.append(text) } else { left.warnings += 1 }
            }
        }
        if left.warnings > 0 { warnings.append("\(left.warnings) more warning annotations omitted") }
        if left.infos > 0 { infos.append("\(left.infos) more info annotations omitted") }
        return (warnings, infos)
    }
}

extension Annotation {
    /// The sentence, with where in `query` it points.
    package func text(in query: ByteString) -> String {
        if case .source(let message) = kind { return message }
        let place = position.text(in: query.bytes)
        var text = message
        if let monotonicity {
            let low = FloatText.string(monotonicity.lowestBucket, .general)
            let high = FloatText.string(monotonicity.highestBucket, .general)
            let difference = Self.twoDigits(monotonicity.maximumDifference)
            text += ", from buckets \(low) to \(high), with a max diff of \(difference), over "
            text += "\(monotonicity.count) samples from \(CivilTime(second: monotonicity.earliest / 1000).rfc3339)"
            text += " to \(CivilTime(second: monotonicity.latest / 1000).rfc3339)"
        }
        if occurrences > 1 { text += " (\(occurrences) occurrences)" }
        return "\(text) (\(place))"
    }

    /// The sentence alone, as upstream's annotations compare.
    package var message: String {
        switch kind {
        case .source(let message): return message
        case .invalidRatio(let ratio, let capped):
            return "PromQL warning: ratio value should be between -1 and 1, got "
                + "\(FloatText.string(ratio.value, .general)), capping to \(FloatText.string(capped.value, .general))"
        case .invalidQuantile(let quantile):
            return "PromQL warning: quantile value should be between 0 and 1, got "
                + FloatText.string(quantile.value, .general)
        case .badBucketLabel(let metric, let label):
            return "PromQL warning: bucket label \"le\" is missing or has a malformed value of "
                + Quoting.quote(label) + Self.forMetric(metric)
        case .mixedFloatsHistograms(let metric):
            return "PromQL warning: encountered a mix of histograms and floats for metric name "
                + Quoting.quote(metric)
        case .mixedFloatsHistogramsAggregation:
            return "PromQL warning: encountered a mix of histograms and floats for aggregation"
        case .mixedClassicNativeHistograms(let metric):
            return "PromQL warning: vector contains a mix of classic and native histograms" + Self.forMetric(metric)
        case .nativeHistogramNotCounter(let metric):
            return "PromQL warning: this native histogram metric is not a counter: \(Quoting.quote(metric))"
        case .nativeHistogramNotGauge(let metric):
            return "PromQL warning: this native histogram metric is not a gauge: \(Quoting.quote(metric))"
        case .mixedExponentialCustomHistograms(let metric):
            return "PromQL warning: vector contains a mix of histograms with exponential and custom buckets schemas "
                + "for metric name \(Quoting.quote(metric))"
        case .incompatibleBucketLayout(let operation):
            return "PromQL warning: incompatible bucket layout encountered for binary operator \(operation)"
        case .sortInRangeQuery:
            return "PromQL warning: sort is ineffective for range queries since results are always ordered by labels"
        case .counterResetCollision(let operation):
            return "PromQL warning: conflicting counter resets during histogram \(operation.rawValue)"
        case .startTimeOverlap(let metric):
            return "PromQL warning: sample has start time that overlaps with previous sample timestamp for metric "
                + Quoting.quote(metric)
        default: return infoMessage
        }
    }

    private var infoMessage: String {
        switch kind {
        case .possibleNonCounter(let metric):
            return "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                + Quoting.quote(metric)
        case .possibleNonCounterLabel(let metric, let type):
            return "PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or "
                + "\"histogram\", got \(Quoting.quote(type)): \(Quoting.quote(metric))"
        case .forcedMonotonicity(let metric):
            return "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
                + "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
                + Self.forMetric(metric)
        case .incompatibleTypes(let left, let operation, let right):
            return "PromQL info: incompatible sample types encountered for binary operator \"\(operation)\": "
                + "\(left) \(operation) \(right)"
        case .histogramIgnored(let aggregation):
            return "PromQL info: ignored histogram in \(aggregation) aggregation"
        case .histogramIgnoredInMixedRange(let metric):
            return "PromQL info: ignored histograms in a range containing both floats and histograms for metric "
                + "name \(Quoting.quote(metric))"
        case .quantileNaNResult(let metric):
            return "PromQL info: input to histogram_quantile has NaN observations, result is NaN"
                + Self.forMetric(metric)
        case .quantileNaNSkew(let metric):
            return "PromQL info: input to histogram_quantile has NaN observations, result is skewed higher"
                + Self.forMetric(metric)
        case .fractionNaNs(let metric):
            return "PromQL info: input to histogram_fraction has NaN observations, which are excluded from all "
                + "fractions" + Self.forMetric(metric)
        case .mismatchedCustomBuckets(let operation):
            return "PromQL info: mismatched custom buckets were reconciled during \(operation.rawValue)"
        default: return ""
        }
    }

    private static func forMetric(_ metric: ByteString) -> String {
        metric.isEmpty ? "" : " for metric name \(Quoting.quote(metric))"
    }

    /// `%.2g`.
    static func twoDigits(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return FloatText.string(value, .general) }
        var exponent = 0
        var mantissa = value.magnitude
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        var tenths = Int((mantissa * 10).rounded(.toNearestOrEven))
        if tenths >= 100 {
            tenths = 10
            exponent += 1
        }
        let sign = value < 0 ? "-" : ""
        let digits = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        if exponent < -4 || exponent >= 2 {
            let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return "\(sign)\(digits)e\(exponent < 0 ? "-" : "+")\(power)"
        }
        if exponent == 1 { return "\(sign)\(tenths)" }
        if exponent == 0 { return sign + digits }
        let zeros = String(repeating: "0", count: -exponent - 1)
        return "\(sign)0.\(zeros)\(tenths % 10 == 0 ? tenths / 10 : tenths)"
    }
}
