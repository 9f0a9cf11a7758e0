package import Exposition
package import MetricModel

/// What is stored at one moment, as scrapes see it.
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

    /// The body in any format, encoded while it is taken.
    ///
    /// Encodings of series that did not change since an earlier scrape in the same format are reused, as far as they
    /// are kept: the first 8 MiB of a body, and nothing in protobuf's text forms, which are for people.
    /// - Parameters:
    ///   - own: What the process exposes itself, in any order.
    ///   - format: What was negotiated.
    ///   - coding: How the body is sent.
    /// - Complexity: O(own); see ``ScrapeBody``.
    package func body(own: [MetricFamily], format: ExpositionFormat, coding: Coding) -> ScrapeBody {
        ScrapeBody(self, own: own, format: format, coding: coding)
    }
}
