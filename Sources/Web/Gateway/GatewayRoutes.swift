internal import ByteCoding
package import Gateway

/// What a client must be allowed to do, so that a request may be handled.
package enum GatewayRight: String, Sendable, Hashable, CaseIterable {
    /// Nothing: what the pages are made of.
    case open
    /// Ask how the gateway does, as load balancers do.
    case health
    /// Change groups by pushing metrics.
    case push
    /// See metrics and how the gateway does.
    case read
    /// Delete single groups.
    case delete
    /// Delete many groups, stop the process.
    case admin
}

/// What a request needs, known from its head alone.
package struct GatewayClaim: Sendable, Hashable {
    /// Which groups a request touches.
    package enum Reach: Sendable, Hashable {
        /// None at all.
        case none
        /// This one.
        case group(GroupingKey)
        /// Those that the body or a query names; of all the answer is about, only what ``HTTPRequest/scope`` includes.
        case groups
        /// All groups and the process itself: not for those who may touch some groups only.
        case everything
    }

    /// What the user must be allowed.
    package let right: GatewayRight
    /// Which groups it is about.
    package let reach: Reach

    /// The right `right` on the groups `reach`.
    package init(right: GatewayRight, reach: Reach) {
        self.right = right
        self.reach = reach
    }
}

/// Every route of the gateway in one list: method, path, what answers it, and the right that it needs.
///
/// Source of the routes that upstream has: prometheus/pushgateway main.go, api/v1/api.go (`Register`).
package enum GatewayRoutes {
    /// What answers a route.
    enum Handler: Sendable, Hashable {
        case push(Push.Mode, isBase64: Bool)
        case delete(isBase64: Bool)
        case group(isBase64: Bool)
        /// The group as text or JSON.
        case content(isBase64: Bool)
        case scrape
        case scrapeOwn
        case healthy
        case ready
        case status
        case asset
        case quit
        case quitByGet
        case apiStatus
        case apiMetrics
        case apiGroups
        case apiDeleteGroups
        case apiPush(Push.Mode)
        case apiWatch
        case apiOptions
        case wipe
    }

    /// Which groups a route touches.
    enum Reach: Sendable, Hashable {
        case none
        /// The one that the path names.
        case path
        /// The handler keeps to ``HTTPRequest/scope``.
        case many
        case all
    }

    /// One route. A class, since each request is handed one.
    package final class Entry: Sendable {
        /// Of the request.
        package let method: HTTPMethod
        /// As it is written in documents: `/metrics/job/{job}/…`.
        package let path: String
        /// What a client must be allowed to do.
        package let right: GatewayRight
        let pattern: RouteTable<Entry>.Pattern
        /// Below `/api/v1`, which upstream routes apart.
        let isAPI: Bool
        /// Whether `Allow` names the method: what upstream does not serve is not advertised.
        let isAdvertised: Bool
        let handler: Handler
        let reach: Reach

        init(
            _ method: HTTPMethod, _ path: String, _ right: GatewayRight, _ handler: Handler, _ reach: Reach,
            _ pattern: RouteTable<Entry>.Pattern, isAPI: Bool, isAdvertised: Bool
        ) {
            self.method = method
            self.path = path
            self.right = right
            self.handler = handler
            self.reach = reach
            self.pattern = pattern
            self.isAPI = isAPI
            self.isAdvertised = isAdvertised
        }
    }

    /// The routes that `settings` ask for, in the order in which they are tried; the busiest stand first.
    package static func entries(_ settings: GatewaySettings) -> [Entry] {
        mainEntries(settings) + apiEntries(settings)
    }

    private static func mainEntries(_ settings: GatewaySettings) -> [Entry] {
        let prefix = settings.routePrefix
        var entries: [Entry] = []
        func add(
            _ method: HTTPMethod, _ path: String, _ right: GatewayRight, _ handler: Handler, _ reach: Reach = .none,
            _ pattern: RouteTable<Entry>.Pattern? = nil, isAdvertised: Bool = true
        ) {
            entries.append(
                Entry(
                    method, path, right, handler, reach, pattern ?? .exact(Array(path.utf8)), isAPI: false,
                    isAdvertised: isAdvertised))
        }
        for (suffix, isBase64) in [("", false), ("@base64", true)] {
            let target = prefix + "/metrics/job\(suffix)/"
            let pattern = RouteTable<Entry>.Pattern.part(prefix: Array(target.utf8))
            let path = target + "{job}/…"
            add(.put, path, .push, .push(.replaceGroup, isBase64: isBase64), .path, pattern)
            add(.post, path, .push, .push(.replaceFamilies, isBase64: isBase64), .path, pattern)
            add(.delete, path, .delete, .delete(isBase64: isBase64), .path, pattern)
            add(.patch, path, .push, .push(.accumulate, isBase64: isBase64), .path, pattern, isAdvertised: false)
            if settings.servesGroups { add(.get, path, .read, .content(isBase64: isBase64), .path, pattern) }
            let page = prefix + "/group/job\(suffix)/"
            add(
                .get, page + "{job}/…", .read, .group(isBase64: isBase64), .path,
                .part(prefix: Array(page.utf8)))
        }
        add(.get, telemetryPath(settings), .read, .scrape, .many)
        if settings.ownMetrics == .separate { add(.get, telemetryPath(settings) + "/self", .read, .scrapeOwn) }
        add(.get, prefix + "/-/healthy", .health, .healthy)
        add(.get, prefix + "/-/ready", .health, .ready)
        add(.get, prefix + "/status", .read, .status, .all)
        add(.get, prefix + "/refused", .read, .status, .all)
        add(.get, prefix + "/", .read, .status, .all)
        add(.get, prefix + "/static/…", .open, .asset, .none, .below(prefix: Array((prefix + "/static").utf8)))
        add(.put, prefix + "/-/quit", .admin, .quit, .all)
        add(.post, prefix + "/-/quit", .admin, .quit, .all)
        // Without the prefix, as upstream has it.
        add(.get, "/-/quit", .open, .quitByGet)
        return entries
    }

    private static func apiEntries(_ settings: GatewaySettings) -> [Entry] {
        var entries: [Entry] = []
        func add(
            _ method: HTTPMethod, _ path: String, _ right: GatewayRight, _ handler: Handler, _ reach: Reach = .none,
            _ pattern: RouteTable<Entry>.Pattern? = nil
        ) {
            entries.append(
                Entry(
                    method, settings.routePrefix + "/api/v1" + path, right, handler, reach,
                    pattern ?? .exact(Array(path.utf8)), isAPI: true, isAdvertised: true))
        }
        add(.get, "/status", .read, .apiStatus)
        add(.get, "/metrics", .read, .apiMetrics, .all)
        add(.get, "/groups", .read, .apiGroups, .many)
        add(.delete, "/groups", .admin, .apiDeleteGroups, .many)
        add(.put, "/push", .push, .apiPush(.replaceGroup), .many)
        add(.post, "/push", .push, .apiPush(.replaceFamilies), .many)
        add(.patch, "/push", .push, .apiPush(.accumulate), .many)
        add(.get, "/watch", .read, .apiWatch, .many)
        if settings.enablesAdminAPI { add(.put, "/admin/wipe", .admin, .wipe, .all) }
        add(.options, "/…", .open, .apiOptions, .none, .below(prefix: []))
        return entries
    }

    /// Where the scrape is.
    static func telemetryPath(_ settings: GatewaySettings) -> String {
        let path = Array((settings.routePrefix + "/" + settings.telemetryPath).utf8)
        let cleaned = PathRules.cleaned(path[...]) ?? path
        return String(
            decoding: cleaned.count > 1 && cleaned.last == UInt8(ascii: "/") ? cleaned.dropLast() : cleaned[...],
            as: UTF8.self)
    }
}

