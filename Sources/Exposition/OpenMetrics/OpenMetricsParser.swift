internal import ByteCoding
package import MetricModel

/// OpenMetrics 1.0 text as a pushing client sends it: whole families out of bytes, with units, exemplars and created
/// times.
///
/// Lines are read as Prometheus reads them (``ExpositionReader``). Families are named after their samples: a counter
/// `c` becomes `c_total`, an info `i` becomes `i_info`. A sample that fits no suffix of its family's type is a family
/// of its own, of unknown type.
package enum OpenMetricsParser {
    /// Reads a whole body, which has to end with `# EOF`.
    /// - Returns: The families that have samples, in the order of their first line.
    /// - Throws: ``ParseError``; nothing of the body counts then.
    package static func parse(
        _ bytes: [UInt8], names: NameValidation = .legacy, limits: ParseLimits = .none
    ) throws(ParseError) -> [MetricFamily] {
        // SAFETY: the reader, which points into `bytes`, does not leave this call.
        try bytes.withUnsafeBufferPointer { (buffer) throws(ParseError) -> [MetricFamily] in
            var assembler = OpenMetricsAssembler(names: names, limits: limits)
            var reader = ExpositionReader(buffer, .openMetrics)
            while let entry = try reader.next() {
                switch entry {
                case .type: try assembler.setType(reader.name, reader.type)
                case .help: try assembler.setHelp(reader.name, reader.metadataText)
                case .unit: try assembler.setUnit(reader.name, reader.metadataText)
                case .series: try assembler.add(reader)
                case .comment: break
                }
            }
            return assembler.finish()
        }
    }
}

/// Puts the entries of an OpenMetrics body together into families.
private struct OpenMetricsAssembler {
    /// What the metadata lines say of a name.
    private struct Description {
        var type: MetricType?
        var help: ByteString?
        var unit: ByteString?
    }

    /// What a sample is to its family.
    private enum Role {
        case number, sum, count, bucket, quantile, created
    }

    private struct Key: Hashable {
        var family: Int
        var labels: [LabelPair]
    }

    /// A metric while its lines come in.
    private struct Draft {
        var labels: [LabelPair]
        var timestamp: Timestamp?
        var number: Double?
        var exemplar: Exemplar?
        var sum: Double?
        var count: Double?
        var quantiles: [SummaryValue.Quantile] = []
        var buckets: [HistogramValue.Bucket] = []
        var created: Int64?
        var hasSamples = false
    }

    private let names: NameValidation
    private let limits: ParseLimits
    private var descriptions: [ByteString: Description] = [:]
    private var families: [MetricFamily] = []
    private var drafts: [[Draft]] = []
    private var familyByName: [ByteString: Int] = [:]
    private var draftByKey: [Key: Int] = [:]
    private var samples = 0

    init(names: NameValidation, limits: ParseLimits) {
        self.names = names
        self.limits = limits
    }

    // MARK: Metadata

    mutating func setType(_ name: ByteString, _ type: MetricType) throws(ParseError) {
        if descriptions[name]?.type != nil {
            throw .exposition("second TYPE line for metric name \(Excerpt.quoted(name.bytes))")
        }
        if familyByName[name] != nil {
            throw .exposition("TYPE of metric name \(Excerpt.quoted(name.bytes)) reported after samples")
        }
        descriptions[name, default: Description()].type = type
        try checkDescriptions()
    }

    mutating func setHelp(_ name: ByteString, _ help: ByteString) throws(ParseError) {
        if descriptions[name]?.help != nil {
            throw .exposition("second HELP line for metric name \(Excerpt.quoted(name.bytes))")
        }
        descriptions[name, default: Description()].help = help
        try checkDescriptions()
    }

    mutating func setUnit(_ name: ByteString, _ unit: ByteString) throws(ParseError) {
        if descriptions[name]?.unit != nil {
            throw .exposition("second UNIT line for metric name \(Excerpt.quoted(name.bytes))")
        }
        descriptions[name, default: Description()].unit = unit
        try checkDescriptions()
    }

    private func checkDescriptions() throws(ParseError) {
        if descriptions.count > limits.maximumFamilies { throw tooManyFamilies }
    }

