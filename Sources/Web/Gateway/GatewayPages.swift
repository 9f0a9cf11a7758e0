internal import Exposition
internal import Gateway
internal import MetricModel
internal import NIOPosix

/// The pages: rendered here, readable without scripts; scripts make long lists quick.
extension GatewayService {
    /// Groups that a part of the list shows where no script makes one list of it.
    private static let groupsAtOnce = 50
    /// Families of a group that are named where the group is one of many.
    private static let familiesNamed = 20

    static let pageFields = [
        HTTPField("Content-Type", "text/html; charset=utf-8"),
        HTTPField("Content-Security-Policy", PageLayout.contentSecurityPolicy),
        HTTPField("X-Content-Type-Options", "nosniff"), HTTPField("Referrer-Policy", "no-referrer"),
        HTTPField("Cache-Control", "no-store"),
    ]

    private static let textFields = [
        HTTPField("Content-Type", "text/plain; charset=utf-8"), HTTPField("X-Content-Type-Options", "nosniff"),
        HTTPField("Cache-Control", "no-store"),
    ]

    private var layout: PageLayout {
        var links: [PageLayout.Link] = [
            .init("Groups", ""), .init("Refused pushes", "refused"), .init("Status", "status"),
            .init("Metrics", telemetryLink),
        ]
        if let port = settings.queryPort() { links.append(.init("Query", "query", port: port)) }
        return PageLayout(
            prefix: settings.externalPrefix, product: "Narthex gateway", version: BuildInfo.version, links: links)
    }

    /// The scrape's path for links.
    private var telemetryLink: String { String(settings.telemetryPath.drop { $0 == "/" }) }

    /// `/`, `/refused` and `/status`.
    func statusPage(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let path = String(decoding: request.head.rawPath.dropFirst(settings.routePrefix.utf8.count), as: UTF8.self)
        let parameters = QueryParameters(request.head.rawQuery ?? [])
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            if path == "/status", parameters["format"] == "metrics" {
                let text = HTTPResponse(.ok, fields: Self.textFields, body: .bytes(ownMetricsText))
                return answer(.status, request, responder, text)
            }
            let (title, name, script, main) =
                switch path {
                case "/status": ("Status", "status", "gateway/status.js", statusMain)
                case "/refused": ("Refused pushes", "refused", "common/tables.js", refusedMain)
                default: ("Groups", "", "gateway/groups.js", groupsMain(parameters))
                }
            let page = layout.page(title: title, path: name, script: script, host: request.head["host"], main: main)
            answer(.status, request, responder, HTTPResponse(.ok, fields: Self.pageFields, body: .bytes(page)))
        }
    }

    /// `/group/job/JOB/…`: everything that one group holds; with `?format=text` as plain text.
    func groupPage(_ request: HTTPRequest, _ target: TargetPath, _ responder: HTTPResponder) {
        let key: GroupingKey
        do throws(PushTarget.Invalid) {
            key = try group(target)
        } catch {
            responder.complete(.error(error.status, error.description))
            return
        }
        let isText = QueryParameters(request.head.rawQuery ?? [])["format"] == "text"
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let group = store.group(key)
            if isText, let group {
                let text = HTTPResponse(.ok, fields: Self.textFields, body: .bytes(GroupPageContent.text(group)))
                return answer(.status, request, responder, text)
            }
            let main = group.map { groupMain($0, request.head) } ?? missing(key)
            let title = group == nil ? "No such group" : key.description
            let page = layout.page(
                title: title, path: "-", script: group == nil ? nil : "gateway/group.js", host: request.head["host"],
                main: main)
            let status: HTTPStatus = group == nil ? .notFound : .ok
            answer(.status, request, responder, HTTPResponse(status, fields: Self.pageFields, body: .bytes(page)))
        }
    }

    /// A file of the pages; 304 where the client has it.
    func asset(_ path: ArraySlice<UInt8>, known tag: String?) -> HTTPResponse {
        let name = String(decoding: path.dropFirst(), as: UTF8.self)
        guard let asset = EmbeddedAsset(name) else { return .error(.notFound, "404 page not found") }
        let fields = asset.fields.map { HTTPField($0.name, $0.value) }
        if tag == asset.tag { return HTTPResponse(.notModified, fields: fields) }
        return HTTPResponse(.ok, fields: fields, body: .bytes(asset.bytes))
    }

    /// The gateway's own metrics in the text format, without what was pushed.
    private var ownMetricsText: [UInt8] {
        var text: [UInt8] = []
        for family in ownFamilies(leftOut: store.scrape().leftOutCount) {
            TextEncoder.appendHeader(
                name: family.name, help: family.help, type: family.type, escaping: .standard, to: &text)
            for metric in family.metrics {
                TextEncoder.appendMetric(metric, of: family.name, type: family.type, to: &text)
            }
        }
        return text
    }

    // MARK: Main parts

    private func groupsMain(_ parameters: QueryParameters) -> Markup {
        var query = GroupQuery(parameters)
        query.limit = Self.groupsAtOnce
        let page = groupPage(query)
        let content = GroupsPageContent(
            query: query, page: page, sizes: store.packedBytes(of: page.groups.map(\.key)),
            families: store.familyNames(of: page.groups.map(\.key), limit: Self.familiesNamed),
            prefix: settings.externalPrefix, now: WallClock.now().second,
            refusedCount: refused.total,
            canWipe: settings.enablesAdminAPI)
        return content.markup
    }

    private func groupMain(_ group: GroupView, _ head: HTTPRequestHead) -> Markup {
        let host = head["host"]
        let origin = "\(head.isSecure ? "https" : "http")://\(host ?? "localhost:9091")"
        let content = GroupPageContent(
            group: group, prefix: settings.externalPrefix, origin: origin,
            graphs: settings.queryPort().map { QueryPageLink(origin: PortAddress.origin(host: host, port: $0)) },
            now: WallClock.now().second)
        return content.markup
    }

    private func missing(_ key: GroupingKey) -> Markup {
        """
        <h1>No such group</h1>
        <p>Nothing is stored for \(LabelMarkup.group(key.labels)). It may have been deleted.</p>
        <p><a href="\(settings.externalPrefix)/">All groups</a></p>
        """
    }

    private var refusedMain: Markup {
        RefusedPageContent(
            entries: refused.latest, total: refused.total, prefix: settings.externalPrefix,
            now: WallClock.now().second
        ).markup
    }

    private var statusMain: Markup {
        let names = store.familyNames(
            of: groupPage(GroupQuery()).groups.prefix(Self.groupsAtOnce).map(\.key), limit: Self.familiesNamed
        ).joined()
        return GatewayStatusContent(
            refusal: store.refusal?.description, startTime: startTime.second, now: WallClock.now().second,
            groupCount: store.groupCount, families: Set(names.map(\.string)).sorted().prefix(50).map { $0 },
            flags: settings.flags,
            own: ownFamilies(leftOut: store.scrape().leftOutCount), prefix: settings.externalPrefix
        ).markup
    }
}
