internal import ByteCoding
internal import MetricModel
internal import Scrape
internal import TSDB

/// Makes samples of an OTLP message and appends them to the store, all or nothing.
///
/// Source of the behaviour: prometheus/prometheus storage/remote/otlptranslator/prometheusremotewrite.
struct OTLPTranslation {
    /// What the receiver is told besides the configuration.
    struct Options {
        var allowsDeltas = false
        /// Whether series get the labels `__type__` and `__unit__`.
        var addsTypeAndUnitLabels = false
        var addsStartZeros = false
        /// Milliseconds, half of which lie between two `target_info` samples.
        var lookbackDelta: Int64 = 300_000
        /// The newest time that is believed, in milliseconds.
        var latest: Timestamp = .max
    }

    /// What went wrong.
    struct Failure {
        var messages: [String] = []
        /// Whether trying again is of no use.
        var isClientsFault = false
    }

    /// What was odd, though it ended nothing.
    ///
    /// Source: prometheus/prometheus storage/remote/otlptranslator/prometheusremotewrite/annotations.go.
    struct Warning: Hashable {
        /// The names are those of the metric `prometheus_api_otlp_translation_warnings_total`.
        enum Category: String {
            case emptyDataPoints = "empty_data_points"
            case labelNameCollision = "label_name_collision"
            case zeroCountNonZeroSum = "histogram_zero_count_non_zero_sum"
        }

        var category: Category
        /// Warnings of one category that tell the same count once.
        var subject: ByteString
    }

    private let appender: Appender
    let settings: OTLPConfiguration
    let options: Options
    let names: OTLPNames
    /// `target_info` samples that were appended.
    var seen: Set<TargetInfo> = []
    var labelNames: [ByteString: ByteString] = [:]
    private(set) var failure = Failure()
    var warnings: Set<Warning> = []
    /// Exemplars that were left out since newer ones are there.
    private(set) var outOfOrderExemplars = 0

    struct TargetInfo: Hashable {
        var labels: Labels
        var time: Timestamp
    }

    /// Labels that all points of a resource and a scope get.
    struct Context {
        var promoted: [(name: ByteString, value: ByteString)] = []
        var job: ByteString = ""
        var instance: ByteString = ""
        var scope: [(name: ByteString, value: ByteString)] = []
        /// Labels that tell a metric's type and unit.
        var metadata: [(name: ByteString, value: ByteString)] = []
    }

    /// A problem that ends the work on one metric.
    enum Problem: Error {
        case fault(OTLPFault)
        case refused(AppendError)
    }

    static let name: ByteString = "service.name"
    static let namespace: ByteString = "service.namespace"
    static let instance: ByteString = "service.instance.id"

    init(_ appender: Appender, _ settings: OTLPConfiguration, _ options: Options) {
        self.appender = appender
        self.settings = settings
        self.options = options
        names = OTLPNames(settings: settings)
    }

    /// Appends everything; ``failure`` says what could not be.
    mutating func append(_ message: OTLPMessage) {
        for resource in message.resources {
            do throws(Problem) {
                var context = try self.context(resource)
                var range = (earliest: UInt64.max, latest: UInt64(0))
                for scope in resource.scopes { append(scope, &context, &range) }
                context.scope = []
                if range.earliest < .max { try appendTargetInfo(resource, context, range) }
            } catch {
                note(error)
            }
        }
    }

    private mutating func note(_ problem: Problem) {
        switch problem {
        case .fault(let fault): failure.messages.append(fault.message)
        case .refused(let error):
            failure.messages.append(error.description)
            switch error {
            case .outOfOrder, .outOfBounds, .tooOld, .duplicateFloat, .duplicateFloatOverHistogram,
                .duplicateHistogram:
                failure.isClientsFault = true
            default: break
            }
        }
    }

