internal import ByteCoding
internal import Gateway
internal import MetricModel
internal import NIOPosix

/// The pages `/` and `/status`, rendered here, readable without scripts.
extension GatewayService {
    /// Beyond this many bytes of groups a page ends with a link to the API.
    private static let pageLimit = 4 << 20

    private static let pageFields = [
        HTTPField("Content-Type", "text/html; charset=utf-8"),
        HTTPField("Content-Security-Policy", PageLayout.contentSecurityPolicy),
        HTTPField("X-Content-Type-Options", "nosniff"), HTTPField("Referrer-Policy", "no-referrer"),
        HTTPField("Cache-Control", "no-store"),
    ]

    private var layout: PageLayout {
        PageLayout(
            prefix: settings.externalPrefix, product: "Narthex gateway", version: BuildInfo.version,
            links: [.init("Metrics", ""), .init("Status", "status")])
    }

    func statusPage(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let isStatus = request.head.rawPath.elementsEqual((settings.routePrefix + "/status").utf8)
        workers.submit { [self] state in
            guard state == .active else { return responder.complete(HTTPRefusals.overloaded) }
            let main = isStatus ? statusMain() + groupsMain() : groupsMain() + statusMain()
            let page = layout.page(
                title: isStatus ? "Status" : "Metrics", path: isStatus ? "status" : "", main: main)
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

    private func groupsMain() -> Markup {
        var main: Markup = "<h1>Groups</h1>\n"
        var shown = 0
        let groups = store.groups()
        if groups.isEmpty { main += "<p>Nothing has been pushed yet.</p>\n" }
        for group in groups {
            guard main.bytes.count < Self.pageLimit else {
                main += "<p>\(groups.count - shown) more groups are not shown here.</p>\n"
                break
            }
            shown += 1
            main += section(group)
        }
        return main + refusedMain()
    }

    private func section(_ group: GroupView) -> Markup {
        let title = Markup.join(group.key.labels.map { "<code>\($0.name)=\"\($0.value)\"</code> " })
        var section: Markup = "<details class=\"group\"><summary>\(title)"
        if !group.lastPushSuccessful { section += "<strong>last push failed</strong>" }
        section +=
            "</summary>\n<p>Last pushed: \(Self.time(group.pushTime)). Last failure: \(Self.time(group.failureTime)).</p>\n"
        for family in group.families {
            section += "<h3>\(family.name) <small>\(family.type.openMetricsName)</small></h3>\n"
            if let help = family.help, !help.isEmpty { section += "<p>\(help)</p>\n" }
            section += "<table>\n"
            for metric in family.metrics { section += row(metric) }
            section += "</table>\n"
        }
        return section + "</details>\n"
    }

    private func row(_ metric: Metric) -> Markup {
        let labels = Markup.join(metric.labels.map { "<code>\($0.name)=\"\($0.value)\"</code> " })
        return "<tr><td>\(labels)</td><td>\(Self.value(metric.value))</td></tr>\n"
    }

    private static func value(_ value: MetricValue) -> Markup {
        func number(_ value: Double) -> String { FloatText.string(value, .general) }
        switch value {
        case .counter(let counter): return "\(number(counter.value))"
        case .gauge(let value), .untyped(let value): return "\(number(value))"
        case .summary(let summary):
            let quantiles = Markup.join(summary.quantiles.map { "\(number($0.quantile)): \(number($0.value))<br>" })
            return "\(quantiles)sum: \(number(summary.sum ?? 0))<br>count: \(number(summary.count ?? 0))"
        case .histogram(let histogram):
            let buckets = Markup.join(histogram.buckets.map { "≤ \(number($0.upperBound)): \(number($0.count))<br>" })
            let native: Markup
            switch histogram.native {
            case .integer(let integer): native = "\(integer.float.description)<br>"
            case .float(let float): native = "\(float.description)<br>"
            case nil: native = ""
            }
            return "\(native)\(buckets)sum: \(number(histogram.sum ?? 0))<br>count: \(number(histogram.count ?? 0))"
        }
    }

    private func refusedMain() -> Markup {
        let entries = refused.latest
        guard !entries.isEmpty else { return "" }
        var main: Markup = "<h2>Refused pushes</h2>\n<table>\n"
        main += "<tr><th>Time</th><th>From</th><th>Path</th><th>Status</th><th>Reason</th></tr>\n"
        for entry in entries {
            main +=
                "<tr><td>\(Self.time(entry.time))</td><td>\(entry.source)</td><td>\(entry.method.name) \(entry.path)</td><td>\(entry.status.code)</td><td>\(entry.reason)</td></tr>\n"
        }
        return main + "</table>\n"
    }

    private func statusMain() -> Markup {
        var main: Markup = "<h2>Build</h2>\n<table>\n"
        for field in BuildInfo.fields { main += "<tr><th>\(field.name)</th><td>\(field.value)</td></tr>\n" }
        main += "</table>\n<h2>Flags</h2>\n<table>\n"
        for flag in settings.flags { main += "<tr><th>\(flag.name)</th><td>\(flag.value)</td></tr>\n" }
        let started = CivilTime.rfc3339(second: startTime.second, nanosecond: 0)
        return main + "</table>\n<p>Started: \(started)</p>\n"
    }

    private static func time(_ nanoseconds: Int64) -> String {
        nanoseconds <= 0 ? "never" : CivilTime.rfc3339(second: nanoseconds / 1_000_000_000, nanosecond: 0)
    }
}