    private var tooManyFamilies: ParseError {
        .limit("the body has more than \(limits.maximumFamilies) metric names; push fewer or raise the limit")
    }

    // MARK: Samples

    mutating func add(_ reader: ExpositionReader) throws(ParseError) {
        samples += 1
        if samples > limits.maximumSamples {
            throw .limit("the body has more than \(limits.maximumSamples) samples; push fewer or raise the limit")
        }
        let name = reader.name
        guard names.isMetricName(name) else {
            throw .exposition("invalid metric name \(Excerpt.quoted(name.bytes))")
        }
        var labels = reader.labelPairs
        try check(name, labels)
        let (stem, type, role) = resolve(name, labels)
        let family = try family(stem, type)
        var bound = Double.nan
        if role == .bucket || role == .quantile {
            let boundName: ByteString = role == .bucket ? "le" : "quantile"
            guard let index = labels.firstIndex(where: { $0.name == boundName }),
                let number = FloatText.parse(labels[index].value.bytes)
            else {
                throw .exposition(
                    "expected float as value for '\(boundName)' label of metric \(Excerpt.quoted(name.bytes))")
            }
            bound = number
            labels.remove(at: index)
        }
        let draft = draft(family, labels, isNumber: role == .number)
        set(reader, role, bound, of: draft, in: family)
    }

    private func check(_ name: ByteString, _ labels: [LabelPair]) throws(ParseError) {
        if labels.count > limits.maximumLabels {
            throw .limit("a metric has more than \(limits.maximumLabels) labels; push fewer or raise the limit")
        }
        var longest = name.count
        for label in labels {
            guard names.isLabelName(label.name) else {
                throw .exposition("invalid label name \(Excerpt.quoted(label.name.bytes))")
            }
            if label.name == Labels.metricName { throw .exposition("label name \"__name__\" is reserved") }
            longest = max(longest, label.name.count)
            if label.value.count > limits.maximumLabelValueLength {
                throw .limit(
                    "the body has a label value of \(label.value.count) bytes; at most "
                        + "\(limits.maximumLabelValueLength) are allowed")
            }
        }
        if longest > limits.maximumNameLength {
            throw .limit("the body has a name of \(longest) bytes; at most \(limits.maximumNameLength) are allowed")
        }
        if Set(labels.map(\.name)).count < labels.count {
            throw .exposition("duplicate label names for metric \(Excerpt.quoted(name.bytes))")
        }
    }

    /// The described name that a sample belongs to, its type, and what the sample is to it.
    private func resolve(_ name: ByteString, _ labels: [LabelPair]) -> (ByteString, MetricType, Role) {
        for (suffix, roles) in Self.suffixes where name.hasSuffix(suffix) && name.count > suffix.count {
            let stem = ByteString(name.bytes.dropLast(suffix.count))
            guard let type = descriptions[stem]?.type, let role = roles(type) else { continue }
            return (stem, type, role)
        }
        guard let type = descriptions[name]?.type else { return (name, .unknown, .number) }
        switch type {
        case .gauge, .stateSet, .unknown: return (name, type, .number)
        case .summary where labels.contains(where: { $0.name == "quantile" }): return (name, type, .quantile)
        case .summary, .counter, .info, .histogram, .gaugeHistogram: return (name, .unknown, .number)
        }
    }

    private static let suffixes: [(ByteString, @Sendable (MetricType) -> Role?)] = [
        ("_total", { $0 == .counter ? .number : nil }),
        ("_info", { $0 == .info ? .number : nil }),
        ("_bucket", { $0 == .histogram || $0 == .gaugeHistogram ? .bucket : nil }),
        ("_sum", { $0 == .histogram || $0 == .summary || $0 == .gaugeHistogram ? .sum : nil }),
        ("_count", { $0 == .histogram || $0 == .summary || $0 == .gaugeHistogram ? .count : nil }),
        ("_gsum", { $0 == .gaugeHistogram ? .sum : nil }),
        ("_gcount", { $0 == .gaugeHistogram ? .count : nil }),
        ("_created", { $0 == .counter || $0 == .histogram || $0 == .summary ? .created : nil }),
    ]

