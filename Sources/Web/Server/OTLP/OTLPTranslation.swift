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
    private let settings: OTLPConfiguration
    private let options: Options
    private let names: OTLPNames
    /// `target_info` samples that were appended.
    private var seen: Set<TargetInfo> = []
    private var labelNames: [ByteString: ByteString] = [:]
    private(set) var failure = Failure()
    private(set) var warnings: Set<Warning> = []
    /// Exemplars that were left out since newer ones are there.
    private(set) var outOfOrderExemplars = 0

    private struct TargetInfo: Hashable {
        var labels: Labels
        var time: Timestamp
    }

    /// Labels that all points of a resource and a scope get.
    private struct Context {
        var promoted: [(name: ByteString, value: ByteString)] = []
        var job: ByteString = ""
        var instance: ByteString = ""
        var scope: [(name: ByteString, value: ByteString)] = []
        /// Labels that tell a metric's type and unit.
        var metadata: [(name: ByteString, value: ByteString)] = []
    }

    /// A problem that ends the work on one metric.
    private enum Problem: Error {
        case fault(OTLPFault)
        case refused(AppendError)
    }

    private static let name: ByteString = "service.name"
    private static let namespace: ByteString = "service.namespace"
    private static let instance: ByteString = "service.instance.id"

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

    /// Source: storage/remote/otlptranslator/prometheusremotewrite/otlp_to_openmetrics_metadata.go.
    private func metadata(of metric: OTLPMessage.Metric) -> [(name: ByteString, value: ByteString)] {
        guard options.addsTypeAndUnitLabels else { return [] }
        let isDelta = metric.temporality == .delta
        let type: ByteString? =
            switch metric.data {
            case .none: nil
            case .gauge: "gauge"
            case .sum(_, let isMonotonic): isDelta ? nil : isMonotonic ? "counter" : "gauge"
            case .histogram, .exponentialHistogram: isDelta ? nil : "histogram"
            case .summary: "summary"
            }
        let unit = OTLPNames.unit(metric.unit)
        var labels: [(name: ByteString, value: ByteString)] = []
        if let type { labels.append(("__type__", type)) }
        if !unit.isEmpty { labels.append(("__unit__", unit)) }
        return labels
    }

    private func name(of metric: OTLPMessage.Metric) throws(Problem) -> ByteString {
        var kind = OTLPNames.Kind.other
        if case .gauge = metric.data { kind = .gauge }
        if case .sum(_, true) = metric.data { kind = .counter }
        do throws(OTLPFault) {
            return try names.metric(metric.name, unit: metric.unit, kind)
        } catch {
            throw .fault(error)
        }
    }

    // MARK: Samples

    private func append(_ value: Double, _ point: OTLPMessage.Point, _ labels: Labels) throws(Problem) {
        let time = Self.milliseconds(point.time)
        let value = point.hasNoValue ? Double(bitPattern: SampleValue.staleBits) : value
        guard time <= options.latest else { throw .refused(.outOfBounds) }
        let start = Self.milliseconds(point.start)
        if options.addsStartZeros, start > 0, start < time {
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

    // MARK: Labels

    private mutating func labelName(_ name: ByteString) throws(Problem) -> ByteString {
        if let known = labelNames[name] { return known }
        do throws(OTLPFault) {
            let made = try names.label(name)
            labelNames[name] = made
            return made
        } catch {
            throw .fault(error)
        }
    }

    private mutating func context(_ resource: OTLPMessage.Resource) throws(Problem) -> Context {
        var context = Context()
        let value = { (key: ByteString) in resource.attributes.last { $0.key == key }?.value }
        if let name = value(Self.name) {
            context.job = value(Self.namespace).map { ByteString($0.bytes + Array("/".utf8) + name.bytes) } ?? name
        }
        context.instance = value(Self.instance) ?? ""
        let listed = Set(settings.promotesAllAttributes ? settings.ignoredAttributes : settings.promotedAttributes)
        for attribute in resource.attributes
        where listed.contains(attribute.key.string) != settings.promotesAllAttributes {
            context.promoted.append((try labelName(attribute.key), attribute.value))
        }
        return context
    }

    private mutating func scopeLabels(
        _ scope: OTLPMessage.Scope
    ) throws(Problem) -> [(name: ByteString, value: ByteString)] {
        guard settings.promotesScopes, !scope.name.isEmpty else { return [] }
        var labels: [(name: ByteString, value: ByteString)] = []
        for attribute in scope.attributes {
            let name = ByteString(Array("otel_scope_".utf8) + attribute.key.bytes)
            labels.append((try labelName(name), attribute.value))
        }
        labels.append(("otel_scope_name", scope.name))
        labels.append(("otel_scope_version", scope.version))
        labels.append(("otel_scope_schema_url", scope.schemaURL))
        return labels
    }

    private mutating func labels(
        _ point: OTLPMessage.Point, _ context: Context, _ name: ByteString?
    ) throws(Problem) -> Labels {
        let own = point.attributes.filter { $0.key != Labels.metricName }
        return try labels(own, context, name)
    }

    private mutating func labels(
        _ attributes: [OTLPMessage.Attribute], _ context: Context, _ name: ByteString?
    ) throws(Problem) -> Labels {
        var builder = LabelsBuilder()
        var collisions: Set<ByteString> = []
        for attribute in attributes.sorted(by: { $0.key < $1.key }) {
            // Where names are not escaped, any is taken.
            let label = settings.escapes ? try labelName(attribute.key) : attribute.key
            if settings.escapes, let existing = builder[label], !existing.isEmpty {
                builder.set(label, ByteString(existing.bytes + Array(";".utf8) + attribute.value.bytes))
                collisions.insert(label)
            } else {
                builder.set(label, attribute.value)
            }
        }
        for label in collisions { try noteCollision(label, attributes) }
        for pair in context.promoted where builder[pair.name]?.isEmpty ?? true { builder.set(pair.name, pair.value) }
        if !context.job.isEmpty { builder.set("job", context.job) }
        if !context.instance.isEmpty { builder.set("instance", context.instance) }
        for pair in context.scope + context.metadata { builder.set(pair.name, pair.value) }
        if let name { builder.set(Labels.metricName, name) }
        return builder.labels()
    }

    private mutating func noteCollision(
        _ label: ByteString, _ attributes: [OTLPMessage.Attribute]
    ) throws(Problem) {
        var subject = label.bytes
        for attribute in attributes.sorted(by: { $0.key < $1.key }) where try labelName(attribute.key) == label {
            subject += [0] + attribute.key.bytes
        }
        warnings.insert(Warning(category: .labelNameCollision, subject: ByteString(subject)))
    }

    private static func series(
        _ base: Labels, _ name: ByteString, _ suffix: String, _ extra: (name: ByteString, value: ByteString)? = nil
    ) -> Labels {
        var builder = LabelsBuilder(base)
        builder.set(Labels.metricName, ByteString(name.bytes + Array(suffix.utf8)))
        if let extra { builder.set(extra.name, extra.value) }
        return builder.labels()
    }

    /// A number without exponent, as bounds are written.
    private static func plain(_ number: Double) -> String { FloatText.string(number, .fixed) }

    static func milliseconds(_ nanoseconds: UInt64) -> Timestamp { Timestamp(nanoseconds / 1_000_000) }

    // MARK: Target information

    private mutating func appendTargetInfo(
        _ resource: OTLPMessage.Resource, _ context: Context, _ range: (earliest: UInt64, latest: UInt64)
    ) throws(Problem) {
        let identifying: Set<ByteString> = [Self.name, Self.namespace, Self.instance]
        let others = resource.attributes.filter { !identifying.contains($0.key) }
        guard !others.isEmpty, !context.job.isEmpty || !context.instance.isEmpty else { return }
        var bare = context
        bare.promoted = []
        let attributes = settings.keepsIdentifyingAttributes ? resource.attributes : others
        let labels = try labels(attributes, bare, "target_info")
        let step = max(1, options.lookbackDelta / 2)
        let latest = Self.milliseconds(range.latest)
        var time = Self.milliseconds(range.earliest)
        // More points than a day's worth of them are nobody's honest request.
        var left = 10_000
        while time < latest, left > 0 {
            try appendTargetInfo(labels, at: time)
            time += step
            left -= 1
        }
        try appendTargetInfo(labels, at: latest)
    }

    private mutating func appendTargetInfo(_ labels: Labels, at time: Timestamp) throws(Problem) {
        guard seen.insert(TargetInfo(labels: labels, time: time)).inserted else { return }
        var point = OTLPMessage.Point()
        point.time = UInt64(clamping: time) &* 1_000_000
        try append(1, point, labels)
    }
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
