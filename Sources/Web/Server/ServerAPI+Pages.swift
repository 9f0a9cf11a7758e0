internal import MetricModel
internal import PromQL
internal import TSDB

/// The pages: rendered here, readable without scripts; only the query page needs one.
extension ServerAPI {
    private static let pageFields = [
        (name: "Content-Type", value: "text/html; charset=utf-8"),
        (name: "Content-Security-Policy", value: PageLayout.contentSecurityPolicy),
        (name: "X-Content-Type-Options", value: "nosniff"), (name: "Referrer-Policy", value: "no-referrer"),
        (name: "Cache-Control", value: "no-store"),
    ]

    private var layout: PageLayout {
        PageLayout(
            prefix: settings.externalPrefix, product: settings.pageTitle, version: BuildInfo.version,
            links: [
                .init("Query", "query"), .init("Targets", "targets"), .init("Discovery", "service-discovery"),
                .init("Configuration", "config"), .init("Flags", "flags"), .init("Store", "tsdb-status"),
                .init("Status", "status"),
            ])
    }

    /// The page, asset or redirection at a path; nil if there is none.
    func page(_ request: ServerRequest) -> ServerResponse? {
        guard request.method == "GET" || request.method == "HEAD" else { return nil }
        let path = request.path.string
        if path.hasPrefix("/static/") { return Self.asset(String(path.dropFirst(8))) }
        switch path {
        case "/": return redirect("query", request)
        case "/graph": return redirect("query", request)
        case "/query": return page("Query", "query", script: "query/main.js", Self.queryMain)
        case "/targets": return page("Targets", "targets", script: "common/tables.js", targetsMain)
        case "/service-discovery":
            return page("Service discovery", "service-discovery", script: "common/tables.js", discoveryMain)
        case "/config":
            return page(
                "Configuration", "config", "<h1>Configuration</h1>\n<pre>\(process.configuration())</pre>")
        case "/flags": return page("Flags", "flags", script: "common/tables.js", flagsMain)
        case "/status": return page("Status", "status", statusMain)
        case "/tsdb-status": return page("Store", "tsdb-status", script: "common/tables.js", storeMain)
        case "/rules", "/alerts":
            let main: Markup = """
                <h1>Rules and alerts</h1>
                <p class="empty">This version does not evaluate rules yet; a configuration that has some is refused at the start.</p>
                """
            return page("Rules and alerts", "-", main)
        default: return nil
        }
    }

    private func page(_ title: String, _ path: String, script: String? = nil, _ main: Markup) -> ServerResponse {
        let bytes = layout.page(title: title, path: path, script: script, main: main)
        return ServerResponse(200, fields: Self.pageFields, body: .bytes(bytes))
    }

    private func redirect(_ page: String, _ request: ServerRequest) -> ServerResponse {
        let query = request.query.isEmpty ? "" : "?" + request.query.string
        return ServerResponse(302, fields: [("Location", "\(settings.externalPrefix)/\(page)\(query)")])
    }

    private static func asset(_ path: String) -> ServerResponse? {
        EmbeddedAsset(path).map { asset in
            ServerResponse(
                200,
                fields: [
                    ("Content-Type", asset.contentType), ("X-Content-Type-Options", "nosniff"),
                    ("Cache-Control", "no-cache"),
                ], body: .bytes(asset.bytes))
        }
    }

    // MARK: Contents

    private static let queryMain: Markup = """
        <h1 class="visually-hidden">Query</h1>
        <div class="bar" id="toolbar"></div>
        <div id="panels"><noscript><p class="note warn">The query page needs JavaScript. Without it, ask the API:</p>
        <form action="api/v1/query" class="bar"><label for="plain">PromQL</label><input id="plain" name="query" type="search"><button>Ask</button></form></noscript></div>
        <div id="below"></div>
        """

    private var targetsMain: Markup {
        let targets = self.targets.activeTargets
        let up = targets.filter { $0.health == "up" }.count
        var main: Markup = """
            <h1>Targets</h1>
            <div class="bar"><label class="visually-hidden" for="search">Search targets</label><input type="search" id="search" data-filters="tbody tr" placeholder="Search targets"><span>\(up) of \(targets.count) up</span></div>

            """
        if targets.isEmpty {
            main += "<p class=\"empty\">Nothing is scraped. Add scrape_configs to the configuration.</p>"
        }
        for pool in self.targets.poolNames {
            let members = targets.filter { $0.pool == pool }
            let up = members.filter { $0.health == "up" }.count
            main += """
                <h2>\(pool) <small>\(up) of \(members.count) up</small></h2>
                <div class="scroll"><table data-sortable><thead><tr><th>Target</th><th>State</th><th>Labels</th><th>Last scrape</th><th class="number">Took</th><th>Error</th></tr></thead><tbody>

                """
            for target in members { main += row(target) }
            main += "</tbody></table></div>\n"
        }
        return main
    }

