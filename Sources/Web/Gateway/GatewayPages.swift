internal import Gateway
internal import MetricModel
internal import NIOPosix

/// The pages: rendered here, readable without scripts; scripts make long lists quick.
extension GatewayService {
    /// Groups that the list shows before a script takes over.
    private static let firstRows = 50

    static let pageFields = [
        HTTPField("Content-Type", "text/html; charset=utf-8"),
        HTTPField("Content-Security-Policy", PageLayout.contentSecurityPolicy),
        HTTPField("X-Content-Type-Options", "nosniff"), HTTPField("Referrer-Policy", "no-referrer"),
        HTTPField("Cache-Control", "no-store"),
    ]

    var layout: PageLayout {
        PageLayout(
            prefix: settings.externalPrefix, product: "Narthex gateway", version: BuildInfo.version,
            links: [.init("Groups", ""), .init("Status", "status"), .init("Metrics", telemetryLink)])
    }

    /// The scrape's path for links.
    private var telemetryLink: String { String(settings.telemetryPath.drop { $0 == "/" }) }

    /// `/` and `/status`.
    func statusPage(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let isStatus = request.head.rawPath.elementsEqual((settings.routePrefix + "/status").utf8)
        var query = GroupQuery(QueryParameters(request.head.rawQuery ?? []))
        query.limit = Self.firstRows
        let first = query
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let page =
                isStatus
                ? layout.page(title: "Status", path: "status", script: "gateway/status.js", main: statusMain())
                : layout.page(title: "Groups", path: "", script: "gateway/groups.js", main: groupsMain(first))
            answer(.status, request, responder, HTTPResponse(.ok, fields: Self.pageFields, body: .bytes(page)))
        }
    }

    /// `/group/job/JOB/…`: everything that one group holds.
    func groupPage(_ request: HTTPRequest, _ target: TargetPath, _ responder: HTTPResponder) {
        let key: GroupingKey
        do throws(PushTarget.Invalid) {
            key = try group(target)
        } catch {
            responder.complete(.error(error.status, error.description))
            return
        }
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            guard let group = store.group(key) else {
                let main: Markup = """
                    <h1>No such group</h1>
                    <p>Nothing is stored for <span class="labels">\(key.description)</span>. It may have been deleted.</p>
                    <p><a href="\(settings.externalPrefix)/">All groups</a></p>
                    """
                let page = layout.page(title: "No such group", path: "-", main: main)
                return responder.complete(HTTPResponse(.notFound, fields: Self.pageFields, body: .bytes(page)))
            }
            let main = GroupPageContent(group, prefix: settings.externalPrefix).markup
            let page = layout.page(title: key.description, path: "-", script: "gateway/group.js", main: main)
            answer(.status, request, responder, HTTPResponse(.ok, fields: Self.pageFields, body: .bytes(page)))
        }
    }

    func asset(_ path: ArraySlice<UInt8>) -> HTTPResponse {
        let name = String(decoding: path.dropFirst(), as: UTF8.self)
        guard let asset = EmbeddedAsset(name) else { return .error(.notFound, "404 page not found") }
        return HTTPResponse(
            .ok,
            fields: [
                HTTPField("Content-Type", asset.contentType), HTTPField("X-Content-Type-Options", "nosniff"),
                HTTPField("Cache-Control", "no-cache"),
            ], body: .bytes(asset.bytes))
    }

    // MARK: Parts

    private func groupsMain(_ query: GroupQuery) -> Markup {
        let page = groupPage(query)
        let count = page.total == 1 ? "1 group" : "\(page.total) groups"
        var rows = Markup()
        for summary in page.groups { rows += row(summary) }
        if page.matched > page.groups.count {
            rows += "<p class=\"faint\">\(page.matched - page.groups.count) more, by search or with scripts.</p>\n"
        }
        if page.groups.isEmpty { rows += "<p class=\"empty\">Nothing has been pushed yet.</p>\n" }
        let failed = page.groups.contains { !$0.lastPushSuccessful }
        let note: Markup =
            failed || !refused.latest.isEmpty
            ? "<p class=\"note warn\">Pushes were refused. <a href=\"#refused\">The latest are listed below.</a></p>"
            : ""
        return """
            <h1>Groups</h1>
            \(note)
            <form class="bar" action="\(settings.externalPrefix)/" role="search">
            <label class="visually-hidden" for="search">Search labels and families</label>
            <input id="search" name="search" type="search" placeholder="Search labels and families" value="\(query.search)" autocomplete="off">
            <span id="group-count" aria-live="polite">\(count)</span>
            <span class="push"></span>
            <button type="button" id="delete-shown" class="danger" hidden>Delete these…</button>
            <button type="button" id="reload">Reload</button>
            </form>
            <div id="groups" class="groups">
            <div class="groups-head" role="group" aria-label="Sort by">
            <button type="button" data-sort="labels">Group</button><button type="button" data-sort="push">Last push</button><button type="button" data-sort="failure">Last failure</button><button type="button" data-sort="families" class="number">Families</button><button type="button" data-sort="series" class="number">Metrics</button>
            </div>
            <div class="groups-body">
            \(rows)
            </div>
            </div>
            \(refusedMain())
            """
    }

    private func row(_ summary: GroupSummary) -> Markup {
        let path = PushPath.text(summary.key)
        let names = store.group(summary.key).map { $0.families.prefix(20).map(\.name.string).joined(separator: ", ") }
        let state: Markup = summary.lastPushSuccessful ? "" : " <span class=\"badge bad\">last push failed</span>"
        return """
            <p><a class="labels" href="\(settings.externalPrefix)/group/\(path)">\(summary.key.description)</a>\(state)
            <small>\(names ?? ""); last pushed \(Self.time(summary.pushTime))</small></p>

            """
    }

    private func refusedMain() -> Markup {
        let entries = refused.latest
        guard !entries.isEmpty else { return "" }
        let rows = Markup.join(
            entries.map { entry in
                let place = entry.group.map(\.description) ?? entry.path
                return """
                    <tr><td>\(Self.time(entry.time))</td><td class="mono">\(entry.source)</td><td class="mono">\(entry.method.name) \(place)</td><td class="number">\(Int(entry.status.code))</td><td>\(entry.reason)</td></tr>

                    """
            })
        return """
            <h2 id="refused">Refused pushes</h2>
            <div class="scroll"><table data-sortable>
            <thead><tr><th>Time</th><th>From</th><th>Group</th><th class="number">Status</th><th>Reason</th></tr></thead>
            <tbody>
            \(rows)</tbody></table></div>
            """
    }

    private func statusMain() -> Markup {
        let started = CivilTime.rfc3339(second: startTime.second, nanosecond: 0)
        let health: Markup =
            store.refusal.map { "<p class=\"note bad\">Not ready: \($0.description)</p>" }
            ?? "<p><span class=\"badge good\">Ready</span> since \(started)</p>"
        var names: [String] = []
        for group in groupPage(GroupQuery()).groups.prefix(20) {
            for family in store.group(group.key)?.families ?? [] where !names.contains(family.name.string) {
                names.append(family.name.string)
            }
        }
        return """
            <h1>Status</h1>
            \(health)
            <div id="health" class="tiles" data-metrics="\(telemetryLink)"></div>
            <h2>Build</h2>
            \(Self.facts(BuildInfo.fields))
            <h2>Flags</h2>
            \(Self.facts(settings.flags))
            <h2>Stored</h2>
            <dl class="facts"><dt>Groups</dt><dd>\(store.groupCount)</dd><dt>Some families</dt><dd class="mono">\(names.prefix(50).joined(separator: ", "))</dd></dl>
            """
    }

    private static func facts(_ pairs: [(name: String, value: String)]) -> Markup {
        let rows = Markup.join(pairs.map { "<dt>\($0.name)</dt><dd class=\"mono\">\($0.value)</dd>\n" })
        return "<dl class=\"facts\">\(rows)</dl>"
    }

    static func time(_ nanoseconds: Int64) -> String {
        nanoseconds <= 0 ? "never" : CivilTime.rfc3339(second: nanoseconds / 1_000_000_000, nanosecond: 0)
    }
}
