package import MetricModel

/// What is stored, and what the process exposes itself, as the body of a scrape.
package struct Scrape: Sendable {
    /// How the body is sent.
    package enum Coding: Sendable, Hashable {
        case identity
        case gzip
    }

    let view: GatewayState.View

    /// The families that are stored, in order of their names; what a scrape shows of them.
    package var families: [FamilyView] { view.families }

    /// Series that are left out because they conflict with others.
    package var leftOutCount: Int {
        view.families.reduce(0) { $0 + $1.leftOutCount }
            + view.shadowed.reduce(0) { $0 + $1.leftOutCount + $1.shownCount }
    }

    /// The body in the text format 0.0.4.
    ///
    /// Encodings of series that did not change since an earlier scrape are reused.
    /// - Parameters:
    ///   - own: What the process exposes itself.
    ///   - coding: How the body is sent.
    /// - Complexity: O(what changed since the last such scrape + parts of the body).
    package func text(own: [MetricFamily], coding: Coding) -> ScrapeBody {
        var assembler = BodyAssembler(isGzipped: coding == .gzip)
        let own = own.filter { !$0.metrics.isEmpty }.sorted { $0.name < $1.name }
        var nextOwn = own[...]
        for family in view.families {
            while let first = nextOwn.first, first.name < family.name {
                append(first, &assembler)
                nextOwn.removeFirst()
            }
            if let first = nextOwn.first, first.name == family.name {
                nextOwn.removeFirst()
                append(Scrape.merged(first, family), &assembler)
            } else {
                append(family, &assembler)
            }
        }
        for family in nextOwn { append(family, &assembler) }
        return assembler.finish(leftOutCount: leftOutCount)
    }

    private func append(_ family: FamilyView, _ assembler: inout BodyAssembler) {
        guard family.shownCount > 0 else { return }
        assembler.append(TextLines.head(family.name, help: family.help, type: family.type))
        let key = EncodingKey(layout: .text, isDeflated: false, type: family.type)
        for entry in family.entries {
            assembler.append(entry.chunk, key) { series in
                var lines = TextLines(name: family.name)
                for one in series where one.isExposable && one.type == family.type { lines.append(one) }
                return lines.bytes
            }
        }
    }

    private func append(_ family: MetricFamily, _ assembler: inout BodyAssembler) {
        assembler.append(TextLines.head(family.name, help: family.help, type: family.type))
        var lines = TextLines(name: family.name)
        for metric in family.metrics { lines.append(Scrape.packed(metric, family.type)) }
        assembler.append(lines.bytes)
    }

    private static func packed(_ metric: Metric, _ type: MetricType) -> PackedSeries {
        PackedSeries(
            labels: metric.labels.sorted { $0.name < $1.name }, value: metric.value, type: type, isExposable: true)
    }

    /// Our own family with the pushed series that joined it; the help is ours.
    static func merged(_ own: MetricFamily, _ pushed: FamilyView) -> MetricFamily {
        var all = own.metrics.map { packed($0, own.type) }
        all.append(contentsOf: pushed.shownSeries)
        all.sort { PackedSeries.compare($0, $1) < 0 }
        var family = own
        family.metrics = all.map(\.metric)
        return family
    }
}

extension FamilyView {
    /// The series that are shown, in order.
    var shownSeries: [PackedSeries] {
        entries.flatMap { $0.chunk.series.filter { $0.isExposable && $0.type == type } }
    }

    /// The family as the model has it, with the series that are shown, in upstream's order.
    /// - Complexity: O(series), with several allocations each.
    package var family: MetricFamily {
        MetricFamily(name: name, help: help, type: type, unit: unit, metrics: shownSeries.map(\.metric))
    }
}