    private mutating func append(
        _ scope: OTLPMessage.Scope, _ context: inout Context, _ range: inout (earliest: UInt64, latest: UInt64)
    ) {
        do throws(Problem) {
            context.scope = try scopeLabels(scope)
        } catch {
            return note(error)
        }
        for metric in scope.metrics {
            for time in metric.times {
                range.earliest = min(range.earliest, time)
                range.latest = max(range.latest, time)
            }
            do throws(Problem) {
                try append(metric, context)
            } catch {
                note(error)
            }
        }
    }

    private mutating func append(_ metric: OTLPMessage.Metric, _ context: Context) throws(Problem) {
        let hasTemporality: Bool
        switch metric.data {
        case .none:
            throw .fault(
                OTLPFault(
                    message: "could not get aggregation temporality for \(metric.name) as it has unsupported metric "
                        + "type Empty"))
        case .gauge, .summary: hasTemporality = false
        case .sum, .histogram, .exponentialHistogram: hasTemporality = true
        }
        let isDelta = metric.temporality == .delta
        if hasTemporality, metric.temporality != .cumulative, !(isDelta && options.allowsDeltas) {
            throw .fault(
                OTLPFault(
                    message: "invalid temporality and type combination for metric \(Quoting.quote(metric.name))"))
        }
        let name = try self.name(of: metric)
        if metric.times.isEmpty {
            warnings.insert(Warning(category: .emptyDataPoints, subject: metric.name))
        }
        var context = context
        context.metadata = metadata(of: metric)
        switch metric.data {
        case .none: break
        case .gauge(let points):
            for point in points { try append(point.value, point.point, try labels(point.point, context, name)) }
        case .sum(let points, _):
            for point in points {
                let labels = try labels(point.point, context, name)
                try append(point.value, point.point, labels)
                try append(point.point.exemplars, to: labels)
            }
        case .histogram(let points):
            for point in points {
                if settings.convertsHistograms {
                    noteSum(point.sum, of: point.count, point.point, "histogram")
                    try append(NativeConversion.customBuckets(point, isDelta: isDelta), point.point, name, context)
                } else {
                    try append(point, name, context)
                }
            }
        case .exponentialHistogram(let points):
            for point in points {
                let histogram: NativeHistogram
                noteSum(point.sum, of: point.count, point.point, "exponential histogram")
                do throws(OTLPFault) {
                    histogram = try NativeConversion.exponential(point, isDelta: isDelta)
                } catch {
                    throw .fault(error)
                }
                try append(histogram, point.point, name, context)
            }
        case .summary(let points):
            for point in points { try append(point, name, context) }
        }
    }

    private mutating func noteSum(_ sum: Double?, of count: UInt64, _ point: OTLPMessage.Point, _ kind: String) {
        guard count == 0, let sum, sum != 0, !point.hasNoValue else { return }
        let subject = ByteString("\(kind) \(FloatText.string(sum, .fixed))")
        warnings.insert(Warning(category: .zeroCountNonZeroSum, subject: subject))
    }

    // MARK: Samples

    func append(_ value: Double, _ point: OTLPMessage.Point, _ labels: Labels) throws(Problem) {
        let time = Self.milliseconds(point.time)
        let value = point.hasNoValue ? Double(bitPattern: SampleValue.staleBits) : value
        guard time <= options.latest else { throw .refused(.outOfBounds) }
        let start = Self.milliseconds(point.start)
        if options.addsStartZeros, start > 0, start < time {
            // Starts are a help, not a duty: what cannot be added is left out.
            _ = try? appender.appendStartZero(.none, labels: labels, start: start, before: time)
        }
        do throws(AppendError) {
            _ = try appender.append(.none, labels: labels, timestamp: time, value: value, start: start)
        } catch {
            throw .refused(error)
        }
    }

