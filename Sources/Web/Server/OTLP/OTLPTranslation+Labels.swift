internal import MetricModel
internal import Scrape

/// Names and labels.
extension OTLPTranslation {
    /// The labels that tell the metric's type and unit, where that is asked for.
    ///
    /// Source: prometheus/prometheus storage/remote/otlptranslator/prometheusremotewrite/otlp_to_openmetrics_metadata.go.
    func metadata(of metric: OTLPMessage.Metric) -> [(name: ByteString, value: ByteString)] {
        guard options.addsTypeAndUnitLabels else { return [] }
        let isDelta = metric.temporality == .delta
        let type: MetricType =
            switch metric.data {
            case .none: .unknown
            case .gauge: .gauge
            case .sum(_, let isMonotonic): isDelta ? .unknown : isMonotonic ? .counter : .gauge
            case .histogram, .exponentialHistogram: isDelta ? .unknown : .histogram
            case .summary: .summary
            }
        return MetricMetadata(type: type, unit: OTLPNames.unit(metric.unit)).labels
    }

    func name(of metric: OTLPMessage.Metric) throws(Problem) -> ByteString {
        var kind = OTLPNames.Kind.other
        if case .gauge = metric.data { kind = .gauge }
        if case .sum(_, true) = metric.data { kind = .counter }
        do throws(OTLPFault) {
            return try names.metric(metric.name, unit: metric.unit, kind)
        } catch {
            throw .fault(error)
        }
    }

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

    mutating func context(_ resource: OTLPMessage.Resource) throws(Problem) -> Context {
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

    mutating func scopeLabels(
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

    mutating func labels(
        _ point: OTLPMessage.Point, _ context: Context, _ name: ByteString?
    ) throws(Problem) -> Labels {
        let own = point.attributes.filter { $0.key != Labels.metricName }
        return try labels(own, context, name)
    }

    mutating func labels(
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

    static func series(
        _ base: Labels, _ name: ByteString, _ suffix: String, _ extra: (name: ByteString, value: ByteString)? = nil
    ) -> Labels {
        var builder = LabelsBuilder(base)
        builder.set(Labels.metricName, ByteString(name.bytes + Array(suffix.utf8)))
        if let extra { builder.set(extra.name, extra.value) }
        return builder.labels()
    }
}
