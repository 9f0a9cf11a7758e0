package import Exposition
package import MetricModel

/// What is stored, and what the process exposes itself, as the body of a scrape.
package struct Scrape: Sendable {
    /// How the body is sent.
    package enum Coding: Sendable, Hashable {
        case identity
        case gzip
    }

    let view: GatewayState.View
    /// What of it is sent.
    package var filter = ScrapeFilter()

    init(view: GatewayState.View) { self.view = view }

    /// Groups that go when enough scrapers have been sent them, as far as this scrape sends them whole.
    var awaited: [ScrapedGroup] {
        guard filter.sendsWholeGroups else { return [] }
        guard let shard = filter.shard else { return view.awaited }
        return view.awaited.filter { shard.contains($0.key.shardHash) }
    }

    /// Whether it sends groups that go when enough scrapers have been sent them.
    package var awaitsScrapers: Bool { !view.awaited.isEmpty && filter.sendsWholeGroups }

    /// The body of families that are not stored.
    package static func body(of own: [MetricFamily], format: ExpositionFormat, coding: Coding) -> ScrapeBody {
        Scrape(view: GatewayState.View()).body(own: own, format: format, coding: coding)
    }

    /// The families that are stored, in order of their names; what a scrape shows of them.
    package var families: [FamilyView] { view.families }

    /// Series that are left out because they conflict with others.
    package var leftOutCount: Int {
        view.families.reduce(0) { $0 + $1.leftOutCount }
            + view.shadowed.reduce(0) { $0 + $1.leftOutCount + $1.shownCount }
    }

    /// The families of which something is left out, by name: what an operator has to look at.
    package var conflicts: [FamilyView] {
        (view.families.filter { $0.leftOutCount > 0 } + view.shadowed).sorted { $0.name < $1.name }
    }

    /// The body in the text format 0.0.4.
    package func text(own: [MetricFamily], coding: Coding) -> ScrapeBody {
        body(own: own, format: ExpositionFormat(.text), coding: coding)
    }

    /// The body in any format.
    ///
    /// Encodings of series that did not change since an earlier scrape in the same format are reused, except in
    /// protobuf's text forms, which are for people.
    /// - Parameters:
    ///   - own: What the process exposes itself, in any order.
    ///   - format: What was negotiated.
    ///   - coding: How the body is sent.
    /// - Complexity: O(what changed since the last such scrape + parts of the body).
    package func body(own: [MetricFamily], format: ExpositionFormat, coding: Coding) -> ScrapeBody {
        var writer = FamilyWriter(format, isGzipped: coding == .gzip)
        var nextOwn = own.filter { !$0.metrics.isEmpty }.sorted { $0.name < $1.name }[...]
        for family in view.families {
            while let first = nextOwn.first, first.name < family.name {
                writer.append(first)
                nextOwn.removeFirst()
            }
            if let first = nextOwn.first, first.name == family.name {
                nextOwn.removeFirst()
                writer.append(merged(first, family))
            } else if filter.isEmpty {
                writer.append(family)
            } else {
                writer.append(family, filteredBy: filter)
            }
        }
        for family in nextOwn { writer.append(family) }
        return writer.finish(leftOutCount: leftOutCount)
    }

    /// Our own family with the pushed series that joined it; the help is ours.
    private func merged(_ own: MetricFamily, _ pushed: FamilyView) -> MetricFamily {
        var all = own.metrics.map { metric in
            PackedSeries(
                labels: metric.labels.sorted { $0.name < $1.name }, value: metric.value, type: own.type,
                isExposable: true)
        }
        all.append(contentsOf: pushed.shownSeries(filteredBy: filter))
        all.sort { PackedSeries.compare($0, $1) < 0 }
        var family = own
        family.metrics = all.map(\.metric)
        return family
    }
}

extension FamilyView {
    /// Whether a series of the family is shown.
    func shows(_ series: SeriesView) -> Bool { series.isExposable && series.type == type }

    /// The series that are shown and pass a filter, in order.
    func shownSeries(filteredBy filter: ScrapeFilter = ScrapeFilter()) -> [PackedSeries] {
        var series: [PackedSeries] = []
        for entry in entries {
            entry.chunk.all.forEach { one in
                if shows(one), filter.includes(one, of: name) { series.append(one.series) }
            }
        }
        return series
    }

    /// The family as the model has it, with the series that are shown, in upstream's order.
    /// - Complexity: O(series), with several allocations each.
    package var family: MetricFamily {
        MetricFamily(name: name, help: help, type: type, unit: unit, metrics: shownSeries().map(\.metric))
    }
}