    private mutating func append(
        _ histogram: NativeHistogram, _ point: OTLPMessage.Point, _ name: ByteString, _ context: Context
    ) throws(Problem) {
        let labels = try labels(point, context, name)
        // The marker takes the kind of the series' last sample.
        if point.hasNoValue { return try append(0, point, labels) }
        let time = Self.milliseconds(point.time)
        guard time <= options.latest else { throw .refused(.outOfBounds) }
        let start = Self.milliseconds(point.start)
        if options.addsStartZeros, start > 0, start < time {
            // As above.
            _ = try? appender.appendStartZero(
                .none, labels: labels, start: start, before: time, like: .integer(histogram))
        }
        do throws(AppendError) {
            _ = try appender.append(
                .none, labels: labels, timestamp: time, histogram: histogram,
                start: Self.milliseconds(point.start))
        } catch {
            throw .refused(error)
        }
        try append(point.exemplars, to: labels)
    }

    private mutating func append(
        _ histogram: OTLPMessage.HistogramPoint, _ name: ByteString, _ context: Context
    ) throws(Problem) {
        let point = histogram.point
        let base = try labels(point, context, nil)
        if let sum = histogram.sum { try append(sum, point, Self.series(base, name, "_sum")) }
        try append(Double(histogram.count), point, Self.series(base, name, "_count"))
        var exemplars = point.exemplars[...]
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            total &+= count
            let text = ByteString(Self.plain(bound))
            let labels = Self.series(base, name, "_bucket", ("le", text))
            try append(Double(total), point, labels)
            let here = exemplars.prefix { $0.value <= bound }
            exemplars = exemplars.dropFirst(here.count)
            try append(Array(here), to: labels)
        }
        let last = Self.series(base, name, "_bucket", ("le", "+Inf"))
        try append(Double(histogram.count), point, last)
        try append(Array(exemplars), to: last)
    }

    private mutating func append(
        _ summary: OTLPMessage.SummaryPoint, _ name: ByteString, _ context: Context
    ) throws(Problem) {
        let point = summary.point
        let base = try labels(point, context, nil)
        try append(summary.sum, point, Self.series(base, name, "_sum"))
        try append(Double(summary.count), point, Self.series(base, name, "_count"))
        for one in summary.quantiles {
            let text = ByteString(Self.plain(one.quantile))
            try append(one.value, point, Self.series(base, name, "", ("quantile", text)))
        }
    }

    private mutating func append(_ exemplars: [OTLPMessage.PointExemplar], to labels: Labels) throws(Problem) {
        guard !exemplars.isEmpty else { return }
        for exemplar in exemplars {
            var pairs: [(name: ByteString, value: ByteString)] = []
            if !exemplar.traceID.isEmpty { pairs.append(("trace_id", exemplar.traceID)) }
            if !exemplar.spanID.isEmpty { pairs.append(("span_id", exemplar.spanID)) }
            let all = pairs + exemplar.attributes.map { ($0.key, $0.value) }
            let length = all.reduce(0) {
                $0 + $1.name.string.unicodeScalars.count + $1.value.string.unicodeScalars.count
            }
            do throws(AppendError) {
                let reference = try appender.reference(of: labels)
                let time = Self.milliseconds(exemplar.time)
                try appender.append(
                    reference,
                    exemplar: Exemplar(
                        labels: Labels(length <= 128 ? all : pairs), value: exemplar.value,
                        timestamp: time == 0 ? nil : time))
            } catch {
                // An exemplar that cannot be kept is no reason to refuse the sample.
                if case .outOfOrderExemplar = error { outOfOrderExemplars += 1 }
                continue
            }
        }
    }

    /// A number without exponent, as bounds are written.
    private static func plain(_ number: Double) -> String { FloatText.string(number, .fixed) }

    static func milliseconds(_ nanoseconds: UInt64) -> Timestamp { Timestamp(nanoseconds / 1_000_000) }
}

extension OTLPMessage.Metric {
    /// The times of all points.
    fileprivate var times: [UInt64] {
        switch data {
        case .none: []
        case .gauge(let points), .sum(let points, _): points.map(\.point.time)
        case .histogram(let points): points.map(\.point.time)
        case .exponentialHistogram(let points): points.map(\.point.time)
        case .summary(let points): points.map(\.point.time)
        }
    }
}
