internal import MetricModel
internal import PromQL
internal import TSDB

/// The pages: rendered here, readable without scripts.
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
            ] + (process.gatewayPort().map { [.init("Gateway", "", port: $0)] } ?? []))
    }

    /// The page, asset or redirection at a path; nil if there is none.
    func page(_ request: ServerRequest) -> ServerResponse? {
        guard request.method == "GET" || request.method == "HEAD" else { return nil }
        let path = request.path.string
        let tag = request.fields["if-none-match"]
        if path.hasPrefix("/static/") { return Self.asset(String(path.dropFirst(8)), known: tag) }
        switch path {
        case "/", "/graph": return redirect("query", request)
        case "/favicon.svg", "/favicon.ico": return Self.asset("favicon.svg", known: tag)
        default: break
        }
        guard let content = content(path, request) else { return nil }
        let bytes = layout.page(
            title: content.title, path: String(path.dropFirst()), script: content.script, host: request.fields["host"],
            main: content.main)
        return ServerResponse(200, fields: Self.pageFields, body: .bytes(bytes))
    }

    private struct Content {
        let title: String
        let script: String?
        let main: Markup

        init(_ title: String, script: String? = nil, _ main: Markup) {
            self.title = title
            self.script = script
            self.main = main
        }
    }

    private func content(_ path: String, _ request: ServerRequest) -> Content? {
        let form = FormValues(request)
        switch path {
        case "/query":
            let isPlain = !form.first("query").isEmpty
            return Content(
                "Query", script: isPlain ? nil : "query/main.js",
                isPlain
                    ? plainQuery(request, form) : PlainQueryContent.invitation(form, prefix: settings.externalPrefix))
        case "/targets":
            let content = TargetsPageContent(
                targets, pool: form.first("scrapePool").string, state: form.first("state").string, now: process.now())
            return Content("Targets", script: "common/tables.js", content.markup)
        case "/service-discovery":
            let content = DiscoveryPageContent(targets, pool: form.first("scrapePool").string)
            return Content("Service discovery", script: "common/tables.js", content.markup)
        case "/config":
            return Content(
                "Configuration", script: "common/copy.js",
                "<h1>Configuration</h1>\n<pre data-copy tabindex=\"0\">\(process.configuration())</pre>")
        case "/flags": return Content("Flags", script: "common/tables.js", flagsMain)
        case "/status": return Content("Status", statusMain)
        case "/tsdb-status": return Content("Store", script: "common/tables.js", storeMain)
        case "/rules", "/alerts":
            let main: Markup = """
                <h1>Rules and alerts</h1>
                <p class="empty">Narthex evaluates no rules yet; a configuration that has some is refused at the start.</p>
                """
            return Content("Rules and alerts", main)
        case "/alertmanager-discovery":
            return Content(
                "Alertmanagers", "<h1>Alertmanagers</h1>\n<p class=\"empty\">Narthex sends no alerts yet.</p>")
        default: return nil
        }
    }

    private func redirect(_ page: String, _ request: ServerRequest) -> ServerResponse {
        let query = request.query.isEmpty ? "" : "?" + request.query.string
        let target = "\(settings.externalPrefix)/\(page)\(query)"
        let link: Markup = "<a href=\"\(target)\">Found</a>.\n\n"
        return ServerResponse(
            302, fields: [("Content-Type", "text/html; charset=utf-8"), ("Location", target)],
            body: .bytes(link.bytes))
    }

    /// A file of the pages; 304 where the client has it.
    private static func asset(_ path: String, known tag: String?) -> ServerResponse? {
        EmbeddedAsset(path).map { asset in
            tag == asset.tag
                ? ServerResponse(304, fields: asset.fields)
                : ServerResponse(200, fields: asset.fields, body: .bytes(asset.bytes))
        }
    }

    // MARK: Contents

    private func plainQuery(_ request: ServerRequest, _ form: FormValues) -> Markup {
        let content = PlainQueryContent(form, prefix: settings.externalPrefix, now: process.now())
        do throws(APIError) {
            var query = QueryRequest(content.expression, .instant(content.time))
            query.cancellation = request.cancellation
            return content.markup(try evaluate(query))
        } catch {
            return content.markup(error.message)
        }
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
        return StorePageContent(
            head: database.headStatus, blocks: database.blocks, cardinality: database.cardinality(limit: 20),
            prefix: settings.externalPrefix
        ).markup
    }
}
