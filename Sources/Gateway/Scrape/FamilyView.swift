package import MetricModel

/// A family as a scrape sees it: unchanging, shared between scrapes until the family changes.
package final class FamilyView: Sendable {
    /// The name, unescaped.
    package let name: ByteString
    /// The exposed type; series of others are left out.
    package let type: MetricType
    /// The text that won; nil if nobody gave one.
    package let help: ByteString?
    /// The OpenMetrics unit that won, or empty.
    package let unit: ByteString
    /// Whether all names can be written without quotes or escaping.
    let hasOnlyLegacyNames: Bool
    /// Series that are shown.
    package let shownCount: Int
    /// Series that are left out because they conflict.
    package let leftOutCount: Int
    let entries: [SortedSeries.Entry]

    init(_ record: FamilyRecord) {
        name = record.name
        type = record.type
        help = record.own?.help ?? record.helps.winner
        unit = record.units.winner ?? ""
        hasOnlyLegacyNames = record.hasOnlyLegacyNames
        shownCount = record.shownCount
        leftOutCount = record.leftOutCount
        entries = record.sorted.entries
    }

    private init(withoutSeries other: FamilyView) {
        name = other.name
        type = other.type
        help = other.help
        unit = other.unit
        hasOnlyLegacyNames = other.hasOnlyLegacyNames
        shownCount = other.shownCount
        leftOutCount = other.leftOutCount
        entries = []
    }

    /// All but the series, which then need not be kept for it.
    var withoutSeries: FamilyView { FamilyView(withoutSeries: self) }
}

extension GatewayState {
    /// What a scrape sees of the state as it is now: families in order of their names.
    struct View: Sendable {
        var families: [FamilyView] = []
        /// Families whose name a histogram or summary reserves; left out as a whole.
        var shadowed: [FamilyView] = []
        /// Groups that stay until they were scraped.
        var awaited: [ScrapedGroup] = []
    }

    /// What a scrape sees at this moment.
    /// - Complexity: O(families).
    package mutating func scrape() -> Scrape { Scrape(view: makeView()) }

    /// What a scrape sees. Families that did not change since the last call are not looked at again.
    /// - Complexity: O(families).
    mutating func makeView() -> View {
        var view = View()
        view.awaited = awaited
        view.families.reserveCapacity(families.sorted.count)
        for number in families.sorted {
            if families[number].memberCount == 0 { continue }
            let family: FamilyView
            if let known = families[number].view {
                family = known
            } else {
                family = FamilyView(families[number])
                families[number].view = family
            }
            if isShadowed(families[number]) { view.shadowed.append(family) } else { view.families.append(family) }
        }
        return view
    }

    private func isShadowed(_ record: FamilyRecord) -> Bool {
        guard record.own == nil, let base = record.base, let number = families.number(of: base.name) else {
            return false
        }
        return families[number].reserves(base.suffix)
    }
}