/// Finds routes as upstream's two routers do.
struct GatewayRouter: Sendable {
    /// A route, with its place in the path.
    struct Hit: Sendable {
        let entry: GatewayRoutes.Entry
        /// Decoded.
        let path: [UInt8]
        let part: Range<Int>
        let rest: Range<Int>
    }

    /// What becomes of a request.
    enum Result {
        case found(Hit)
        /// Another path is meant, or nothing below `/api/v1`: the answer.
        case answer(HTTPResponse)
        /// No route serves it; the answer, unless the body is broken.
        case unrouted(HTTPResponse)
    }

    private var main = RouteTable<GatewayRoutes.Entry>()
    private var api = RouteTable<GatewayRoutes.Entry>()
    /// `/api/v1/` below the route prefix.
    private let apiPrefix: [UInt8]

    init(_ settings: GatewaySettings) {
        apiPrefix = Array((settings.routePrefix + "/api/v1/").utf8)
        for entry in GatewayRoutes.entries(settings) {
            if entry.isAPI {
                api.add(entry.method, entry.pattern, entry, isAdvertised: entry.isAdvertised)
            } else {
                main.add(entry.method, entry.pattern, entry, isAdvertised: entry.isAdvertised)
            }
        }
    }

    /// The route of a request.
    /// - Complexity: O(routes × length of the path) at worst.
    func find(_ head: HTTPRequestHead) -> Result {
        let raw = head.rawPath
        if head.method != .connect, let cleaned = PathRules.cleaned(raw) {
            let location = String(decoding: cleaned, as: UTF8.self)
            return .answer(PathRules.redirect(head, to: location, PathRules.redirectStatus(head.method)))
        }
        // The escapes were checked when the head was read.
        let path = raw.contains(UInt8(ascii: "%")) ? PercentCoding.decode(raw) ?? Array(raw) : Array(raw)
        if path.starts(with: apiPrefix) {
            return find(api, head, Array(path[(apiPrefix.count - 1)...]), prefix: apiPrefix.dropLast())
        }
        if path.count == apiPrefix.count - 1, apiPrefix.starts(with: path) {
            let location = PercentCoding.encodePath(apiPrefix)
            return .answer(PathRules.redirect(head, to: location, PathRules.redirectStatus(head.method)))
        }
        let result = find(main, head, path, prefix: [])
        if case .answer(let response) = result { return .unrouted(response) }
        return result
    }

    private func find(
        _ table: RouteTable<GatewayRoutes.Entry>, _ head: HTTPRequestHead, _ path: [UInt8], prefix: ArraySlice<UInt8>
    ) -> Result {
        switch table.find(head.method, path) {
        case .found(let hit):
            return .found(Hit(entry: hit.handler, path: path, part: hit.part, rest: hit.rest))
        case .redirect(let path):
            return .answer(
                PathRules.redirect(
                    head, to: String(decoding: prefix, as: UTF8.self) + PercentCoding.encodePath(path),
                    PathRules.fixedPathStatus(head.method)))
        case .options(let allow): return .answer(HTTPResponse(.ok, fields: [HTTPField("Allow", allow)]))
        case .methodNotAllowed(let allow):
            return .answer(.error(.methodNotAllowed, "Method Not Allowed", fields: [HTTPField("Allow", allow)]))
        case .notFound: return .answer(.error(.notFound, "404 page not found"))
        }
    }
}
