internal import ByteCoding
internal import MetricModel

/// What the page of targets shows: what is scraped, pool by pool.
struct TargetsPageContent {
    private let targets: [TargetStatus]
    private let pools: [String]
    private let configuration: (String) -> String?
    /// The pool and the state that are asked for; empty for all.
    private let pool: String
    private let state: String
    /// Milliseconds since 1970.
    private let now: Timestamp

    /// Rows that a pool shows; more are counted.
    private static let shown = 2000

    init(_ directory: any TargetDirectory, pool: String, state: String, now: Timestamp) {
        targets = directory.activeTargets
        pools = directory.poolNames
        configuration = directory.configuration(ofPool:)
        self.pool = pool
        self.state = state
        self.now = now
    }

    /// The main part of the page.
    var markup: Markup {
        let up = targets.filter { $0.health == "up" }.count
        var main: Markup = """
            <h1>Targets</h1>
            <div class="bar"><label class="visually-hidden" for="search">Search targets</label><input type="search" id="search" data-filters="tbody tr" placeholder="Search targets"><span role="status">\(up) of \(targets.count) up</span><span class="group">\(filter("All", "")) \(filter("Up", "up"))\(filter("Down", "down"))</span></div>

            """
        if targets.isEmpty {
            main += "<p class=\"empty\">Nothing is scraped. Add scrape_configs to the configuration.</p>\n"
        }
        for name in pools where pool.isEmpty || name == pool { main += section(name) }
        return main
    }

    private func filter(_ title: String, _ wanted: String) -> Markup {
        let current: Markup = wanted == state ? " aria-current=\"true\"" : ""
        let pool = pool.isEmpty ? "" : "&scrapePool=\(PercentCoding.encode(pool.utf8))"
        return "<a class=\"button\" href=\"?state=\(wanted)\(pool)\"\(current)>\(title)</a>"
    }

    private func section(_ name: String) -> Markup {
        let all = targets.filter { $0.pool == name }
        let members = state.isEmpty ? all : all.filter { $0.health == state }
        let up = all.filter { $0.health == "up" }.count
        let yaml: Markup =
            configuration(name).map {
                "<details><summary>Configuration</summary><pre tabindex=\"0\">\($0)</pre></details>"
            } ?? ""
        let more: Markup =
            members.count > Self.shown ? "<p class=\"faint\">and \(members.count - Self.shown) more</p>" : ""
        let table: Markup = """
            <div class="scroll"><table data-sortable class="stacked"><thead><tr><th>Target</th><th>State</th><th>Labels</th><th>Last scrape</th><th class="number">Took</th><th>Error</th></tr></thead><tbody>
            \(Markup.join(members.prefix(Self.shown).map(row)))</tbody></table></div>

            """
        return """
            <section>
            <h2><a href="?scrapePool=\(PercentCoding.encode(name.utf8))"><bdi>\(name)</bdi></a> <small>\(up) of \(all.count) up</small></h2>
            \(members.isEmpty ? "<p class=\"faint\">None.</p>\n" : table)\(more)\(yaml)
            </section>

            """
    }

    private func row(_ target: TargetStatus) -> Markup {
        let state: Markup =
            switch target.health {
            case "up": "<span class=\"badge good\">up</span>"
            case "down": "<span class=\"badge bad\">down</span>"
            default: "<span class=\"badge\">not scraped yet</span>"
            }
        let last = (target.lastScrape ?? 0).multipliedReportingOverflow(by: 1_000_000)
        let took = PlotScale.short((target.lastScrapeDuration * 1e6).rounded() / 1e3) + " ms"
        // Only web addresses become links: a URL comes of labels, which discovery may have been given by anyone.
        let isWeb = target.globalURL.hasPrefix("http://") || target.globalURL.hasPrefix("https://")
        let link: Markup =
            isWeb
            ? "<a href=\"\(target.globalURL)\" rel=\"noreferrer\"><bdi>\(target.scrapeURL)</bdi></a>"
            : "<bdi>\(target.scrapeURL)</bdi>"
        return """
            <tr><td>\(link)</td><td>\(state)</td><td>\(LabelMarkup.set(target.labels))</td><td class="time" data-value="\(String(last.partialValue))">\(PageTime.markup(last.overflow ? 0 : last.partialValue, now: now / 1000))</td><td class="number" data-value="\(String(target.lastScrapeDuration))">\(took)</td><td><bdi>\(target.lastError)</bdi></td></tr>

            """
    }
}
