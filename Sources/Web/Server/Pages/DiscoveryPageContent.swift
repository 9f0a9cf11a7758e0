internal import ByteCoding
internal import MetricModel

/// What the page of service discovery shows: what was found, and what relabelling made of it, rule by rule.
struct DiscoveryPageContent {
    private let directory: any TargetDirectory
    private let kept: [TargetStatus]
    private let dropped: [DroppedTargetStatus]
    /// The pool that is asked for; empty for all.
    private let pool: String

    /// Rows that a pool shows; more are counted.
    private static let shown = 1000
    /// Rows that show their rules where all pools are shown.
    private static let explained = 200

    init(_ directory: any TargetDirectory, pool: String) {
        self.directory = directory
        self.pool = pool
        kept = directory.activeTargets
        dropped = directory.droppedTargets
    }

    /// The main part of the page.
    var markup: Markup {
        var main: Markup = """
            <h1>Service discovery</h1>
            <div class="bar"><label class="visually-hidden" for="search">Search labels</label><input type="search" id="search" data-filters="section > .scroll > table > tbody > tr" placeholder="Search labels"></div>

            """
        let names = directory.poolNames.filter { pool.isEmpty || $0 == pool }
        if names.isEmpty { main += "<p class=\"empty\">There is no scrape configuration.</p>\n" }
        var budget = pool.isEmpty ? Self.explained : Self.shown
        for name in names { main += section(name, &budget) }
        return main
    }

    private func section(_ name: String, _ budget: inout Int) -> Markup {
        let members = kept.filter { $0.pool == name }
        let gone = dropped.filter { $0.pool == name }
        var rows = Markup()
        for target in members.prefix(Self.shown) {
            rows += row(name, target.discoveredLabels, LabelMarkup.set(target.labels), &budget)
        }
        for target in gone.prefix(max(0, Self.shown - members.count)) {
            rows += row(name, target.discoveredLabels, "<span class=\"badge warn\">dropped</span>", &budget)
        }
        let left = members.count + gone.count - Self.shown
        let more: Markup = left > 0 ? "<p class=\"faint\">and \(left) more</p>" : ""
        let link = "?scrapePool=\(PercentCoding.encode(name.utf8))"
        return """
            <section>
            <h2><a href="\(link)"><bdi>\(name)</bdi></a> <small>\(members.count) kept, \(directory.droppedCounts[name] ?? gone.count) dropped</small></h2>
            <div class="scroll"><table class="stacked halves"><thead><tr><th>Discovered labels</th><th>Target labels</th></tr></thead><tbody>
            \(rows)</tbody></table></div>\(more)
            </section>

            """
    }

    private func row(_ pool: String, _ found: Labels, _ result: Markup, _ budget: inout Int) -> Markup {
        var steps = Markup()
        if budget > 0 {
            budget -= 1
            steps = self.steps(pool, found)
        }
        return "<tr><td>\(LabelMarkup.set(found))</td><td>\(result)\(steps)</td></tr>\n"
    }

    /// The rules and what each made of the labels.
    private func steps(_ pool: String, _ found: Labels) -> Markup {
        guard let steps = directory.relabelSteps(ofPool: pool, found), !steps.isEmpty else { return "" }
        var previous = found
        let items = steps.map { step -> Markup in
            defer { previous = step.output }
            let outcome: Markup =
                !step.isKept
                ? "<span class=\"badge warn\">dropped</span>"
                : step.output == previous
                    ? "<span class=\"faint\">changes nothing</span>" : LabelMarkup.set(step.output)
            return """
                <li><code>\(String(decoding: step.ruleJSON, as: UTF8.self))</code><br>\(outcome)</li>

                """
        }
        return """
            <details><summary>\(items.count == 1 ? "1 relabelling rule" : "\(items.count) relabelling rules")</summary><ol class="steps">
            \(Markup.join(items))</ol></details>
            """
    }
}