    private mutating func family(_ stem: ByteString, _ type: MetricType) throws(ParseError) -> Int {
        var name = stem
        if type == .counter { name.bytes += Array("_total".utf8) }
        if type == .info { name.bytes += Array("_info".utf8) }
        if let known = familyByName[name] { return known }
        if families.count >= limits.maximumFamilies { throw tooManyFamilies }
        let description = descriptions[stem]
        families.append(
            MetricFamily(name: name, help: description?.help, type: type, unit: description?.unit ?? ""))
        drafts.append([])
        familyByName[name] = families.count - 1
        return families.count - 1
    }

    /// The draft for `labels`; a second number with the same labels is a series of its own, for others to refuse.
    private mutating func draft(_ family: Int, _ labels: [LabelPair], isNumber: Bool) -> Int {
        let key = Key(family: family, labels: labels.sorted { $0.name < $1.name })
        if let known = draftByKey[key], !(isNumber && drafts[family][known].number != nil) { return known }
        drafts[family].append(Draft(labels: labels))
        draftByKey[key] = drafts[family].count - 1
        return drafts[family].count - 1
    }

    private mutating func set(
        _ reader: ExpositionReader, _ role: Role, _ bound: Double, of draft: Int, in family: Int
    ) {
        if role == .created {
            drafts[family][draft].created = nanoseconds(reader.value)
            return
        }
        drafts[family][draft].hasSamples = true
        if let timestamp = reader.timestamp { drafts[family][draft].timestamp = timestamp }
        switch role {
        case .number:
            drafts[family][draft].number = reader.value
            drafts[family][draft].exemplar = reader.exemplar
        case .sum: drafts[family][draft].sum = reader.value
        case .count: drafts[family][draft].count = reader.value
        case .quantile: drafts[family][draft].quantiles.append(SummaryValue.Quantile(bound, reader.value))
        case .bucket:
            drafts[family][draft].buckets.append(
                HistogramValue.Bucket(upperBound: bound, count: reader.value, exemplar: reader.exemplar))
        case .created: break
        }
    }

    /// Seconds since 1970 as nanoseconds, rounded to microseconds: more, a `Double` of today's times cannot tell.
    private func nanoseconds(_ seconds: Double) -> Int64? {
        let whole = seconds.rounded(.down)
        let rest = ((seconds - whole) * 1e6).rounded()
        guard let full = Int64(exactly: whole), let part = Int64(exactly: rest) else { return nil }
        let (product, overflow) = full.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(part * 1000)
        return overflow || carry ? nil : sum
    }

    // MARK: Result

    mutating func finish() -> [MetricFamily] {
        for index in families.indices {
            let type = families[index].type
            families[index].metrics = drafts[index].filter(\.hasSamples).map { draft in
                Metric(labels: draft.labels, value: value(draft, type), timestamp: draft.timestamp)
            }
            // HELP and UNIT may follow the samples.
            var stem = families[index].name
            if type == .counter { stem.bytes.removeLast(6) }
            if type == .info { stem.bytes.removeLast(5) }
            if let description = descriptions[stem] {
                families[index].help = description.help
                families[index].unit = description.unit ?? ""
            }
        }
        return families.filter { !$0.metrics.isEmpty }
    }

    private func value(_ draft: Draft, _ type: MetricType) -> MetricValue {
        switch type {
        case .counter:
            return .counter(CounterValue(draft.number ?? 0, exemplar: draft.exemplar, created: draft.created))
        case .gauge, .info, .stateSet: return .gauge(draft.number ?? 0)
        case .unknown: return .untyped(draft.number ?? 0)
        case .summary:
            return .summary(
                SummaryValue(
                    count: draft.count, sum: draft.sum, quantiles: draft.quantiles, created: draft.created))
        case .histogram, .gaugeHistogram:
            let counts = draft.buckets.map(\.count) + [draft.count ?? 0]
            return .histogram(
                HistogramValue(
                    count: draft.count, sum: draft.sum, buckets: draft.buckets,
                    hasFloatCounts: counts.contains { Double(GoConversion.uint64($0)) != $0 }, created: draft.created))
        }
    }
}