    private func row(_ target: TargetStatus) -> Markup {
        let state: Markup =
            switch target.health {
            case "up": "<span class=\"badge good\">up</span>"
            case "down": "<span class=\"badge bad\">down</span>"
            default: "<span class=\"badge\">not scraped yet</span>"
            }
        let last = target.lastScrape.map { CivilTime.rfc3339(second: $0 / 1000, nanosecond: 0) } ?? "never"
        let took = PlotScale.short((target.lastScrapeDuration * 1e6).rounded() / 1e3) + " ms"
        // Only web addresses become links: a URL comes of labels, which discovery may have been given by anyone.
        let isWeb = target.globalURL.hasPrefix("http://") || target.globalURL.hasPrefix("https://")
        let link: Markup =
            isWeb
            ? "<a href=\"\(target.globalURL)\" rel=\"noreferrer\">\(target.scrapeURL)</a>" : "\(target.scrapeURL)"
        return """
            <tr><td>\(link)</td><td>\(state)</td><td>\(Self.labels(target.labels))</td><td>\(last)</td><td class="number">\(took)</td><td>\(target.lastError)</td></tr>

            """
    }

    private static func labels(_ labels: Labels) -> Markup {
        let pairs = labels.pairs.enumerated().map { index, pair -> Markup in
            let comma: Markup = index == 0 ? "" : ", "
            return "\(comma)<span class=\"name\">\(pair.name)</span>=\(Quoting.quote(pair.value))"
        }
        return "<span class=\"labels\">{\(Markup.join(pairs))}</span>"
    }

    private var discoveryMain: Markup {
        var main: Markup = """
            <h1>Service discovery</h1>
            <div class="bar"><label class="visually-hidden" for="search">Search labels</label><input type="search" id="search" data-filters="tbody tr" placeholder="Search labels"></div>

            """
        let (active, dropped) = (targets.activeTargets, targets.droppedTargets)
        for pool in targets.poolNames {
            let kept = active.filter { $0.pool == pool }
            let gone = dropped.filter { $0.pool == pool }
            main += """
                <h2>\(pool) <small>\(kept.count) kept, \(targets.droppedCounts[pool] ?? gone.count) dropped</small></h2>
                <div class="scroll"><table><thead><tr><th>Discovered labels</th><th>Target labels</th></tr></thead><tbody>

                """
            for target in kept {
                main +=
                    "<tr><td>\(Self.labels(target.discoveredLabels))</td><td>\(Self.labels(target.labels))</td></tr>\n"
            }
            for target in gone {
                main +=
                    "<tr><td>\(Self.labels(target.discoveredLabels))</td><td><span class=\"badge warn\">dropped</span></td></tr>\n"
            }
            main += "</tbody></table></div>\n"
        }
        return main
    }

    private var flagsMain: Markup {
        let rows = Markup.join(
            settings.flags.map { "<tr><td class=\"mono\">--\($0.name)</td><td class=\"mono\">\($0.value)</td></tr>\n" })
        return """
            <h1>Flags</h1>
            <div class="bar"><label class="visually-hidden" for="search">Search flags</label><input type="search" id="search" data-filters="tbody tr" placeholder="Search flags"></div>
            <div class="scroll"><table data-sortable><thead><tr><th>Flag</th><th>Value</th></tr></thead><tbody>
            \(rows)</tbody></table></div>
            """
    }

    private var statusMain: Markup {
        func facts(_ pairs: [(String, String)]) -> Markup {
            let rows = Markup.join(pairs.map { "<dt>\($0.0)</dt><dd class=\"mono\">\($0.1)</dd>\n" })
            return "<dl class=\"facts\">\(rows)</dl>"
        }
        return """
            <h1>Status</h1>
            <h2>Running</h2>
            \(facts(process.runtimeInformation().map { ($0.name, $0.json.filter { $0 != "\"" }) }))
            <h2>Build</h2>
            \(facts(settings.buildInformation.map { ($0.name, $0.value) }))
            """
    }

    private var storeMain: Markup {
        guard let database = try? database() else {
            return "<h1>Store</h1>\n<p class=\"note warn\">The store is not open yet.</p>"
        }
        let head = database.headStatus
        let cardinality = database.cardinality(limit: 20)
        func time(_ time: Timestamp) -> String {
            time == .max || time == .min ? "–" : CivilTime.rfc3339(second: time / 1000, nanosecond: 0)
        }
        func table(_ title: String, _ name: String, _ count: String, _ entries: [CardinalityStatus.Entry]) -> Markup {
            let rows = Markup.join(
                entries.map {
                    "<tr><td class=\"mono\">\($0.name)</td><td class=\"number\">\(String($0.count))</td></tr>\n"
                })
            return """
                <h2>\(title)</h2>
                <table data-sortable><thead><tr><th>\(name)</th><th class="number">\(count)</th></tr></thead><tbody>
                \(rows)</tbody></table>

                """
        }
        return """
            <h1>Store</h1>
            <div class="tiles">
            <div class="tile"><span>Series in the head</span><b>\(head.seriesCount)</b></div>
            <div class="tile"><span>Chunks</span><b>\(head.chunkCount)</b></div>
            <div class="tile"><span>Label pairs</span><b>\(head.labelPairCount)</b></div>
            </div>
            <p>From \(time(head.minimumTime)) to \(time(head.maximumTime))</p>
            \(table("Series by metric name", "Metric", "Series", cardinality.seriesByMetricName))
            \(table("Values by label name", "Label", "Values", cardinality.valuesByLabelName))
            \(table("Memory by label name", "Label", "Bytes", cardinality.bytesByLabelName))
            \(table("Series by label pair", "Pair", "Series", cardinality.seriesByLabelPair))
            """
    }
}
