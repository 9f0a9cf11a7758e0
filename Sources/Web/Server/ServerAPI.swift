internal import ByteCoding
internal import Dispatch
internal import MetricModel
package import PromQL
internal import Synchronization
package import TSDB

/// The HTTP API of the time series server, apart from sockets: requests in, answers out.
///
/// Synchronous: call it from threads that may block, not from event loops.
///
/// Source: prometheus/prometheus web/web.go and web/api/v1/api.go.
package final class ServerAPI: Sendable {
    /// Whether the server answers questions about data.
    package enum Readiness: Int, Sendable {
        case starting, ready, stopping
    }

    let settings: Settings
    let process: Process
    let parser: Parser
    let evaluator: any QueryEvaluator
    let targets: any TargetDirectory
    /// What the pages tell their readers.
    package let notifications: NotificationCenter
    let remoteReadSlots: DispatchSemaphore?
    let deltas = DeltaAccumulator()
    /// What the API counts.
    package let counters: APICounters
    private let store = Mutex<Database?>(nil)
    private let readiness = Atomic<Int>(Readiness.starting.rawValue)
    private let quitRequested = Atomic<Bool>(false)

    /// An API that is not ready yet; see ``open(_:)``.
    package init(
        settings: Settings, process: Process, parser: Parser, evaluator: any QueryEvaluator,
        targets: any TargetDirectory, counters: APICounters = APICounters()
    ) {
        self.settings = settings
        notifications = NotificationCenter(maximumSubscribers: settings.maximumSubscribers, counters: counters)
        remoteReadSlots =
            settings.remoteReadConcurrency > 0 ? DispatchSemaphore(value: settings.remoteReadConcurrency) : nil
        self.counters = counters
        self.process = process
        self.parser = parser
        self.evaluator = evaluator
        self.targets = targets
        notifications.add(NotificationCenter.starting, now: process.now())
    }

    /// From now on the API answers questions about the data in `database`.
    package func open(_ database: Database) {
        store.withLock { $0 = database }
        readiness.store(Readiness.ready.rawValue, ordering: .releasing)
        notifications.remove(NotificationCenter.starting)
    }

    /// From now on the API answers that the server is stopping.
    package func stop() {
        readiness.store(Readiness.stopping.rawValue, ordering: .releasing)
        notifications.add(NotificationCenter.stopping, now: process.now())
    }

    /// Where the data lies.
    /// - Throws: ``APIError`` before ``open(_:)``.
    func database() throws(APIError) -> Database {
        guard let database = store.withLock({ $0 }) else { throw APIError(.unavailable, "TSDB not ready") }
        return database
    }

    // MARK: Requests

    /// Answers `request`.
    package func respond(to request: ServerRequest) -> ServerResponse {
        let apiPrefix: ByteString = "/api/v1/"
        if let cleaned = PathRules.cleaned(request.path.bytes[...]) {
            return Self.redirect(request, to: cleaned, orElse: .temporaryRedirect)
        }
        guard request.path.hasPrefix(apiPrefix) else { return respondOutsideAPI(request) }
        let path = ByteString(request.path.bytes.dropFirst(apiPrefix.count))
        var response: ServerResponse
        do throws(APIError) {
            response = try route(request, path.string, FormValues(request))
        } catch {
            response = error.response
        }
        if isServed(request.method, path.string) { addOrigin(request, to: &response) }
        return response
    }

    /// Answers `request` if that takes a small part of a millisecond and waits for nothing, so that a thread that must
    /// not be held up may do it itself; nil if it may take more, or if the answer is an error:
    /// ``respond(to:)`` then gives it.
    package func respondLightly(to request: ServerRequest) -> ServerResponse? {
        let isRead = request.method == "GET" || request.method == "HEAD"
        if isRead, request.path == "/-/healthy" || request.path == "/-/ready" { return respondOutsideAPI(request) }
        let (path, longest) = (request.path.string, 4096)
        guard path.hasPrefix("/api/v1/"), request.query.count <= longest, request.body.count <= longest,
            PathRules.cleaned(request.path.bytes[...]) == nil
        else {
            return nil
        }
        let route = String(path.dropFirst("/api/v1/".count))
        switch route {
        case "query", "series", "labels": break
        default: if labelValuesHandler(route) == nil { return nil }
        }
        var light = request
        light.effort = .light
        guard var response = try? self.route(light, route, FormValues(light)), response.status == 200 else {
            return nil
        }
        addOrigin(request, to: &response)
        return response
    }

    /// Sends a client on from a path with empty, `.` or `..` parts, as Go's server does before any route is looked up.
    /// - Parameter other: The status for methods that do more than read.
    private static func redirect(
        _ request: ServerRequest, to path: [UInt8], orElse other: HTTPStatus
    ) -> ServerResponse {
        let isRead = request.method == "GET" || request.method == "HEAD"
        let status = isRead ? HTTPStatus.movedPermanently : other
        let query = request.query.isEmpty ? "" : "?" + request.query.string
        let target = request.routePrefix + PercentCoding.encodePath(path) + query
        guard isRead else { return ServerResponse(Int(status.code), fields: [("Location", target)]) }
        let link: Markup = "<a href=\"\(target)\">\(status.phrase)</a>.\n\n"
        return ServerResponse(
            Int(status.code), fields: [("Content-Type", "text/html; charset=utf-8"), ("Location", target)],
            body: .bytes(link.bytes))
    }

    /// Sends a client on from a path that is served without the slash at its end; nil for all other paths.
    ///
    /// Source: julienschmidt/httprouter, which upstream routes with. Below `/api/v1/` upstream forgets that prefix.
    static func redirectionWithoutSlash(_ request: ServerRequest) -> ServerResponse? {
        let path = request.path.bytes
        guard path.count > 1, path.last == UInt8(ascii: "/"),
            routePattern(ByteString(path.dropLast()).string) != nil
        else { return nil }
        return redirect(request, to: Array(path.dropLast()), orElse: .permanentRedirect)
    }

    private func respondOutsideAPI(_ request: ServerRequest) -> ServerResponse {
        let isRead = request.method == "GET" || request.method == "HEAD"
        if let refusal = Self.methodRefusal(request) { return refusal }
        switch (request.path.string, isRead) {
        case ("/-/healthy", true): return .text(200, "Prometheus Server is Healthy.\n")
        case ("/-/ready", true): return unready ?? .text(200, "Prometheus Server is Ready.\n")
        case ("/-/reload", _), ("/-/quit", _): return lifecycle(request)
        case ("/metrics", true): return ownMetrics(request)
        case ("/version", true):
            return ServerResponse(
                200, fields: [("Content-Type", "text/plain; charset=utf-8")],
                body: .bytes(buildInformation + [UInt8(ascii: "\n")]))
        case ("/federate", true): return unready ?? federate(request)
        default:
            if let page = page(request) { return page }
            return Self.redirectionWithoutSlash(request) ?? .plainError(404, "404 page not found")
        }
    }

    /// What is answered for a method that a path outside the API does not take; nil if it takes it, or is no path.
    private static func methodRefusal(_ request: ServerRequest) -> ServerResponse? {
        let allowed: String
        let methods: Set<String>
        switch request.path.string {
        case "/-/healthy", "/-/ready": (allowed, methods) = ("GET, HEAD, OPTIONS", ["GET", "HEAD"])
        case "/-/reload", "/-/quit": (allowed, methods) = ("GET, OPTIONS, POST, PUT", ["GET", "POST", "PUT"])
        case "/metrics", "/federate", "/version": (allowed, methods) = ("GET, OPTIONS", ["GET"])
        default:
            guard routePattern(request.path.string) != nil else { return nil }
            (allowed, methods) = ("GET, OPTIONS", ["GET", "HEAD"])
        }
        if methods.contains(request.method) { return nil }
        guard request.method == "OPTIONS" else { return methodNotAllowed(allowed) }
        return ServerResponse(200, fields: [("Allow", allowed)])
    }

    private func lifecycle(_ request: ServerRequest) -> ServerResponse {
        guard request.method == "POST" || request.method == "PUT" else {
            return .text(405, "Only POST or PUT requests allowed")
        }
        guard settings.enablesLifecycle else { return .text(403, "Lifecycle API is not enabled.") }
        if request.path == "/-/quit" {
            if quitRequested.exchange(true, ordering: .relaxed) {
                return .text(200, "Termination already in progress.")
            }
            process.quit()
            return .text(200, "Requesting termination... Goodbye!")
        }
        if let fault = process.reload() { return .plainError(500, "failed to reload config: \(fault)") }
        return ServerResponse(200)
    }

    /// What is answered while the server is starting or stopping; nil once it is ready.
    var unready: ServerResponse? {
        switch Readiness(rawValue: readiness.load(ordering: .acquiring)) {
        case .ready: return nil
        case .stopping, nil: return Self.unavailable(isStopping: true)
        case .starting: return Self.unavailable(isStopping: false)
        }
    }

    private static func unavailable(isStopping: Bool) -> ServerResponse {
        var response = ServerResponse.text(503, "Service Unavailable")
        response.fields.append(("X-Prometheus-Stopping", isStopping ? "true" : "false"))
        return response
    }

    /// Tells caches what the answer depends on, and browsers which pages may read it.
    ///
    /// Source: prometheus/prometheus util/httputil/cors.go (`SetCORS`).
    private func addOrigin(_ request: ServerRequest, to response: inout ServerResponse) {
        if case .events = response.body {} else { response.fields.append(("Vary", "Accept-Encoding")) }
        response.fields.append(("Vary", "Origin"))
        guard let origin = request.fields["origin"], !origin.isEmpty else { return }
        response.fields += [
            ("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin"),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"), ("Access-Control-Expose-Headers", "Date"),
        ]
        if settings.origin?.matches(ByteString(origin)) ?? true {
            response.fields.append(("Access-Control-Allow-Origin", origin))
        }
    }

    // MARK: Answers

    static func methodNotAllowed(_ allowed: String) -> ServerResponse {
        var response = ServerResponse.plainError(405, "Method Not Allowed")
        response.fields.append(("Allow", allowed))
        return response
    }

    /// An answer with data, which is JSON already.
    static func success(_ data: [UInt8], warnings: [String] = [], infos: [String] = []) -> ServerResponse {
        var json = Array(#"{"status":"success","data":"#.utf8)
        json += data
        QueryResultJSON.appendAnnotations(warnings, infos, to: &json)
        json.append(UInt8(ascii: "}"))
        return ServerResponse(200, fields: [("Content-Type", "application/json")], body: .bytes(json))
    }

    /// An answer without anything to say.
    static var nothing: ServerResponse { ServerResponse(204) }

    static let truncated = "results truncated due to limit"
}
