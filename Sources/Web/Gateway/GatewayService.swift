package import Gateway
package import Logging
internal import NIOCore
package import NIOPosix
internal import Synchronization

/// The gateway over HTTP: routes, and what each of them answers.
///
/// Source: prometheus/pushgateway main.go.
package final class GatewayService: HTTPService {
    enum Route: Sendable {
        case healthy
        case ready
        case scrape
        case status
        case asset
        case push(Push.Mode, isBase64: Bool)
        case delete(isBase64: Bool)
        case group(isBase64: Bool)
        case quit
        case quitByGet
    }

    enum APIRoute: Sendable {
        case options
        case status
        case metrics
        case groups
        case wipe
    }

    let store: GatewayStore
    let settings: GatewaySettings
    let logger: Logger
    package let metrics: GatewayMetrics
    package let refused = RefusedPushes()
    let process = ProcessMetrics()
    /// Work that would hold up an event loop.
    let workers: NIOThreadPool
    let startTime: (second: Int64, nanosecond: Int)
    let onQuit: @Sendable () -> Void
    let onStored: (@Sendable (GroupingKey, Int64) -> Void)?
    private let routes: RouteTable<Route>
    private let apiRoutes: RouteTable<APIRoute>
    /// `/api/v1/` below the route prefix.
    private let apiPrefix: [UInt8]
    /// The server that this service runs in, once it does, for its metrics.
    let server = Mutex<HTTPServer?>(nil)

    /// A service.
    /// - Parameters:
    ///   - workers: Threads for bodies that take long; started by the caller.
    ///   - onQuit: Called when `/-/quit` asks for the end.
    ///   - onStored: Called for each push that was taken, with its group and time in nanoseconds, before it is answered;
    ///     must not block.
    package init(
        store: GatewayStore, settings: GatewaySettings, metrics: GatewayMetrics, logger: Logger, workers: NIOThreadPool,
        onQuit: @escaping @Sendable () -> Void, onStored: (@Sendable (GroupingKey, Int64) -> Void)? = nil
    ) {
        self.store = store
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        self.workers = workers
        self.onQuit = onQuit
        self.onStored = onStored
        startTime = WallClock.now()
        routes = Self.makeRoutes(settings)
        apiRoutes = Self.makeAPIRoutes(settings)
        apiPrefix = Array((settings.routePrefix + "/api/v1/").utf8)
    }

    /// Tells the service which server it runs in.
    package func attach(_ server: HTTPServer) { self.server.withLock { $0 = server } }

    package func admit(_ head: HTTPRequestHead) -> HTTPAdmission { .accept(bodyLimit: settings.limits.bodyBytes) }

    package func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let head = request.head
        let raw = head.rawPath
        if head.target.count == 1, head.bytes[head.target.lowerBound] == UInt8(ascii: "*") {
            responder.complete(head.method == .options ? HTTPResponse(.ok) : .error(.badRequest, "400 Bad Request"))
            return
        }
        if let refusal = BrowserGuard.refusal(head, allowed: settings.allowedOrigins) {
            responder.complete(refusal)
            return
        }
        if head.method != .connect, let cleaned = PathRules.cleaned(raw) {
            let location = String(decoding: cleaned, as: UTF8.self)
            responder.complete(PathRules.redirect(head, to: location, PathRules.redirectStatus(head.method)))
            return
        }
        // The escapes were checked when the head was read.
        let path = raw.contains(UInt8(ascii: "%")) ? PercentCoding.decode(raw) ?? Array(raw) : Array(raw)
        if path.starts(with: apiPrefix) {
            handleAPI(request, Array(path[(apiPrefix.count - 1)...]), responder)
        } else if path.count == apiPrefix.count - 1, apiPrefix.starts(with: path) {
            let location = PercentCoding.encodePath(apiPrefix)
            responder.complete(PathRules.redirect(head, to: location, PathRules.redirectStatus(head.method)))
        } else {
            handleMain(request, path, responder)
        }
    }

    private func handleMain(_ request: HTTPRequest, _ path: [UInt8], _ responder: HTTPResponder) {
        let start = GatewayMetrics.now()
        let head = request.head
        let coding = BodyCoding(head)
        if let coding, let fault = coding.startFault(request.body) {
            responder.complete(.error(.badRequest, fault))
            return
        }
        let result = routes.find(head.method, path)
        guard case .found(let hit) = result else {
            responder.complete(Self.unrouted(result, head, prefix: ""))
            return
        }
        switch hit.handler {
        case .push(let mode, let isBase64):
            let target = TargetPath(path: path, hit: hit, isBase64: isBase64)
            push(request, target, mode: mode, coding: coding, start: start, responder)
        case .delete(let isBase64):
            delete(request, TargetPath(path: path, hit: hit, isBase64: isBase64), responder)
        case .group(let isBase64):
            groupPage(request, TargetPath(path: path, hit: hit, isBase64: isBase64), responder)
        case .scrape: scrape(request, responder)
        case .healthy: answer(.healthy, request, responder, health(nil))
        case .ready: answer(.ready, request, responder, health(store.refusal?.description))
        case .status: statusPage(request, responder)
        case .asset: answer(.static, request, responder, asset(path[hit.rest]))
        case .quit: quit(responder)
        case .quitByGet:
            responder.complete(.text(.methodNotAllowed, "Only POST or PUT requests allowed."))
        }
    }

    private func handleAPI(_ request: HTTPRequest, _ path: [UInt8], _ responder: HTTPResponder) {
        let result = apiRoutes.find(request.head.method, path)
        guard case .found(let hit) = result else {
            responder.complete(Self.unrouted(result, request.head, prefix: settings.routePrefix + "/api/v1"))
            return
        }
        switch hit.handler {
        case .options: answer(.apiOptions, request, responder, HTTPResponse(.ok, fields: Self.apiFields))
        case .status: answer(.apiStatus, request, responder, statusDocument())
        case .metrics: metricsDocument(request, responder)
        case .groups: groupsDocument(request, responder)
        case .wipe: wipe(request, responder)
        }
    }

    /// Answers and counts.
    func answer(
        _ handler: GatewayMetrics.Handler, _ request: HTTPRequest, _ responder: HTTPResponder, _ response: HTTPResponse
    ) {
        metrics.count(handler, request.head.method, response.status)
        responder.complete(response)
    }

    private func health(_ fault: String?) -> HTTPResponse {
        guard let fault else { return .text(.ok, "OK") }
        return .error(.serviceUnavailable, fault)
    }

    private func quit(_ responder: HTTPResponder) {
        guard settings.enablesLifecycle else {
            responder.complete(.text(.forbidden, "Lifecycle API is not enabled."))
            return
        }
        responder.complete(.text(.ok, "Requesting termination... Goodbye!"))
        onQuit()
    }

    private func wipe(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let method = request.head.method
        store.submit(.wipe) { [metrics, logger] outcome in
            logger.debug("start wiping metric store")
            let response = Self.response(to: outcome, accepted: .accepted)
            metrics.count(.wipe, method, response.status)
            responder.complete(response)
        }
    }

    // MARK: Routes

    private static func makeRoutes(_ settings: GatewaySettings) -> RouteTable<Route> {
        let prefix = settings.routePrefix
        func path(_ text: String) -> [UInt8] { Array((prefix + text).utf8) }
        var table = RouteTable<Route>()
        for (suffix, isBase64) in [("", false), ("@base64", true)] {
            let target = RouteTable<Route>.Pattern.part(prefix: path("/metrics/job\(suffix)/"))
            table.add(.put, target, .push(.replaceGroup, isBase64: isBase64))
            table.add(.post, target, .push(.replaceFamilies, isBase64: isBase64))
            table.add(.delete, target, .delete(isBase64: isBase64))
            table.add(.get, .part(prefix: path("/group/job\(suffix)/")), .group(isBase64: isBase64))
        }
        let telemetry = prefix + "/" + settings.telemetryPath
        let cleaned = PathRules.cleaned(Array(telemetry.utf8)[...]) ?? Array(telemetry.utf8)
        table.add(
            .get, .exact(cleaned.count > 1 && cleaned.last == UInt8(ascii: "/") ? cleaned.dropLast() : cleaned), .scrape
        )
        table.add(.get, .exact(path("/-/healthy")), .healthy)
        table.add(.get, .exact(path("/-/ready")), .ready)
        table.add(.get, .exact(path("/status")), .status)
        table.add(.get, .exact(path("/")), .status)
        table.add(.get, .below(prefix: path("/static")), .asset)
        table.add(.put, .exact(path("/-/quit")), .quit)
        table.add(.post, .exact(path("/-/quit")), .quit)
        table.add(.get, .exact(Array("/-/quit".utf8)), .quitByGet)
        return table
    }

    private static func makeAPIRoutes(_ settings: GatewaySettings) -> RouteTable<APIRoute> {
        var table = RouteTable<APIRoute>()
        table.add(.get, .exact(Array("/status".utf8)), .status)
        table.add(.get, .exact(Array("/metrics".utf8)), .metrics)
        table.add(.get, .exact(Array("/groups".utf8)), .groups)
        if settings.enablesAdminAPI { table.add(.put, .exact(Array("/admin/wipe".utf8)), .wipe) }
        table.add(.options, .below(prefix: []), .options)
        return table
    }

    private static func unrouted<Handler>(
        _ result: RouteTable<Handler>.Result, _ head: HTTPRequestHead, prefix: String
    ) -> HTTPResponse {
        switch result {
        case .redirect(let path):
            return PathRules.redirect(
                head, to: prefix + PercentCoding.encodePath(path), PathRules.redirectStatus(head.method))
        case .options(let allow): return HTTPResponse(.ok, fields: [HTTPField("Allow", allow)])
        case .methodNotAllowed(let allow):
            return .error(.methodNotAllowed, "Method Not Allowed", fields: [HTTPField("Allow", allow)])
        case .notFound, .found: return .error(.notFound, "404 page not found")
        }
    }
}

/// The group part of a path that was routed.
struct TargetPath: Sendable {
    let path: [UInt8]
    let part: Range<Int>
    let rest: Range<Int>
    let isBase64: Bool

    init(path: [UInt8], hit: RouteTable<GatewayService.Route>.Hit, isBase64: Bool) {
        self.path = path
        part = hit.part
        rest = hit.rest
        self.isBase64 = isBase64
    }
}
