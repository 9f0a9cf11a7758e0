package import MetricModel

/// Gives scraped series their target's labels, and relabels them.
///
/// Source: prometheus/prometheus scrape/scrape.go (`mutateSampleLabels`).
package struct SampleMutator: Sendable {
    /// The target's labels that are not reserved.
    let targetLabels: [(name: ByteString, value: ByteString)]
    let honorsLabels: Bool
    let rules: [RelabelRule]

    /// - Parameters:
    ///   - target: All labels of the target, the reserved ones among them.
    ///   - honorsLabels: Whether labels of a series go before the target's.
    ///   - rules: Rules for the series.
    package init(target: Labels, honorsLabels: Bool, rules: [RelabelRule]) {
        targetLabels = target.pairs.filter { !$0.name.hasPrefix(TargetLabels.reservedPrefix) }
        self.honorsLabels = honorsLabels
        self.rules = rules
    }

    private static let exportedPrefix = Array("exported_".utf8)

    /// The labels to be stored; nil if a rule drops the series.
    ///
    /// An empty label among the scraped ones is never stored, but where labels are honoured it keeps the target's away:
    /// that is how a gateway says that a pushed series has no instance.
    func apply(_ labels: Labels) -> Labels? {
        var builder = LabelsBuilder(labels)
        let empty = labels.pairs.filter(\.value.isEmpty).map(\.name)
        if honorsLabels {
            for label in targetLabels where builder[label.name] == nil { builder.set(label.name, label.value) }
        } else {
            var conflicts: [(name: ByteString, value: ByteString)] = []
            for label in targetLabels {
                if let existing = builder[label.name], !existing.isEmpty { conflicts.append((label.name, existing)) }
                builder.set(label.name, label.value)
            }
            // Shorter names first, so that what was exported once is exported again.
            conflicts.sort { $0.name.count < $1.name.count }
            for conflict in conflicts {
                var name = Self.exportedPrefix + conflict.name.bytes
                while !(builder[ByteString(name)]?.isEmpty ?? true) { name = Self.exportedPrefix + name }
                builder.set(ByteString(name), conflict.value)
            }
        }
        for name in empty where builder[name]?.isEmpty ?? false { builder.remove(name) }
        for rule in rules where !rule.apply(to: &builder) { return nil }
        return builder.labels()
    }

    /// The labels under which a series is stored; nil for one that is not, since a rule drops it or leaves it no name.
    package func stored(_ labels: Labels) -> Labels? {
        guard let labels = apply(labels), labels.metricName != nil else { return nil }
        return labels
    }

    /// The labels of a series about the scrape itself, such as `up`: the target's always win.
    func report(_ name: ByteString) -> Labels {
        var builder = LabelsBuilder()
        builder.set(Labels.metricName, name)
        for label in targetLabels { builder.set(label.name, label.value) }
        return builder.labels()
    }
}

/// The limits that a scraped series must keep.
struct SeriesLimits: Sendable {
    var labels = 0
    var nameLength = 0
    var valueLength = 0

    /// - Throws: `ScrapeFailure`, in Prometheus' words.
    func check(_ set: Labels) throws(ScrapeFailure) {
        guard labels > 0 || nameLength > 0 || valueLength > 0 else { return }
        let metric = Self.cut(set.metricName ?? "")
        let count = set.count
        if labels > 0, count > labels {
            throw ScrapeFailure(
                "label_limit exceeded (metric: \(metric), number of labels: \(count), limit: \(labels))")
        }
        for pair in set.pairs {
            if nameLength > 0, pair.name.count > nameLength {
                throw ScrapeFailure(
                    "label_name_length_limit exceeded (metric: \(metric), label name: \(Self.cut(pair.name)),"
                        + " length: \(pair.name.count), limit: \(nameLength))")
            }
            if valueLength > 0, pair.value.count > valueLength {
                throw ScrapeFailure(
                    "label_value_length_limit exceeded (metric: \(metric), label name: \(Self.cut(pair.name)),"
                        + " value: \(Quoting.quote(ByteString(Self.cut(pair.value)))), length: \(pair.value.count),"
                        + " limit: \(valueLength))")
            }
        }
    }

    /// The first 50 characters.
    private static func cut(_ text: ByteString) -> String {
        String(String.UnicodeScalarView(text.string.unicodeScalars.prefix(50)))
    }
}
